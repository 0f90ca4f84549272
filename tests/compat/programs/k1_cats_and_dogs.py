# Keras 1, 2016: cats and dogs from folders of files, augmented, with fit_generator that counts samples.
import os

import numpy as np
from keras.layers import Activation, Convolution2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.preprocessing.image import ImageDataGenerator, array_to_img, img_to_array, list_pictures, load_img

# Drawn pictures: cats have two pointed ears, dogs have hanging ones.
rng = np.random.RandomState(0)
for part, count in (("train", 24), ("validation", 8)):
    for kind in ("cats", "dogs"):
        folder = os.path.join("data", part, kind)
        os.makedirs(folder)
        for i in range(count):
            picture = np.full((32, 32, 3), 30 + rng.randint(40), dtype="uint8")
            picture[10:26, 8:24] = (200, 150, 90)
            ears = slice(3, 10) if kind == "cats" else slice(24, 31)
            picture[ears, 8:12] = picture[ears, 20:24] = 250
            array_to_img(picture.astype("float32"), dim_ordering="tf").save(os.path.join(folder, "%s.%d.jpg" % (kind[:-1], i)))

img_width, img_height = 32, 32
train_data_dir, validation_data_dir = "data/train", "data/validation"
nb_train_samples, nb_validation_samples, nb_epoch = 48, 16, 12

assert len(list_pictures("data", ext="jpg|png")) == 64
x = img_to_array(load_img("data/train/cats/cat.0.jpg"), dim_ordering="th")
assert x.shape == (3, 32, 32)

model = Sequential()
model.add(Convolution2D(8, 3, 3, input_shape=(img_width, img_height, 3), dim_ordering="tf"))
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(2, 2), dim_ordering="tf"))
model.add(Flatten())
model.add(Dense(16))
model.add(Activation("relu"))
model.add(Dropout(0.25))
model.add(Dense(1))
model.add(Activation("sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])

train_datagen = ImageDataGenerator(rescale=1.0 / 255, shear_range=0.2, zoom_range=0.2, horizontal_flip=True, dim_ordering="tf")
test_datagen = ImageDataGenerator(rescale=1.0 / 255, dim_ordering="tf")
train_generator = train_datagen.flow_from_directory(
    train_data_dir, target_size=(img_width, img_height), batch_size=16, class_mode="binary", seed=1
)
validation_generator = test_datagen.flow_from_directory(
    validation_data_dir, target_size=(img_width, img_height), batch_size=16, class_mode="binary"
)
assert train_generator.nb_sample == nb_train_samples and train_generator.nb_class == 2
assert train_generator.class_indices == {"cats": 0, "dogs": 1}
history = model.fit_generator(
    train_generator,
    samples_per_epoch=nb_train_samples,
    nb_epoch=nb_epoch,
    validation_data=validation_generator,
    nb_val_samples=nb_validation_samples,
    verbose=0,
)
assert len(history.history["loss"]) == nb_epoch
assert history.history["loss"][-1] < history.history["loss"][0]
assert 0 <= history.history["val_acc"][-1] <= 1
scores = model.evaluate_generator(validation_generator, val_samples=nb_validation_samples)
assert len(scores) == 2

os.mkdir("preview")
i = 0
for batch in train_datagen.flow(x.transpose(1, 2, 0)[None], batch_size=1, save_to_dir="preview", save_prefix="cat", save_format="jpeg"):
    i += 1
    if i >= 3:
        break
assert len(os.listdir("preview")) == 3
