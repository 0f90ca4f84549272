"""Models on texts whose code uses TensorFlow's functions: they run before the compiled program."""

import numpy as np
from tests.compat.tensorflow.own_tensorflow import OwnTensorflow

import cornu
from cornu import layers
from cornu.compat.tensorflow import lookup, strings
from cornu.data import dataset

tf = OwnTensorflow(strings=strings, lookup=lookup, data=dataset)

TEXTS = np.array(["A good film", "a BAD film", "good fun", "bad"] * 4, object)
LABELS = np.array([1, 0, 1, 0] * 4)


class Lengths(cornu.Model):
    def __init__(self):
        super().__init__()
        self.words = layers.TextVectorization(vocabulary=["good", "bad"], output_sequence_length=2, standardize=None)
        self.table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["bad film"], [7]), -1)
        self.dense = layers.Dense(1)

    def call(self, text):
        text = tf.squeeze(tf.expand_dims(tf.strings.lower(text), -1), -1)
        text = tf.strings.strip(tf.strings.regex_replace(text, "^a ", ""))
        numbers = tf.stack([tf.strings.length(text), self.table.lookup(text), tf.cast(text == "bad", tf.int32)], 1)
        return self.dense(tf.cast(tf.concat([numbers, self.words(text)], 1), tf.float32))


class Compiled(Lengths):
    call = tf.function(Lengths.call)


def test_functions_of_texts_run_before_the_program():
    numbers = [[9, -1, 0, 2, 1], [8, 7, 0, 3, 1], [8, -1, 0, 2, 1], [3, -1, 1, 3, 0]] * 4
    for make in (Lengths, Compiled):
        model = make()
        model.compile("sgd", "mse")
        model.fit(TEXTS, LABELS, verbose=0)
        found = model.predict(tf.data.Dataset.from_tensor_slices(TEXTS).batch(5), verbose=0)
        np.testing.assert_allclose(found, model.dense(np.array(numbers, "float32")), rtol=1e-4)
        np.testing.assert_allclose(found, model(tf.constant(TEXTS)), rtol=1e-4)
