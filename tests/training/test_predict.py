"""Prediction and evaluation carry what layers assign to from batch to batch, as Keras on JAX does, and keep it."""

import gc

import keras
import numpy as np
import pytest

import cornu
from cornu import Model, Sequential, layers, ops
from counting import noted

ROWS = np.ones((10, 2), "float32")


def counting_layer(module, trainable=False):
    class Count(module.layers.Layer):
        def build(self, input_shape):
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=trainable, name="count")

        def call(self, inputs):
            self.count.assign(self.count + 1.0)
            return inputs * 0 + self.count

    return Count()


def functional(module, layer, kind=None):
    x = module.layers.Input((2,))
    return (kind or module.Model)(x, layer(x))


def subclassed(module, layer):
    class Around(module.Model):
        def __init__(self):
            super().__init__()
            self.inner = layer

        def call(self, inputs):
            return self.inner(inputs)

    return Around()


def nested(module, layer):
    return functional(module, functional(module, layer))


def stream():
    for size in (3, 3, 2):
        yield (np.ones((size, 2), "float32"),)


USES = {
    "predict": lambda model: model.predict(ROWS, batch_size=4, verbose=0)[:, 0].tolist(),
    "predict by itself": lambda model: model.predict(np.ones((70, 2), "float32"), verbose=0)[:, 0].tolist(),
    "predict many": lambda model: model.predict(np.ones((3000, 2), "float32"), batch_size=8, verbose=0)[:, 0].tolist(),
    "predict some steps": lambda model: model.predict(ROWS, batch_size=4, steps=2, verbose=0)[:, 0].tolist(),
    "predict a stream": lambda model: model.predict(stream(), verbose=0)[:, 0].tolist(),
    "predict on batch": lambda model: model.predict_on_batch(ROWS)[:, 0].tolist(),
    "evaluate": lambda model: model.evaluate(ROWS, ROWS, batch_size=4, verbose=0),
    "evaluate by itself": lambda model: model.evaluate(ROWS[:7], ROWS[:7], verbose=0),
    "test on batch": lambda model: model.test_on_batch(ROWS, ROWS),
}


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("trainable", [False, True])
@pytest.mark.parametrize("eagerly", [False, True])
@pytest.mark.parametrize("make", [functional, subclassed, nested])
def test_a_layer_that_counts_its_calls_counts_as_in_keras(make, eagerly, trainable):
    results = []
    for module in (cornu, keras):
        layer = counting_layer(module, trainable)
        model = make(module, layer)
        model.compile("sgd", "mse", run_eagerly=eagerly)
        model.predict_on_batch(ROWS)
        uses = {name: use for name, use in USES.items() if not (eagerly and name == "predict many")}
        results.append({name: (use(model), float(np.array(layer.count.value))) for name, use in uses.items()})
    ours, theirs = results
    for name, expected in theirs.items():
        np.testing.assert_allclose(ours[name][0], expected[0], err_msg=name)
        assert ours[name][1] == expected[1], name


def test_a_validation_counts_too():
    layer = counting_layer(cornu)
    model = functional(cornu, layer)
    model.compile("sgd", "mse")
    model.fit(ROWS, ROWS, batch_size=5, epochs=2, validation_data=(ROWS, ROWS), validation_batch_size=2, verbose=0)
    assert float(layer.count) == 2 * (2 + 5)


def test_moving_averages_of_exact_batches_are_those_of_keras():
    x = np.random.default_rng(0).normal(size=(11, 2)).astype("float32")
    results = []
    for module in (cornu, keras):
        norm = module.layers.BatchNormalization(momentum=0.5)

        class Training(module.Model):
            def __init__(self, norm=norm):
                super().__init__()
                self.norm = norm

            def call(self, inputs):
                return self.norm(inputs, training=True)

        outputs = Training().predict(x, batch_size=4, verbose=0)
        results.append((outputs, np.array(norm.moving_mean.value), np.array(norm.moving_variance.value)))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


MIXING = {
    "mean": lambda rows: rows - rows.mean(axis=0),
    "sum": lambda rows: rows - rows.sum(axis=0),
    "place": lambda rows: rows + rows[-1],
}


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("function", MIXING.values(), ids=MIXING)
def test_rows_that_depend_on_each_other_are_not_padded(function, same):
    x = np.ones((11, 2), "float32") if same else np.arange(22, dtype="float32").reshape(11, 2)
    model = functional(cornu, cornu.layers.Lambda(function))
    expected = [function(x[start : start + 4]) for start in (0, 4, 8)]
    np.testing.assert_allclose(model.predict(x, batch_size=4, verbose=0), np.concatenate(expected), rtol=1e-6)


@pytest.mark.parametrize("rows", [16, 70])
def test_each_batch_drops_other_elements(rows):
    x = cornu.layers.Input((50,))
    model = cornu.Model(x, cornu.layers.Dropout(0.5)(x, training=True))
    outputs = model.predict(np.ones((rows, 50), "float32"), batch_size=4, verbose=0)
    assert len({outputs[start : start + 4].tobytes() for start in range(0, rows - 3, 4)}) == rows // 4
    again = model.predict(np.ones((rows, 50), "float32"), batch_size=4, verbose=0)
    assert not np.array_equal(outputs, again)


def test_a_predict_step_of_ones_own_carries_state_in_both_forms():
    class Twice(cornu.Model):
        def predict_step(self, data):
            return super().predict_step(data) * 2

    class Stateful(cornu.Model):
        def predict_step(self, state, data):
            outputs, new = super().predict_step(state, data)
            return outputs * 2, new

    for kind in (Twice, Stateful):
        layer = counting_layer(cornu)
        model = functional(cornu, layer, kind)
        assert model.predict(ROWS, batch_size=4, verbose=0)[:, 0].tolist() == [2.0] * 4 + [4.0] * 4 + [6.0] * 2
        assert float(layer.count) == 3


def test_a_predict_step_may_have_no_outputs():
    class Silent(cornu.Model):
        def predict_step(self, data):
            super().predict_step(data)
            return {}

    model = functional(cornu, counting_layer(cornu), Silent)
    assert model.predict(ROWS, batch_size=4, verbose=0) == {}


def test_a_test_step_of_ones_own_carries_state():
    class Own(cornu.Model):
        def test_step(self, data):
            x, y = data
            return {"loss": (self(x) - y).mean()}

    layer = counting_layer(cornu)
    model = functional(cornu, layer, Own)
    model.compile("sgd", "mse")
    assert model.evaluate(ROWS, ROWS, batch_size=4, verbose=0) == 2.0
    assert float(layer.count) == 3


def test_metrics_updated_in_a_call_stay_as_they_are_in_predict():
    class Tracking(cornu.Model):
        def __init__(self):
            super().__init__()
            self.mean_output = cornu.metrics.Mean(name="mean_output")

        def call(self, inputs):
            self.mean_output.update_state(inputs)
            return inputs

    for compiled in (False, True):
        model = Tracking()
        if compiled:
            model.compile("sgd", "mse")
        model.predict(ROWS, batch_size=4, verbose=0)
        assert [float(variable) for variable in model.mean_output.variables] == [0.0, 0.0]


def test_what_a_prediction_keeps_may_be_trained_afterwards():
    class Remember(cornu.layers.Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(2, 2), name="kernel")
            self.before = self.add_weight(shape=(2, 2), trainable=False, name="before")
            self.last = self.add_weight(shape=(10, 2), trainable=False, name="last")

        def call(self, inputs):
            self.before.assign(self.kernel)
            if inputs.shape[0] == 10:
                self.last.assign(inputs)
            return inputs @ self.kernel

    layer = Remember()
    model = functional(cornu, layer)
    model.compile("sgd", "mse")
    x = cornu.ops.convert_to_tensor(ROWS)
    model.predict_on_batch(x)
    np.testing.assert_array_equal(layer.before.numpy(), layer.kernel.numpy())
    model.fit(x, ROWS, batch_size=10, verbose=0)
    np.testing.assert_array_equal(np.array(x), ROWS)


def test_state_compiles_nothing_more():
    x = np.ones((64, 2), "float32")
    counts = []
    for layer in (cornu.layers.Dense(2), counting_layer(cornu)):
        model = functional(cornu, layer)
        model.predict(x, batch_size=16, verbose=0)
        with noted() as compiled:
            model.predict(x, batch_size=16, verbose=0)
        counts.append(len(compiled))
    assert counts == [0, 0]


@pytest.mark.parametrize("rows", [1, 5, 32, 100, 9000])
def test_predictions_may_be_written_to(rows):
    model = Sequential([layers.Input((3,)), layers.Dense(2)])
    x = np.ones((rows, 3), "float32")
    for found in (model.predict(x, verbose=0), model.predict(x, batch_size=rows, verbose=0), model.predict_on_batch(x)):
        expected = found.copy()
        found[...] = 7
        np.testing.assert_array_equal(model.predict(x, verbose=0), expected)
    assert model.get_weights()[0].flags.writeable
    assert model.weights[0].numpy().flags.writeable
    assert ops.convert_to_numpy(model(x)).flags.writeable


def test_large_predictions_are_no_view_of_anything_else():
    class Returns(layers.Layer):
        def build(self, shape):
            self.table = self.add_weight(shape=(1024, 300), initializer="ones")

        def call(self, x):
            return x, x * 1, x * 1, self.table * 1, self.table.value

    inputs = layers.Input((300,))
    model = Model(inputs, Returns()(inputs))
    x = np.zeros((1024, 300), "float32")
    for ask in (model.predict_on_batch, lambda x: model.predict(x, batch_size=1024, verbose=0)):
        found = ask(x)
        for number, array in enumerate(found):
            assert array.flags.writeable
            array[...] = number + 5
        for number, array in enumerate(found):
            np.testing.assert_array_equal(array, number + 5)
        np.testing.assert_array_equal(x, 0)
        np.testing.assert_array_equal(model.get_weights()[0], 1)
        np.testing.assert_array_equal(model.predict_on_batch(x)[4], 1)


def test_a_large_prediction_lives_as_long_as_its_array():
    model = Sequential([layers.Input((8,)), layers.Dense(1000, kernel_initializer="ones")])
    x = np.ones((512, 8), "float32")
    found = [model.predict_on_batch(x) for _ in range(4)]
    gc.collect()
    parts = [array[:, :10] for array in found]
    del found
    gc.collect()
    for _ in range(4):
        model.predict_on_batch(x * 2)
    for part in parts:
        np.testing.assert_array_equal(part, 8)


@pytest.mark.parametrize("together", [False, True])
def test_outputs_that_are_the_inputs_are_kept(together):
    """A program returns the memory of its input, which is used again for rows after it."""

    class Adds(layers.Layer):  # what it computes depends on other rows, unless `together`
        def call(self, inputs):
            return inputs["a"], inputs["b"] + (0 if together else ops.mean(inputs["b"]) * 0)

    given = {"a": layers.Input((512, 64)), "b": layers.Input((512, 32))}
    model = Model(given, Adds()(given))
    memory = np.random.default_rng(0).normal(size=1 + 100 * 512 * 64).astype("float32")
    x = {"a": memory[1:].reshape(100, 512, 64), "b": np.asfortranarray(memory[: 100 * 512 * 32].reshape(100, 512, 32))}
    for _ in range(3):
        a, b = model.predict(x, batch_size=16, verbose=0)
        np.testing.assert_array_equal(a, x["a"])
        np.testing.assert_allclose(b, x["b"])
        assert not np.may_share_memory(a, memory)


def test_a_step_without_outputs_changes_state_as_often_as_there_are_batches():
    class Sums(Model):
        def __init__(self):
            super().__init__()
            self.total = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x):
            return x

        def predict_step(self, data):
            self.total.assign_add(ops.sum(data))
            return {}

    model, memory = Sums(), np.ones(1 + 64 * 65536, "float32")
    memory[1:] = np.repeat(np.arange(64, dtype="float32"), 65536)
    model.predict(memory[1:].reshape(64, 65536), batch_size=8, verbose=0)
    assert float(model.total) == 65536 * sum(range(64))
