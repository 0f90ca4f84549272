"""A program with mistakes, each line that has one marked: type checkers find them all, and nothing else."""

import numpy as np

import cornu as keras
from cornu.layers import Dense

x, y = np.zeros((8, 4)), np.zeros((8, 1))
model = keras.Sequential([keras.layers.Dense("8"), Dense(1)])  # wrong
model.add(Dense())  # wrong
model.add(keras.layers.Dens(1))  # wrong
model.add(Dense(1, kernel_initializer=keras.initializers.GlorotUnifrom()))  # wrong
model.compile(keras.optimizers.Adam(learning_rat=0.1), loss="mse")  # wrong
model.compile("sgd", los="mse")  # wrong
model.complie("sgd", loss="mse")  # wrong
history = model.fit(x, y, epoch=2)  # wrong
history = model.fit(x, y, epochs="2")  # wrong
print(history.histroy)  # wrong
print(history.history["loss"].mean())  # wrong
model.predict()  # wrong
Dense(1, activation=1)  # wrong
Dense(1, activaton="relu")  # wrong
keras.layers.Conv2D(8, 3, paddng="same")  # wrong
keras.callbacks.EarlyStopping(patienc=3)  # wrong
keras.Sequentail()  # wrong
