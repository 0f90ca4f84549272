"""Atomic file writes, completely or not at all: the only way in which Cornu writes files."""

import contextlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cornu.core import processes

PREFIX, SUFFIX = ".cornu-", ".part"
DAY = 24 * 3600.0  # seconds after which a temporary file that a killed process left is removed


@contextlib.contextmanager
def replacing(filepath: Any, overwrite: bool = True, own: bool = False) -> Iterator[Path]:
    """Provide a temporary path next to `filepath`; when the ``with`` block succeeds, it replaces `filepath`.

    The data is on disk before the file gets its name, so a crash at any moment leaves either the old file or the new
    one, complete. If the block raises, the old file is unchanged and nothing else is left. A symbolic link is
    followed; the permissions of an old file are kept. Raises FileExistsError if `overwrite` is False and the file
    exists, FileNotFoundError if its folder does not, IsADirectoryError if the path is a folder, and the system's
    OSError with a clear message if the disk is full or not writable.

    Of several processes that run a program together, the first on each host writes, and the others wait for it; with
    `own` each writes by itself.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "file") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     (Path(folder) / "file").read_text()
    'whole'
    """
    path = Path(os.path.realpath(os.fspath(filepath)))
    check_target(filepath, path, overwrite)
    group = None if own else processes.group()
    if group is None:
        with _replacing(filepath, path) as temporary:
            yield temporary
        return
    with group.written_by_one(str(filepath)):
        if group.writes:
            with _replacing(filepath, path) as temporary:
                yield temporary
        else:  # the same work, which may need the others
            with tempfile.TemporaryDirectory() as folder:
                yield Path(folder) / path.name


@contextlib.contextmanager
def _replacing(filepath: Any, path: Path) -> Iterator[Path]:
    # The ending stays, since many libraries take the format from it.
    temporary = path.with_name(f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}{path.suffix}")
    try:
        try:
            yield temporary
            if path.exists():
                shutil.copymode(path, temporary)
            flush_to_disk(temporary)
            os.replace(temporary, path)
        except BaseException:
            remove_quietly(temporary)
            raise
        flush_folder(path.parent)
    except OSError as error:
        if _is_about(error, temporary, path):
            raise _explained(error, filepath, path) from error
        raise
    remove_leftovers(path.parent)


def write_text(filepath: Any, text: str) -> None:
    """Replace a file's content by `text` (UTF-8), whole or not at all."""
    with replacing(filepath) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def append_text(path: Path, text: str) -> None:
    """Add `text` (UTF-8) at the end of a file and wait until it is on the disk; what fits only in part is taken back.

    A file of rows grows by whole rows: after a failure it is as long as it was.
    """
    append_bytes(path, text.encode())


def append_bytes(path: Path, data: bytes) -> None:
    """Add `data` at the end of a file and wait until it is on the disk; what fits only in part is taken back.

    Of several processes that run a program together, the first writes.
    """
    if not processes.is_first():
        return
    with path.open("ab", buffering=0) as file:
        before = os.fstat(file.fileno()).st_size
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(file.fileno(), before)
            raise OSError(error.errno, f"Cannot add to {str(path)!r}: {error.strerror}. It is as it was.") from error


def check_target(filepath: Any, path: Path, overwrite: bool) -> None:
    """Raise a clear error if a file cannot be written."""
    if path.is_dir():
        raise IsADirectoryError(f"Cannot save to {str(filepath)!r}: it is a folder. Give the name of a file in it.")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"Cannot save to {str(filepath)!r}: there is no folder {str(path.parent)!r}. Make it first, for example "
            f"with Path({str(path.parent)!r}).mkdir(parents=True)."
        )
    if not overwrite and path.exists():
        raise FileExistsError(f"{str(filepath)!r} exists already, and overwrite=False was given. Choose another name.")


def flush_to_disk(path: Path) -> None:
    """Wait until the contents of a file are on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can do that."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    except OSError:  # some network file systems refuse; the file itself is whole
        pass
    finally:
        os.close(descriptor)


def remove_quietly(path: Path) -> None:
    """Remove a file if it can be removed: an error on the way out must not hide the one before it."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def remove_leftovers(folder: Path, age: float = DAY) -> None:
    """Remove temporary files that processes left which were killed in the midst of writing, `age` seconds ago."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            named_so = entry.name.startswith(PREFIX) and SUFFIX in entry.name
            if named_so and time.time() - entry.stat().st_mtime >= age:
                remove_quietly(Path(entry.path))


def _is_about(error: OSError, temporary: Path, path: Path) -> bool:
    """Return whether an error is the system's about this file, rather than another that the block met."""
    if isinstance(error, ConnectionError):  # a download's
        return False
    if isinstance(error.filename, (str, Path)):
        return Path(error.filename) in (temporary, path)
    return error.errno is not None or temporary.name in str(error) or "errno" in str(error)


def _explained(error: OSError, filepath: Any, path: Path) -> OSError:
    """Return the same kind of error, saying what was to be written and what became of it."""
    reason = next((text for number, text in _reasons() if text in str(error)), error.strerror or str(error))
    left = "The file that was there is as it was" if path.exists() else "Nothing was left there"
    number = error.errno or next((number for number, text in _reasons() if text in str(error)), 5)
    return OSError(number, f"Cannot save to {str(filepath)!r}: {reason}. {left}")


def _reasons() -> list[tuple[int, str]]:
    """Return the numbers of the system's errors that libraries pass on as text, such as that of a full disk."""
    return [(number, os.strerror(number)) for number in (28, 122, 27, 30, 13, 5)]
