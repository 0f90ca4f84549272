"""Programs in any form: .py, .ipy, .ipynb, .md, a notebook printed as text; in Python 2, or pasted from a page.

`read_program` gives cells of plain Python 3 in which every line keeps its number, and says what it changed.
"""

import ast
import codecs
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cornu.programs import documents, magics, python2
from cornu.programs.documents import Cell


class Program(NamedTuple):
    """A program: its path, its cells, the lines that a traceback shows (by file), and notes on what was changed.

    `is_python2`: it was translated. `old_division`: its ``/`` divides integers as in Python 2.
    """

    path: Path
    cells: list[Cell]
    lines: dict[str, list[str]]
    notes: list[str]
    is_python2: bool = False
    old_division: bool = False


def read_program(path: str | Path) -> Program:
    """Read a program of any kind, known by the file's extension, or for ``.txt`` by its content.

    Raises FileNotFoundError, IsADirectoryError, or ValueError if there is no Python code in it.
    """
    path = Path(path)
    text = _text_of(path)
    document = _document(path, text)
    if not document.cells:
        raise ValueError(f"{path} has no Python code that can run.{_ADVICE.get(path.suffix.lower(), '')}")
    lines = {
        cell.file: (text if cell.file == str(path) else cell.text).splitlines(keepends=True) for cell in document.cells
    }
    cells, notes = _repaired(document.cells)
    is_python2 = any(note.startswith(_PYTHON2_NOTE) for note in notes)
    old_division = is_python2 and not re.search(r"from __future__ import .*\bdivision\b", text)
    return Program(path, cells, lines, [*document.notes, *notes], is_python2, old_division)


#: What to do about a document without code, by the file's extension.
_ADVICE = dict.fromkeys((".md", ".txt", ".text"), " In a document, put code between lines of ``` (three backticks).")


def _document(path: Path, text: str) -> documents.Document:
    suffix, file = path.suffix.lower(), str(path)
    if suffix == ".ipynb":
        return documents.notebook(text, file)
    if suffix in (".md", ".markdown", ".mkd", ".rmd", ".qmd", ".txt", ".text"):
        if re.search(r"^\s*(?:`{3}|~{3}|\{% highlight)", text, re.MULTILINE):
            return documents.markdown(text, file, parses)
        if documents.has_prompts(text):
            return documents.prompts(text, file, parses)
        if suffix not in (".txt", ".text") or not (parses(text) or documents.has_statements(text)):
            return documents.Document([], [])
    return documents.Document([Cell(1, text, file)], [])


def _text_of(path: Path) -> str:
    """Return a file's text with plain line breaks; its encoding is the declared one, else UTF-8, else Latin-1."""
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = content.decode("utf-16").encode()
    if b"\0" in content:
        raise ValueError(f"{path} is not a text file: it cannot be a program or a document.")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        text = content.decode("latin-1")
    return re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff"))


def parses(text: str) -> bool:
    """Return whether a text is Python, once magics, prompts, pasted characters and Python 2 have been repaired."""
    return any(_is_python(candidate) for candidate, _ in _repairs(text, 1))


def _first_python(cell: Cell) -> tuple[str, list[str]]:
    """Return the least repaired version of a cell that is Python, or the most repaired one if none is."""
    text = cell.text
    notes: list[str] = []
    for text, notes in _repairs(cell.text, cell.first_line):  # noqa: B007
        if _is_python(text):
            break
    return text, notes


def python_tree(text: str) -> ast.Module | None:
    """Return the syntax tree of a text, or None if it is not Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\\d" and the like: reported when the program runs
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_python(text: str) -> bool:
    return python_tree(text) is not None


def _repairs(text: str, first_line: int) -> Iterator[tuple[str, list[str]]]:
    """Yield ever more repaired versions of a text, each with what was done to it."""
    notes: list[str] = []
    yield text, notes
    text, skipped = magics.without_magics(magics.without_prompts(text), first_line)
    notes = notes + skipped
    yield text, notes
    if magics.has_pasted_characters(text):
        text = magics.without_pasted_characters(text)
        notes = [*notes, _PASTED_NOTE]
        yield text, notes
    quotes = magics.with_plain_quotes(text)
    if quotes != text and _is_python(quotes):
        yield quotes, [*notes, "curly quotes read as plain ones"]
    translated, forms = python2.translate(text)
    if forms:
        yield translated, [*notes, _PYTHON2_NOTE + ", ".join(forms)]


_PASTED_NOTE = "spaces pasted from a page (non-breaking, zero width) read as plain ones"
_PYTHON2_NOTE = "translated from Python 2: "


def _repaired(cells: list[Cell]) -> tuple[list[Cell], list[str]]:
    """Return the cells in plain Python, and the notes without repetitions."""
    result: list[Cell] = []
    notes: list[str] = []
    if any(not _is_python(cell.text) and magics.has_pasted_characters(cell.text) for cell in cells):
        cells = [cell._replace(text=magics.without_pasted_characters(cell.text)) for cell in cells]
        notes.append(_PASTED_NOTE)
    forms: list[str] = []
    for cell in cells:
        text, said = _first_python(cell)
        prefix = f"{cell.file[cell.file.rindex('cell') :]}, " if re.search(r", cell \d+$", cell.file) else ""
        for note in said:
            if note.startswith(_PYTHON2_NOTE):
                forms += note.removeprefix(_PYTHON2_NOTE).split(", ")
            else:
                notes.append(prefix + note)
        result.append(cell._replace(text=text))
    if forms:
        notes.append(_PYTHON2_NOTE + ", ".join(dict.fromkeys(forms)))
    return result, list(dict.fromkeys(notes))
