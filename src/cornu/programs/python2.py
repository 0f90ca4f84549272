"""Python 2 programs, translated token by token to Python 3; line numbers stay the same.

What is translated: ``print`` and ``exec`` statements, ``except X, e``, ``raise X, "text"``, backticks, ``<>``, numbers
such as ``0777`` and ``10L``, ``ur"..."``, ``d.iteritems()``, ``d.has_key(k)``, ``it.next()``, tabs mixed with spaces.
`missing_names` gives a program the built-in names that Python 3 removed; the import hook gives it the modules. In a
translated program ``7 / 2`` is 3 and ``map`` returns a list, as they did: `with_old_division` and `LISTS`.
"""

import ast
import builtins
import functools
import re
from collections.abc import Callable
from typing import Any

from cornu.programs.tokens import Token, depth_after, scan

_METHODS = {
    "iteritems": "items",
    "iterkeys": "keys",
    "itervalues": "values",
    "has_key": "__contains__",
    "next": "__next__",
}

#: Built-in names of Python 2 -> what they are today.
BUILTINS: dict[str, object] = {
    "xrange": range,
    "raw_input": lambda *prompt: input(*prompt),
    "unicode": str,
    "basestring": str,
    "long": int,
    "unichr": chr,
    "reduce": functools.reduce,
    "cmp": lambda a, b: (a > b) - (a < b),
}

DIVIDE = "__divide_as_in_python2__"


def _returning_a_list(function: Callable) -> Callable:
    return lambda *args: list(function(*args))


def divide(a: Any, b: Any) -> Any:
    """Return ``a / b`` as Python 2 does: rounded down if both are integers, or arrays of them.

    >>> divide(7, 2), divide(7.0, 2)
    (3, 3.5)
    """
    return a // b if _is_whole(a) and _is_whole(b) else a / b


def _is_whole(number: Any) -> bool:
    return isinstance(number, int) or getattr(getattr(number, "dtype", None), "kind", "") in ("i", "u")


#: Names defined in a translated program: functions that return lists, and its division.
LISTS: dict[str, object] = {
    name: _returning_a_list(getattr(builtins, name)) for name in ("range", "map", "filter", "zip")
}


class _OldDivision(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        call = ast.Call(ast.Name(DIVIDE, ast.Load()), [node.left, node.right], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))


def with_old_division(tree: ast.Module) -> ast.Module:
    """Return a program's tree with each ``/`` dividing as in Python 2; its globals must have `divide` as `DIVIDE`."""
    return _OldDivision().visit(tree)


def translate(text: str) -> tuple[str, list[str]]:
    """Return a Python 2 program in Python 3, and what was translated, each form once.

    >>> translate("print 'loss', loss")
    ("print('loss', loss)", ['print statements'])
    """
    said: list[str] = []
    tokens = _single_tokens(list(scan(_without_tabs(text))), said)
    lines: list[str] = []
    for statement in _statements(tokens):
        lines.append(_statement(statement, said, "print_function" in text))
    return "".join(lines), list(dict.fromkeys(said))


def missing_names(text: str) -> dict[str, object]:
    """Return the built-in names of Python 2 that a program uses and does not define itself.

    >>> missing_names("for i in xrange(3): pass")
    {'xrange': <class 'range'>}
    """
    used = {token.text for token in scan(text) if token.kind == "name"} & BUILTINS.keys()
    made = r"\b(?:def|class|import|as)\s+{0}\b|^\s*{0}\s*=|\bimport\b[^\n]*\b{0}\b"
    return {name: BUILTINS[name] for name in sorted(used) if not re.search(made.format(name), text, re.MULTILINE)}


def _without_tabs(text: str) -> str:
    """Python 2 took a tab for up to eight spaces; Python 3 rejects the mixture."""
    return re.sub(r"^[ \t]*\t[ \t]*", lambda match: match.group().expandtabs(8), text, flags=re.MULTILINE)


def _single_tokens(tokens: list[Token], said: list[str]) -> list[Token]:
    """Translate single tokens: numbers, string prefixes, ``<>``, backticks and removed methods."""
    result: list[Token] = []
    for index, token in enumerate(tokens):
        kind, text = token
        if kind == "number" and (new := _number(text)) != text:
            said.append("numbers such as " + text)
        elif kind == "string" and re.match("(?i)ur", text):
            new = text[1:]
            said.append("ur'' strings")
        elif kind == "op" and text == "<>":
            new = "!="
            said.append("<>")
        elif kind == "op" and text == "`":
            opened = sum(other.text == "`" for other in tokens[:index]) % 2
            result += [] if opened else [Token("name", "repr")]
            new = ")" if opened else "("
            said.append("backticks")
        elif kind == "name" and text in _METHODS and _is_call_of_method(tokens, index):
            new = _METHODS[text]
            said.append(f".{text}()")
        else:
            new = text
        result.append(Token(kind, new))
    return result


def _number(text: str) -> str:
    if text[-1] in "lL":
        text = text[:-1]
    return "0o" + text[1:] if re.fullmatch("0[0-7]+", text) and text.strip("0") else text


def _is_call_of_method(tokens: list[Token], index: int) -> bool:
    around = [tokens[i].text for i in (index - 1, index + 1) if 0 <= i < len(tokens)]
    if around != [".", "("]:
        return False
    return tokens[index].text != "next" or tokens[index + 2 : index + 3] == [Token("op", ")")]


def _statements(tokens: list[Token]) -> list[list[Token]]:
    """Split tokens into statements: after a line break, ``;`` or a block's colon outside brackets. Nothing is lost."""
    result: list[list[Token]] = [[]]
    depth, is_lambda = 0, 0
    for token in tokens:
        result[-1].append(token)
        depth = depth_after(depth, token)
        is_lambda += token == ("name", "lambda")
        if depth == 0 and (token.kind == "newline" or token.text in (";", ":")):
            if token.text == ":" and is_lambda:
                is_lambda -= 1
                continue
            is_lambda = 0
            result.append([])
    return result


def _statement(tokens: list[Token], said: list[str], print_is_function: bool) -> str:
    """Translate one statement if its first word has changed."""
    start = 0
    while start < len(tokens) and tokens[start].kind in ("space", "newline", "comment"):
        start += 1
    end = len(tokens)
    while end > start and (
        tokens[end - 1].kind in ("space", "newline", "comment") or tokens[end - 1].text in (";", ":")
    ):
        end -= 1
    rewrite = None if start == end else _REWRITES.get(tokens[start].text)
    if rewrite is None or (rewrite is _print and print_is_function):
        return _joined(tokens)
    new = rewrite(tokens[start + 1 : end], said)
    if new is None:
        return _joined(tokens)
    return _joined(tokens[:start]) + new + _joined(tokens[end:])


def _print(rest: list[Token], said: list[str]) -> str | None:
    words = _significant(rest)
    if words and words[0].kind == "op" and words[0].text not in ("(", ">>", "[", "{", "-", "+", "~", '"'):
        return None  # a variable of that name, or already an attribute
    if words and words[0].text == "(" and _closes_at_end(rest):
        return None
    said.append("print statements")
    parts = [_joined(part).strip() for part in _split(rest)]
    options = []
    if parts[0].startswith(">>"):
        options.append("file=" + parts.pop(0)[2:].strip())
    if len(parts) > 1 and not parts[-1]:
        parts.pop()
        options.append("end=' '")
    return f"print({', '.join([part for part in parts if part] + options)})"


def _exec(rest: list[Token], said: list[str]) -> str | None:
    words = _significant(rest)
    if not words or (words[0].text == "(" and _closes_at_end(rest)):
        return None
    said.append("exec statements")
    where = [index for index, token in enumerate(rest) if token == ("name", "in")]
    if not where:
        return f"exec({_joined(rest).strip()})"
    return f"exec({_joined(rest[: where[-1]]).strip()}, {_joined(rest[where[-1] + 1 :]).strip()})"


def _except(rest: list[Token], said: list[str]) -> str | None:
    parts = _split(rest)
    if len(parts) != 2:
        return None
    said.append("except X, e")
    return f"except {_joined(parts[0]).strip()} as {_joined(parts[1]).strip()}"


def _raise(rest: list[Token], said: list[str]) -> str | None:
    parts = [_joined(part).strip() for part in _split(rest)]
    if len(parts) < 2:
        return None
    said.append("raise X, text")
    return f"raise {parts[0]}({parts[1]})" + (f".with_traceback({parts[2]})" if len(parts) > 2 else "")


_REWRITES: dict[str, Callable[[list[Token], list[str]], str | None]] = {
    "print": _print,
    "exec": _exec,
    "except": _except,
    "raise": _raise,
}


def _joined(tokens: list[Token]) -> str:
    return "".join(token.text for token in tokens)


def _significant(tokens: list[Token]) -> list[Token]:
    return [token for token in tokens if token.kind not in ("space", "newline", "comment")]


def _split(tokens: list[Token]) -> list[list[Token]]:
    """Split at the commas outside brackets."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth = depth_after(depth, token)
        if depth == 0 and token == ("op", ","):
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _closes_at_end(tokens: list[Token]) -> bool:
    """Return whether the bracket that opens these tokens is closed by the last of them."""
    depth = 0
    words = _significant(tokens)
    for index, token in enumerate(words):
        depth = depth_after(depth, token)
        if depth == 0:
            return index == len(words) - 1
    return False


#: Modules of Python 2's standard library -> their current location.
MODULES = {
    "cPickle": "pickle",
    "StringIO": "io",
    "cStringIO": "io",
    "Queue": "queue",
    "ConfigParser": "configparser",
    "urllib2": "urllib.request",
    "HTMLParser": "html.parser",
    "Tkinter": "tkinter",
    "__builtin__": "builtins",
    "commands": "subprocess",
    "urlparse": "urllib.parse",
    "six": "cornu.programs.six_names",
    "six.moves": "cornu.programs.six_names",
    "six.moves.cPickle": "pickle",
    "six.moves.urllib": "urllib",
    "six.moves.urllib.request": "urllib.request",
    "six.moves.urllib.parse": "urllib.parse",
}
