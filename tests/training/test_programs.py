"""The cache of compiled programs: kept while nothing changes, forgotten for a named reason."""

import copy
import logging

import numpy as np
import pytest

import cornu
from cornu import layers, optimizers

X = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


def recompile(model):
    model.compile(optimizers.SGD(0.1), "mae")


def put_a_layer_on_top(model):
    model.add(layers.Dense(1))


def take_a_layer_off(model):
    model.pop()
    model.add(layers.Dense(1))


def set_a_schedule(model):
    model.optimizer.learning_rate = optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)


def ask_for_it(model):
    model.make_train_function(force=True)


CHANGES = {
    "compile changed": recompile,
    "layers changed": put_a_layer_on_top,
    "layers changed, one taken off": take_a_layer_off,
    "optimizer changed": set_a_schedule,
    "requested": ask_for_it,
}


@pytest.fixture
def model():
    model = cornu.Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(1)])
    model.compile(optimizers.SGD(0.01), "mse")
    model.fit(X, Y, verbose=0)
    model.predict(X, verbose=0)
    return model


@pytest.mark.parametrize("reason", CHANGES)
def test_a_change_lets_the_model_compile_again_and_the_log_says_why(model, caplog, reason):
    before = model._programs.get("train")
    with caplog.at_level(logging.DEBUG, "cornu.training"):
        CHANGES[reason](model)
        model.fit(X, Y, verbose=0)
    assert model._programs.get("train") is not before
    told = [record.getMessage() for record in caplog.records if record.name == "cornu.training"]
    assert any(message.endswith(f"will compile again: {reason.partition(',')[0]}.") for message in told), told


def test_the_same_programs_serve_until_something_changes(model, caplog):
    kept = {kind: model._programs.get(kind) for kind in ("train", "test", "predict")}
    with caplog.at_level(logging.DEBUG, "cornu.training"):
        model.optimizer.learning_rate = 0.5
        model.set_weights(model.get_weights())
        model.fit(X, Y, validation_split=0.5, epochs=2, verbose=0)
        model.evaluate(X, Y, verbose=0)
        model.predict(X[:3], verbose=0)
        model.train_on_batch(X, Y)
    assert not caplog.records
    assert {kind: model._programs.get(kind) for kind in kept} == kept


def test_a_new_model_has_nothing_to_forget(caplog):
    with caplog.at_level(logging.DEBUG, "cornu.training"):
        model = cornu.Sequential([layers.Input((4,)), layers.Dense(1)])
        model.compile("sgd", "mse")
    assert not caplog.records
    assert "train" not in model._programs._made


def test_a_shallow_copy_has_programs_of_its_own(model):
    kept, twin = model._programs.get("train"), copy.copy(model)
    twin.compile(optimizers.SGD(0.1), "mae")
    twin.fit(X, Y, verbose=0)
    assert twin.learner.model is twin
    assert model._programs.get("train") is kept


class GrowsWithItsInput(cornu.Model):
    """A model whose call makes a layer for each width that it sees."""

    def __init__(self):
        super().__init__()
        self.by_width = {}

    def call(self, inputs):
        width = inputs.shape[-1]
        if width not in self.by_width:
            self.by_width[width] = layers.Dense(1)
        return self.by_width[width](inputs)


def test_weights_that_a_call_adds_are_trained(caplog):
    model = GrowsWithItsInput()
    model.compile(optimizers.SGD(0.1), "mse")
    model.fit(X, Y, verbose=0)
    with caplog.at_level(logging.DEBUG, "cornu.training"):
        model.predict(X[:, :2], verbose=0)
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == ["weights added."]
    before = model.by_width[2].get_weights()[0]
    model.compile(optimizers.SGD(0.1), "mse")
    model.fit(X[:, :2], Y, verbose=0)
    assert np.abs(model.by_width[2].get_weights()[0] - before).max() > 0
