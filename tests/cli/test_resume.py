"""What ``cornu run --resume`` keeps, and when it refuses it; real kills are in tests/saving/test_kills.py."""

import os
import random
import sys

import numpy as np
import pytest

import cornu
from cornu import callbacks, layers
from cornu.checkpoints.background_writer import Writer
from cornu.checkpoints.file import Checkpoint, Generations, write_checkpoint
from cornu.checkpoints.resuming import resuming
from cornu.cli import resume, run
from cornu.programs.reading import read_program
from cornu.utils import set_random_seed

pytestmark = pytest.mark.old_spellings


class Killed(Exception):  # noqa: N818 (what happens, not what is wrong)
    """Stands for a process that ends."""


class Killer(callbacks.Callback):
    """Ends the training after so many batches, and remembers their losses."""

    def __init__(self, after):
        self.after, self.seen = after, []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(logs["loss"])
        if len(self.seen) == self.after:
            raise Killed


@pytest.fixture(autouse=True)
def kept_often(monkeypatch):
    """Keep the state after every block, however long writing it takes, and no `fit` after a test."""
    give = Writer.give

    def give_and_wait(writer, thing):
        give(writer, thing)
        writer.flush()

    monkeypatch.setattr("cornu.checkpoints.fit_backup.SHARE", float("inf"))
    monkeypatch.setattr(Writer, "give", give_and_wait)
    yield
    resuming.stop()


@pytest.fixture
def program(tmp_path):
    """Give a function that reads a program of a text."""

    def read(text="x = 1\n"):
        (tmp_path / "program.py").write_text(text)
        return read_program(str(tmp_path / "program.py"))

    return read


def train(after=None, batch_size=4, shift=0.0, units=3):
    x = np.random.rand(24, 2).astype("float32") + np.float32(shift)
    model = cornu.Sequential([layers.Input((2,)), layers.Dense(units, activation="tanh"), layers.Dense(1)])
    model.compile("adam", "mse")
    killer = Killer(after)
    history = model.fit(x, x[:, :1], batch_size=batch_size, epochs=3, verbose=0, callbacks=[killer])
    return history.history, killer.seen, [value.tolist() for value in model.get_weights()], np.random.rand()


def killed(folder, source, **how):
    """Run the training until it is killed after 10 of 18 batches."""
    set_random_seed(5)
    resume.begin(folder, source, [], 0)
    with pytest.raises(Killed):
        train(after=10, **how)
    resume.end(well=False)


def again(folder, source, **how):
    """Run the training once more, in a process whose generators stand elsewhere."""
    set_random_seed(99)
    notes = resume.begin(folder, source, [], 0)
    found = train(**how)
    resume.end(well=True)
    return notes, found


@pytest.fixture
def expected():
    """Give what the training comes to that is never killed."""
    set_random_seed(5)
    return train()


def test_a_training_that_was_killed_ends_as_if_nothing_had_been(tmp_path, program, expected):
    killed(tmp_path / "kept", program())
    notes, found = again(tmp_path / "kept", program())
    assert notes == [f"resuming from {tmp_path / 'kept'}, which keeps 1 call of fit"]
    assert found == expected
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("damage", [b"", b"cornu checkpoint 1\n", None])
def test_a_damaged_newest_file_falls_back_to_the_one_before(tmp_path, program, expected, damage):
    killed(tmp_path / "kept", program())
    generations = Generations(tmp_path / "kept" / "fit-0001")
    assert all(path.exists() for path in generations.paths)
    newest = max(generations.paths, key=lambda path: path.stat().st_mtime_ns)
    newest.write_bytes(newest.read_bytes()[:-1] if damage is None else damage)
    with pytest.warns(UserWarning, match=rf"{newest.name}.*The previous one is used"):
        assert again(tmp_path / "kept", program())[1] == expected


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shift": 0.5}, r"training data: float32\[24, 2\]"),
        ({"batch_size": 5}, "batch size 5, .*it was .*batch size 4"),
        ({"units": 4}, r"layer 1 \(Dense\): .*4.*it was .*3"),
    ],
)
def test_another_training_is_rejected_with_a_clear_error(tmp_path, program, expected, change, words):
    killed(tmp_path / "kept", program())
    resume.begin(tmp_path / "kept", program(), [], 0)
    with pytest.raises(ValueError, match=f"(?s)from another run.*{words}.*delete that folder"):
        train(**change)
    resume.end(well=False)
    assert again(tmp_path / "kept", program())[1] == expected


@pytest.mark.parametrize(("name", "value"), [("threads", 99), ("jax", "0.1"), ("cornu", "9"), ("processor", "abacus")])
def test_other_versions_and_threads_are_told_and_it_goes_on(tmp_path, program, expected, monkeypatch, name, value):
    from cornu.checkpoints import fingerprint

    killed(tmp_path / "kept", program())
    present = fingerprint.versions() | {name: value}
    monkeypatch.setattr(fingerprint, "versions", lambda *_: present)
    with pytest.warns(UserWarning, match=f"{name}: {value}, it was .*may differ in its last bits"):
        assert again(tmp_path / "kept", program())[1] == expected


def test_another_python_compares_data_alone(tmp_path, program, monkeypatch):
    """Digests of code differ from one Python to the next."""
    from cornu.checkpoints import fingerprint

    killed(tmp_path / "kept", program())
    present = fingerprint.versions() | {"Python": "3.99.0"}
    monkeypatch.setattr(fingerprint, "versions", lambda *_: present)
    monkeypatch.setattr(fingerprint, "python_changed", lambda kept: True)
    monkeypatch.setattr(fingerprint, "of_layer", lambda layer: "another digest")
    with pytest.warns(UserWarning, match=r"Python: 3.99.0, it was"):
        again(tmp_path / "kept", program())


def test_another_program_or_other_arguments_are_refused(tmp_path, program):
    folder = tmp_path / "kept"
    resume.begin(folder, program(), ["--epochs", "3"], 20)
    with pytest.raises(ValueError, match=r"has another run\. Changed: the program's text"):
        resume.begin(folder, program("x = 2\n"), ["--epochs", "3"], 20)
    with pytest.raises(ValueError, match=r"its arguments, which were \['--epochs', '3'\]"):
        resume.begin(folder, program(), [], 20)
    with pytest.raises(
        ValueError, match=r"the program's text and its arguments, .* Delete that folder to start from scratch"
    ):
        resume.begin(folder, program("x = 2\n"), [], 20)
    assert resume.begin(folder, program(), ["--epochs", "3"], 20) == []


def test_the_generators_begin_where_they_began(tmp_path, program):
    drawn = []
    for seed in (1, 2):
        set_random_seed(seed)
        resume.begin(tmp_path / "kept", program(), [], 20)
        drawn.append((random.random(), np.random.rand()))
        resume.end(well=False)
    assert drawn[0] == drawn[1]


def test_what_is_no_start_is_rejected_with_a_clear_error(tmp_path, program):
    folder = tmp_path / "kept"
    resume.begin(folder, program(), [], 20)
    start = folder / "start"
    content = start.read_bytes()
    start.write_bytes(content[:-1])
    with pytest.raises(ValueError, match=r"start' is damaged or truncated"):
        resume.begin(folder, program(), [], 20)
    for forged in ({}, {"program": 1, "arguments": [], "random": None}):
        write_checkpoint(start, Checkpoint(forged, []))
        with pytest.raises(ValueError, match="to start from scratch"):
            resume.begin(folder, program(), [], 20)


def test_finished_fits_are_restored_at_once_and_those_inside_of_others_are_part_of_them(tmp_path, program):
    def both(after):
        inner = cornu.Sequential([layers.Input((2,)), layers.Dense(1)])
        inner.compile("sgd", "mse")
        x = np.ones((4, 2), "float32")
        fits = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: inner.fit(x, x[:, :1], verbose=0))
        outer = cornu.Sequential([layers.Input((2,)), layers.Dense(1)])
        outer.compile("sgd", "mse")
        outer.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[fits])
        return train(after)

    set_random_seed(5)
    expected = both(None)
    set_random_seed(5)
    resume.begin(tmp_path / "kept", program(), [], 0)
    with pytest.raises(Killed):
        both(after=10)
    resume.end(well=False)
    assert sorted(path.name for path in (tmp_path / "kept").glob("fit-*")) == ["fit-0001", "fit-0002"]
    assert "keeps 2 calls of fit" in resume.begin(tmp_path / "kept", program(), [], 0)[0]
    assert both(None) == expected


def test_a_folder_that_cannot_be_made_is_refused(tmp_path, program):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Cannot keep checkpoints in"):
        resume.begin(tmp_path / "file" / "kept", program(), [], 20)


@pytest.mark.skipif(sys.platform == "win32", reason="the process is not started anew there")
def test_sets_have_one_order(monkeypatch):
    started = []
    monkeypatch.setattr(os, "execv", lambda *arguments: started.append(arguments))
    monkeypatch.setenv("PYTHONHASHSEED", "3")
    run.fix_hashes()
    assert not started
    monkeypatch.delenv("PYTHONHASHSEED")
    run.fix_hashes()
    assert os.environ["PYTHONHASHSEED"] == "0"
    assert started == [(sys.executable, [sys.executable, *sys.orig_argv[1:]])]
