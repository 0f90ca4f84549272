"""Losses and metrics bound to outputs: names, variables made in time, what goes where."""

import numpy as np

from cornu import layers, metrics, models

x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
y = x.sum(1, keepdims=True)
classes = np.eye(2, dtype=np.float32)[(y[:, 0] > 0).astype(int)]


def two_outputs():
    start = layers.Input((4,))
    return models.Model(start, [layers.Dense(1, name="a")(start), layers.Dense(1, name="b")(start)])


def test_a_metric_given_with_and_without_weights_has_two_names():
    model = two_outputs()
    model.compile("sgd", ["mse", "mae"], metrics=[["mae"], ["mse"]], weighted_metrics=[["mae"], ["mse"]])
    history = model.fit(x, [y, y], sample_weight=[np.ones(40), np.zeros(40)], verbose=0).history
    names = ["loss", "a_loss", "b_loss", "a_mae", "b_mse", "a_weighted_mae", "b_weighted_mse"]
    assert sorted(history) == sorted(names)
    assert history["b_weighted_mse"] == [0.0]
    assert history["b_mse"][0] > 0


def test_a_weighted_metric_alone_keeps_its_name():
    model = models.Sequential([layers.Input((4,)), layers.Dense(2, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=["mse"], weighted_metrics=["acc"])
    assert list(model.fit(x, classes, verbose=0).history) == ["loss", "mse", "acc"]


def test_metrics_whose_variables_hang_on_the_data():
    model = models.Sequential([layers.Input((4,)), layers.Dense(2, activation="softmax")])
    given = [metrics.F1Score(), metrics.R2Score(), metrics.AUC(multi_label=True, num_labels=2)]
    model.compile("sgd", "categorical_crossentropy", metrics=given)
    history = model.fit(x, classes, epochs=2, batch_size=16, validation_split=0.25, verbose=0).history
    assert np.shape(history["f1_score"]) == np.shape(history["val_f1_score"]) == (2, 2)
    f1 = metrics.F1Score()
    f1.update_state(classes, model.predict(x, verbose=0))
    np.testing.assert_allclose(model.evaluate(x, classes, verbose=0)[1], f1.result(), rtol=1e-5)
