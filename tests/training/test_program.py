"""What a compiled program may cost: traces, memory, and other threads' patience."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import jax
import numpy as np
import pytest

from cornu import layers, models, optimizers

x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
y = x.sum(1, keepdims=True)


@pytest.fixture
def traced():
    """A compiled model whose first layer counts how often it is traced, and the list that it counts in."""
    calls = []

    class Counting(layers.Layer):
        def call(self, inputs):
            calls.append(inputs.shape)
            return inputs

    model = models.Sequential([layers.Input((4,)), Counting(), layers.Dense(1)])
    model.compile(optimizers.SGD(0.01), "mse", metrics=["mae"])
    calls.clear()
    return model, calls


def test_numbers_that_change_trace_nothing_anew(traced):
    model, calls = traced
    model.fit(x, y, batch_size=8, verbose=0)
    first = len(calls)
    for epochs, rate in ((1, 0.1), (3, 0.02)):
        model.optimizer.learning_rate = rate
        model.fit(x, y, batch_size=8, epochs=epochs, verbose=0)
    assert len(calls) == first == 1


def test_evaluation_and_validation_share_one_trace(traced):
    model, calls = traced
    model.evaluate(x, y, batch_size=8, verbose=0)
    model.evaluate(x, y, batch_size=8, verbose=0)
    model.fit(x, y, batch_size=8, validation_data=(x, y), epochs=2, verbose=0)
    assert len(calls) == 2  # evaluating, training


def test_few_shapes_serve_all_sizes_of_predictions(traced):
    model, calls = traced
    for rows in range(1, 33):
        assert model.predict(x[:rows], verbose=0).shape == (rows, 1)
    assert len(calls) <= 6  # 1, 2, 4, 8, 16, 32 rows


def test_nothing_keeps_a_dropped_model_alive():
    class Scale(layers.Layer):
        def build(self, input_shape):
            self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")

        def call(self, inputs):
            return inputs * self.factor

    model = models.Sequential([layers.Input((4,)), Scale(), layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(x, y, validation_split=0.25, verbose=0)
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    watched = [weakref.ref(thing) for thing in (model, model.optimizer, model.layers[0], Scale)]
    del model, Scale
    gc.collect()
    assert [reference() for reference in watched] == [None] * 4


def test_predictions_leave_no_arrays_behind(traced):
    model, _ = traced
    model.predict(x[:1], verbose=0)
    gc.collect()
    before = len(jax.live_arrays())
    for _ in range(100):
        model.predict(x[:1], verbose=0)
    gc.collect()
    assert len(jax.live_arrays()) <= before


def test_several_threads_may_predict_at_once():
    model = models.Sequential([layers.Input((4,)), layers.Dense(8, "relu"), layers.Dropout(0.5), layers.Dense(1)])
    expected = np.asarray(model(x))

    def work(rows):
        return np.array_equal(np.round(model.predict(x[:rows], verbose=0), 4), np.round(expected[:rows], 4))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, [1, 2, 3, 5, 8, 13, 21, 34] * 3))


@pytest.mark.parametrize("as_stream", [False, True])
def test_validation_steps_look_at_the_same_rows_each_epoch(as_stream):
    model = models.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.compile(optimizers.SGD(0.0), "mse")
    pairs = [(x[:8], y[:8]), (x[8:16], y[8:16]), (x[16:], y[16:])]
    data = torch_like(pairs) if as_stream else (x, y)
    history = model.fit(
        x, y, epochs=3, validation_data=data, validation_steps=1, validation_batch_size=8, verbose=0
    ).history
    expected = model.evaluate(x[:8], y[:8], verbose=0)
    assert history["val_loss"] == pytest.approx([expected] * 3, rel=1e-5)


def torch_like(pairs):
    """An iterable that restarts each time and has no length, as a torch ``IterableDataset``'s loader."""

    class Stream:
        def __iter__(self):
            return iter(pairs)

    return Stream()


def test_validation_on_a_generator_goes_on_where_it_stopped():
    model = models.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.compile(optimizers.SGD(0.0), "mse")
    generator = (pair for pair in [(x[:8], y[:8]), (x[8:16], y[8:16])])
    history = model.fit(x, y, epochs=2, validation_data=generator, validation_steps=1, verbose=0).history
    parts = [model.evaluate(x[start : start + 8], y[start : start + 8], verbose=0) for start in (0, 8)]
    assert history["val_loss"] == pytest.approx(parts, rel=1e-5)


def test_masked_metrics_are_alike_in_training_and_evaluation():
    words = np.array([[1, 2, 0, 0], [3, 0, 0, 0], [1, 1, 1, 0]] * 4)
    targets = np.arange(48, dtype=np.float32).reshape(12, 4, 1) / 10
    model = models.Sequential([layers.Embedding(5, 3, mask_zero=True), layers.TimeDistributed(layers.Dense(1))])
    model.compile(optimizers.SGD(0.0), "mse", metrics=["mae"], weighted_metrics=["mse"])
    history = model.fit(words, targets, batch_size=8, shuffle=False, verbose=0).history
    evaluated = model.evaluate(words, targets, batch_size=8, verbose=0, return_dict=True)
    assert {name: values[0] for name, values in history.items()} == pytest.approx(evaluated, rel=1e-5)
    errors = np.abs(targets - model.predict(words, verbose=0))[words != 0]
    assert evaluated["mae"] == pytest.approx(errors.mean(), rel=1e-5)
