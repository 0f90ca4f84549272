"""The Python code in documents: Markdown with code blocks, notebooks, and notebooks printed as text."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_PYTHON_LABELS = {
    "py",
    "python",
    "python2",
    "python3",
    "py2",
    "py3",
    "ipython",
    "ipython2",
    "ipython3",
    "pycon",
    "code-cell",
}
_FENCE = re.compile(r"^(?P<indent>\s*)(?P<marks>`{3,}|~{3,})[ \t]*(?P<label>[^`]*)$")
_HIGHLIGHT = re.compile(r"^\s*\{%-?\s*(?P<word>highlight|endhighlight)\s*(?P<label>\w*)")
_PROMPT = re.compile(r"^\s*In\s?\[[\d\s*]*\]:[ ]?(?P<code>.*)$")
_OUTPUT_PROMPT = re.compile(r"^\s*Out\s?\[[\d\s]*\]:")

_TAG = re.compile(r"</?\w[^<>]*>")

#: What printed results look like, line by line: tables, progress bars, log lines, `label of something: number`, arrays.
_PRINTED = re.compile(
    r"""^\s*(?:
        [_=\-]{8,} .* | Layer\ \(type\).* | \w+\ \([A-Z]\w+\)\s+[\[(].* | (?:Total|Trainable|Non-trainable)\ params:.*
      | .*\bEpoch\ \d+.* | \d+/\d+\s+\[.* | .*\ -\ (?:loss|ETA):.* | (?:loss|acc|accuracy|val_loss|val_acc)\s*:\s*[\d.]+
      | Using\ \w+\ backend.* | Train\ on\ \d+.* | Downloading\ data\ from.* | \d{4}-\d\d-\d\d[\sT]\d\d:.*
      | Traceback\ \(most.* | Out\s?\[\d+\]:.* | <.*> | [\[\]()\d.,eE+\-\\\s]+
      | [A-Za-z][\w\ /%()-]*[ ][\w\ /%()-]*\s*[:=]\s*[\[({'"\-+.\d].*
    )$""",
    re.VERBOSE,
)


class Cell(NamedTuple):
    """A piece of a program: the number of its first line in `file`, its text, and whether its last value is shown."""

    first_line: int
    text: str
    file: str
    shows_value: bool = False


class Document(NamedTuple):
    """The cells of a document, and notes on what was left out."""

    cells: list[Cell]
    notes: list[str]


def markdown(text: str, file: str, parses: Callable[[str], bool]) -> Document:
    """Return the Python blocks of a Markdown document, in order.

    Blocks marked as Python run, unless they are printed output; unmarked blocks run if they parse and do something.
    `parses` returns whether a text is Python once pasted characters, magics and Python 2 have been repaired.
    """
    cells: list[Cell] = []
    notes: list[str] = []
    for first, label, code in _blocks(text):
        if not code.strip():
            continue
        last = first + code.count("\n")
        where = f"line {first}" if last == first else f"lines {first}-{last}"
        if label and label not in _PYTHON_LABELS:
            notes.append(f"{where}: a block marked {label!r}, not run")
        elif is_printed_output(code, parses):
            notes.append(f"{where}: printed output, not run")
        elif not label and not (parses(code) and _does_something(code)):
            notes.append(f"{where}: not Python, not run")
        else:
            cells.append(Cell(first, code, file))
    return Document(cells, notes)


def _blocks(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the number of the first line, the label and the text of each fenced block."""
    opened: re.Match | None = None
    label, first = "", 0
    block: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        fence = _FENCE.match(line) or _HIGHLIGHT.match(line)
        if opened is None:
            if fence and not (fence.re is _HIGHLIGHT and fence["word"] != "highlight"):
                opened, first, block = fence, number + 1, []
                label = _label(fence["label"])
        elif fence and _closes(opened, fence):
            yield first, label, "\n".join(block)
            opened = None
        else:
            indent = opened["indent"] if opened.re is _FENCE else ""
            block.append(line.removeprefix(indent) if indent else line)
    if opened is not None:
        yield first, label, "\n".join(block)


def _label(info: str) -> str:
    """Return the language of a fence: ``python``, ``{python}``, ``{.python .numberLines}``, ``python hl_lines=...``."""
    words = re.findall(r"[\w+-]+", info)
    return words[0].lower() if words else ""


def _closes(opened: re.Match, fence: re.Match) -> bool:
    if opened.re is not fence.re:
        return False
    if fence.re is _HIGHLIGHT:
        return fence["word"] == "endhighlight"
    same = fence["marks"][0] == opened["marks"][0] and len(fence["marks"]) >= len(opened["marks"])
    return same and not fence["label"].strip()


def is_printed_output(text: str, parses: Callable[[str], bool]) -> bool:
    """Return whether a text is printed output rather than a program."""
    lines = [line for line in text.split("\n") if line.strip()]
    if parses(text) and _does_something(text):
        return False
    if _is_only_values(text):
        return True
    printed = sum(bool(_PRINTED.match(line[:300])) for line in lines)
    return printed * 2 > len(lines) and not has_statements(text)


def _is_statement(line: str) -> bool:
    """Return whether a single line is plainly program text: an import, an assignment."""
    return bool(re.match(r"\s*(?:import \w|from [\w.]+ import |(?:def|class) \w+|[A-Za-z_][\w.]* = )", line))


def has_statements(text: str) -> bool:
    """Return whether some line of a text is plainly program text."""
    return any(map(_is_statement, text.split("\n")))


def _is_only_values(text: str) -> bool:
    """Return whether a text consists of numbers, strings, tuples, dicts, ``name: 0.5`` and the like."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return bool(tree.body) and all(_is_value(statement) for statement in tree.body)


def _is_value(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.AnnAssign):
        return statement.value is None and isinstance(statement.annotation, (ast.Constant, ast.UnaryOp))
    if not isinstance(statement, ast.Expr):
        return False
    calls_a_value = isinstance(statement.value, ast.Call) and isinstance(
        statement.value.func, (ast.Tuple, ast.Constant)
    )
    return calls_a_value or not any(
        isinstance(node, (ast.Name, ast.Attribute, ast.Call)) for node in ast.walk(statement)
    )


def _does_something(text: str) -> bool:
    """Return whether a Python text has a statement other than bare values."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return bool(re.search(r"[=(]|^\s*(?:import|from|print)\b", text, re.MULTILINE))
    return any(
        isinstance(statement.value, ast.Call) and isinstance(statement.value.func, (ast.Name, ast.Attribute))
        if isinstance(statement, ast.Expr)
        else not isinstance(statement, ast.AnnAssign)
        for statement in tree.body
    )


def has_prompts(text: str) -> bool:
    """Return whether a text is a notebook printed as text, with prompts such as ``In [3]:``."""
    return any(_PROMPT.match(line) for line in text.split("\n"))


def prompts(text: str, file: str, parses: Callable[[str], bool]) -> Document:
    """Return the code after each ``In [n]:`` of a notebook printed as text, without what follows it."""
    lines = text.split("\n")
    starts = [index for index, line in enumerate(lines) if _PROMPT.match(line)]
    cells: list[Cell] = []
    left_out = 0
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        first_line = _PROMPT.match(lines[start])["code"]  # type: ignore[index]
        body = [first_line, *(re.sub(r"^\s*\.{3,}:[ ]?", "", line) for line in lines[start + 1 : end])]
        code = _leading_code(body, parses)
        left_out += sum(bool(line.strip()) for line in body) - sum(bool(line.strip()) for line in code)
        if any(line.strip() for line in code):
            cells.append(Cell(start + 1, "\n".join(code), file, shows_value=True))
    return Document(cells, [f"{left_out} lines of output and prose between the prompts, not run"] if left_out else [])


def _leading_code(lines: list[str], parses: Callable[[str], bool]) -> list[str]:
    """Return the longest run of paragraphs that is Python; printed values after the first paragraph end it."""
    for index, line in enumerate(lines):
        if _OUTPUT_PROMPT.match(line):
            lines = lines[:index]
            break
    breaks = [index for index, line in enumerate(lines) if not line.strip() or _TAG.match(line)] + [len(lines)]
    best: list[str] = []
    for stop in breaks:
        paragraph = "\n".join(lines[len(best) : stop])
        if best and paragraph.strip() and is_printed_output(paragraph, parses):
            break
        if parses("\n".join(lines[:stop])):
            best = lines[:stop]
    if not any(line.strip() for line in best):
        first = next((index for index, line in enumerate(lines) if line.strip()), 0)
        stop = next((index for index in breaks if index > first), len(lines))
        return lines[:stop]
    return best


def notebook(text: str, file: str) -> Document:
    """Return the code cells of an ``.ipynb`` file; each is its own file, because notebooks count lines per cell.

    Raises ValueError if the text is not a notebook.
    """
    try:
        content = json.loads(text)
        sheets = content["cells"] if "cells" in content else content["worksheets"][0]["cells"]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"{file} is not a notebook: expected JSON with a list of cells ({error}).") from error
    language = content.get("metadata", {}).get("kernelspec", {}).get("language", "python")
    if language.lower() != "python":
        raise ValueError(f"{file} is a notebook in {language}; cornu runs Python.")
    cells = []
    for number, cell in enumerate((cell for cell in sheets if cell.get("cell_type") == "code"), 1):
        source = cell.get("source", cell.get("input", ""))
        source = source if isinstance(source, str) else "".join(source)
        if source.strip():
            cells.append(Cell(1, source, f"{file}, cell {number}", shows_value=True))
    return Document(cells, [])
