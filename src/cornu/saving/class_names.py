"""The names of a classifier's classes, which model files keep as a note that Keras ignores."""

import json
import warnings
from typing import Any

from cornu.saving.json_text import parse

#: The key of the note: in the metadata of a ``.keras`` file, and as an attribute of an ``.h5`` file, as JSON.
KEY = "cornu_class_names"
MOST, LONGEST = 1_000_000, 200


def class_names_of(model: Any) -> list[str] | None:
    """Return ``model.class_names`` as it is written; None if it is not a list of names that a file may hold."""
    names = getattr(model, "class_names", None)
    if not isinstance(names, (list, tuple)):
        return None
    try:
        return checked([str(name) for name in names], "model.class_names")
    except ValueError as error:
        warnings.warn(f"The class names are not saved: {error}", stacklevel=5)
        return None


def checked(names: Any, what: str) -> list[str]:
    """Return names from a file or a program; ValueError if they are not a list of short lines of printable text.

    >>> checked(["cat", "dog"], "it")
    ['cat', 'dog']
    """
    if not isinstance(names, list) or len(names) > MOST:
        raise ValueError(f"{what} must be a list of at most {MOST:,} names; got {str(names)[:60]!r}.")
    wrong = next((n for n in names if not (isinstance(n, str) and n.isprintable() and len(n) <= LONGEST)), None)
    if wrong is not None:
        raise ValueError(
            f"{what} has {str(wrong)[:60]!r}; names of classes are printable text of at most {LONGEST} characters."
        )
    return names


def as_text(model: Any) -> str | None:
    """Return a model's class names as JSON; None if there are none."""
    names = class_names_of(model)
    return None if names is None else json.dumps({"names": names})


def from_text(text: str | None) -> Any:
    """Return what `as_text` wrote, not yet checked."""
    return None if text is None else parse(text, KEY).get("names")


def give(model: Any, names: Any, what: str) -> None:
    """Let a model that was read have the names that its file `what` notes, if any."""
    if names is not None:
        model.class_names = checked(names, f"{KEY} in {what}")
