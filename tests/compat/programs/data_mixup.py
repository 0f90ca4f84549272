# Keras 3: MixUp and CutMix in tf.data, random layers inside the model
import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(1)
kinds = np.arange(96) % 3
images = np.random.rand(96, 12, 12, 3).astype("float32")
images[kinds == 1, :, :, 0] += 1
images[kinds == 2, :, :, 2] += 1
labels = keras.utils.to_categorical(kinds, 3)
mix_up, cut_mix = layers.MixUp(alpha=0.4), layers.CutMix()


def augment(images, labels):
    mixed = mix_up({"images": images, "labels": labels}, training=True)
    mixed = cut_mix(mixed, training=True)
    return mixed["images"], mixed["labels"]


dataset = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(96).batch(16).map(augment).prefetch(2)
first = np.concatenate([y.numpy() for _, y in dataset])
second = np.concatenate([y.numpy() for _, y in dataset])
assert ((first > 0.01) & (first < 0.99)).any() and (first != second).any()
np.testing.assert_allclose(first.sum(1), 1, rtol=1e-5)

model = keras.Sequential([
    layers.RandomFlip("horizontal"),
    layers.RandomRotation(0.1),
    layers.Conv2D(8, 3, activation="relu"),
    layers.GlobalAveragePooling2D(),
    layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.02), "categorical_crossentropy", metrics=["accuracy"])
model.fit(dataset, epochs=20, verbose=2)
loss, accuracy = model.evaluate(images, labels, verbose=0)
assert accuracy > 0.9, accuracy
