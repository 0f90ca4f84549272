"""Whatever step of writing fails, the old file is whole, nothing else is left, and the error says so."""

import errno
import os
import resource
import subprocess
from contextlib import contextmanager

import numpy as np
import pytest

from cornu.callbacks import CSVLogger
from cornu.callbacks.tensorboard.event_file import EventFile, scalar
from cornu.checkpoints.file import Checkpoint, Generations, read_checkpoint, write_checkpoint
from cornu.core import atomic_files
from cornu.core.atomic_files import append_text, remove_leftovers, replacing, write_text

OLD, NEW = "old\n" * 500, "new\n" * 2000


@contextmanager
def largest_file(size):
    """Let the system refuse to write beyond `size` bytes: a real failing write, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def failing(monkeypatch, name, number):
    """Let a function of `os` fail at its call `number` (from 1); returns the list of calls."""
    calls, real = [], getattr(os, name)

    def call(*args, **kwargs):
        calls.append(args)
        if len(calls) == number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args, **kwargs)

    monkeypatch.setattr(os, name, call)
    return calls


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_each_call_of_the_system_fails_in_turn(tmp_path, monkeypatch, step):
    path = tmp_path / "file"
    path.write_text(OLD)
    calls = failing(monkeypatch, step, 1)
    with pytest.raises(OSError, match=r"Cannot save to .*file': No space left on device. The file that was there is"):
        write_text(path, NEW)
    assert len(calls) == 1
    assert path.read_text() == OLD
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_that_cannot_be_flushed_does_not_undo_a_whole_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text(OLD)
    failing(monkeypatch, "fsync", 2)
    write_text(path, NEW)
    assert path.read_text() == NEW


@pytest.mark.parametrize("size", [0, 1, 100, len(NEW) - 1])
def test_a_real_write_fails_at_any_byte(tmp_path, size):
    path = tmp_path / "file"
    path.write_text(OLD)
    with largest_file(size), pytest.raises(OSError, match=r"Cannot save to .*File too large.*as it was"):
        write_text(path, NEW)
    assert path.read_text() == OLD
    assert os.listdir(tmp_path) == ["file"]
    with largest_file(size), pytest.raises(OSError, match=r"Nothing was left there"):
        write_text(tmp_path / "other", NEW)
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("size", [2001, 2100])
def test_a_row_that_does_not_fit_is_taken_back(tmp_path, size):
    path = tmp_path / "rows.csv"
    path.write_text(OLD)
    with largest_file(size), pytest.raises(OSError, match=r"Cannot add to .*File too large.*as it was"):
        append_text(path, NEW)
    assert path.read_text() == OLD
    append_text(path, NEW)
    assert path.read_text() == OLD + NEW


def test_rows_and_events_on_a_full_disk(tmp_path):
    logger = CSVLogger(tmp_path / "log.csv")
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 1.0})
    events = EventFile(tmp_path)
    sizes = (tmp_path / "log.csv").stat().st_size, events.path.stat().st_size
    with largest_file(min(sizes) + 1):
        with pytest.raises(OSError, match=r"Cannot add to .*log.csv"):
            logger.on_epoch_end(1, {"loss": 0.5})
        with pytest.raises(OSError, match=r"Cannot add to .*tfevents"):
            events.write(1, [scalar("loss", 1.0)])
    assert ((tmp_path / "log.csv").stat().st_size, events.path.stat().st_size) == sizes
    logger.on_epoch_end(1, {"loss": 0.5})
    assert (tmp_path / "log.csv").read_text() == "epoch,loss\n0,1.0\n1,0.5\n"


def checkpoint(number):
    return Checkpoint({"number": number}, [np.arange(100.0), np.array(3, "int8"), np.zeros((0, 2))])


@pytest.mark.parametrize("size", [0, 30, 300, 800])
def test_a_checkpoint_that_cannot_be_written_leaves_the_two_before(tmp_path, size):
    generations = Generations(tmp_path)
    for number in (1, 2):
        generations.write(checkpoint(number))
    with largest_file(size), pytest.raises(OSError, match=r"Cannot save to"):
        generations.write(checkpoint(3))
    assert sorted(os.listdir(tmp_path)) == ["checkpoint-0", "checkpoint-1"]
    found, complaints = Generations(tmp_path).newest()
    assert (found.content["number"], complaints) == (2, [])
    for one, other in zip(found.arrays, checkpoint(2).arrays, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def test_every_cut_and_every_changed_byte_of_a_checkpoint_is_noticed(tmp_path):
    path = tmp_path / "one"
    write_checkpoint(path, checkpoint(1))
    data = path.read_bytes()
    for place in range(0, len(data), 7):
        path.write_bytes(data[:place])
        with pytest.raises(ValueError, match=r"not a checkpoint|damaged or truncated"):
            read_checkpoint(path)
        path.write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
        with pytest.raises(ValueError, match=r"not a checkpoint|damaged or truncated"):
            read_checkpoint(path)


def test_what_killed_processes_left_is_removed_when_it_is_old(tmp_path):
    old, fresh, other = (tmp_path / name for name in (".cornu-1.part.h5", ".cornu-2.part", "note.part"))
    for path in (old, fresh, other):
        path.write_text("")
    os.utime(old, (0, 0))
    write_text(tmp_path / "file", NEW)
    assert sorted(os.listdir(tmp_path)) == [".cornu-2.part", "file", "note.part"]
    remove_leftovers(tmp_path, age=0)
    assert sorted(os.listdir(tmp_path)) == ["file", "note.part"]


def test_an_error_of_the_writer_itself_passes_as_it_is(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"elsewhere"), replacing(tmp_path / "file"):
        (tmp_path / "elsewhere").read_text()
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "file") as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 kB, where one may be mounted."""
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], capture_output=True)
    if made.returncode:
        pytest.skip("no file system may be mounted here")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_and_a_read_only_one(small_disk):
    path = small_disk / "file"
    write_text(path, OLD)
    with pytest.raises(
        OSError, match=r"Cannot save to .*No space left on device. The file that was there is as it was"
    ):
        write_text(path, "x" * 100_000)
    assert (path.read_text(), os.listdir(small_disk)) == (OLD, ["file"])
    with pytest.raises(OSError, match=r"Cannot add to .*No space left on device"):
        append_text(path, "x" * 100_000)
    assert path.read_text() == OLD
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(OSError, match=r"Cannot save to .*Read-only file system"):
        write_text(path, NEW)
    with pytest.raises(OSError, match=r"Cannot keep checkpoints in .*Read-only file system"):
        Generations(small_disk).prepare()
    assert (path.read_text(), os.listdir(small_disk)) == (OLD, ["file"])


def test_the_reason_is_found_where_a_library_hides_it_in_its_text(tmp_path):
    error = OSError(f"unable to write (errno = 28, error message = '{os.strerror(28)}')")
    with pytest.raises(OSError, match=r"Cannot save to .*No space left on device"), replacing(tmp_path / "file"):
        raise error
    assert atomic_files._is_about(error, tmp_path / "a", tmp_path / "b")
