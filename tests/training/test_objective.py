"""Losses and metrics bound to outputs: names, variables made in time, what goes where."""

import numpy as np
import pytest

import cornu
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


def classifier(keras, outputs=1):
    start = keras.Input((4,), name="start")
    heads = [keras.layers.Dense(2, activation="softmax", name=name)(start) for name in "ab"[:outputs]]
    return keras.Model(start, heads[0] if outputs == 1 else heads)


TWICE = {
    "twice": (
        1,
        lambda m: {"metrics": [m.F1Score(average="macro"), m.F1Score(average="micro"), m.AUC(name="f1_score")]},
    ),
    "strings": (1, lambda m: {"metrics": ["mse", "mse", "accuracy"]}),
    "weighted twice": (1, lambda m: {"weighted_metrics": ["mse", "mse", "mse"]}),
    "both": (1, lambda m: {"metrics": ["mse", "mse"], "weighted_metrics": ["mse", "mse"]}),
    "outputs": (2, lambda m: {"metrics": [["mse", "mse"], ["mse"]], "weighted_metrics": {"b": ["mse", "mse"]}}),
    "objects": (2, lambda m: {"metrics": {"a": [m.AUC(name="x"), m.AUC(name="x")], "b": m.AUC(name="x")}}),
}


@pytest.mark.parametrize("case", TWICE)
def test_metrics_of_one_name_are_numbered_as_in_keras(real_keras, case):
    outputs, arguments = TWICE[case]
    logs, weights = [], None
    for keras in (cornu, real_keras):
        model = classifier(keras, outputs)
        weights = weights or model.get_weights()
        model.set_weights(weights)
        loss = "categorical_crossentropy" if outputs == 1 else ["categorical_crossentropy"] * 2
        model.compile("sgd", loss, **arguments(keras.metrics))
        target = classes if outputs == 1 else [classes, classes]
        logs.append(model.evaluate(x, target, verbose=0, return_dict=True))
        history = model.fit(x, target, verbose=0, shuffle=False).history
        assert set(history) == set(logs[-1])
        if keras is cornu:
            assert model.metrics_names == list(logs[-1])
            assert len(model.evaluate(x, target, verbose=0)) == len(logs[-1])
            assert model.evaluate(x, target, verbose=0, return_dict=True).keys() == model.get_metrics_result().keys()
    assert set(logs[0]) == set(logs[1])
    for name in logs[0]:
        np.testing.assert_allclose(logs[0][name], logs[1][name], rtol=1e-4, err_msg=name)


def test_metrics_keep_the_names_that_the_program_gave_them():
    auc = metrics.AUC(name="auc")
    model = classifier(cornu, 2)
    for _ in range(2):  # compiled twice with the same object
        model.compile("sgd", ["mse", "mse"], metrics={"a": [auc, metrics.AUC(name="auc")]})
        logs = model.evaluate(x, [classes, classes], verbose=0, return_dict=True)
        assert list(logs) == ["loss", "a_loss", "b_loss", "a_auc", "a_auc_1"]
        assert auc.name == "auc"


def test_results_with_several_values_are_numbered_too():
    class Two(metrics.Mean):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_pred)

        def result(self):
            return {"low": super().result(), "high": super().result() + 1}

    model = classifier(cornu)
    model.compile("sgd", "mse", metrics=[Two(), Two(), "mae"])
    logs = model.evaluate(x, classes, verbose=0, return_dict=True)
    assert list(logs) == ["loss", "low", "high", "low_1", "high_1", "mae"]


def test_metrics_that_a_layer_holds_are_numbered_after_those_of_compile():
    class Watched(layers.Layer):
        def __init__(self):
            super().__init__()
            self.seen = metrics.Mean(name="mae")

        def call(self, inputs):
            self.seen.update_state(inputs)
            return inputs

    model = models.Sequential([layers.Input((4,)), Watched(), layers.Dense(2)])
    model.compile("sgd", "mse", metrics=["mae"])
    logs = model.evaluate(x, classes, verbose=0, return_dict=True)
    assert list(logs) == ["loss", "mae", "mae_1"]
    np.testing.assert_allclose(logs["mae_1"], x.mean(), atol=1e-5)


def with_own_loss(keras):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1, kernel_initializer="ones")
            self.tracker = keras.metrics.Mean(name="loss")

        def call(self, inputs):
            return self.dense(inputs)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = keras.ops.mean(keras.ops.abs(y - y_pred))
            self.tracker.update_state(loss * 2)
            return loss

    return Own()


def test_a_model_may_log_a_loss_of_its_own(real_keras):
    results = []
    for keras in (cornu, real_keras):
        model = with_own_loss(keras)
        model.compile("sgd")
        results.append(model.fit(x, y + 1, batch_size=40, verbose=0).history)
    assert list(results[0]) == ["loss"]
    np.testing.assert_allclose(results[0]["loss"], results[1]["loss"], rtol=1e-5)


def test_names_are_known_before_training_as_in_keras_2():
    model = classifier(cornu, 2)
    model.compile(
        "sgd",
        ["mse", None],
        metrics={"a": ["mae", "mae"], "b": metrics.AUC(name="auc")},
        weighted_metrics=[["mae"], []],
    )
    before = model.metrics_names
    model.evaluate(x, [classes, classes], sample_weight=np.ones(40), verbose=0)
    assert before == model.metrics_names
    assert before == ["loss", "a_loss", "a_mae", "a_mae_1", "b_auc", "a_weighted_mae"]
    unbuilt = models.Sequential([layers.Dense(1)])
    unbuilt.compile("sgd", "mse", metrics=["acc", metrics.AUC(name="auc"), lambda a, b: a - b])
    assert unbuilt.metrics_names == ["loss", "acc", "auc", "<lambda>"]


@pytest.mark.parametrize("name", ["crossentropy", "ce", "CE"])
@pytest.mark.parametrize("kind", ["binary", "sparse", "categorical"])
def test_crossentropy_is_chosen_by_shape_as_in_keras(real_keras, name, kind):
    target = {"binary": y > 0, "sparse": classes.argmax(-1), "categorical": classes}[kind].astype("int32")
    logs, weights = [], None
    for keras in (cornu, real_keras):
        units, activation = (1, "sigmoid") if kind == "binary" else (2, "softmax")
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation=activation)])
        weights = weights or model.get_weights()
        model.set_weights(weights)
        model.compile("sgd", name)
        logs.append(model.fit(x, target, epochs=2, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*logs, rtol=1e-5)
