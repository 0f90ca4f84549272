"""The size of the source: files, lines of code and functions per folder of the package. Run with ``scripts/size``.

`scripts/size COMMIT` prints the change since a commit in parentheses. Lines of code exclude blank lines, comments and
docstrings, like the limits in `tests/test_structure.py`; a function's lines count from its ``def``.
"""

from __future__ import annotations

import argparse
import ast
import io
import math
import statistics
import subprocess
import tarfile
import tokenize
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "src/cornu"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
NO_CODE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


class Size(NamedTuple):
    """The size of a folder: numbers of files, lines and functions, and statistics of its functions' lengths."""

    files: int
    lines: int
    functions: int
    median: int
    most: int  # nine in ten functions have no more lines
    longest: int


NOTHING = Size(0, 0, 0, 0, 0, 0)
HEADS = ("files", "lines", "functions", "median", "90%", "longest")


def code_lines(text: str) -> set[int]:
    r"""Return the line numbers of a source that contain code.

    >>> sorted(code_lines('\"\"\"About it.\"\"\"\n\na = (1,  # one\n     2)\n'))
    [3, 4]
    """
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            found.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, *FUNCTIONS)) and ast.get_docstring(node, clean=False):
            found.difference_update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return found


def function_lengths(text: str, lines: set[int]) -> list[int]:
    """Return the number of code lines of each function in a source."""
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, FUNCTIONS))
    return [len(lines.intersection(range(node.lineno, (node.end_lineno or 0) + 1))) for node in functions]


def size_of(texts: Iterable[str]) -> Size:
    r"""Return the total size of some files.

    >>> size_of(["def f():\n    return 1\n", "a = 1\n"])
    Size(files=2, lines=3, functions=1, median=2, most=2, longest=2)
    """
    files, lines, lengths = 0, 0, []
    for text in texts:
        files, own = files + 1, code_lines(text)
        lines += len(own)
        lengths += function_lengths(text, own)
    lengths.sort()
    if not lengths:
        return Size(files, lines, 0, 0, 0, 0)
    most = lengths[math.ceil(0.9 * len(lengths)) - 1]
    return Size(files, lines, len(lengths), statistics.median_low(lengths), most, lengths[-1])


def files_now(root: Path = ROOT) -> dict[str, str]:
    """Return the source files of a checkout by their paths below the package."""
    folder = root / PACKAGE
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.py")}


def files_at(commit: str, root: Path = ROOT) -> dict[str, str]:
    """Return the source files at a commit; raises ValueError with git's message if the commit is unknown."""
    command = ["git", "archive", "--format=tar", commit, PACKAGE]
    done = subprocess.run(command, cwd=root, capture_output=True)
    if done.returncode:
        raise ValueError(done.stderr.decode(errors="replace").strip())
    found = {}
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        for entry in archive:
            content = archive.extractfile(entry) if entry.isfile() and entry.name.endswith(".py") else None
            if content is not None:
                found[entry.name.removeprefix(f"{PACKAGE}/")] = content.read().decode("utf-8")
    return found


def by_folder(files: dict[str, str]) -> dict[str, Size]:
    """Return the size of each folder of the package, of its top-level files (``.``), and the total."""
    folders: dict[str, list[str]] = {}
    for path, text in files.items():
        folders.setdefault(path.split("/")[0] if "/" in path else ".", []).append(text)
    return {name: size_of(folders[name]) for name in sorted(folders)} | {"all": size_of(files.values())}


def table(now: dict[str, Size], before: dict[str, Size] | None = None) -> str:
    """Return the sizes as a table, with the change since `before` after each number that changed."""
    rows = [("folder", *HEADS)]
    for name in [*sorted({*now, *(before or {})} - {"all"}), "all"]:
        sizes, old = now.get(name, NOTHING), (before or now).get(name, NOTHING)
        rows.append((name, *(_cell(new, new - was) for new, was in zip(sizes, old, strict=True))))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *cells in rows:
        padded = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        lines.append("  ".join([first.ljust(widths[0]), *padded]))
    return "\n".join(lines)


def _cell(number: int, change: int) -> str:
    return f"{number:,} ({change:+,})" if change else f"{number:,}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="scripts/size", description="How large the source is, folder by folder.")
    parser.add_argument("commit", nargs="?", help="print the change since this commit too")
    commit = parser.parse_args().commit
    try:
        before = None if commit is None else by_folder(files_at(commit))
    except ValueError as error:
        raise SystemExit(str(error)) from None
    print(table(by_folder(files_now()), before))


if __name__ == "__main__":
    main()
