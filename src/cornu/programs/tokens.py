"""A tokenizer for Python text of any version: it never fails, and its joined tokens are the original text."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<comment> \#[^\n]*)
  | (?P<string>  (?i:[bf]r?|r[bf]?|ur?)? (?: \"\"\"(?:[^\\]|\\.)*?(?:\"\"\"|\Z) | '''(?:[^\\]|\\.)*?(?:'''|\Z)
                                    | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' ))
  | (?P<number>  (?: 0[xX][0-9a-fA-F]+ | 0[bBoO]?[0-9]+(?![.eEjJ\d])
                   | (?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)? )[lLjJ]?)
  | (?P<name>    [^\W\d]\w*)
  | (?P<space>   (?: [^\S\n] | \\\n)+)
  | (?P<newline> \n)
  | (?P<op>      <> | \*\*= | //= | >>= | <<= | -> | := | [-+*/%&|^=!<>]= | >> | << | \*\* | // | .)
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A piece of program text: its kind (comment, string, number, name, space, newline, op) and the text."""

    kind: str
    text: str


def scan(text: str, start: int = 0) -> Iterator[Token]:
    """Yield the tokens of `text` from the position `start` on.

    >>> [token.text for token in scan("print 'a', 0777")]
    ['print', ' ', "'a'", ',', ' ', '0777']
    """
    for match in _TOKEN.finditer(text, start):
        yield Token(match.lastgroup or "op", match.group())


def logical_line_end(text: str, start: int) -> int:
    """Return where the logical line from `start` on ends: after a line break outside brackets and strings."""
    depth, position = 0, start
    for token in scan(text, start):
        position += len(token.text)
        depth = depth_after(depth, token)
        if token.kind == "newline" and depth == 0:
            break
    return position


def depth_after(depth: int, token: Token) -> int:
    """Return how many brackets are open after `token` when `depth` were open before."""
    if token.kind == "op" and token.text in "([{":
        return depth + 1
    if token.kind == "op" and token.text in ")]}":
        return max(depth - 1, 0)
    return depth
