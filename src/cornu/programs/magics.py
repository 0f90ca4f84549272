"""What notebooks and web pages add to Python: magics, commands, prompts, pasted characters. Keeps line numbers."""

import re
from typing import Any

from cornu.programs.tokens import logical_line_end, scan

#: Cell magics whose cell is Python and runs; the cell of any other (``%%bash``, ``%%html``, ...) is skipped.
_PYTHON_CELLS = {"time", "timeit", "capture", "prun", "python", "python3", "pypy", "memit"}
_STATEMENT_MAGICS = {"time", "timeit", "prun", "memit"}
_PYLAB = "import numpy as np; import matplotlib.pyplot as plt; from numpy import *; from matplotlib.pyplot import *"

_ASSIGNED = re.compile(r"^(?P<target>[A-Za-z_][\w.,\[\] ]*?)\s*=\s*(?P<what>[!%][^=].*)$", re.DOTALL)
_HELP = re.compile(r"^(?:\?{1,2}\s*[\w.*]+|[A-Za-z_][\w.*]*\s*\?{1,2})\s*$")
_COMMAND = re.compile(r"^(?:pip3?|conda) (?:install|uninstall)\b")

#: Characters that web pages use for spaces, and zero-width characters.
_SPACES = dict.fromkeys(
    map(ord, "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"), " "
)
_WIDTHLESS = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"), None)
_PASTED = _SPACES | _WIDTHLESS
_QUOTES = {ord(a): b for a, b in zip("\u2018\u2019\u201c\u201d\u2032\u2033", "''\"\"'\"", strict=True)}


def without_magics(text: str, first_line: int = 1) -> tuple[str, list[str]]:
    """Return a cell as plain Python, and notes on what was left out.

    >>> without_magics("%matplotlib inline" + chr(10) + "x = 1")
    ('pass\\nx = 1', ["line 1: '%matplotlib inline' skipped"])
    """
    cell = re.match(r"\s*%%(\w+)[^\n]*", text)
    if cell and cell[1] not in _PYTHON_CELLS:
        return "\n" * text.count("\n"), [f"line {first_line}: a cell of {'%%' + cell[1]!r} skipped"]
    notes: list[str] = []
    result: list[str] = []
    position = 0
    while position < len(text):
        line_end = text.find("\n", position) + 1 or len(text)
        line = text[position:line_end]
        new = _plain(line.strip())
        if new is None:
            end = logical_line_end(text, position)
            result.append(text[position:end])
            position = end
            continue
        while line.rstrip("\n").endswith("\\") and line_end < len(text):  # a command that continues
            line_end = text.find("\n", line_end) + 1 or len(text)
            line = text[position:line_end]
        indent = line[: len(line) - len(line.lstrip())]
        if _is_skipped(new):
            notes.append(f"line {first_line + text.count(chr(10), 0, position)}: {line.strip()!r} skipped")
        result.append(indent + new + "\n" * line.count("\n"))
        position = line_end
    return "".join(result), notes


def _is_skipped(new: str) -> bool:
    return new == "pass" or new.endswith("= []")


def _plain(line: str) -> str | None:
    """Return the Python equivalent of a magic line (``pass``: skipped), or None for ordinary Python."""
    if assigned := _ASSIGNED.match(line):
        statement = _plain(assigned["what"])
        return f"{assigned['target']} = {statement if statement not in (None, 'pass') else '[]'}"
    if line[:1] == "!" or _HELP.match(line) or _COMMAND.match(line):
        return "pass"
    magic = re.match(r"%{1,2}(\w+)\s*(.*)", line, re.DOTALL)
    if not magic:
        return "pass" if line[:1] == "%" else None
    name, rest = magic.groups()
    if name == "pylab":
        return _PYLAB
    if name in _STATEMENT_MAGICS:
        return re.sub(r"^(?:-\w+(?:\s*\d+)?\s+)*", "", rest) or "pass"
    return "pass"


def without_prompts(text: str) -> str:
    """Return the statements of an interpreter session (``>>> x = 1``); what it printed becomes empty lines."""
    if not re.match(r"\s*>>> ?", text):
        return text
    lines = (re.match(r"\s*(?:>>>|\.\.\.)(?: (.*))?$", line) for line in text.split("\n"))
    return "\n".join((match[1] or "") if match else "" for match in lines)


def has_pasted_characters(text: str) -> bool:
    """Return whether there are a web page's spaces outside strings and comments, where Python needs plain ones."""
    return any(
        token.kind not in ("string", "comment") and token.text.translate(_PASTED) != token.text for token in scan(text)
    )


def without_pasted_characters(text: str) -> str:
    """Return `text` with plain spaces for non-breaking and wide ones, and without zero-width characters."""
    return text.translate(_PASTED)


def with_plain_quotes(text: str) -> str:
    """Return `text` with straight quotes for curly ones."""
    return text.translate(_QUOTES)


class Shell:
    """What ``get_ipython()`` returns in a program that was exported from a notebook: magics do nothing."""

    def run_line_magic(self, name: str, line: str, *_: Any) -> None:
        """Do nothing, for ``get_ipython().run_line_magic('matplotlib', 'inline')``."""

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        """Do nothing, for a cell magic."""

    def magic(self, line: str) -> None:
        """Do nothing, for ``get_ipython().magic('matplotlib inline')``."""

    def system(self, command: str) -> None:
        """Do nothing: shell commands are not run."""

    getoutput = system
