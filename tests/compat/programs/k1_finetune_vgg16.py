# Keras 1: VGG16 without its top, a classifier on it trained first, then the last block of convolutions; fit_generator
from __future__ import print_function
import numpy as np
from keras.applications.vgg16 import VGG16, preprocess_input
from keras.layers import Dense, Dropout, GlobalAveragePooling2D, Input
from keras.models import Model, load_model
from keras.optimizers import SGD
from keras.utils import np_utils

np.random.seed(1337)
nb_classes, batch_size = 3, 8
labels = np.arange(24) % nb_classes
images = np.random.uniform(0, 60, (24, 32, 32, 3)) + 90 * (labels[:, None, None, None] == np.arange(3))


def batches():
    while True:
        for start in range(0, len(images), batch_size):
            rows = slice(start, start + batch_size)
            yield preprocess_input(images[rows].astype('float32')) / 255., np_utils.to_categorical(labels[rows], nb_classes)


base_model = VGG16(weights=None, include_top=False, input_tensor=Input(shape=(32, 32, 3)))
x = GlobalAveragePooling2D()(base_model.output)
x = Dense(16, activation='relu', name='fc')(x)
x = Dropout(0.1)(x)
predictions = Dense(nb_classes, activation='softmax', name='new_predictions')(x)
model = Model(input=base_model.input, output=predictions)

for layer in base_model.layers:
    layer.trainable = False
model.compile(optimizer='rmsprop', loss='categorical_crossentropy', metrics=['accuracy'])
assert len(model.trainable_weights) == 4
before = [layer.get_weights() for layer in base_model.layers]
head = model.get_layer('fc').get_weights()
model.fit_generator(batches(), samples_per_epoch=len(images), nb_epoch=1, verbose=0)
assert all(np.array_equal(a, b) for old, layer in zip(before, base_model.layers) for a, b in zip(old, layer.get_weights()))
assert not np.array_equal(head[0], model.get_layer('fc').get_weights()[0])

for i, layer in enumerate(base_model.layers):
    print(i, layer.name)
assert [layer.name for layer in model.layers[15:19]] == ['block5_conv1', 'block5_conv2', 'block5_conv3', 'block5_pool']
for layer in model.layers[:15]:
    layer.trainable = False
for layer in model.layers[15:]:
    layer.trainable = True
model.compile(optimizer=SGD(lr=0.01, momentum=0.9), loss='categorical_crossentropy')
assert len(model.trainable_weights) == 6 + 4
model.fit_generator(batches(), samples_per_epoch=len(images), nb_epoch=1, verbose=0)
assert np.array_equal(before[2][0], base_model.layers[2].get_weights()[0])
assert not np.array_equal(before[17][0], base_model.layers[17].get_weights()[0])

model.save('tuned.h5')
again = load_model('tuned.h5')
x = next(batches())[0]
assert np.allclose(again.predict(x), model.predict(x), atol=1e-6)
assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
