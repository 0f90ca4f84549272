"""What the elements of a data set are: arrays of dtypes that are announced, and how their shapes are told."""

from typing import Any, NamedTuple

import numpy as np


def as_array(leaf: Any) -> np.ndarray:
    """Return an array; of a text an array of Python objects, since numpy's own strings end before zero bytes."""
    return np.asarray(leaf, object if isinstance(leaf, (str, bytes)) else None)


class ElementSpec(NamedTuple):
    """Shape (None: any size) and dtype of an array of each element; it prints as TensorFlow's."""

    shape: tuple[int | None, ...]
    dtype: str
    name: str | None = None

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype=tf.{self.dtype}, name={self.name!r})"


def of_kinds(element: Any, kinds: Any) -> Any:
    """Return an element of a generator as arrays of the dtypes in a structure."""
    if isinstance(kinds, dict):
        return {key: of_kinds(element[key], kind) for key, kind in kinds.items()}
    if isinstance(kinds, (tuple, list)):
        parts = tuple(element)
        if len(parts) != len(kinds):
            raise ValueError(f"The generator yields {len(parts)} parts where {len(kinds)} are announced: {kinds}.")
        return tuple(map(of_kinds, parts, kinds))
    dtype = getattr(kinds, "dtype", kinds)
    name = str(getattr(dtype, "name", dtype))
    return np.asarray(element, object if name == "string" else name)


def spec_of(leaves: tuple[Any, ...], open_rows: int | None) -> ElementSpec:
    """Return the spec of what the first elements, one or two, have at one place."""
    leaf, shape = leaves[0], np.shape(leaves[0])
    rows = [np.shape(one)[0] for one in leaves if np.shape(one)]
    is_open = open_rows is not None and bool(rows) and (open_rows in rows or (len(leaves) == 1 and rows[0] < open_rows))
    kind = getattr(leaf, "dtype", None) or as_array(leaf).dtype
    dtype = "string" if kind.kind in "OUS" else kind.name
    return ElementSpec((None, *shape[1:]) if is_open else tuple(shape), dtype)
