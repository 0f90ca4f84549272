"""Strings in arrays: as lists, and as bytes in UTF-8."""

from typing import Any

import numpy as np


def strings_of(array: np.ndarray, layer: Any) -> list[str]:
    """Return all elements of an array of strings as a list. TypeError that names the first that is not a string."""
    flat = array.ravel().tolist()
    if array.dtype.kind in "UT" or {*map(type, flat)} <= {str}:
        return flat
    for number, given in enumerate(flat):
        one = given.item() if isinstance(given, np.ndarray) and not given.ndim else given
        if not isinstance(one, str):
            place = np.unravel_index(number, array.shape)
            row = f"row {place[0]} of its input" if place else "its input"
            raise TypeError(
                f"Layer {layer.name!r} ({type(layer).__name__}) takes strings; {row} is {one!r:.80}. Replace missing "
                "values by a string of their own, such as ''."
            )
    return flat


def encoded(strings: list[str], layer: Any) -> list[bytes]:
    """Return strings in UTF-8. ValueError that names the first that has half of a character."""
    try:
        return [one.encode() for one in strings]
    except UnicodeEncodeError:
        number = next(number for number, one in enumerate(strings) if not _is_whole(one))
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) takes text; string {number} of its input has a surrogate, "
            "which is half of a character."
        ) from None


def joined(strings: list[str], layer: Any) -> bytes:
    """Return strings in UTF-8 with a zero byte after each but the last. ValueError as from `encoded`."""
    try:
        return "\0".join(strings).encode()
    except UnicodeEncodeError:
        return b"\0".join(encoded(strings, layer))


def _is_whole(text: str) -> bool:
    return text == text.encode(errors="ignore").decode()
