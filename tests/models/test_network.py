"""Graphs inside graphs: models that share layers, symbolic tensors, or both."""

import numpy as np

from cornu import layers, models

ones = np.ones((2, 4), np.float32)


def test_an_inner_model_may_share_symbolic_tensors_with_the_outer_one():
    start = layers.Input((4,))
    hidden = layers.Dense(4, kernel_initializer="ones")(start)
    features = models.Model(start, hidden)
    twice = features(hidden)
    model = models.Model(start, [twice, layers.Dense(1, kernel_initializer="ones")(hidden)])
    model.compile("sgd", "mse")
    for outputs in (model.predict(ones, verbose=0), model(ones)):
        np.testing.assert_array_equal(outputs[0], np.full((2, 4), 16.0))
        np.testing.assert_array_equal(outputs[1], np.full((2, 1), 16.0))  # of `hidden`, not of what `features` made


def test_a_model_called_twice_shares_its_weights_and_counts_penalties_once():
    inner = models.Sequential([layers.Input((4,)), layers.Dense(3, kernel_regularizer="l2")])
    a, b = layers.Input((4,)), layers.Input((4,))
    model = models.Model([a, b], layers.subtract([inner(a), inner(b)]))
    assert len(model.weights) == 2
    assert len(model.losses) == 1
    np.testing.assert_array_equal(model.predict([ones, ones], verbose=0), np.zeros((2, 3)))
