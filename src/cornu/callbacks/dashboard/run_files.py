"""The record of a run: one file of JSON lines per run, in a folder that many runs share.

Files suffice for several processes on one page, for finished runs, and for a viewer that connects later.
"""

import json
import math
import os
import re
import secrets
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from cornu.core.atomic_files import append_text
from cornu.core.errors import escaped

SHOWN = 20  # the newest runs, on one page
LONGEST_LINE = 1 << 20  # bytes; runs write far shorter ones, and JSON may take 60 times its length in memory


def runs_folder() -> Path:
    """Return the default folder of run files: ``runs`` in the user's state folder."""
    return platformdirs.user_state_path("cornu") / "runs"


class RunFile:
    """The file of one run in `folder`; `name` is shown to people, `number` is used in file names and addresses."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.number = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
        self.name, self.full = name, False
        self.path = folder / f"{self.number}.jsonl"

    def record(self, kind: str, **what: Any) -> None:
        """Append a line: what happened, and when."""
        line = json.dumps({"kind": kind, "time": time.time(), **_plain(what)}, allow_nan=False)
        if self.full:
            return
        try:
            append_text(self.path, line + "\n")
        except OSError as error:
            self.full = True
            warnings.warn(f"The dashboard cannot be updated; training continues: {error}", stacklevel=2)

    def stop_asked(self) -> bool:
        """Return whether this run has been asked to stop."""
        return _stop_file(self.path).exists()

    def close(self) -> None:
        """Remove the stop request."""
        _stop_file(self.path).unlink(missing_ok=True)


def ask_to_stop(folder: Path, number: str) -> bool:
    """Ask the run `number` to stop; returns False if there is no such run."""
    path = folder / f"{number}.jsonl"
    if not re.fullmatch(r"[0-9a-f-]+", number) or not path.is_file():
        return False
    _stop_file(path).touch()
    return True


def _stop_file(path: Path) -> Path:
    return path.with_suffix(".stop")


def newest_runs(folder: Path) -> list[Path]:
    """Return the files of the newest runs, oldest first."""
    names = (
        sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(".jsonl")) if folder.is_dir() else []
    )
    return [folder / name for name in names[-SHOWN:]]


class Follower:
    """Reads the lines that runs have written since the last call."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places: dict[Path, int] = {}

    def news(self) -> Iterator[dict]:
        """Yield the new lines of all shown runs, each with the number of its run."""
        for path in newest_runs(self.folder):
            try:
                with path.open("rb") as file:
                    file.seek(self.places.get(path, 0))
                    text = file.read()
            except FileNotFoundError:
                continue
            whole = text.rfind(b"\n") + 1
            self.places[path] = self.places.get(path, 0) + whole
            for line in text[:whole].splitlines():
                if len(line) > LONGEST_LINE:
                    continue
                try:
                    yield {**_plain(json.loads(line)), "run": path.stem}
                except (ValueError, TypeError, RecursionError):
                    continue  # not a line of a run file


def _plain(value: Any) -> Any:
    """Return `value` as JSON data: non-finite numbers become None, arrays their mean."""
    if isinstance(value, dict):
        return {escaped(str(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, str):
        return escaped(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    try:
        number = float(np.mean(np.asarray(value, "float64")))
    except (TypeError, ValueError):
        return escaped(str(value))
    return number if math.isfinite(number) else None
