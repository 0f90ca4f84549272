# tf.keras: tf.data.Dataset.from_tensor_slices, shuffle, batch, map, prefetch, repeat into fit with steps_per_epoch; tf.cast
import numpy as np
import tensorflow as tf

(x, y), _ = tf.keras.datasets.mnist.load_data(path='mnist.npz')
x, y = x[:200], y[:200]
AUTOTUNE = tf.data.experimental.AUTOTUNE


def scale(image, label):
    image = tf.cast(image, tf.float32)
    image /= 255
    return image, label


train = tf.data.Dataset.from_tensor_slices((x, y)).map(scale, num_parallel_calls=AUTOTUNE).cache().shuffle(200).batch(40).prefetch(tf.data.AUTOTUNE)
test = tf.data.Dataset.from_tensor_slices((x[..., tf.newaxis].astype('float32')[:, :, :, 0] / 255., y)).batch(50)
model = tf.keras.models.Sequential([tf.keras.layers.Flatten(input_shape=(28, 28)), tf.keras.layers.Dense(10, activation='softmax')])
model.compile(optimizer=tf.keras.optimizers.Adam(0.01), loss='sparse_categorical_crossentropy', metrics=['sparse_categorical_accuracy'])
h = model.fit(train, epochs=3, validation_data=test, verbose=2)
assert h.history['sparse_categorical_accuracy'][-1] > h.history['sparse_categorical_accuracy'][0]
again = model.fit(train.repeat(), epochs=2, steps_per_epoch=3, validation_data=test, validation_steps=2, verbose=0)
assert len(again.history['loss']) == 2
loss, acc = model.evaluate(test, verbose=0)
for images, labels in train.take(1):
    assert images.shape == (40, 28, 28) and labels.shape == (40,)
    assert images.numpy().max() <= 1.0
assert len(model.predict(test)) == 200
assert abs((model.predict(test).argmax(1) == y).mean() - acc) < 1e-6
