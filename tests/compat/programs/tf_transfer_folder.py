# tf.keras 2: transfer learning from a folder of pictures: augmentation, a frozen MobileNetV2, then its last layers too
import os
import pathlib

import numpy as np
import tensorflow as tf

rng = np.random.RandomState(0)
for split, count in (('train', 12), ('validation', 8)):
    for number, kind in enumerate(('cats', 'dogs')):
        folder = os.path.join('pets', split, kind)
        os.makedirs(folder)
        for i in range(count):
            picture = rng.randint(0, 80, (40, 40, 3)) + np.array([120, 0, 0] if number else [0, 0, 120])
            tf.keras.utils.save_img(os.path.join(folder, '%d.png' % i), picture, scale=False)
assert len(list(pathlib.Path('pets').glob('*/*/*.png'))) == 40

BATCH_SIZE, IMG_SIZE, AUTOTUNE = 8, (32, 32), tf.data.AUTOTUNE
train_dataset = tf.keras.utils.image_dataset_from_directory('pets/train', shuffle=True, seed=1, batch_size=BATCH_SIZE,
                                                            image_size=IMG_SIZE)
validation_dataset = tf.keras.utils.image_dataset_from_directory('pets/validation', shuffle=False,
                                                                 batch_size=BATCH_SIZE, image_size=IMG_SIZE)
class_names = train_dataset.class_names
assert class_names == ['cats', 'dogs'], class_names
val_batches = tf.data.experimental.cardinality(validation_dataset)
test_dataset = validation_dataset.take(val_batches // 2)
validation_dataset = validation_dataset.skip(val_batches // 2)
assert int(tf.data.experimental.cardinality(test_dataset)) == 1
for images, labels in train_dataset.take(1):
    assert images.shape == (8, 32, 32, 3) and images[0].numpy().astype('uint8').max() <= 255
    assert class_names[labels[0]] in ('cats', 'dogs')
train_dataset = train_dataset.cache().prefetch(buffer_size=AUTOTUNE)
validation_dataset = validation_dataset.cache().prefetch(buffer_size=AUTOTUNE)

data_augmentation = tf.keras.Sequential([
    tf.keras.layers.RandomFlip('horizontal'),
    tf.keras.layers.RandomRotation(0.2),
])
preprocess_input = tf.keras.applications.mobilenet_v2.preprocess_input
base_model = tf.keras.applications.MobileNetV2(input_shape=IMG_SIZE + (3,), include_top=False, weights=None, alpha=0.35)
image_batch, label_batch = next(iter(train_dataset))
assert base_model(image_batch).shape == (8, 1, 1, 1280)
base_model.trainable = False
inputs = tf.keras.Input(shape=(32, 32, 3))
x = data_augmentation(inputs)
x = preprocess_input(x)
x = base_model(x, training=False)
x = tf.keras.layers.GlobalAveragePooling2D()(x)
x = tf.keras.layers.Dropout(0.2)(x)
outputs = tf.keras.layers.Dense(1)(x)
model = tf.keras.Model(inputs, outputs)
assert len(model.trainable_variables) == 2
base_learning_rate = 0.001
model.compile(optimizer=tf.keras.optimizers.Adam(learning_rate=base_learning_rate),
              loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
              metrics=[tf.keras.metrics.BinaryAccuracy(threshold=0, name='accuracy')])
loss0, accuracy0 = model.evaluate(validation_dataset, verbose=0)
before = base_model.get_weights()
history = model.fit(train_dataset, epochs=2, validation_data=validation_dataset, verbose=0)
assert all((a == b).all() for a, b in zip(before, base_model.get_weights()))

base_model.trainable = True
fine_tune_at = 140
assert len(base_model.layers) == 154
for layer in base_model.layers[:fine_tune_at]:
    layer.trainable = False
model.compile(loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
              optimizer=tf.keras.optimizers.RMSprop(learning_rate=base_learning_rate / 10),
              metrics=[tf.keras.metrics.BinaryAccuracy(threshold=0, name='accuracy')])
history_fine = model.fit(train_dataset, epochs=4, initial_epoch=len(history.epoch),
                         validation_data=validation_dataset, verbose=0)
assert history_fine.epoch == [2, 3]
after = base_model.get_weights()
first = base_model.layers[1].get_weights()[0]
assert (first == before[0]).all() and any((a != b).any() for a, b in zip(before, after))
loss, accuracy = model.evaluate(test_dataset, verbose=0)
image_batch, label_batch = test_dataset.as_numpy_iterator().next()
predictions = model.predict_on_batch(image_batch).flatten()
predictions = tf.where(tf.nn.sigmoid(predictions) < 0.5, 0, 1)
assert predictions.numpy().shape == label_batch.shape == (8,)
assert np.isclose(accuracy, (predictions.numpy() == label_batch).mean())
