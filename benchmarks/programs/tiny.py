"""A tiny program: 1,000 images, 5 epochs. What a user waits for when trying things out."""

import keras
from keras import layers

(x_train, y_train), _ = keras.datasets.mnist.load_data()
x_train = x_train[:1000].reshape(-1, 784).astype("float32") / 255
y_train = keras.utils.to_categorical(y_train[:1000], 10)

model = keras.Sequential(
    [keras.Input((784,)), layers.Dense(256, activation="relu"), layers.Dense(10, activation="softmax")]
)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=50, epochs=5, verbose=2)
