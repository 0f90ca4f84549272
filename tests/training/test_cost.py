"""The guard against going back: how often fit, evaluate and predict compile, and how often they call the device.

Counts, not seconds: compilations as JAX itself reports them, dispatches as calls of compiled programs.
"""

import contextlib

import jax
import numpy as np
import pytest

from cornu import callbacks, layers, models, optimizers
from cornu.training.pace import Pace
from cornu.training.program import Predictor, Program
from counting import COMPILED, TRACED, noted

ROWS, BATCH = 96, 8
x = np.random.default_rng(0).normal(size=(ROWS, 4)).astype("float32")
y = x.sum(1, keepdims=True)


@pytest.fixture
def model():
    model = models.Sequential([layers.Input((4,)), layers.Dense(3, "relu"), layers.Dropout(0.1), layers.Dense(1)])
    model.compile(optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model


class Counts:
    """How often something happened since the `with` began."""

    def __init__(self):
        self.events, self.dispatched = [], 0

    @property
    def compiled(self):
        return self.events.count(COMPILED)

    @property
    def traced(self):
        return self.events.count(TRACED)


@contextlib.contextmanager
def counted(monkeypatch):
    """Count compilations and traces (of anything), and calls of compiled programs."""
    counts = Counts()

    def calling(method):
        def called(*args, **kwargs):
            counts.dispatched += 1
            return method(*args, **kwargs)

        return called

    with monkeypatch.context() as patch, noted(COMPILED, TRACED) as counts.events:
        patch.setattr(Program, "_call", calling(Program._call))
        for name in ("on_many", "on_padded"):
            patch.setattr(Predictor, name, calling(getattr(Predictor, name)))
        yield counts


@pytest.fixture
def blocks(monkeypatch):
    """Let a block have five steps, whatever time they take."""
    monkeypatch.setattr(Pace, "block", lambda self: 1 if self.every_batch else 5)


def test_the_counter_sees_compilations(monkeypatch):
    with counted(monkeypatch) as counts:
        jax.jit(lambda value: value * 3 + len(str(counts)))(np.float32(1)).block_until_ready()
    assert counts.compiled >= 1
    assert counts.traced >= 1


def test_a_second_fit_compiles_and_traces_nothing(model, monkeypatch):
    model.fit(x, y, batch_size=BATCH, epochs=2, validation_data=(x, y), verbose=0)
    with counted(monkeypatch) as counts:
        model.fit(x, y, batch_size=BATCH, epochs=3, validation_data=(x, y), verbose=0)
    assert (counts.compiled, counts.traced) == (0, 0)


def test_rates_and_epochs_and_callbacks_compile_nothing(model, monkeypatch):
    plan = [callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))]
    model.fit(x, y, batch_size=BATCH, epochs=2, verbose=0, callbacks=plan)
    with counted(monkeypatch) as counts:
        model.optimizer.learning_rate = 0.003
        model.fit(x, y, batch_size=BATCH, epochs=4, verbose=0, callbacks=plan)
    assert counts.compiled == 0


def test_each_batch_size_compiles_once(model, monkeypatch):
    sizes = (8, 12, 32)
    with counted(monkeypatch) as first:
        for size in sizes:
            model.fit(x, y, batch_size=size, verbose=0)
    with counted(monkeypatch) as again:
        for size in (*sizes, *reversed(sizes)):
            model.fit(x, y, batch_size=size, verbose=0)
    assert first.compiled > 0
    assert again.compiled == 0


def test_an_epoch_is_one_dispatch_per_block(model, monkeypatch, blocks):
    model.fit(x, y, batch_size=BATCH, verbose=0)
    with counted(monkeypatch) as counts:
        model.fit(x, y, batch_size=BATCH, epochs=2, verbose=0)
    assert counts.dispatched == 2 * 3  # twelve steps in blocks of five


def test_a_short_last_batch_is_one_dispatch_more(model, monkeypatch, blocks):
    model.fit(x[:-3], y[:-3], batch_size=BATCH, verbose=0)
    with counted(monkeypatch) as counts:
        model.fit(x[:-3], y[:-3], batch_size=BATCH, epochs=2, verbose=0)
        model.evaluate(x[:-3], y[:-3], batch_size=BATCH, verbose=0)
    assert counts.dispatched == 3 * 4


def test_a_callback_that_looks_at_batches_has_one_dispatch_each(model, monkeypatch, blocks):
    class Looks(callbacks.Callback):
        seen = 0

        def on_train_batch_end(self, batch, logs=None):
            self.seen += 1

    looks = Looks()
    with counted(monkeypatch) as counts:
        model.fit(x, y, batch_size=BATCH, verbose=0, callbacks=[looks])
    assert counts.dispatched == looks.seen == 12


def test_evaluating_again_compiles_nothing(model, monkeypatch, blocks):
    model.evaluate(x, y, batch_size=BATCH, verbose=0)
    with counted(monkeypatch) as counts:
        model.evaluate(x, y, batch_size=BATCH, verbose=0)
        model.evaluate(x[:48], y[:48], batch_size=BATCH, verbose=0)
    assert counts.dispatched == 3 + 2
    with counted(monkeypatch) as counts:
        model.evaluate(x, y, batch_size=BATCH, verbose=0)
    assert counts.compiled == 0


def test_changing_numbers_of_rows_compile_only_a_few_programs_to_predict(model, monkeypatch):
    for rows in (1, 2, 4, 8, 16, 32):
        model.predict(x[:rows], verbose=0)
    with counted(monkeypatch) as counts:
        for rows in range(1, 33):
            assert model.predict(x[:rows], verbose=0).shape == (rows, 1)
    assert counts.compiled == 0
    assert counts.dispatched == 32


def test_predicting_is_few_dispatches(model, monkeypatch):
    model.predict(x, batch_size=BATCH, verbose=0)
    with counted(monkeypatch) as counts:
        model.predict(x, batch_size=BATCH, verbose=0)
        model.predict(x, batch_size=BATCH, verbose=0)
    assert counts.compiled == 0
    assert counts.dispatched <= 2 * 4  # twelve batches: eight and four, at most a loop each power of two


def test_streams_compile_once(model, monkeypatch):
    def stream():
        while True:
            for start in range(0, ROWS, BATCH):
                yield x[start : start + BATCH], y[start : start + BATCH]

    model.fit(stream(), steps_per_epoch=6, verbose=0)
    with counted(monkeypatch) as counts:
        model.fit(stream(), steps_per_epoch=6, epochs=2, verbose=0)
    assert (counts.compiled, counts.dispatched) == (0, 12)
