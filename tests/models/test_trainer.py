"""compile, fit, evaluate, predict: what they take, what they mean, and what they say of mistakes."""

import sys

import numpy as np
import pytest

from cornu import callbacks, layers, optimizers, regularizers
from cornu.data import convert
from cornu.models import Model, Sequential
from cornu.training import run as compiling

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
LABELS = np.random.default_rng(1).integers(0, 3, 40)
Y = np.eye(3, dtype="float32")[LABELS]


def classifier(loss="categorical_crossentropy", optimizer="sgd", **arguments):
    model = Sequential([layers.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile(optimizer, loss, **arguments)
    return model


# ---- what is taken


def test_streams_and_arrays_train_alike():
    starts = classifier()
    weights = starts.get_weights()
    starts.fit(X, Y, batch_size=10, shuffle=False, verbose=0)

    def batches():
        while True:
            for start in range(0, 40, 10):
                yield X[start : start + 10], Y[start : start + 10]

    streamed = classifier()
    streamed.set_weights(weights)
    streamed.fit(batches(), steps_per_epoch=4, verbose=0)
    for a, b in zip(starts.get_weights(), streamed.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_a_generator_goes_on_where_the_last_epoch_stopped():
    seen = []

    def batches():
        for number in range(100):
            seen.append(number)
            yield X[:8], Y[:8]

    model = classifier()
    history = model.fit(batches(), steps_per_epoch=3, epochs=4, verbose=0)
    assert len(history.history["loss"]) == 4
    assert len(seen) >= 12


def test_arrays_with_steps_per_epoch_go_on_through_the_rows():
    model = classifier()
    history = model.fit(X, Y, batch_size=10, steps_per_epoch=3, epochs=5, verbose=0)
    assert len(history.history["loss"]) == 5


@pytest.mark.parametrize(("steps", "epochs"), [(7, 3), (3, 4), (1, 9), (4, 2)])
def test_an_epoch_has_the_steps_that_it_was_asked_for(steps, epochs):
    """Of 4 batches; Keras 3 ends the epoch with the data and warns, Keras 2 ends the training."""
    model, seen = classifier(), []
    watcher = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    model.fit(X, Y, batch_size=10, steps_per_epoch=steps, epochs=epochs, verbose=0, callbacks=[watcher])
    assert seen == [*range(steps)] * epochs
    assert int(model.optimizer.iterations) == steps * epochs


@pytest.mark.parametrize("nested", [False, True])
def test_numbers_are_rows_of_one_number_for_an_unbuilt_sequential(nested):
    x = np.linspace(-1, 1, 40).astype("float32")
    stack = [layers.Dense(3, activation="relu"), layers.Dense(1)]
    model = Sequential([Sequential(stack)] if nested else stack)
    model.compile("sgd", "mse")
    model.fit(x, 2 * x, verbose=0)
    assert model.input_shape == (None, 1)
    assert model.predict(x, verbose=0).shape == model.predict(x[:, None], verbose=0).shape == (40, 1)
    numbers = Sequential([layers.Embedding(5, 2)])  # takes numbers as they are, as in Keras 3
    assert numbers.predict(np.arange(5), verbose=0).shape == (5, 2)


def test_a_history_has_the_parameters_of_keras_2():
    model = classifier(metrics=["accuracy"])
    history = model.fit(X, Y, batch_size=8, epochs=2, validation_split=0.2, verbose=0)
    expected = {"batch_size": 8, "epochs": 2, "samples": 32, "verbose": 0, "do_validation": True}
    assert history.params == expected | {
        "metrics": ["loss", "accuracy", "val_loss", "val_accuracy"],
        "steps": 4,
    }


def test_dictionaries_reach_named_inputs_and_outputs():
    a, b = layers.Input((4,), name="a"), layers.Input((2,), name="b")
    out = layers.Dense(3, activation="softmax", name="out")(layers.concatenate([a, b]))
    model = Model([a, b], out)
    model.compile("sgd", {"out": "categorical_crossentropy"}, metrics={"out": "accuracy"})
    history = model.fit({"b": X[:, :2], "a": X}, {"out": Y}, epochs=1, verbose=0)
    assert set(history.history) == {"loss", "accuracy"}


def test_validation_data_split_and_frequency():
    model = classifier(metrics=["accuracy"])
    history = model.fit(X, Y, epochs=4, validation_data=(X, Y), validation_freq=2, verbose=0)
    assert len(history.history["val_loss"]) == 2
    history = model.fit(X, Y, epochs=4, validation_split=0.25, validation_freq=[1, 4], verbose=0)
    assert len(history.history["val_accuracy"]) == 2


def test_initial_epoch_and_stop_training():
    class Stop(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 3

    history = classifier().fit(X, Y, epochs=9, initial_epoch=2, callbacks=[Stop()], verbose=0)
    assert history.epoch == [2, 3]


def test_a_callback_that_watches_batches_is_called_for_each():
    class Count(callbacks.Callback):
        begun = ended = 0

        def on_train_batch_begin(self, batch, logs=None):
            self.begun += 1

        def on_train_batch_end(self, batch, logs=None):
            assert "loss" in logs
            self.ended += 1

    count = Count()
    classifier().fit(X, Y, batch_size=7, epochs=2, callbacks=[count], verbose=0)
    assert (count.begun, count.ended) == (12, 12)


def test_metrics_answer_to_either_spelling():
    for asked, other in (("accuracy", "acc"), ("acc", "accuracy")):
        history = classifier(metrics=[asked]).fit(X, Y, verbose=0).history
        assert history[asked] == history[other]
        assert list(history) == ["loss", asked]


def test_evaluate_returns_metrics_in_the_order_of_their_names():
    model = classifier(metrics=["accuracy", "mse"])
    scores = model.evaluate(X, Y, verbose=0)
    assert model.metrics_names == ["loss", "accuracy", "mse"]
    assert model.evaluate(X, Y, verbose=0, return_dict=True) == dict(zip(model.metrics_names, scores, strict=True))
    assert scores[2] == pytest.approx(np.mean((model.predict(X, verbose=0) - Y) ** 2), rel=1e-4)


def test_predict_gives_the_same_for_any_batch_size():
    model = classifier()
    whole = model.predict(X, batch_size=40, verbose=0)
    for size in (1, 7, 32, 100):
        np.testing.assert_allclose(model.predict(X, batch_size=size, verbose=0), whole, rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(X), whole, rtol=1e-5)
    np.testing.assert_allclose(model(X), whole, rtol=1e-5)


# ---- what things mean


def test_which_weights_train_is_taken_at_compile():
    model = classifier()
    before = model.get_weights()
    model.trainable = False
    model.train_on_batch(X, Y)
    assert not np.allclose(before[0], model.get_weights()[0])
    model.compile("sgd", "categorical_crossentropy")
    before = model.get_weights()
    model.train_on_batch(X, Y)
    assert np.array_equal(before[0], model.get_weights()[0])


def test_gan_idiom_with_one_optimizer_for_both():
    generator = Sequential([layers.Input((2,)), layers.Dense(4), layers.BatchNormalization()])
    critic = Sequential([layers.Input((4,)), layers.Dense(5), layers.Dense(1, activation="sigmoid")])
    optimizer = optimizers.Adam(0.01)
    critic.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    noise = layers.Input((2,))
    critic.trainable = False
    both = Model(noise, critic(generator(noise)))
    both.compile(optimizer, "binary_crossentropy")
    for toggled in (False, True):
        if toggled:
            critic.trainable = True
        start = critic.get_weights()[0], generator.get_weights()[0]
        critic.train_on_batch(X, np.ones((40, 1)))
        after_critic = critic.get_weights()[0], generator.get_weights()[0]
        if toggled:
            critic.trainable = False
        both.train_on_batch(X[:, :2], np.ones((40, 1)))
        after_both = critic.get_weights()[0], generator.get_weights()[0]
        assert not np.allclose(start[0], after_critic[0])
        assert np.array_equal(start[1], after_critic[1])
        assert np.array_equal(after_critic[0], after_both[0])
        assert not np.allclose(after_critic[1], after_both[1])


def test_add_loss_of_a_symbolic_tensor_trains_a_functional_model():
    inputs = layers.Input((4,))
    code = layers.Dense(2, name="code")(inputs)
    outputs = layers.Dense(4)(code)
    model = Model(inputs, outputs)
    difference = inputs - outputs
    model.add_loss(0.5 * (difference * difference))
    model.compile("adam")
    history = model.fit(X, epochs=3, verbose=0).history["loss"]
    assert history[2] < history[0]
    expected = 0.5 * np.mean((X - model.predict(X, verbose=0)) ** 2)
    assert model.evaluate(X, verbose=0) == pytest.approx(expected, rel=1e-4)


def test_a_loss_function_may_use_the_models_symbolic_tensors():
    inputs = layers.Input((4,))
    code = layers.Dense(2)(inputs)
    model = Model(inputs, layers.Dense(4)(code))

    def loss(y_true, y_pred):
        size = code * code
        return ((y_true - y_pred) ** 2).mean(axis=-1) + 10.0 * size.mean(axis=-1) if hasattr(size, "mean") else size

    model.compile("sgd", loss)
    encoder = Model(inputs, code)
    code_values = encoder.predict(X, verbose=0)
    expected = np.mean((X - model.predict(X, verbose=0)) ** 2) + 10.0 * np.mean(code_values**2)
    assert model.evaluate(X, X, verbose=0) == pytest.approx(expected, rel=1e-4)


def test_weight_penalties_count():
    model = Sequential([layers.Input((4,)), layers.Dense(3, kernel_regularizer=regularizers.L2(0.1))])
    model.compile("sgd", "mse")
    kernel = model.get_weights()[0]
    expected = np.mean((model.predict(X, verbose=0) - Y) ** 2) + 0.1 * np.sum(kernel**2)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(expected, rel=1e-4)


def test_setting_the_learning_rate_compiles_nothing_anew():
    traced = []

    class Noted(layers.Layer):
        def call(self, inputs):
            traced.append(1)
            return inputs

    model = Sequential([layers.Input((4,)), Noted(), layers.Dense(3)])
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    count = len(traced)
    for rate in (0.5, 0.1, 0.0):
        model.optimizer.learning_rate = rate
        before = model.get_weights()[0]
        model.fit(X, Y, verbose=0, epochs=2)
    assert len(traced) == count
    assert np.array_equal(before, model.get_weights()[0])


def test_one_seed_of_numpy_fixes_a_run():
    def run():
        np.random.seed(10)
        model = Sequential([layers.Input((4,)), layers.Dense(8), layers.Dropout(0.5), layers.Dense(3)])
        model.compile("adam", "mse")
        return model.fit(X, Y, epochs=2, batch_size=8, verbose=0).history["loss"], model.get_weights()

    (first, weights), (second, others) = run(), run()
    assert first == second
    assert all(np.array_equal(a, b) for a, b in zip(weights, others, strict=True))


def test_a_train_step_of_ones_own_in_the_form_of_keras_on_jax():
    import jax

    class Own(Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x):
            return self.dense(x)

        def train_step(self, state, data):
            trainable, others, slots, totals = state
            x, y = data

            def loss_of(trainable):
                y_pred, updated = self.stateless_call(trainable, others, x, training=True)
                return ((y_pred - y) ** 2).mean(), updated

            (loss, updated), gradients = jax.value_and_grad(loss_of, has_aux=True)(trainable)
            trainable, slots = self.optimizer.stateless_apply(slots, gradients, trainable)
            return {"my_loss": loss}, (trainable, updated, slots, totals)

    model = Own()
    model.compile("sgd")
    history = model.fit(X, Y, epochs=5, batch_size=20, verbose=0).history
    assert list(history) == ["my_loss"]
    assert history["my_loss"][-1] < history["my_loss"][0]


# ---- what is said of mistakes


def fitting(**changes):
    arguments = {"x": X, "y": Y, "verbose": 0} | changes
    return lambda: classifier().fit(**arguments)


def uncompiled():
    Sequential([layers.Input((4,)), layers.Dense(3)]).fit(X, Y)


def with_nan():
    x = X.copy()
    x[3, 1] = np.nan
    classifier().fit(x, Y, verbose=0)


def stream_with_split():
    classifier().fit(iter([(X, Y)]), validation_split=0.1)


MISTAKES = {
    "rows differ": (fitting(y=Y[:30]), "40.*30|30.*40"),
    "wrong width": (fitting(x=X[:, :3]), r"\(None, 4\).*\(40, 3\)"),
    "images for vectors": (fitting(x=X.reshape(40, 2, 2)), r"reshape\(\(-1, 4\)\)"),
    "classes for one-hot": (fitting(y=LABELS), "sparse_categorical_crossentropy"),
    "no data": (fitting(x=X[:0], y=Y[:0]), "0 rows"),
    "x missing": (fitting(x=None, y=None), "x is None"),
    "y missing": (fitting(y=None), "y is missing"),
    "strings": (fitting(x=np.array([["a"] * 4] * 40)), "numbers"),
    "batch size 0": (fitting(batch_size=0), "batch_size.*0"),
    "batch size 2.5": (fitting(batch_size=2.5), "batch_size.*2.5"),
    "epochs -1": (fitting(epochs=-1), "epochs.*-1"),
    "split of 1.5": (fitting(validation_split=1.5), "between 0 and 1.*1.5"),
    "split of a stream": (stream_with_split, "validation_split"),
    "NaN": (with_nan, "NaN.*row 3"),
    "not compiled": (uncompiled, "not compiled"),
    "unknown loss": (lambda: classifier(loss="categorical_crossentropi"), "categorical_crossentropy"),
    "unknown optimizer": (lambda: classifier(optimizer="adm"), "adam"),
    "unknown metric": (lambda: classifier(metrics=["acuracy"]), "accuracy"),
    "unknown keyword": (lambda: layers.Dense(3, activatoin="relu"), "activation"),
    "unknown activation": (lambda: layers.Dense(3, activation="rlu"), "relu"),
    "label too large": (
        lambda: classifier("sparse_categorical_crossentropy").fit(X, LABELS + 1, verbose=0),
        "3 classes, 0 to 2.*1 to 3",
    ),
    "one-hot for classes": (
        lambda: classifier("sparse_categorical_crossentropy").fit(X, Y, verbose=0),
        "looks one-hot",
    ),
    "class instead of layer": (lambda: Sequential([layers.Dense]), "Call the class"),
    "two layers of one name": (
        lambda: Sequential([layers.Dense(2, name="a"), layers.Dense(2, name="a")]),
        "already has a layer named 'a'",
    ),
    "no such layer": (lambda: classifier().get_layer("dens"), "dense"),
    "summary before build": (lambda: Sequential([]).summary(), "not built"),
    "weights of another model": (lambda: classifier().set_weights([np.zeros((2, 2))]), "2 weights.*1"),
    "callback class": (fitting(callbacks=[callbacks.History]), "callback"),
    "validation of three": (fitting(validation_data=(X, Y, X, Y)), "validation_data"),
    "frequency 0": (fitting(validation_data=(X, Y), validation_freq=0), "validation_freq"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_raise_a_clear_error(mistake):
    action, words = MISTAKES[mistake]
    with pytest.raises((ValueError, TypeError, RuntimeError)) as caught:
        action()
    message = str(caught.value)
    import re

    assert re.search(words, message, re.DOTALL), message
    assert not re.search("tracer|Traced|XLA|jaxpr|ShapedArray", message), message


def test_ctrl_c_leaves_the_model_usable_and_keeps_the_finished_epochs():
    import os
    import signal

    class Interrupt(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if len(self.model.history.epoch) == 2 and batch == 1:
                os.kill(os.getpid(), signal.SIGINT)

    model = classifier()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=10, epochs=5, callbacks=[Interrupt()], verbose=0)
    assert model.history.epoch == [0, 1]
    assert np.isfinite(model.predict(X, verbose=0)).all()
    model.fit(X, Y, verbose=0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


class Watcher(callbacks.Callback):
    def __init__(self):
        self.sizes = []

    def on_batch_end(self, batch, logs=None):
        self.sizes.append((logs["batch"], logs.get("size")))


def test_callbacks_see_validation_data_and_batch_sizes_as_in_keras_2():
    model = Sequential([layers.Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse")
    x, y = np.random.rand(10, 3), np.random.rand(10, 1)
    watcher = Watcher()
    model.fit(x, y, batch_size=3, validation_split=0.2, verbose=0, callbacks=[watcher])
    assert watcher.sizes == [(0, 3), (1, 3), (2, 2)]
    assert [array.shape for array in watcher.validation_data] == [(2, 3), (2, 1), (2,)]
    np.testing.assert_allclose(watcher.validation_data[1], y[8:])


# ---- how it runs


def test_data_become_arrays_once(monkeypatch):
    seen, to_array = [], convert.to_array
    monkeypatch.setattr(convert, "to_array", lambda thing, what, text=False: seen.append(what) or to_array(thing, what))
    model, weights = classifier(), np.ones(40)
    for run, expected in (
        (lambda: model.fit(X, Y, sample_weight=weights, validation_split=0.25, verbose=0), ["x", "y", "sample_weight"]),
        (lambda: model.fit(X, Y, validation_data=(X, Y), verbose=0), ["x", "y", "x", "y"]),
        (lambda: model.evaluate(X, Y, verbose=0), ["x", "y"]),
        (lambda: model.predict(X, verbose=0), ["x"]),
        (lambda: model.train_on_batch(X, Y), ["x", "y"]),
    ):
        seen.clear()
        run()
        assert seen == expected


def test_the_weights_of_classes_are_for_training_and_not_for_the_rows_held_out():
    weights, held_out = {0: 0.0, 1: 2.0, 2: 5.0}, (X[30:], Y[30:])
    one, other = classifier(), classifier()
    other.set_weights(one.get_weights())
    split = one.fit(X, Y, class_weight=weights, validation_split=0.25, shuffle=False, verbose=0).history
    given = other.fit(X[:30], Y[:30], class_weight=weights, validation_data=held_out, shuffle=False, verbose=0).history
    assert split["loss"] == pytest.approx(given["loss"])
    assert split["val_loss"] == pytest.approx(given["val_loss"])


def frames_above(name):
    """Return the names of this library's functions that are running, from `name` down to the caller's caller."""
    found, frame = [], sys._getframe(2)
    while frame is not None:
        if frame.f_globals["__name__"].startswith("cornu."):
            found.append(frame.f_code.co_name)
            if found[-1] == name and frame.f_globals["__name__"] == "cornu.models.trainer":
                return found[::-1]
        frame = frame.f_back
    return None


def batches_of_ten():
    while True:
        for start in range(0, 40, 10):
            yield X[start : start + 10], Y[start : start + 10]


RUNS = {
    "fit": (lambda model: model.fit(X, Y, verbose=0), 3),
    "fit, a short last batch": (lambda model: model.fit(X[:35], Y[:35], verbose=0), 3),
    "fit, a stream": (lambda model: model.fit(batches_of_ten(), steps_per_epoch=4, verbose=0), 3),
    "fit, an own step": (lambda model: model.fit(X, Y, verbose=0), 3),
    "evaluate": (lambda model: model.evaluate(X, Y, verbose=0), 3),
    "predict": (lambda model: model.predict(X, verbose=0), 4),
}


class OwnStep(Model):
    def train_step(self, data):
        return super().train_step(data)


@pytest.mark.parametrize("what", RUNS)
def test_few_frames_lie_between_a_call_and_its_compiled_program(what, monkeypatch):
    run, most = RUNS[what]
    stacks = []

    def noting(make):
        def made(*args, **options):
            compiled = make(*args, **options)

            def call(*args, **kwargs):
                stacks.append(frames_above(what.partition(",")[0]))
                return compiled(*args, **kwargs)

            return call

        return made

    for name in ("resident", "resident_rest", "streamed", "predicting", "predicting_many"):
        monkeypatch.setattr(compiling, name, noting(getattr(compiling, name)))
    inputs = layers.Input((4,))
    kind = OwnStep if "own" in what else Model
    model = kind(inputs, layers.Dense(3, activation="softmax")(inputs))
    model.compile("sgd", "categorical_crossentropy")
    run(model)
    assert stacks
    for stack in stacks:
        assert 2 <= len(stack[1:]) <= most, stack


def test_metrics_of_batches_run_on_if_asked():
    model = Sequential([layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    x = np.ones((2, 1), "float32")
    losses = [model.test_on_batch(x, x), model.test_on_batch(x, 3 * x, reset_metrics=False), model.test_on_batch(x, x)]
    assert losses == [0.0, 2.0, 0.0]
