"""Data sets of Hugging Face, whose rows are dictionaries: how they are told, and which names targets have."""

from collections.abc import Iterable, Iterator
from typing import Any

#: Names that say that a column is the target, in any case.
LABELS = ("label", "labels", "target", "targets", "y")
#: Formats in which these data sets give arrays, or what a function of the user's makes.
ARRAY_FORMATS = ("numpy", "torch", "jax", "custom")


def is_table(thing: Any) -> bool:
    """Return whether `thing` is a data set of Hugging Face, or a dictionary of some."""
    return hasattr(thing, "column_names") and hasattr(thing, "with_format")


def format_of(source: Any) -> dict[str, Any]:
    """Return what a data set says about the format of its rows; empty for a stream, which does not."""
    return getattr(source, "format", None) or {}


def called_labels(names: Iterable[str]) -> list[str]:
    """Return those of the names that targets have.

    >>> called_labels(["image", "Label"])
    ['Label']
    """
    return [name for name in names if name.lower() in LABELS]


def array_batches(source: Any, size: int) -> Iterator[dict[str, Any]]:
    """Return batches of a data set, as dictionaries of its columns, pictures and numbers in arrays.

    Raises TypeError if it is a dictionary of data sets.
    """
    if isinstance(source, dict):
        names = ", ".join(map(repr, source))
        raise TypeError(
            f"The data are a dictionary of the data sets {names}: pass one, data[{next(iter(source), '')!r}]."
        )
    given = format_of(source)
    view = source if given.get("type") in ARRAY_FORMATS else source.with_format("numpy", **_columns(given))
    return view.iter(batch_size=size)


def _columns(given: dict[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in ("columns", "output_all_columns") if given.get(name)}
