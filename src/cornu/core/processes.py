"""The processes that run one program together, on one host or several: what they tell each other.

Each runs the whole program, with the same random numbers; `training.sharded` lets each compute its rows of a batch. One
process is the rule, and then all of this does nothing. `core.jax_processes` makes a `Group`.

They talk through the store of JAX's coordination service. A thread of each writes a beat into it every second and reads
the others', and a connection of each to `core.coordinator` tells who is gone: so a process that has ended, or is
silent, ends all, with its name.
"""

import contextlib
import hashlib
import json
import os
import re
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np

BEAT = 1.0  # seconds between signs of life
SILENT = 60.0  # seconds without one after which a process counts as gone; a large file may keep Python busy
NAMING = 5.0  # seconds in which to find out which process it was that ended
WAITING = 30.0  # seconds after which the others, which are in step with this one, have not come to its end
GRACE = 10.0  # seconds in which the main thread may end by itself
LINE = "cornu/line"  # where the store has the port of the coordinator's connections
READ_BACK = 60.0  # seconds to wait for a file that another process writes
FAILED = "failed: "
ERROR = "has ended with an error"
APART = "has ended its program, and this one waits for it. All must run the same steps"
DONE = "done"


class Store(Protocol):
    """What a group needs of the store: that of JAX's client."""

    def key_value_set(self, key: str, value: str, allow_overwrite: bool) -> None: ...
    def key_value_delete(self, key: str) -> None: ...
    def key_value_dir_get(self, key: str) -> list[tuple[str, str]]: ...
    def blocking_key_value_get(self, key: str, timeout_in_ms: int) -> str: ...


class ProcessLostError(RuntimeError):
    """Another process of the program has ended, so this one cannot go on."""


class Group:
    """All processes, as one of them sees them.

    Args:
        store: What they share.
        index: The number of this one, from 0.
        count: How many there are.
        broadcast: Returns the first process's array, for an array of the same shape and dtype.
    """

    def __init__(self, store: Store, index: int, count: int, broadcast: Callable[[Any], Any]) -> None:
        self.store, self.index, self.count, self._broadcast = store, index, count, broadcast
        self.failed = False  # whether this process has
        self.exit_code = 1  # this process's, unless all end well
        self.lost: str | None = None  # which process has ended, once that is known
        self._agreements = self._checks = 0
        self._writes: Counter[str] = Counter()
        store.key_value_set(f"cornu/host/{index}", socket.gethostname(), True)
        self.hosts = [self._get(f"cornu/host/{one}") for one in range(count)]
        store.key_value_set(f"cornu/beat/{index}", "0", True)
        self._left = threading.Event()
        self._beats: dict[int, tuple[str, float]] = {}
        self._line: socket.socket | None = None
        self._lost_since: float | None = None
        self._inputs = 0
        self._waits_since: float | None = None  # when the main thread began what the others take part in
        self._watch = threading.Thread(target=self._watching, name="cornu-processes", daemon=True)
        self._watch.start()

    # ---- agreement

    def agreed(self, value: Any) -> Any:
        """Return the first process's value, plain data. All call this in the same order."""
        key = f"cornu/agreed/{self._agreements}"
        self._agreements += 1
        if self.index:
            with self.waiting():
                return json.loads(self._get(key))
        self.store.key_value_set(key, json.dumps(value), True)
        if self._agreements > 1000:
            self.store.key_value_delete(f"cornu/agreed/{self._agreements - 1000}")
        return value

    def from_first(self, data: bytes | None) -> bytes | None:
        """Return the first process's bytes, or None. All call this in the same order."""
        length = self.agreed(None if data is None else len(data))
        if not length:
            return None if length is None else b""
        given = np.frombuffer(data, np.uint8) if self.index == 0 and data else np.zeros(length, np.uint8)
        with together(waits=True):
            return np.asarray(self._broadcast(given)).tobytes()

    def line_of_first(self, read: Callable[[], str]) -> str:
        """Return a line that the first process reads from its standard input: the others have none."""
        key = f"cornu/input/{self._inputs}"
        self._inputs += 1
        if self.index:
            return json.loads(self._get(key))
        line = read()
        self.store.key_value_set(key, json.dumps(line), True)
        return line

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Note that what runs in the ``with`` block takes all processes: one that is at its end will not come."""
        before, self._waits_since = self._waits_since, self._waits_since or time.monotonic()
        try:
            yield
        finally:
            self._waits_since = before

    def _get(self, key: str, seconds: float | None = None) -> str:
        """Return what is stored, once it is; ProcessLostError if another process ends meanwhile."""
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            try:
                return self.store.blocking_key_value_get(key, 1000)
            except Exception as error:  # the class differs with JAX
                if "DEADLINE" not in str(error):
                    raise self.lost_error() from error
            if self.lost is not None:
                raise self.lost_error()
            if end is not None and time.monotonic() > end:
                raise TimeoutError(key)

    def check_alike(self, what: str, number: int) -> None:
        """Wait for the others, and raise ValueError if they have another number of something."""
        folder = f"cornu/alike/{self._checks}"
        self._checks += 1
        self.store.key_value_set(f"{folder}/{self.index}", str(number), True)
        end = time.monotonic() + WAITING
        while len(found := self.store.key_value_dir_get(folder)) < self.count:
            if self.lost is not None:
                raise self.lost_error()
            if time.monotonic() > end:  # they wait for this one inside a step
                break
            time.sleep(BEAT / 100)
        numbers = {int(key.rpartition("/")[2]): text for key, text in found}
        other = next((one for one in range(self.count) if numbers.get(one) != str(number)), None)
        if other is not None:
            raise ValueError(
                f"Process {self.index} has {number} {what}, process {other} has {numbers.get(other, 'more')}.\n"
                "All processes need the same number: the program runs as a whole in each of them."
            )

    # ---- files

    @property
    def writes(self) -> bool:
        """Whether this process writes files: the first of its host does."""
        return self.hosts.index(self.hosts[self.index]) == self.index

    @contextlib.contextmanager
    def written_by_one(self, path: str) -> Iterator[None]:
        """Let the others of this host wait, after a ``with`` block, until the first has written a file.

        They do not wait for ever: a program may let one of its processes write alone.
        """
        name = hashlib.sha256(f"{self.hosts[self.index]}\0{path}".encode()).hexdigest()
        self._writes[name] += 1
        key = f"cornu/written/{name}/{self._writes[name]}"
        try:
            yield
        finally:
            if self.writes:
                self.store.key_value_set(key, "", True)
        if not self.writes:
            with contextlib.suppress(TimeoutError):
                self._get(key, READ_BACK)

    # ---- the watch

    def listen(self, host: str) -> None:
        """Hold a connection to the coordinator. Without one, only silence says that a process is gone."""
        with contextlib.suppress(OSError):
            self._line = socket.create_connection((host, int(self._get(LINE))), NAMING)
            self._line.settimeout(None)
            self._line.sendall(f"{self.index}\n".encode())
            threading.Thread(target=self._listening, args=(self._line,), name="cornu-line", daemon=True).start()

    def hang_up(self) -> None:
        """Close that connection."""
        if self._line is not None:
            self._line.close()

    def _listening(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), line.makefile() as lines:
            for index in map(int, lines):
                self._lose(index, "has ended", waits=True)

    def _lose(self, index: int, what: str, waits: bool = False) -> None:
        """Note that a process is gone, unless it has done its work."""
        if waits:  # what it said last comes by another way
            time.sleep(BEAT / 4)
        beat = ""
        with contextlib.suppress(Exception):  # the store may be gone as well
            beat = self._beat_of(index)
        if beat.startswith(FAILED):
            what = f"{ERROR}: {beat.removeprefix(FAILED)}"
        if beat != DONE:
            self._note(index, what)

    def _beat_of(self, index: int) -> str:
        """Return what a process said last."""
        return dict(self.store.key_value_dir_get("cornu/beat")).get(f"cornu/beat/{index}", "")

    def _note(self, index: int, what: str) -> None:
        if self.lost is None:
            self.lost, self._lost_since = self.named(index, what), time.monotonic()

    def _watching(self) -> None:
        number = 0
        unreachable: float | None = None
        while not self._left.wait(BEAT):
            number += 1
            try:
                self.store.key_value_set(f"cornu/beat/{self.index}", str(number), True)
                found = self.store.key_value_dir_get("cornu/beat")
            except Exception:
                unreachable = unreachable or time.monotonic()
                if time.monotonic() - unreachable > SILENT:
                    self._end(self.named(0, "cannot be reached"))
                continue
            unreachable = None
            self._look(found)

    def _look(self, found: list[tuple[str, str]]) -> None:
        """Note the others' beats; end this process some seconds after another has failed or fallen silent."""
        now = time.monotonic()
        for key, beat in found:
            index = int(key.rpartition("/")[2])
            if self._beats.get(index, ("", 0.0))[0] != beat:
                self._beats[index] = beat, now
        for index, (beat, since) in self._beats.items():
            if index != self.index and beat.startswith(FAILED):
                self._lose(index, "has ended")
            elif index != self.index and beat != DONE and now - since > SILENT:
                self._lose(index, f"has been silent for {SILENT:.0f} seconds")
            elif index != self.index and beat == DONE and now - max(since, self._waits_since or now) > WAITING:
                self._note(index, APART)
        if self.lost is not None and self._lost_since is not None and now - self._lost_since > GRACE:
            self._end(self.lost)  # the main thread waits for it inside a program

    def named(self, index: int, what: str) -> str:
        """Return a sentence about a process."""
        return f"process {index} of {self.count}, on {self.hosts[index]}, {what}"

    def _end(self, why: str) -> None:
        """End this process, whose main thread may wait for ever."""
        print(f"cornu: {ending(why)}", file=sys.__stderr__, flush=True)  # the program's own may be elsewhere
        os._exit(1)

    def lost_error(self) -> ProcessLostError:
        """Return the error for a process that has ended, after finding out which it is."""
        end = time.monotonic() + NAMING
        while self.lost is None and time.monotonic() < end:
            time.sleep(BEAT / 20)
        self.lost = self.lost or "another process has ended"
        return ProcessLostError(ending(self.lost))

    # ---- the end

    def fail(self, text: str, code: int = 1) -> bool:
        """Tell the others of an error; returns whether to show it: the first process's own is enough."""
        if not self._left.is_set():
            self.exit_code = code
        text = re.sub(r"\b0x[0-9a-f]+", "0x", text)  # addresses differ between processes
        self._last_beat(FAILED + text)
        end = time.monotonic() + 2 * BEAT
        while self.index and time.monotonic() < end:
            with contextlib.suppress(Exception):
                if self._beat_of(0) == FAILED + text:
                    return False
            time.sleep(BEAT / 10)
        return True

    def _last_beat(self, beat: str) -> None:
        if self._left.is_set():
            return
        self._left.set()
        self._watch.join(2 * BEAT)
        with contextlib.suppress(Exception):
            self.store.key_value_set(f"cornu/beat/{self.index}", beat, True)
        self.failed = beat != DONE

    def leave(self) -> bool:
        """Wait for the others; returns whether all of them end well."""
        self._last_beat(DONE)
        if self.failed:
            return False
        while self.lost is None:
            try:
                found = self.store.key_value_dir_get("cornu/beat")
            except Exception:  # the class differs with JAX
                return False
            self._look(found)
            if all(self._beats.get(one, ("",))[0] == DONE for one in range(self.count)):
                return True
            time.sleep(BEAT / 20)
        return False


def ending(why: str) -> str:
    """Return the message for the end of a process.

    >>> print(ending("process 1 of 3, on b, has ended"))
    process 1 of 3, on b, has ended. This process ends too.
    Start all of them again: `cornu run --resume DIR`, or BackupAndRestore, goes on from the last checkpoint.
    """
    said = f"{why.rstrip('.')}. This process ends too."
    if ERROR in why or APART in why:
        return said
    return (
        f"{said}\nStart all of them again: `cornu run --resume DIR`, or BackupAndRestore, "
        "goes on from the last checkpoint."
    )


_group: Group | None = None


def join(group: Group | None) -> None:
    """Make a group that of this process."""
    global _group
    _group = group


def group() -> Group | None:
    """Return the group of this process; None if it runs alone."""
    return _group


def count() -> int:
    """Return how many processes run the program together.

    >>> count()
    1
    """
    return 1 if _group is None else _group.count


def is_first() -> bool:
    """Return whether this process prints, and writes what is about all: logs, checkpoints.

    >>> is_first()
    True
    """
    return _group is None or _group.index == 0


def fail(text: str, code: int = 1) -> bool:
    """Tell the other processes of an error that ends this one with an exit code; returns whether to show it.

    >>> fail("ValueError: ...")
    True
    """
    return _group is None or _group.fail(text, code)


def leave() -> None:
    """Wait until the other processes have done their work as well."""
    if _group is not None:
        _group.leave()


def agreed(value: Any) -> Any:
    """Return the first process's value, plain data: for what depends on time, or on chance.

    >>> agreed(3)
    3
    """
    return value if _group is None else _group.agreed(value)


def check_alike(what: str, number: int) -> None:
    """Raise ValueError if another process has another number of something.

    >>> check_alike("batches", 3)
    """
    if _group is not None:
        _group.check_alike(what, number)


def free_port(host: str = "") -> int:
    """Return a port that nobody listens at, on one of this host's addresses or all."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


#: What JAX says when another process has gone while this one waits for it.
_SIGNS = ("gloo", "nccl", "coordination service", "connection closed by peer", "connection reset", "socket closed")


@contextlib.contextmanager
def together(waits: bool = False) -> Iterator[None]:
    """Raise a ProcessLostError for JAX's error about another process that has ended.

    `waits` says that the ``with`` block takes all processes, as a step that they compute does.
    """
    try:
        with _group.waiting() if waits and _group is not None else contextlib.nullcontext():
            yield
    except (RuntimeError, ValueError) as error:
        if _group is None or isinstance(error, ProcessLostError):
            raise
        if not any(sign in str(error).lower() for sign in _SIGNS):
            raise
        raise _group.lost_error() from None
