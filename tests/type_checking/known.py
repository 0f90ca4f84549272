"""What type checkers know: the comment in a line is the type that they reveal."""

from typing import reveal_type

import numpy as np

import cornu as keras

x = np.zeros((8, 4))
model = keras.Sequential([keras.layers.Dense(3)])
history = model.fit(x, x, verbose=0)

reveal_type(keras.Sequential)  # type[Sequential]
reveal_type(keras.layers.Dense)  # type[Dense]
reveal_type(model)  # Sequential
reveal_type(keras.layers.Dense(3))  # Dense
reveal_type(keras.layers.MaxPool2D(2))  # MaxPooling2D
reveal_type(keras.Input((4,)))  # SymbolicTensor
reveal_type(keras.Model())  # Model
reveal_type(history)  # History
reveal_type(history.history)  # dict[str, list[float]]
reveal_type(history.history["loss"][-1])  # float
reveal_type(model.layers[0])  # Layer
reveal_type(model.get_weights()[0].shape)  # tuple[Any, ...]
reveal_type(keras.optimizers.Adam(1e-3))  # Adam
reveal_type(keras.losses.MeanSquaredError())  # MeanSquaredError
reveal_type(keras.metrics.AUC())  # AUC
reveal_type(keras.callbacks.EarlyStopping(patience=3))  # EarlyStopping
reveal_type(keras.initializers.GlorotUniform())  # GlorotUniform
reveal_type(keras.Variable(x))  # Variable
reveal_type(model.count_params())  # int
reveal_type(model.predict(x))  # ndarray[tuple[Any, ...], dtype[Any]] | Any
