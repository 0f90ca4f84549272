"""Models that are subclassed, and copies of models."""

import abc

import numpy as np
import pytest

import cornu
from cornu import layers, models

X = np.ones((4, 4), "float32")


class AtTheEnd(models.Model):
    """Makes a layer, then calls ``super().build``, as Keras 2 advised."""

    def __init__(self):
        super().__init__()
        self.first = layers.Dense(2)

    def build(self, input_shape):
        self.second = layers.Dense(3)
        super().build(input_shape)

    def call(self, inputs):
        return self.second(self.first(inputs))


class AtTheStart(AtTheEnd):
    """Calls ``super().build``, then makes a layer."""

    def build(self, input_shape):
        models.Model.build(self, input_shape)
        self.second = layers.Dense(3)


@pytest.mark.parametrize("make", [AtTheEnd, AtTheStart])
def test_a_model_s_build_may_call_the_one_above(make, tmp_path):
    model = make()
    model.build((None, 4))
    assert model.built
    assert len(model.weights) == (4 if make is AtTheEnd else 0)
    assert model(X).shape == (4, 3)
    assert len(model.weights) == 4
    model = make()
    model.compile("sgd", "mse")
    model.fit(X, np.ones((4, 3)), verbose=0)
    assert len(model.weights) == 4
    model.save_weights(tmp_path / "m.weights.h5")
    around = cornu.Sequential([layers.Input((4,)), make()])
    assert around.count_params() == model.count_params()


def test_an_error_of_a_call_is_raised_by_build():
    class Wrong(AtTheEnd):
        def call(self, inputs):
            raise ValueError("wrong")

    model = Wrong()
    with pytest.raises(ValueError, match="wrong"):
        model.build((None, 4))
    assert not model.built


def test_a_copy_of_a_compiled_model_is_compiled(real_keras):
    for library in (cornu, real_keras):
        optimizer = library.optimizers.Adam(0.3)
        stack = library.Sequential([library.Input((4,)), library.layers.Dense(2)])
        start = library.Input((4,))
        graph = library.Model(start, library.layers.Dense(2)(start))
        for model in (stack, graph):
            model.compile(optimizer, "mse", metrics=["mae"])
            copy = library.models.clone_model(model)
            assert copy.compiled
            assert copy.optimizer is not optimizer
            assert float(copy.optimizer.learning_rate) == pytest.approx(0.3)
            assert len(copy.evaluate(X, X[:, :2], verbose=0)) == 2
            assert copy.get_compile_config()["loss"] == "mse"
        assert not library.models.clone_model(library.Sequential([library.layers.Dense(2)])).compiled


def test_a_copy_trains_apart_from_its_model():
    model = cornu.Sequential([layers.Input((4,)), layers.Dense(2)])
    model.compile("adam", lambda y, p: cornu.ops.mean(y - p), metrics=[cornu.metrics.MeanSquaredError(name="m")])
    copy = models.clone_model(model)
    copy.set_weights(model.get_weights())
    model.fit(X, X[:, :2], verbose=0)
    before = model.get_weights()[0]
    copy.fit(X, X[:, :2], verbose=0)
    np.testing.assert_array_equal(before, model.get_weights()[0])
    np.testing.assert_allclose(copy.get_weights()[0], before, rtol=1e-6)
    assert int(model.optimizer.iterations) == int(copy.optimizer.iterations) == 1


def test_a_copy_shares_no_wrapped_layer():
    model = cornu.Sequential([layers.Input((3, 4)), layers.TimeDistributed(layers.Dense(2))])
    copy = models.clone_model(model)
    assert copy.layers[0].layer is not model.layers[0].layer


def structures(library):
    start = library.Input((3,))
    dense = library.layers.Dense
    facts = []
    for outputs in ((dense(1)(start), dense(2)(start)), [dense(1)(start), dense(2)(start)]):
        model = library.Model(start, outputs)
        again = library.Model.from_config(model.get_config())
        copy = library.models.clone_model(model)
        facts += [type(one(X[:, :3])).__name__ for one in (model, again, copy)]
        facts.append(type(again.predict(X[:, :3], verbose=0)).__name__)
    return facts


def test_tuples_of_outputs_stay_tuples(real_keras):
    assert structures(cornu) == structures(real_keras)


CLASSES = [
    "layers.Layer", "layers.Dense", "Model", "Sequential", "losses.Loss", "metrics.Metric", "optimizers.Optimizer",
    "callbacks.Callback", "initializers.Initializer", "regularizers.Regularizer", "constraints.Constraint",
    "optimizers.schedules.LearningRateSchedule", "utils.PyDataset", "dtype_policies.DTypePolicy",
]  # fmt: skip


@pytest.mark.parametrize("name", CLASSES)
def test_classes_may_be_abstract(real_keras, name):
    for library in (cornu, real_keras):
        base = library
        for part in name.split("."):
            base = getattr(base, part)

        class Abstract(base, abc.ABC):
            @abc.abstractmethod
            def work(self):
                """Work."""

        class Concrete(Abstract):
            def work(self):
                return 1

        with pytest.raises(TypeError, match="abstract"):
            Abstract()
        assert issubclass(Concrete, base)
        if name in ("layers.Layer", "Model", "callbacks.Callback", "losses.Loss", "initializers.Initializer"):
            assert Concrete().work() == 1
            assert isinstance(Concrete(), base)


def test_states_of_all_layers_are_reset():
    inner = cornu.Sequential([layers.Input(batch_shape=(2, 3, 4)), layers.GRU(4, return_sequences=True, stateful=True)])
    inputs = layers.Input(batch_shape=(2, 3, 4))
    x = layers.Bidirectional(layers.LSTM(2, stateful=True, return_sequences=True))(inner(inputs))
    model = cornu.Model(inputs, layers.SimpleRNN(2)(layers.Dropout(0.5)(x)))  # the last has no states to reset
    rows = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    first = model.predict(rows, batch_size=2, verbose=0)
    assert abs(model.predict(rows, batch_size=2, verbose=0) - first).max() > 1e-4
    for reset in (model.reset_states, model.reset_state):
        reset()
        np.testing.assert_array_equal(model.predict(rows, batch_size=2, verbose=0), first)
    inner.reset_states()
    assert abs(model.predict(rows, batch_size=2, verbose=0) - first).max() > 1e-6  # only the inner model was reset


def test_a_subclass_may_pass_itself_to_the_constructor_as_in_tf_keras():
    class Subclass(cornu.Model):
        def __init__(self):
            super().__init__(self)
            self.dense = cornu.layers.Dense(2)

        def call(self, inputs):
            return self.dense(inputs)

    assert Subclass()(np.ones((1, 3))).shape == (1, 2)
