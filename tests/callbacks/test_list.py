import numpy as np
import pytest

import cornu
from cornu.callbacks import Callback, CallbackList, EarlyStopping, History, ProgbarLogger, TerminateOnNaN


class Watching(Callback):
    def on_train_batch_end(self, batch, logs=None):
        pass


class OldWatching(Callback):
    def on_batch_end(self, batch, logs=None):
        pass


class Content(Watching):
    per_batch = False


class Subclass(Content):
    def on_batch_begin(self, batch, logs=None):
        pass


@pytest.mark.parametrize(
    ("callback", "watching", "every"),
    [
        (Callback(), False, False),
        (EarlyStopping(), False, False),
        (TerminateOnNaN(), True, False),
        (Watching(), True, True),
        (OldWatching(), True, True),
        (Content(), True, False),
        (Subclass(), True, True),
    ],
)
def test_who_is_told_of_every_batch(callback, watching, every):
    watcher = CallbackList([callback]).for_batches("train")
    assert (watcher.watching == [callback], watcher.every_batch) == (watching, every)


def test_method_put_on_the_object_counts():
    callback = TerminateOnNaN()
    callback.on_train_batch_end = lambda batch, logs=None: None
    assert CallbackList([callback]).for_batches("train").watching == [callback]
    assert not CallbackList([callback]).for_batches("test").watching


def test_history_and_progress_are_added_once():
    history = History()
    added = CallbackList([history], add_history=True, params={"verbose": 1})
    assert [type(callback) for callback in added.callbacks] == [History, ProgbarLogger]
    assert added.history is history
    assert CallbackList(None, add_history=True, verbose=0).callbacks[0].__class__ is History


def test_nested_lists_and_a_single_callback_are_taken():
    one, two = Callback(), Callback()
    assert CallbackList([one, [two]]).callbacks == [one, two]
    assert CallbackList(one).callbacks == [one]


def test_what_is_no_callback_is_refused():
    with pytest.raises(TypeError, match=r"subclass of keras.callbacks.Callback; got .*EarlyStopping"):
        CallbackList([EarlyStopping])


def test_auto_verbosity_is_a_number_to_callbacks():
    one = Callback()
    CallbackList([one], params={"verbose": "auto"})
    assert one.params["verbose"] == 1


def test_every_hook_is_given_logs():
    """Programs write hooks without a default for `logs`, since Keras always gives them."""
    called = []

    def hook(name):
        if "_epoch_" in name or "_batch_" in name:
            return lambda self, number, logs: called.append((name, logs is not None))
        return lambda self, logs: called.append((name, logs is not None))

    names = [f"on_{when}_{edge}" for when in ("train", "test", "predict", "epoch") for edge in ("begin", "end")]
    names += [f"on_{kind}_batch_{edge}" for kind in ("train", "test", "predict") for edge in ("begin", "end")]
    strict = type("Strict", (Callback,), {name: hook(name) for name in names})()
    model = cornu.Sequential([cornu.layers.Input((2,)), cornu.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")
    model.fit(x, y, verbose=0, validation_split=0.5, callbacks=[strict])
    model.evaluate(x, y, verbose=0, callbacks=[strict])
    model.predict(x, verbose=0, callbacks=[strict])
    assert {name for name, _ in called} == set(names)
    assert all(given for _, given in called)
