"""Run an old program with real Keras 3: `python with_keras.py DATA PROGRAM`, with the least that it needs of old names.

Cornu runs the programs unchanged; Keras 3 lacks ``keras.utils.np_utils``, which is put back here, and its MNIST would
be downloaded, so it is read from the file DATA.
"""

import runpy
import sys

import keras
import numpy as np


def load_data():
    """Return MNIST from the benchmark's file."""
    with np.load(sys.argv[1]) as file:
        return (file["x"], file["y"]), (file["x_test"], file["y_test"])


keras.datasets.mnist.load_data = load_data
sys.modules["keras.datasets.mnist"] = keras.datasets.mnist
sys.modules["keras.utils.np_utils"] = keras.utils.np_utils = keras.utils
runpy.run_path(sys.argv[2], run_name="__main__")
