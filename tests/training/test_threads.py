"""One model in several threads: each answer is that of one moment, or the error says what cannot be."""

import contextlib
import io
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import cornu
from cornu import layers, ops
from cornu.optimizers import Optimizer

X = np.random.default_rng(0).random((64, 3), "float32")
Y = X[:, :1]


@contextlib.contextmanager
def meanwhile(*works, count=1):
    """Repeat each of `works` in threads of its own until the block ends; raise what any of them raised."""
    stop, errors = threading.Event(), []
    turns = [0] * len(works)

    def repeat(at, work):
        try:
            while not stop.is_set():
                work()
                turns[at] += 1
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=repeat, args=(at, w)) for at, w in enumerate(works) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield errors
        deadline = time.monotonic() + 30
        while not errors and min(turns) < 1 and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]
    assert min(turns) > 0


def compiled(*parts, optimizer="adam"):
    model = cornu.Sequential([cornu.Input((3,)), *parts, layers.Dense(1)])
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def twins():
    """Return a model whose two halves have the same weights after every step: its second output is always zero."""
    inputs = cornu.Input((3,))
    halves = []
    for _ in range(2):
        hidden = layers.Dense(16, activation="tanh", kernel_initializer=cornu.initializers.GlorotUniform(seed=1))
        halves.append(layers.Dense(1, kernel_initializer=cornu.initializers.GlorotUniform(seed=2))(hidden(inputs)))
    model = cornu.Model(inputs, [halves[0] + halves[1], halves[0] - halves[1]])
    model.compile(cornu.optimizers.SGD(0.1), ["mse", None])
    return model


def ends_of(model, seconds=0.4, **options):
    """Fit for a while."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        model.fit(X, [Y, Y] if len(model.outputs) == 2 else Y, epochs=3, batch_size=8, verbose=0, **options)


def test_a_model_predicts_in_many_threads_while_others_train():
    served = compiled(layers.Dense(4), layers.BatchNormalization(), layers.Dropout(0.5))
    expected = served.predict(X, verbose=0)

    def ask():
        for answer in (served.predict(X, verbose=0), served.predict_on_batch(X), np.asarray(served(X))):
            np.testing.assert_allclose(answer, expected, rtol=1e-5, atol=1e-6)
        assert served.evaluate(X, expected, verbose=0)[0] < 1e-9

    others = [compiled(layers.Dense(4), layers.Dropout(0.5)) for _ in range(2)]
    with meanwhile(ask, count=2):
        threads = [threading.Thread(target=ends_of, args=(other,)) for other in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def test_first_calls_of_many_threads_build_and_compile_once():
    class Late(cornu.Model):
        def __init__(self):
            super().__init__()
            self.inner, self.out = layers.Dense(8), layers.Dense(1)

        def call(self, x):
            return self.out(self.inner(x))

    for _ in range(3):
        model, answers = Late(), []
        start = threading.Barrier(4)

        def ask(model=model, answers=answers, start=start):
            start.wait()
            answers.append(model.predict(X, verbose=0))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(model.weights) == 4
        assert len(answers) == 4
        for answer in answers:
            np.testing.assert_allclose(answer, answers[0], rtol=1e-6)


def test_whoever_reads_a_model_that_is_being_fitted_sees_one_moment():
    model = twins()

    def ask():
        for answer in (model.predict(X, verbose=0), model.predict_on_batch(X), model(X)):
            np.testing.assert_array_equal(np.asarray(answer[1]), 0.0)
        first, _, second, *_ = model.get_weights()
        np.testing.assert_array_equal(first, second)

    with meanwhile(ask, count=2):
        ends_of(model)


def test_streamed_steps_may_be_read_too():
    model = twins()

    def batches():
        while True:
            yield X[:8], (Y[:8], Y[:8])

    def ask():
        np.testing.assert_array_equal(model.predict(X, verbose=0)[1], 0.0)

    with meanwhile(ask):
        model.fit(batches(), steps_per_epoch=100, epochs=3, verbose=0)


def test_a_model_is_saved_while_it_is_fitted(tmp_path):
    model = compiled(layers.Dense(4))
    for suffix in (".keras", ".h5"):

        def keep(path=str(tmp_path / f"model{suffix}")):
            model.save(path)
            cornu.models.load_model(path)
            model.save_weights(str(tmp_path / "some.weights.h5"))
            model.get_config()
            with contextlib.redirect_stdout(io.StringIO()):
                model.summary()

        with meanwhile(keep):
            ends_of(model)


@pytest.mark.parametrize("suffix", [".keras", ".h5", "pickle"])
def test_a_model_is_saved_while_its_optimizer_gets_its_slots(tmp_path, monkeypatch, suffix):
    model, path = compiled(layers.Dense(4)), str(tmp_path / f"model{suffix}")
    started, add_slot = threading.Event(), Optimizer._add_slot

    def slowly(*arguments):
        add_slot(*arguments)
        started.set()
        time.sleep(0.05)

    monkeypatch.setattr(Optimizer, "_add_slot", slowly)
    with ThreadPoolExecutor() as pool:
        fitting = pool.submit(model.fit, X, Y, verbose=0)
        assert started.wait(30)
        if suffix == "pickle":
            back = pickle.loads(pickle.dumps(model))
        else:
            model.save(path)
            back = cornu.models.load_model(path)
        fitting.result()
    assert len(back.optimizer.variables) == len(model.optimizer.variables)


def test_two_fits_of_one_model_are_refused():
    model = compiled(layers.Dense(4))
    started, goes_on = threading.Event(), threading.Event()

    class Wait(cornu.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            started.set()
            goes_on.wait(30)

    thread = threading.Thread(target=lambda: model.fit(X, Y, epochs=1, verbose=0, callbacks=[Wait()]))
    thread.start()
    started.wait(30)
    with pytest.raises(RuntimeError, match="fitted in another thread"):
        model.fit(X, Y, verbose=0)
    with pytest.raises(RuntimeError, match="fitted in another thread"):
        model.train_on_batch(X, Y)
    goes_on.set()
    thread.join()
    model.fit(X, Y, verbose=0)
    model.train_on_batch(X, Y)


def test_evaluation_during_a_fit_leaves_the_metrics_of_the_fit_alone():
    model = compiled(layers.Dense(4), optimizer=cornu.optimizers.SGD(0.0))
    expected = model.evaluate(X, Y, verbose=0)
    other = np.full_like(Y, 5.0)
    losses = []

    def judge():
        assert model.evaluate(X, other, verbose=0)[0] > 5
        assert model.test_on_batch(X, other)[0] > 5

    with meanwhile(judge, count=2):
        until = time.monotonic() + 0.4
        while time.monotonic() < until:
            losses += model.fit(X, Y, epochs=2, batch_size=8, verbose=0).history["loss"]
    np.testing.assert_allclose(losses, expected[0], rtol=1e-5)
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), expected, rtol=1e-5)


def test_steps_of_several_threads_take_turns():
    model = compiled(layers.Dense(4), layers.BatchNormalization())

    def train():
        for _ in range(20):
            model.train_on_batch(X, Y)

    threads = [threading.Thread(target=train) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert int(model.optimizer.iterations) == 60


def test_models_that_share_weights_train_in_two_threads():
    shared = layers.Dense(4, kernel_initializer="ones")
    first, second = (cornu.Sequential([cornu.Input((3,)), shared, layers.Dense(1)]) for _ in range(2))
    errors = []

    def train(model):
        try:
            for _ in range(10):
                model.fit(X, Y, epochs=2, batch_size=8, verbose=0)
                model.train_on_batch(X, Y)
        except Exception as error:
            errors.append(error)

    for model in (first, second):
        model.compile("sgd", "mse")
    threads = [threading.Thread(target=train, args=(model,)) for model in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert np.isfinite(shared.get_weights()[0]).all()
    assert int(first.optimizer.iterations) == int(second.optimizer.iterations) == 170


def test_what_another_thread_assigns_counts_from_the_next_step_on():
    model = compiled(layers.Dense(4), optimizer=cornu.optimizers.SGD(0.0))
    before = model.get_weights()
    thread = threading.Thread(target=ends_of, args=(model,))
    thread.start()
    time.sleep(0.3)
    model.set_weights([np.zeros_like(array) for array in before])
    assert all((array == 0).all() for array in model.get_weights())
    thread.join()
    assert all((array == 0).all() for array in model.get_weights())


def test_a_generator_may_ask_the_model_that_it_feeds():
    model = compiled(layers.Dense(4))

    def batches():
        while True:
            yield X[:8], model.predict(X[:8], verbose=0)

    history = model.fit(batches(), steps_per_epoch=20, epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_predictions_that_draw_numbers_differ_between_threads():
    drawn = []
    model = cornu.Sequential([cornu.Input((64,)), layers.Lambda(lambda x: x + cornu.random.normal((1, 64)))])
    x = np.zeros((1, 64), "float32")

    def ask():
        for _ in range(10):
            drawn.append(model.predict(x, verbose=0).tobytes())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(drawn)) == len(drawn) == 40


def test_a_single_thread_donates_every_array():
    model = compiled(layers.Dense(4))
    model.train_on_batch(X, Y)
    before = [variable._held for variable in model.trainable_variables]
    model.train_on_batch(X, Y)
    assert all(array.is_deleted() for array in before)


def test_flags_and_losses_of_a_trace_are_seen_by_its_thread_alone():
    entered, goes_on, seen = threading.Event(), threading.Event(), []

    class Slow(layers.Layer):
        def call(self, x):
            self.add_loss(ops.mean(x) * 0)
            if threading.current_thread() is not threading.main_thread():
                entered.set()
                goes_on.wait(30)
            return x

    model = compiled(Slow(), layers.Dense(4))
    model.layers[1].trainable = False
    thread = threading.Thread(target=lambda: model.fit(X, Y, verbose=0))
    thread.start()
    entered.wait(30)
    try:
        seen.append(model.layers[1].trainable)
        seen.append([float(loss) for loss in model.losses])
        seen.append(model(X).shape)
    finally:
        goes_on.set()
        thread.join()
    assert seen == [False, [], (64, 1)]


LATE = """
import threading, time
import numpy as np
import cornu
from cornu import layers
def work():
    threading.main_thread().join()
    time.sleep(0.5)  # until it takes no more threads
    model = cornu.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 2), "float32"), np.ones((8, 1), "float32"), verbose=0)
    print(model.predict(np.ones((8, 2), "float32"), verbose=0).shape)
threading.Thread(target=work).start()
"""


def test_a_thread_trains_after_the_main_one_has_ended():
    found = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, timeout=100)
    assert (found.stdout, found.stderr) == ("(8, 1)\n", "")
