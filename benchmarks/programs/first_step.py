"""Import, build seed3's model, train one step: `python first_step.py MODULE`, where MODULE speaks Keras."""

import importlib
import sys

import numpy as np

keras = importlib.import_module(sys.argv[1])
model = keras.Sequential(
    [keras.Input((784,)), keras.layers.Dense(256, activation="relu"), keras.layers.Dense(10, activation="softmax")]
)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
rows = np.random.default_rng(0)
x, y = rows.random((200, 784), dtype="float32"), np.eye(10, dtype="float32")[rows.integers(0, 10, 200)]
model.fit(x, y, batch_size=200, verbose=0)
