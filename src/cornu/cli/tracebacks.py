"""Tracebacks with the user's lines only: frames of cornu run, Cornu, jax and importlib are left out."""

import sys
import traceback
from collections.abc import Collection
from pathlib import Path

import cornu
from cornu.core import processes
from cornu.core.tracebacks import is_inner, is_standard, without_notice

_OWN_FOLDER = str(Path(cornu.__file__).parent)

#: Import name -> the name to install it by, if they differ.
_INSTALL_NAMES = {
    "sklearn": "scikit-learn",
    "cv2": "opencv-python",
    "PIL": "Pillow",
    "skimage": "scikit-image",
    "yaml": "PyYAML",
    "bs4": "beautifulsoup4",
    "mpl_toolkits": "matplotlib",
}


def show(error: BaseException, program_files: Collection[str], full: bool = False) -> None:
    """Print the traceback of a program's error on stderr, and a line on how to see the lines left out.

    `program_files` are the program's own files; with `full`, only the frames of cornu run are left out.
    """
    if isinstance(error, processes.ProcessLostError):
        print(f"cornu: {error}", file=sys.stderr)
        return
    if (group := processes.group()) is not None:
        print(f"cornu: {group.named(group.index, 'has ended with an error')}", file=sys.stderr)
    report = traceback.TracebackException.from_exception(error)
    left_out = _strip(report, set(program_files), full)
    sys.stderr.write("".join(report.format()))
    if left_out:
        lines = "1 line" if left_out == 1 else f"{left_out} lines"
        print(f"cornu: {lines} inside Cornu and jax left out; cornu run --traceback shows them", file=sys.stderr)
    if hint := _hint(error):
        print(f"cornu: {hint}", file=sys.stderr)


def _strip(report: traceback.TracebackException, program_files: set[str], full: bool) -> int:
    """Remove inner frames from a traceback, and errors that happened only inside; return how many frames."""
    frames = list(report.stack)
    start = next((index for index, frame in enumerate(frames) if frame.filename in program_files), None)
    frames = frames[start:] if start is not None else [frame for frame in frames if not _is_runner(frame.filename)]
    kept: list[traceback.FrameSummary] = []
    inside = False  # the standard library belongs to the frame that calls it
    for frame in frames:
        inside = is_inner(frame.filename) or (inside and is_standard(frame.filename))
        if full or frame.filename in program_files or not inside:
            kept.append(frame)
    if not full:
        report.__notes__ = without_notice(report.__notes__)
    report.stack = traceback.StackSummary.from_list(kept)
    left_out = sum(not frame.filename.startswith("<frozen") for frame in frames) - len(kept)
    for name in ("__cause__", "__context__"):
        earlier = getattr(report, name)
        if earlier is not None:
            left_out += _strip(earlier, program_files, full)
            if not earlier.stack:
                setattr(report, name, None)
    return left_out


def _is_runner(file: str) -> bool:
    return file.startswith((str(Path(_OWN_FOLDER) / "cli"), "<frozen"))


def place_in_program(error: BaseException, program_files: Collection[str]) -> str:
    """Return ``" at line 12"``: where in the program an exception passed last, or an empty string."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename in program_files]
    return f" at line {lines[-1]}" if lines else ""


#: Packages that build on TensorFlow itself, which a program under Cornu does not have.
_ON_TENSORFLOW = ("tensorflow_", "tf_agents", "tflearn", "tf_slim", "tf2onnx")


def _hint(error: BaseException) -> str:
    """Return advice for an error outside the program: a missing package or input."""
    if isinstance(error, EOFError) and str(error) == "EOF when reading a line":
        return "the program asks for input, but there is none: run it in a terminal, or pipe the answers into it"
    if not isinstance(error, ModuleNotFoundError) or not error.name or str(error) != f"No module named {error.name!r}":
        return ""
    package = error.name.partition(".")[0]
    if package in ("cornu", "keras", "tensorflow", "tf_keras"):
        return ""
    if package.startswith(_ON_TENSORFLOW):
        return f"{package} needs TensorFlow itself, which Cornu does not have"
    return f"the program needs a package that is not installed: pip install {_INSTALL_NAMES.get(package, package)}"
