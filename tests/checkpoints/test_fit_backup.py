"""A training that ends in its midst and is started again ends as if nothing had been, bit for bit."""

import os
import random

import numpy as np
import pytest
from tests.data.hugging_face import Table

import cornu
from cornu import callbacks, layers
from cornu.callbacks import BackupAndRestore
from cornu.checkpoints.file import Generations
from cornu.compat.backend.functions import random_normal
from cornu.data.dataset import Dataset
from cornu.training.pace import Pace
from cornu.utils import PyDataset, set_random_seed


class Killed(Exception):  # noqa: N818 (what happens, not what is wrong)
    """Stands for a process that ends."""


class Killer(callbacks.Callback):
    """Ends the training after so many batches, and remembers all batches."""

    def __init__(self, after=None):
        self.after, self.seen = after, []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append((batch, logs["loss"]))
        if len(self.seen) == self.after:
            raise Killed


class Shuffled(PyDataset):
    """A dataset that mixes its rows itself, in place, as old programs do."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y, self.rows = x, y, np.arange(len(x))

    def __len__(self):
        return 7

    def __getitem__(self, index):
        rows = self.rows[index * 8 : (index + 1) * 8]
        return self.x[rows] + np.random.rand(), self.y[rows]

    def on_epoch_end(self):
        np.random.shuffle(self.rows)


class Unsized:
    """A dataset that does not say how many batches it has."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __iter__(self):
        return ((self.x[start : start + 9], self.y[start : start + 9]) for start in range(0, len(self.x), 9))


def as_table(x, y):
    """Return a data set of named columns, whose rows a function makes each time."""
    return Table(x=x, y=y).with_transform(lambda rows: {"x": np.stack(rows["x"]) + np.random.rand(), "y": rows["y"]})


def forever(x, y):
    while True:
        rows = np.random.randint(0, len(x), 8)
        yield x[rows], y[rows]


def with_seeded_noise(a, b):
    return a + random_normal((4,), seed=7), b


def alternating(x, y):
    for start in range(0, 10**6, 8):
        rows = np.arange(start, start + 8) % len(x)
        yield x[rows], y[rows]


def with_noise(a, b):
    return a + cornu.random.normal((4,)), b


def as_mapped(x, folder):
    np.save(folder / "x.npy", x)
    return np.load(folder / "x.npy", mmap_mode="r")


class Doubling(cornu.Model):
    """Has a step of its own, with a variable of its own that grows."""

    def __init__(self, stack):
        super().__init__()
        self.stack = stack
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

    def call(self, x, training=False):
        return self.stack(x, training=training)

    def train_step(self, data):
        self.count.assign_add(1.0)
        return super().train_step(data)


DATA = {
    "arrays": lambda x, y, folder: {"x": x, "y": y, "batch_size": 9, "validation_split": 0.2},
    "whole batches": lambda x, y, folder: {"x": x, "y": y, "batch_size": 9, "shuffle": "batch"},
    "part of the steps": lambda x, y, folder: {"x": x, "y": y, "batch_size": 9, "steps_per_epoch": 5},
    "mapped": lambda x, y, folder: {"x": as_mapped(x, folder), "y": y, "batch_size": 9},
    "dataset": lambda x, y, folder: {"x": Shuffled(x, y), "shuffle": True, "validation_data": Shuffled(x, y)},
    "dataset across epochs": lambda x, y, folder: {"x": Shuffled(x, y), "steps_per_epoch": 5},
    "dataset of unknown length": lambda x, y, folder: {"x": Unsized(x, y), "validation_data": Unsized(x, y)},
    "data set of columns": lambda x, y, folder: {"x": as_table(x, y), "batch_size": 9, "validation_split": 0.2},
    "data set of rows": lambda x, y, folder: {
        "x": Dataset.from_tensor_slices((x, y)).map(lambda a, b: (a * 2, b)).shuffle(60).batch(9)
    },
    "data set with a seed": lambda x, y, folder: {
        "x": Dataset.from_tensor_slices((x, y)).shuffle(9, seed=3).batch(9, drop_remainder=True)
    },
    "data set that draws": lambda x, y, folder: {
        "x": Dataset.from_tensor_slices((x, y)).map(with_noise).shuffle(20).batch(9).repeat(),
        "steps_per_epoch": 5,
    },
    "generator that draws": lambda x, y, folder: {"x": forever(x, y), "steps_per_epoch": 6},
    "data set of calls with a seed": lambda x, y, folder: {
        "x": Dataset.from_tensor_slices((x, y)).map(with_seeded_noise).batch(9).repeat(),
        "steps_per_epoch": 5,
    },
    "generator": lambda x, y, folder: {
        "x": alternating(x, y),
        "steps_per_epoch": 6,
        "validation_data": alternating(x, y),
        "validation_steps": 2,
    },
}


def stack(own_step=False):
    model = cornu.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(6, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(1),
        ]
    )
    return Doubling(model) if own_step else model


def train(folder, kind="arrays", after=None, epochs=4, own_step=False, seed=3, optimizer="adam", **backup):
    """Train and return all that is left of it; with `after` the training ends in its midst."""
    set_random_seed(seed)
    x = np.random.rand(60, 4).astype("float32")
    y = x.sum(1, keepdims=True)
    if backup and backup["backup_dir"].exists():
        np.random.rand(7)  # the second process need not draw what the first did
    model = stack(own_step)
    model.compile(optimizer, "mse", metrics=["mae"])
    stopping = callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True)
    plateau = callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=0.2)
    drawing = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: logs.update(drawn=np.random.rand(), seeded=float(random_normal((), seed=7)))
    )
    killer, rows = Killer(after), callbacks.CSVLogger(folder / f"{kind}.csv")
    used = [drawing, stopping, plateau, rows, killer, *([BackupAndRestore(**backup)] if backup else [])]
    data = DATA[kind](x, y, folder)
    history = model.fit(epochs=epochs, verbose=0, callbacks=used, **data)
    weights = [*model.get_weights(), *(variable.numpy() for variable in model.optimizer.variables)]
    weights += [variable.numpy() for variable in model.non_trainable_variables]
    states = [np.random.get_state()[1:], random.getstate()]
    told = [history.history, history.epoch, killer.seen, stopping.best, stopping.wait, plateau.best, plateau.wait]
    return weights, [*told, states, (folder / f"{kind}.csv").read_text()]


def assert_same(found, expected):
    for one, other in zip(found[0], expected[0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert repr(found[1]) == repr(expected[1])


@pytest.mark.parametrize("kind", DATA)
def test_killed_twice_in_the_midst_of_epochs_it_ends_as_if_nothing_had_been(tmp_path, kind):
    # Data that draws from numpy's generator is made by a thread, ahead of time, unless there is a backup.
    expected = train(tmp_path, kind, backup_dir=tmp_path / "other")
    backup = {"backup_dir": tmp_path / "backup", "save_freq": 2}
    for after in (8, 17):
        with pytest.raises(Killed):
            train(tmp_path, kind, after, **backup)
    assert os.listdir(tmp_path / "backup")
    assert_same(train(tmp_path, kind, seed=3, **backup), expected)
    assert not (tmp_path / "backup").exists()


@pytest.mark.parametrize("after", [8, 15])
def test_kept_at_the_ends_of_epochs(tmp_path, after):
    expected = train(tmp_path)
    with pytest.raises(Killed):
        train(tmp_path, after=after, backup_dir=tmp_path / "backup")
    assert_same(train(tmp_path, backup_dir=tmp_path / "backup"), expected)


def test_a_step_of_ones_own_and_what_it_counts(tmp_path):
    expected = train(tmp_path, own_step=True)
    with pytest.raises(Killed):
        train(tmp_path, after=9, own_step=True, backup_dir=tmp_path / "backup", save_freq=1)
    assert_same(train(tmp_path, own_step=True, backup_dir=tmp_path / "backup"), expected)


def test_averaged_weights_that_are_in_the_model_between_epochs(tmp_path):
    def trained(after=None, **backup):
        set_random_seed(1)
        x = np.random.rand(40, 4).astype("float32")
        model = stack()
        model.compile(cornu.optimizers.SGD(0.1, use_ema=True), "mse")
        used = [callbacks.SwapEMAWeights(swap_on_epoch=True), Killer(after)]
        used += [BackupAndRestore(**backup)] if backup else []
        model.fit(x, x[:, :1], batch_size=10, epochs=3, verbose=0, callbacks=used)
        return [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)], used[1].seen

    expected = trained()
    with pytest.raises(Killed):
        trained(after=6, backup_dir=tmp_path / "backup")
    assert_same(trained(backup_dir=tmp_path / "backup"), expected)


@pytest.mark.parametrize("seed", [1, 2])
def test_however_an_epoch_is_cut_into_blocks_the_result_is_the_same(monkeypatch, seed):
    def trained(block):
        set_random_seed(5)
        monkeypatch.setattr(Pace, "block", lambda self: block())
        x = np.random.rand(200, 4).astype("float32")
        model = stack()
        model.compile("adam", "mse", metrics=["mae"])
        history = model.fit(x, x[:, :1], batch_size=7, epochs=3, verbose=0)
        return [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)], history.history

    cuts = random.Random(seed)
    assert_same(trained(lambda: cuts.randint(1, 9)), trained(lambda: 1000))


def test_a_finished_training_is_restored_at_once_and_goes_on_when_asked_for_more(tmp_path):
    backup = {"backup_dir": tmp_path / "backup", "delete_checkpoint": False}
    finished = train(tmp_path, epochs=3, **backup)
    assert_same(train(tmp_path, after=1, epochs=3, **backup), finished)
    assert_same(train(tmp_path, epochs=5, **backup), train(tmp_path, epochs=5))


@pytest.mark.parametrize("damage", ["cut", "bit", "empty"])
def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before_and_says_so(tmp_path, damage):
    expected = train(tmp_path)
    backup = {"backup_dir": tmp_path / "backup", "save_freq": 1}
    with pytest.raises(Killed):
        train(tmp_path, after=12, **backup)
    generations = Generations(tmp_path / "backup")
    newest, _ = generations.newest()
    path = max(generations.paths, key=lambda one: one.stat().st_mtime_ns)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes({"cut": data[:-100], "bit": data, "empty": b""}[damage])
    before, complaints = generations.newest()
    assert before.content["number"] < newest.content["number"]
    assert len(complaints) == 1
    with pytest.warns(UserWarning, match=r"checkpoint-\d.*The previous one is used"):
        found = train(tmp_path, **backup)
    assert_same(found, expected)


def test_two_damaged_checkpoints_begin_anew_and_say_so(tmp_path):
    (tmp_path / "backup").mkdir()
    for number in (0, 1):
        (tmp_path / "backup" / f"checkpoint-{number}").write_bytes(b"cornu checkpoint 1\n\x00")
    with pytest.warns(UserWarning, match="training starts from scratch"):
        found = train(tmp_path, backup_dir=tmp_path / "backup")
    assert len(found[1][1]) == 4


def changed(tmp_path, x=None, batch_size=9, units=6, loss="mse", more=()):
    set_random_seed(3)
    own = np.random.rand(60, 4).astype("float32")
    x = own if x is None else x
    model = cornu.Sequential([layers.Input(x.shape[1:]), layers.Dense(units, activation="relu"), layers.Dense(1)])
    model.compile("sgd", loss)
    used = [*more, BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)]
    model.fit(x, own[:, :1], batch_size=batch_size, verbose=0, callbacks=used)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x": np.ones((60, 4), "float32")}, r"training data: float32\[60, 4\]"),
        ({"batch_size": 10}, "batch size 10, .*it was .*batch size 9"),
        ({"units": 7}, r"layer 1 \(Dense\): .*7.*it was .*6"),
        ({"loss": "mae"}, "loss and metrics: .*mae.*it was .*mse"),
        ({"more": [callbacks.TerminateOnNaN()]}, "callbacks: TerminateOnNaN"),
    ],
)
def test_another_training_is_rejected_with_a_clear_error(tmp_path, change, words):
    changed(tmp_path)
    with pytest.raises(ValueError, match=f"(?s)from another run.*{words}.*delete that folder"):
        changed(tmp_path, **change)
    changed(tmp_path)


def test_other_versions_are_told(tmp_path, monkeypatch):
    changed(tmp_path)
    monkeypatch.setattr("cornu.checkpoints.fingerprint.threads", lambda: 99)
    with pytest.warns(UserWarning, match="threads: 99, it was .*may differ in its last bits"):
        changed(tmp_path)


def test_a_full_disk_is_told_and_training_goes_on(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cornu.checkpoints.file.write_checkpoint", full)
    with pytest.warns(UserWarning, match="could not be written: .*No space left.*Training continues"):
        found = train(tmp_path, backup_dir=tmp_path / "backup", save_freq=1)
    assert_same(found, train(tmp_path))


def test_a_folder_that_cannot_be_made_is_rejected_with_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"Cannot keep checkpoints in .*file"):
        train(tmp_path, backup_dir=tmp_path / "file" / "backup")
