import threading
import time

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.data.batches import as_batches
from cornu.data.streams import PyDataset, ahead
from cornu.utils import Sequence


class Numbers(PyDataset):
    """Five batches of two rows; notes who asked for them, and the ends of epochs."""

    def __init__(self, **options):
        super().__init__(**options)
        self.asked, self.threads, self.marks = [], set(), []

    def __len__(self):
        return 5

    def __getitem__(self, index):
        self.asked.append(index)
        self.threads.add(threading.get_ident())
        x = np.full((2, 1), index, "float32")
        return x, x

    def on_epoch_begin(self):
        self.marks.append("begin")

    def on_epoch_end(self):
        self.marks.append("end")


class Loader:
    """What a torch DataLoader looks like from outside: a length, and a new iterator each epoch of lists."""

    epochs = 0

    def __len__(self):
        return 5

    def __iter__(self):
        self.epochs += 1
        return ([np.full((2, 1), i, "float32"), np.full((2, 1), i, "float32")] for i in range(5))


def generator(batches=None):
    count = 0
    while batches is None or count < batches:
        yield np.full((2, 1), count % 5, "float32"), np.full((2, 1), count % 5, "float32")
        count += 1


def small_model():
    model = cornu.Sequential([layers.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.set_weights([np.full((1, 1), 0.5), np.zeros(1)])
    return model


def numbers_of(batches):
    return [int(batch.x[0, 0]) for batch in batches.stream()]


def losses(x, **options):
    return small_model().fit(x, epochs=2, verbose=0, shuffle=False, **options).history["loss"]


def test_all_kinds_train_as_the_arrays_do():
    x = np.repeat(np.arange(5, dtype="float32"), 2)[:, None]
    expected = losses(x, y=x, batch_size=2)
    np.testing.assert_allclose(losses(Numbers()), expected, rtol=1e-6)
    np.testing.assert_allclose(losses(Numbers(workers=3)), expected, rtol=1e-6)
    np.testing.assert_allclose(losses(Loader()), expected, rtol=1e-6)
    np.testing.assert_allclose(losses(generator(), steps_per_epoch=5), expected, rtol=1e-6)
    np.testing.assert_allclose(losses(list(generator(5)).__iter__(), steps_per_epoch=2), losses_of_pairs(), rtol=1e-6)


def losses_of_pairs():
    """Return the losses of two epochs of two batches each, given as arrays."""
    model, x = small_model(), np.repeat(np.arange(4, dtype="float32"), 2)[:, None]
    parts = [model.fit(x[rows], x[rows], batch_size=2, shuffle=False, verbose=0) for rows in (slice(4), slice(4, 8))]
    return [part.history["loss"][0] for part in parts]


def test_a_dataset_is_asked_for_each_batch_once_per_epoch_and_told_of_epochs():
    data = Numbers()
    losses(data)
    assert data.asked == [0, 1, 2, 3, 4] * 2
    assert data.marks == ["begin", "end"] * 2


def test_shuffling_mixes_the_batches_of_a_dataset():
    orders = {tuple(numbers_of(as_batches(Numbers(), shuffle=True))) for _ in range(20)}
    assert len(orders) > 5
    assert {tuple(sorted(order)) for order in orders} == {(0, 1, 2, 3, 4)}


def test_workers_make_batches_at_the_same_time_and_in_order():
    class Slow(Numbers):
        def __getitem__(self, index):
            time.sleep(0.05 * (index == 0))
            return super().__getitem__(index)

    data = Slow(workers=3, max_queue_size=4)
    assert numbers_of(as_batches(data)) == [0, 1, 2, 3, 4]
    assert len(data.threads) > 1


def test_a_sequence_whose_constructor_does_not_call_ours():
    class Old(Sequence):
        def __init__(self):
            self.rows = np.arange(6, dtype="float32").reshape(3, 2, 1)

        def __len__(self):
            return len(self.rows)

        def __getitem__(self, index):
            return self.rows[index], self.rows[index]

    assert len(losses(Old())) == 2


@pytest.mark.parametrize("method", ["__len__", "__getitem__"])
def test_a_dataset_without_its_methods_says_so(method):
    class Lacking(PyDataset):
        pass

    with pytest.raises(NotImplementedError, match=f"Lacking needs a method {method}"):
        getattr(Lacking(), method)(*([0] if method == "__getitem__" else []))


def test_looking_at_the_first_batch_does_not_lose_it():
    for source in (generator(5), Loader(), Numbers()):
        batches = as_batches(source)
        assert batches.example.x.shape == (2, 1)
        assert numbers_of(batches) == [0, 1, 2, 3, 4]


def test_a_generator_goes_on_where_the_epoch_before_stopped():
    seen = []

    def counting():
        for number in range(100):
            seen.append(number)
            yield np.ones((2, 1), "float32") * number, np.zeros((2, 1), "float32")

    model = small_model()
    model.compile(cornu.optimizers.SGD(0.0), "mse")
    history = model.fit(counting(), steps_per_epoch=2, epochs=3, verbose=0).history["loss"]
    np.testing.assert_allclose(history, [np.mean([a * a / 4, (a + 1) ** 2 / 4]) for a in (0, 2, 4)])
    assert len(seen) < 12  # a few are made ahead, not all


def test_a_generator_that_ends_too_soon_warns():
    with pytest.warns(UserWarning, match="The data ended after 1 steps of 2"):
        losses(generator(3), steps_per_epoch=2)


def test_an_error_in_a_generator_reaches_the_user():
    def broken():
        yield from generator(2)
        raise LookupError("no such file")

    with pytest.raises(LookupError, match="no such file") as caught:
        losses(broken(), steps_per_epoch=4)
    assert any(entry.name == "broken" for entry in caught.traceback)


def test_no_thread_is_left_behind():
    before = set(threading.enumerate())
    model = small_model()
    model.fit(Numbers(workers=2), verbose=0)
    model.fit(Loader(), verbose=0)
    model.fit(generator(), steps_per_epoch=2, verbose=0)
    time.sleep(0.3)
    assert [thread.name for thread in set(threading.enumerate()) - before if thread.name.startswith("cornu")] == []


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        (generator(), {"y": np.zeros(3)}, "x is a generator, whose batches contain y:"),
        (Numbers(), {"sample_weight": np.zeros(3)}, "x is a Numbers, whose batches contain sample_weight:"),
        (None, {}, "x is None"),
    ],
)
def test_arguments_that_contradict_each_other(source, options, words):
    with pytest.raises(ValueError, match=words):
        as_batches(source, **options)


def test_no_batch_at_all_is_an_error():
    with pytest.raises(ValueError, match="yielded no batch"):
        small_model().fit(generator(0), steps_per_epoch=1, verbose=0)


def test_a_batch_of_too_many_parts_is_an_error():
    with pytest.raises(ValueError, match="got a tuple of 4 parts"):
        small_model().fit(iter([(1, 2, 3, 4)]), verbose=0)


def test_a_split_of_a_stream_is_refused():
    with pytest.raises(ValueError, match="validation_split cannot cut a generator"):
        small_model().fit(generator(), validation_split=0.2, steps_per_epoch=2, verbose=0)


def test_validation_and_prediction_take_streams():
    model = small_model()
    history = model.fit(Loader(), validation_data=Numbers(workers=2), epochs=2, verbose=0).history
    assert len(history["val_loss"]) == 2
    assert model.evaluate(Loader(), verbose=0) == pytest.approx(history["val_loss"][-1], rel=1e-6)
    np.testing.assert_allclose(
        model.predict(Numbers(), verbose=0)[:, 0][::2],
        np.arange(5) * model.get_weights()[0][0, 0] + model.get_weights()[1][0],
        rtol=1e-5,
    )
    assert model.predict(generator(), steps=3, verbose=0).shape == (6, 1)


def test_ahead_stays_within_its_window():
    started = []

    def work(number):
        started.append(number)
        return number

    results = ahead(work, range(100), workers=2, window=4)
    assert next(results) == 0
    time.sleep(0.1)
    assert len(started) <= 6
    results.close()
    assert list(ahead(work, range(10), workers=2, window=3)) == list(range(10))


def test_prediction_keeps_the_workers_of_a_dataset():
    names = set()

    class Counting(PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            names.add(threading.current_thread().name)
            return np.full((2, 1), index), np.zeros(2)

    batches = as_batches(Counting(workers=2), only_inputs=True)
    assert [batch.x[0, 0] for batch in batches.stream()] == [0, 1, 2, 3]
    assert batches.example.y is None
    assert all(name.startswith("cornu-data") for name in names)
