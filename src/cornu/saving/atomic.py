"""Writing a file whole or not at all."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def replacing(filepath: Any, overwrite: bool = True) -> Iterator[Path]:
    """Give a temporary path beside `filepath` to write to; when the ``with`` block ends well, it takes its place.

    The data is on the disk before the file gets its name, so that a crash at any moment leaves the old file or the new
    one, whole. When the block raises, the old file stays as it was and nothing else is left. A symbolic link is
    followed; the permissions of an old file are kept. Raises FileExistsError where `overwrite` is False and the file
    is there, FileNotFoundError where its folder is not, IsADirectoryError where the path is a folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "file") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     (Path(folder) / "file").read_text()
    'whole'
    """
    path = Path(os.path.realpath(os.fspath(filepath)))
    check_target(filepath, path, overwrite)
    temporary = path.with_name(f".cornu-{secrets.token_hex(8)}.part")
    try:
        yield temporary
        if path.exists():
            shutil.copymode(path, temporary)
        flush_to_disk(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def check_target(filepath: Any, path: Path, overwrite: bool) -> None:
    """Raise in words where a file cannot be written."""
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
