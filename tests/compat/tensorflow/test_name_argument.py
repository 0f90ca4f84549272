"""TensorFlow's functions take `name=`, also where they are functions of `keras.ops` or activations."""

import subprocess
import sys

PROGRAM = """
import cornu
cornu.install_as_keras()
import numpy as np
import tensorflow as tf
x = np.array([[-1.0, 2.0]], "float32")
for f in (tf.nn.relu, tf.nn.sigmoid, tf.nn.softmax, tf.sigmoid, tf.nn.elu, tf.nn.swish, tf.math.softplus, tf.tanh):
    assert f(x, name="layer").shape == x.shape
assert tf.nn.relu(features=x).tolist() == [[0.0, 2.0]]
assert tf.sort(x, name="sorted").tolist() == x.tolist()
assert tf.linalg.norm(x, name="length") > 2
assert tf.nn.l2_normalize(x, axis=1, name="unit").shape == x.shape
inputs = tf.keras.Input((2,))
outputs = tf.nn.relu(inputs, name="positive")
assert tf.keras.Model(inputs, outputs)(x).tolist() == [[0.0, 2.0]]
dense = tf.keras.layers.Dense(2, activation=tf.nn.relu)
assert dense.activation is cornu.activations.relu
assert tf.keras.layers.serialize(dense)["config"]["activation"] == "relu"
assert tf.keras.activations.serialize(tf.nn.softmax) == "softmax"
assert tf.keras.activations.relu is cornu.activations.relu
try:
    tf.nn.relu(x, names="layer")
except TypeError as error:
    print("names" in str(error))
"""


def test_functions_take_name_and_are_still_activations():
    result = subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert result.stdout.split() == ["True"], result.stderr
