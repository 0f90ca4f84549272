"""Where the files of a TensorFlow checkpoint are."""

import re
from pathlib import Path

INDEX, STATE = ".index", "checkpoint"
VALUES = re.compile(r"(.+)\.data-\d{5}-of-\d{5}", re.DOTALL)
NEWEST = re.compile(r'^\s*model_checkpoint_path\s*:\s*"([^"\n]*)"', re.MULTILINE)
MOST_STATE = 1 << 24  # bytes
PROGRAM, METADATA, VARIABLES = "saved_model.pb", "keras_metadata.pb", Path("variables", "variables")  # of a SavedModel


def is_saved_model(path: Path) -> bool:
    """Return whether a path is a SavedModel folder."""
    return any((path / name).is_file() for name in (PROGRAM, f"{PROGRAM}txt", METADATA))


def checkpoint_prefix(path: Path) -> Path | None:
    """Return what the files of a checkpoint begin with, or None if `path` does not name one.

    `path` may be that beginning, one of the files, a folder with a file ``checkpoint``, or a SavedModel folder.
    """
    if path.is_dir():
        if is_saved_model(path):
            return path / VARIABLES
        return _newest(path) if (path / STATE).is_file() else None
    values = VALUES.fullmatch(path.name)
    if path.is_file() and values is None and path.suffix != INDEX:
        return None
    prefix = path.with_name(values[1]) if values else path.with_suffix("") if path.suffix == INDEX else path
    return prefix if prefix.name and prefix.with_name(prefix.name + INDEX).is_file() else None


def _newest(folder: Path) -> Path:
    """Return the checkpoint that a folder's file ``checkpoint`` names; it is looked for in that folder alone."""
    with (folder / STATE).open("rb") as file:
        content = file.read(MOST_STATE)
    found = NEWEST.search(content.decode("utf-8", "replace"))
    name = re.split(r"[/\\]", found[1])[-1] if found else ""
    prefix = folder / name
    if name in ("", ".", "..") or not name.isprintable() or not prefix.with_name(f"{name}{INDEX}").is_file():
        raise ValueError(
            f"The file {STATE!r} in {folder.name!r} names the checkpoint {name[:200]!r}, which is not in that folder.\n"
            "Give the beginning that the checkpoint's files share, as in load_weights('folder/ckpt-1')."
        )
    return prefix
