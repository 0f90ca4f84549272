"""Tracebacks with the user's lines only: frames of Cornu, JAX and what they call are left out.

`cornu` sets `excepthook` as the hook of Python for errors that nothing catches. It changes what is printed, not the
error: a debugger still sees every frame.
"""

import importlib
import sys
import sysconfig
import traceback
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any

_OWN_FOLDER = str(Path(__file__).parents[1])
_STANDARD = sysconfig.get_path("stdlib")
_INNER_PACKAGES = ("jax", "jaxlib", "optax", "pooch", "requests", "urllib3")
#: What JAX adds to an error (0.8 to 0.12).
_NOTICE = "JAX has removed its internal frames"
HOW_TO_SEE = "keras.config.disable_traceback_filtering() shows them"


def is_inner(file: str) -> bool:
    """Return whether a file belongs to Cornu, to a package that it calls, or to Python's import system."""
    if file.startswith((_OWN_FOLDER, "<frozen")) or file == importlib.__file__:
        return True
    return any(a in ("site-packages", "dist-packages") and b in _INNER_PACKAGES for a, b in pairwise(Path(file).parts))


def is_standard(file: str) -> bool:
    """Return whether a file belongs to Python's standard library."""
    return file.startswith(_STANDARD) and "site-packages" not in file


def without_notice(notes: list[str] | None) -> list[str] | None:
    """Return an error's notes without JAX's notice that it has removed frames."""
    kept = [note for note in notes or () if _NOTICE not in note and note.strip("-")]
    return kept or None


def excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an error that nothing caught, without inner frames; a line above says how many."""
    if _has_own_frames(trace) and _is_on():
        changed: list[tuple[BaseException, dict[str, Any]]] = []
        left_out = _filter(error, changed)
        try:
            if error.__traceback__ is not None:
                if left_out:
                    lines = "1 line" if left_out == 1 else f"{left_out} lines"
                    print(f"cornu: {lines} inside Cornu and jax left out; {HOW_TO_SEE}", file=sys.stderr)
                sys.__excepthook__(kind, error, error.__traceback__)
                return
        finally:
            for one, state in changed:
                for name, value in state.items():
                    setattr(one, name, value)
    sys.__excepthook__(kind, error, trace)


def _is_on() -> bool:
    if "jax" not in sys.modules:
        return True
    from cornu.core.jax_internals import setting

    return setting("jax_traceback_filtering") != "off"


def _has_own_frames(trace: TracebackType | None) -> bool:
    return any(frame.f_code.co_filename.startswith(_OWN_FOLDER) for frame, _ in traceback.walk_tb(trace))


def _filter(error: BaseException, changed: list[tuple[BaseException, dict[str, Any]]]) -> int:
    """Remove inner frames of an error and of those before it; returns how many, and notes in `changed` what was."""
    names = ("__traceback__", "__cause__", "__context__", "__suppress_context__", "__notes__")
    changed.append((error, {name: getattr(error, name) for name in names if hasattr(error, name)}))
    frames = _frames(error.__traceback__)
    kept = [frame for frame, inner in frames if not inner]
    left_out = len(frames) - len(kept)
    trace = None
    for one in reversed(kept):
        trace = TracebackType(trace, one.tb_frame, one.tb_lasti, one.tb_lineno)
    error.__traceback__ = trace
    if hasattr(error, "__notes__"):
        error.__notes__ = without_notice(error.__notes__) or []
    hidden = error.__suppress_context__
    for name in ("__cause__", "__context__"):
        earlier = getattr(error, name)
        if earlier is None or any(earlier is one for one, _ in changed):
            continue
        left_out += _filter(earlier, changed)
        if earlier.__traceback__ is None:  # it happened inside only: the later error says what matters
            setattr(error, name, None)
    error.__suppress_context__ = hidden
    return left_out


def _frames(trace: TracebackType | None) -> list[tuple[TracebackType, bool]]:
    """Return each frame with whether it is inner: so is the standard library where an inner frame calls it."""
    found: list[tuple[TracebackType, bool]] = []
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        called_inside = is_standard(file) and bool(found) and found[-1][1]
        found.append((trace, is_inner(file) or called_inside))
        trace = trace.tb_next
    return found


__all__ = ["HOW_TO_SEE", "excepthook", "is_inner", "is_standard", "without_notice"]
