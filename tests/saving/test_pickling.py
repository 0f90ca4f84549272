"""Models, layers, optimizers and histories in pickles and copies, in this process and in another one."""

import copy
import multiprocessing
import pickle

import numpy as np
import pytest

import cornu
from cornu import layers, ops

X = np.random.default_rng(0).random((16, 3), "float32")
Y = X[:, :1]


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))


COPIES = {"pickle": pickled, "deepcopy": copy.deepcopy}


class Tower(cornu.Model):
    def __init__(self, units=3):
        super().__init__()
        self.inner, self.out = layers.Dense(units), layers.Dense(1)

    def call(self, x):
        return self.out(self.inner(x))


def my_loss(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred))


def double(x):
    return x * 2


def sequential():
    return cornu.Sequential([cornu.Input((3,)), layers.Dense(4), layers.BatchNormalization(), layers.Dense(1)])


def functional():
    inputs = cornu.Input((3,))
    hidden = layers.Dense(4)(inputs)
    return cornu.Model(inputs, layers.Dense(1)(layers.Add()([hidden, layers.Lambda(double)(hidden)])))


def nested():
    return cornu.Sequential([cornu.Input((3,)), sequential(), layers.Dense(1)])


MODELS = {"sequential": sequential, "functional": functional, "nested": nested, "subclassed": Tower}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("kind", MODELS)
def test_a_fitted_model_goes_on_as_the_first_one(kind, way):
    model = MODELS[kind]()
    model.compile(cornu.optimizers.Adam(0.01), my_loss, metrics=["mae"])
    model.fit(X, Y, epochs=2, verbose=0)
    twin = COPIES[way](model)
    np.testing.assert_array_equal(twin.predict(X, verbose=0), model.predict(X, verbose=0))
    assert twin.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    histories = [one.fit(X, Y, epochs=2, verbose=0, shuffle=False).history for one in (model, twin)]
    assert histories[0] == histories[1]
    before = model.get_weights()
    twin.fit(X, Y, verbose=0)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize(
    "prepare", [lambda m: None, lambda m: m.compile("adam", "mse"), lambda m: m.predict(X, verbose=0)]
)
def test_models_that_are_not_fitted(way, prepare):
    for model in (sequential(), Tower()):
        prepare(model)
        twin = COPIES[way](model)
        assert (twin.built, twin.compiled) == (model.built, model.compiled)
        assert twin.predict(X, verbose=0).shape == (16, 1)


def test_a_frozen_layer_that_was_trained_stays_what_it_was():
    model = sequential()
    model.compile("adam", "mse")
    model.layers[0].trainable = False
    model.fit(X, Y, verbose=0)
    twin = pickled(model)
    assert not twin.layers[0].trainable
    twin.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    np.testing.assert_array_equal(twin.get_weights()[0], model.get_weights()[0])


def test_deep_models_do_not_run_out_of_the_stack():
    inputs = hidden = cornu.Input((3,))
    for _ in range(120):
        hidden = layers.Activation("relu")(hidden)
    model = cornu.Model(inputs, hidden)
    assert len(pickled(model).layers) == 121
    assert pickled(model.layers[60]).name == model.layers[60].name


@pytest.mark.parametrize("way", COPIES)
def test_layers_optimizers_metrics_and_histories(way):
    model = sequential()
    model.compile("adam", "mse", metrics=["mae"])
    history = model.fit(X, Y, epochs=2, verbose=0)
    copied = COPIES[way](history)
    assert copied.history == history.history
    np.testing.assert_array_equal(copied.model.predict(X, verbose=0), model.predict(X, verbose=0))
    for layer in model.layers:
        twin = COPIES[way](layer)
        np.testing.assert_array_equal(
            np.asarray(twin(np.ones(layer.input_shape[-1:])[None])),
            np.asarray(layer(np.ones(layer.input_shape[-1:])[None])),
        )
    optimizer = COPIES[way](model.optimizer)
    assert int(optimizer.iterations) == 2
    assert [v.shape for v in optimizer.variables] == [v.shape for v in model.optimizer.variables]
    weights = optimizer._trainable_variables
    optimizer.apply_gradients([(np.ones(w.shape, "float32"), w) for w in weights])
    assert int(optimizer.iterations) == 3
    for metric in model.metrics:
        assert float(COPIES[way](metric).result()) == float(metric.result())


def test_a_shallow_copy_shares_the_weights():
    model = sequential()
    twin = copy.copy(model)
    assert twin.weights[0] is model.weights[0]
    assert copy.copy(model.layers[0]).kernel is model.layers[0].kernel
    np.testing.assert_array_equal(twin.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_lambda_is_named_and_a_deep_copy_keeps_it():
    model = cornu.Sequential([cornu.Input((3,)), layers.Lambda(lambda x: x * 2), layers.Lambda(lambda x: x + 1)])
    with pytest.raises(pickle.PicklingError, match=r"Layer 'lambda.*' \(Lambda\) cannot be pickled: its function is a"):
        pickle.dumps(model)
    np.testing.assert_allclose(copy.deepcopy(model).predict(X, verbose=0), X * 2 + 1, rtol=1e-6)
    model = sequential()
    model.compile("sgd", lambda y_true, y_pred: y_true - y_pred)
    with pytest.raises(pickle.PicklingError, match="loss is a lambda"):
        pickle.dumps(model)
    model.compile("sgd", "mse", metrics=[lambda y_true, y_pred: y_true - y_pred])
    with pytest.raises(pickle.PicklingError, match="compiled with a lambda"):
        pickle.dumps(model)


def test_a_class_without_a_config_is_named():
    class Holds(cornu.Model):
        def __init__(self, thing):
            super().__init__()
            self.thing = thing

    with pytest.raises(pickle.PicklingError, match=r"\(Holds\) cannot be pickled: A config cannot hold"):
        pickle.dumps(Holds(object()))


def test_a_program_may_say_how_its_models_are_pickled():
    class Own(Tower):
        def __reduce__(self):
            return dict, ({"units": 3},)

    assert pickled(Own()) == {"units": 3}


def test_low_precision_weights_and_random_keys_are_kept():
    model = cornu.Sequential([cornu.Input((3,)), layers.Dense(2, dtype="bfloat16"), layers.Dropout(0.5)])
    twin = pickled(model)
    assert twin.weights[0].dtype == "bfloat16"
    np.testing.assert_array_equal(np.asarray(twin(X, training=True)), np.asarray(model(X, training=True)))


def _predicted(model):
    return model.predict(X, verbose=0)


def test_models_go_to_spawned_processes_and_back():
    model = Tower()
    model.compile("adam", my_loss)
    model.fit(X, Y, verbose=0)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(_predicted, (model,))
    np.testing.assert_allclose(found, model.predict(X, verbose=0), rtol=1e-6)
