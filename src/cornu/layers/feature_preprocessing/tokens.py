"""Texts as tokens: standardized, split, and joined to n-grams, as bytes in UTF-8.

As in TensorFlow, only letters of ASCII get lower case, and only white space of ASCII splits.
"""

import re
from collections.abc import Sequence

PUNCTUATION = b"!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")
CHARACTER = re.compile(rb"[\x00-\x7f]|[\xc0-\xff][\x80-\xbf]*")

#: What each way to standardize replaces, and what it deletes.
STANDARDIZED: dict[str | None, tuple[bytes | None, bytes]] = {
    None: (None, b""),
    "lower": (LOWER, b""),
    "strip_punctuation": (None, PUNCTUATION),
    "lower_and_strip_punctuation": (LOWER, PUNCTUATION),
}
SPLITS = ("whitespace", "character")


def standardized(text: bytes, how: str | None) -> bytes:
    """Return a text with lower case letters and without punctuation, as `how` says.

    >>> standardized(b"It's ON.", "lower_and_strip_punctuation")
    b'its on'
    """
    return text if how is None else text.translate(*STANDARDIZED[how])


def split(text: bytes, how: str, most: int | None = None) -> list[bytes]:
    """Return the words or characters of a text, `most` of them.

    >>> split("a é".encode(), "character")
    [b'a', b' ', b'\\xc3\\xa9']
    """
    if how == "character":
        return CHARACTER.findall(text)[:most]
    return text.split() if most is None else text.split(None, most)[:most]


def ngrams(tokens: Sequence[bytes], widths: Sequence[int]) -> list[bytes]:
    """Return the runs of tokens of each width, joined by spaces.

    >>> ngrams([b"a", b"b", b"c"], (1, 2))
    [b'a', b'b', b'c', b'a b', b'b c']
    """
    return [b" ".join(tokens[i : i + width]) for width in widths for i in range(len(tokens) - width + 1)]
