"""What reading one HDF5 file may cost: steps through its groups, and bytes of its arrays."""

import contextlib
import contextvars
import io
import os
from collections.abc import Iterator
from pathlib import Path

#: How many times its file's size the weights may have, however often they are compressed; small files may have more.
BEST_PACKING, SMALL = 20, 1 << 24
MOST_ALIASED = 1 << 30  # bytes of a list of strings, if each were as long as the longest
FREE_STEPS, BYTES_PER_STEP, MOST_STEPS = 20_000, 16, 4_000_000


class Limits:
    """The steps and bytes that are left for a file of `size` bytes, which is inside another of `outer` bytes."""

    def __init__(self, what: str, size: int, outer: int) -> None:
        self.what = what
        self.steps = min(FREE_STEPS + size // BYTES_PER_STEP, MOST_STEPS)
        self.most = self.left = max(BEST_PACKING * outer, SMALL)
        self.outer = outer
        self.longest_text = 0  # bytes of the longest string of variable length

    def step(self, number: int = 1) -> None:
        """Count objects, names or heap entries that are visited; ValueError if a file of this size has fewer."""
        self.steps -= number
        if self.steps < 0:
            raise ValueError(f"{self.what!r} has far more names and groups than a model file of its size: refused.")

    def check(self, needed: int) -> None:
        """Raise ValueError for arrays of more bytes than a file of this size may expand to."""
        if needed > self.left:
            raise ValueError(
                f"The weights in {self.what!r} expand to more than the limit of {self.most:,} bytes for a file of "
                f"{self.outer:,} bytes: refused."
            )

    def take(self, needed: int) -> None:
        """Count the bytes of an array that is about to be read; ValueError as in `check`."""
        self.check(needed)
        self.left -= needed


_current: contextvars.ContextVar[Limits | None] = contextvars.ContextVar("limits", default=None)


@contextlib.contextmanager
def limited(limits: Limits) -> Iterator[None]:
    """Let what is read inside a ``with`` block count for one file."""
    token = _current.set(limits)
    try:
        yield
    finally:
        _current.reset(token)


def step(number: int = 1) -> None:
    """Count steps through the file that is open."""
    limits = _current.get()
    if limits is not None:
        limits.step(number)


def check(needed: int) -> None:
    """Raise ValueError if arrays of `needed` bytes are more than the open file may have."""
    limits = _current.get()
    if limits is not None:
        limits.check(needed)


def take(needed: int) -> None:
    """Count the bytes of an array that is about to be read."""
    limits = _current.get()
    if limits is not None:
        limits.take(needed)


def note_text(size: int) -> None:
    """Remember that the open file has a string of variable length of `size` bytes."""
    limits = _current.get()
    if limits is not None:
        limits.longest_text = max(limits.longest_text, size)


def texts_fit(number: int) -> bool:
    """Return whether the memory of `number` strings is bounded, though all may be the longest one of the open file."""
    limits = _current.get()
    return limits is None or number * limits.longest_text <= max(limits.most, MOST_ALIASED)


class WholeReader(io.BufferedReader):
    """A file that is open for reading; OSError where it became shorter than it was."""

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        """Fill a buffer completely."""
        count = super().readinto(buffer)
        if count < memoryview(buffer).nbytes:
            raise OSError("the file ends too early: it became shorter while it was read")
        return count


def opened(content: Path | io.BytesIO) -> contextlib.AbstractContextManager:
    """Return the one handle through which a file is checked and read."""
    if isinstance(content, io.BytesIO):
        return contextlib.nullcontext(content)
    return WholeReader(io.FileIO(content, "rb"))


def size_of(file: io.BufferedIOBase) -> int:
    """Return the size of an open file in bytes."""
    return file.seek(0, os.SEEK_END)
