"""What several processes tell each other, over a store in this one: agreement, files, failures, silence."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from cornu.core import processes
from cornu.core.atomic_files import append_text, replacing


class Store:
    """The store of JAX's client, in memory."""

    def __init__(self):
        self.content, self.changed = {}, threading.Condition()

    def key_value_set(self, key, value, allow_overwrite=False):
        with self.changed:
            self.content[key] = value
            self.changed.notify_all()

    def key_value_delete(self, key):
        with self.changed:
            self.content.pop(key, None)

    def key_value_dir_get(self, key):
        with self.changed:
            return [(one, text) for one, text in sorted(self.content.items()) if one.startswith(f"{key}/")]

    def blocking_key_value_get(self, key, timeout_in_ms):
        with self.changed:
            if not self.changed.wait_for(lambda: key in self.content, min(timeout_in_ms, 50) / 1000):
                raise RuntimeError("DEADLINE_EXCEEDED")
            return self.content[key]


@pytest.fixture
def groups(monkeypatch):
    """Two processes of one host, and one of another, in threads of this one."""
    monkeypatch.setattr(processes, "BEAT", 0.02)
    names = ["a", "a", "b"]
    monkeypatch.setattr(processes.socket, "gethostname", lambda: names[len(made)] if len(made) < 3 else "a")
    store, made = Store(), []
    for index, name in enumerate(names):
        store.key_value_set(f"cornu/host/{index}", name)
    for index in range(3):
        made.append(processes.Group(store, index, 3, lambda array: np.full_like(array, 7)))
    yield made
    for group in made:
        group._left.set()


def in_threads(functions):
    """Return what functions return that wait for each other."""
    found = [None] * len(functions)

    def run(at):
        found[at] = functions[at]()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return found


def test_all_have_the_first_process_s_value(groups):
    found = in_threads(
        [lambda group=group: [group.agreed(group.index), group.agreed([group.index])] for group in groups]
    )
    assert found == [[0, [0]]] * 3


def test_bytes_come_from_the_first(groups):
    first, second, _ = groups
    assert in_threads([lambda: first.from_first(b"\7\7\7"), lambda: second.from_first(None)]) == [b"\7\7\7"] * 2
    assert in_threads([lambda: first.from_first(None), lambda: second.from_first(b"x")]) == [None] * 2
    assert in_threads([lambda: first.from_first(b""), lambda: second.from_first(b"x")]) == [b""] * 2


def test_numbers_that_differ_are_an_error(groups):
    def checked(group, number):
        with pytest.raises(ValueError, match=r"has \d batches, process \d has \d"):
            group.check_alike("batches", number)
        return True

    assert in_threads([lambda g=g, n=n: checked(g, n) for g, n in zip(groups, [3, 4, 5], strict=True)]) == [True] * 3
    in_threads([lambda group=group: group.check_alike("batches", 3) for group in groups])


def test_one_that_goes_on_is_waited_for_only_so_long(groups, monkeypatch):
    monkeypatch.setattr(processes, "WAITING", 0.1)
    with pytest.raises(ValueError, match="Process 1 has 3 batches, process 0 has more"):
        groups[1].check_alike("batches", 3)


@pytest.fixture
def as_process(groups, monkeypatch):
    """Make this process one of the group."""

    def join(index):
        monkeypatch.setattr(processes, "_group", groups[index])

    return join


def test_the_first_of_each_host_writes(groups, as_process, tmp_path):
    assert [group.writes for group in groups] == [True, False, True]
    path = tmp_path / "file"
    for index, text in ((0, "first"), (1, "second"), (2, "third")):
        as_process(index)
        with replacing(path) as temporary:
            temporary.write_text(text)
        append_text(tmp_path / "log", text)
    assert path.read_text() == "third"  # on another host, it would be another disk's
    assert (tmp_path / "log").read_text() == "first"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "log"]


def test_the_others_wait_for_the_file(groups, as_process, tmp_path, monkeypatch):
    def slowly():
        with groups[0].written_by_one("model"):
            time.sleep(0.2)
            (tmp_path / "model").write_text("whole")

    def after():
        with groups[1].written_by_one("model"):
            pass
        return (tmp_path / "model").read_text()

    assert in_threads([slowly, after])[1] == "whole"
    monkeypatch.setattr(processes, "READ_BACK", 0.1)
    with groups[1].written_by_one("model that the first never writes"):
        pass


def test_a_file_of_its_own_is_written_by_each(groups, as_process, tmp_path):
    as_process(1)
    with replacing(tmp_path / "cache", own=True) as temporary:
        temporary.write_text("own")
    assert Path(tmp_path / "cache").read_text() == "own"


def test_a_failure_ends_the_others_with_its_text(groups):
    assert groups[1].fail("ValueError: no data")
    with pytest.raises(processes.ProcessLostError, match=r"process 1 of 3, on a, has ended with an error: ValueErr"):
        groups[2].agreed(None)
    assert not groups[2].leave()
    assert not groups[1].leave()


def test_the_same_failure_is_shown_once(groups):
    assert groups[0].fail("ValueError: shapes")
    assert not groups[1].fail("ValueError: shapes")
    assert groups[2].fail("ValueError: another")


def test_a_silent_process_is_named(groups, monkeypatch):
    monkeypatch.setattr(processes, "SILENT", 3.0)
    groups[1]._left.set()  # its beats end
    with pytest.raises(processes.ProcessLostError, match=r"process 1 of 3, on a, has been silent"):
        groups[2].agreed(None)


def test_one_that_waits_in_a_program_is_ended(groups, monkeypatch):
    ended = []
    monkeypatch.setattr(processes, "GRACE", 0.1)
    monkeypatch.setattr(processes.Group, "_end", lambda self, why: ended.append((self.index, why)))
    groups[1].fail("KilledError")
    deadline = time.monotonic() + 10
    while not {0, 2} <= {index for index, _ in ended} and time.monotonic() < deadline:
        time.sleep(0.01)
    assert {0, 2} <= {index for index, _ in ended}
    assert "process 1 of 3, on a, has ended with an error: KilledError" in ended[0][1]


def test_all_leave_together(groups):
    assert in_threads([group.leave for group in groups]) == [True] * 3
    assert groups[0].leave()


@pytest.mark.parametrize("text", ["Gloo all-reduce failed: Connection closed by peer", "NCCL error: remote"])
def test_jax_s_error_about_another_process_names_it(groups, as_process, text):
    as_process(2)
    groups[0].fail("MemoryError")
    with pytest.raises(processes.ProcessLostError, match="process 0 of 3"), processes.together():
        raise RuntimeError(text)


def test_other_errors_stay_as_they_are(groups, as_process):
    as_process(1)
    with pytest.raises(ValueError, match="shapes"), processes.together():
        raise ValueError("shapes")


def test_alone_all_of_it_does_nothing():
    assert (processes.count(), processes.is_first(), processes.agreed(3), processes.fail("x")) == (1, True, 3, True)
    processes.check_alike("batches", 1)
    processes.leave()
    with pytest.raises(ValueError, match="gloo"), processes.together():
        raise ValueError("gloo")
