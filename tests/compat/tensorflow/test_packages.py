"""Names that programs ask of packages beside Keras: what replaces them, and what is said of the others."""

import subprocess
import sys

PROGRAM = """
import cornu
cornu.install_as_keras()
import tensorflow as tf
import tensorflow_addons as tfa
import tensorflow_datasets as tfds
from keras_contrib.layers.normalization.instancenormalization import InstanceNormalization
from tensorflow_addons.layers import InstanceNormalization as OfAddons
from cornu.compat.tensorflow import addons
assert OfAddons is tfa.layers.InstanceNormalization is addons.InstanceNormalization
assert tfa.layers.GroupNormalization is cornu.layers.GroupNormalization

def said(ask):
    try:
        ask()
    except (AttributeError, NotImplementedError) as error:
        return str(error)
    raise AssertionError("it is there")

for ask, words in [
    (lambda: tf.estimator, "use model.fit"),
    (lambda: tf.feature_column.numeric_column, "FeatureSpace"),
    (lambda: tf.saved_model.save, "model.save"),
    (lambda: tf.compat.v1.layers.dense, "tf.keras.layers"),
    (lambda: tf.compat.v1.train.Saver, "tf.train.Checkpoint"),
    (lambda: tf.saved_model.save, "tf.train.Checkpoint"),
    (lambda: tf.compat.v1.train.exponential_decay, "schedules.ExponentialDecay"),
    (lambda: tf.compat.v1.nn.rnn_cell.LSTMCell, "tf.keras.layers.LSTMCell"),
    (lambda: tf.compat.v1.losses.softmax_cross_entropy, "CategoricalCrossentropy(from_logits=True)"),
    (lambda: tf.compat.v1.get_collection("a"), "no collections"),
    (lambda: tf.compat.v1.Print, "tf.print"),
    (lambda: tf.contrib.layers, "removed from TensorFlow 2.0"),
    (lambda: tf.keras.experimental.LinearModel(), "keras.layers.add"),
    (lambda: tf.keras.estimator.model_to_estimator(None), "Use model.fit"),
    (lambda: tfa.layers.CRF, "TimeDistributed"),
    (lambda: tfa.seq2seq, "no longer maintained"),
    (lambda: tfds.builder, "tensorflow_datasets.load"),
    (lambda: tf.reduce_men, "Did you mean 'reduce_mean'?"),
]:
    assert words in said(ask), said(ask)
assert tf.compat.v1.reduce_sum(tf.ones((2, 2)), reduction_indices=1, keep_dims=True).shape == (2, 1)
assert tf.compat.v1.argmax([1, 3], dimension=0) == 1
assert int(tf.compat.v1.floor_div(7, 2)) == 3
assert tf.compat.v1.lin_space(0.0, 1.0, 3).numpy().tolist() == [0, 0.5, 1]
assert tf.compat.v1.string_to_number(["1", "2.5"]).numpy().tolist() == [1, 2.5]
assert tf.compat.v1.glorot_uniform_initializer()((2, 3)).shape == (2, 3)
assert int(tf.compat.v1.data.make_one_shot_iterator(tf.data.Dataset.range(5, 7)).get_next()) == 5
assert tf.nn.softmax([[0.0, 0.0]], dim=-1)[0, 0] == 0.5
rows = tf.data.Dataset.from_tensor_slices(tf.ragged.constant([[1, 2], [3]]))
assert [int(tf.size(row)) for row in rows] == [2, 1]
spec = tf.data.Dataset.from_tensor_slices([[1.0, 2.0]]).element_spec
assert (spec.shape.as_list(), spec.dtype.name) == ([2], "float32")
iterator = iter(tf.data.Dataset.range(1))
iterator.get_next()
try:
    iterator.get_next()
except tf.errors.OutOfRangeError:
    print("done")
"""


def test_names_are_found_or_explained():
    done = subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["done"], done.stderr
