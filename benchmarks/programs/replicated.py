"""A short training of one of the tutorials' kinds of models, by its name: for one run, or several replicas of it."""

import sys

import keras
import numpy as np
from keras import layers

(x, y), _ = keras.datasets.mnist.load_data()
x = x.astype("float32") / 255


def mlp():
    """Two hidden layers with dropout, on 10,000 images."""
    hidden = [layers.Dense(512, "relu"), layers.Dropout(0.5), layers.Dense(256, "relu"), layers.Dropout(0.25)]
    return x[:10_000].reshape(-1, 784), y[:10_000], [keras.Input((784,)), *hidden], 128


def small():
    """One hidden layer, on 10,000 images."""
    return x[:10_000].reshape(-1, 784), y[:10_000], [keras.Input((784,)), layers.Dense(64, "relu")], 128


def tiny():
    """One hidden layer of 16 units on 13 numbers, as in tutorials on tables."""
    rows = x[:2000, ::8, 7:21:7].reshape(2000, -1)
    return rows, y[:2000], [keras.Input(rows.shape[1:]), layers.Dense(16, "relu")], 32


def cnn():
    """Two convolutions, on 2,560 images."""
    convolved = [layers.Conv2D(32, 3, activation="relu"), layers.Conv2D(64, 3, activation="relu")]
    dense = [layers.MaxPooling2D(), layers.Dropout(0.25), layers.Flatten(), layers.Dense(128, "relu")]
    return x[:2560, ..., None], y[:2560], [keras.Input((28, 28, 1)), *convolved, *dense], 128


def lstm():
    """The rows of 2,560 images as sequences."""
    return x[:2560], y[:2560], [keras.Input((28, 28)), layers.LSTM(64)], 64


def texts():
    """Embeddings of 200 words, averaged, for 6,400 texts."""
    words = np.random.default_rng(0).integers(0, 5000, (6400, 200))
    kinds = [keras.Input((200,)), layers.Embedding(5000, 32), layers.GlobalAveragePooling1D(), layers.Dense(32, "relu")]
    return words, y[:6400], kinds, 32


rows, classes, parts, batch_size = globals()[sys.argv[1]]()
model = keras.Sequential([*parts, layers.Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(rows, classes, batch_size=batch_size, epochs=5, validation_split=0.1, verbose=2)
