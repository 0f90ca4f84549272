"""The JSON inside model files: objects only, no repeated key, bounded in depth and size."""

import json
import re
from typing import Any

from cornu.core.config_validation import MOST_ENTRIES, check_data

MOST_JSON = 1 << 26  # bytes; configs of the largest published models have under a hundredth of this

STRING = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)  # or what is left of one: never tried twice


def parse(content: bytes | str, what: str) -> dict[str, Any]:
    """Return a JSON object; ValueError if `content` is not one, repeats a key, or is too large.

    >>> parse(b'{"units": 3}', "config.json")
    {'units': 3}
    """
    if not isinstance(content, (str, bytes)):
        raise ValueError(f"{what} is a {type(content).__name__}; expected JSON text.")
    if len(content) > MOST_JSON:
        raise ValueError(f"{what} has {len(content):,} characters, more than the limit of {MOST_JSON:,}: refused.")
    try:
        text = content.decode("utf-8") if isinstance(content, bytes) else content
        _count(text)
        found = json.loads(text, object_pairs_hook=_without_repetition)
        check_data(found)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} cannot be read as JSON: {str(error)[:200]}.") from None
    if not isinstance(found, dict):
        raise ValueError(f"{what} is a JSON {type(found).__name__}; expected an object.")
    return found


def _count(text: str) -> None:
    """Raise ValueError for a text of more lists, objects and entries than a config may have: each takes memory."""
    if _separators(text) > MOST_ENTRIES and _separators(STRING.sub("", text)) > MOST_ENTRIES:
        raise ValueError(f"it has over {MOST_ENTRIES:,} entries")


def _separators(text: str) -> int:
    return sum(map(text.count, "[{,:"))


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:80]!r} is given twice")
    return result
