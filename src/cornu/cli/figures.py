"""Figures of programs under `cornu run`: without a display they are counted, and saved on request."""

import importlib.util
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cornu.core.atomic_files import replacing

_BACKEND = "module://cornu.cli.figure_backend"

#: The state of the running program's figures.
state = SimpleNamespace(folder=None, number=0)


def start(folder: str | None) -> None:
    """Choose where figures go: to `folder`, to the display, or nowhere. Does not import matplotlib."""
    state.folder, state.number = None if folder is None else Path(folder), 0
    chosen = os.environ.get("MPLBACKEND", "")
    if folder is not None or (not has_display() and chosen.lower() in ("", "agg")) or "inline" in chosen:
        os.environ["MPLBACKEND"] = _BACKEND


def has_display() -> bool:
    """Return whether windows can be opened."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")) and _has_window_toolkit()


def _has_window_toolkit() -> bool:
    return any(importlib.util.find_spec(name) for name in ("tkinter", "PyQt5", "PyQt6", "PySide6", "gi", "wx"))


def keep(figure: Any) -> None:
    """Count a figure that was shown, and save it if a folder was given."""
    state.number += 1
    if state.folder is not None:
        state.folder.mkdir(parents=True, exist_ok=True)
        with replacing(state.folder / f"figure-{state.number:02d}.png") as temporary:
            figure.savefig(temporary)


def finish() -> list[str]:
    """Return a note on the program's figures, or none."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or os.environ.get("MPLBACKEND") != _BACKEND:
        return []
    for number in pyplot.get_fignums():  # drawn, never shown
        keep(pyplot.figure(number))
    if not state.number:
        return []
    figures = f"{state.number} figure{'s' if state.number > 1 else ''}"
    if state.folder is not None:
        return [f"{figures} saved in {state.folder}"]
    return [f"{figures} drawn and not shown: there is no display (--figures DIR saves them)"]
