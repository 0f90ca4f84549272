"""The program `data_set.py`, in which images are flipped, cropped and brightened at random."""

import keras
import tensorflow as tf

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()


def preprocess(image, label):
    image = tf.cast(image, tf.float32) / 255.0
    image = tf.reshape(image, (28, 28, 1))
    label = tf.cast(label, tf.int32)
    return image, tf.one_hot(label, 10)


def augment(image, label):
    image = tf.image.random_flip_left_right(image)
    image = tf.image.random_crop(tf.pad(image, [[2, 2], [2, 2], [0, 0]]), (28, 28, 1))
    return tf.image.random_brightness(image, 0.1), label


rows = tf.data.Dataset.from_tensor_slices((x_train, y_train))
train = rows.map(preprocess).map(augment).shuffle(60000).batch(128)
test = tf.data.Dataset.from_tensor_slices((x_test, y_test)).map(preprocess).batch(128)
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        keras.layers.Flatten(),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
model.fit(train.prefetch(tf.data.AUTOTUNE), validation_data=test, epochs=1, verbose=2)
