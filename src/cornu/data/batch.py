"""One batch of rows."""

from typing import Any, NamedTuple


class Batch(NamedTuple):
    """The rows of one step; `y` and `sample_weight` may be None, each may be a nested structure of arrays."""

    x: Any
    y: Any = None
    sample_weight: Any = None


def unpack(data: Any) -> Batch:
    """Return ``x``, ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)`` as a `Batch`.

    Lists count as tuples of parts, as a torch ``DataLoader`` yields them. Raises ValueError for more than three parts.
    """
    if isinstance(data, Batch):
        return data
    if not isinstance(data, (tuple, list)):
        return Batch(data)
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"A batch is x, (x, y) or (x, y, sample_weight); it is a {type(data).__name__} of {len(data)} parts."
        )
    return Batch(*data)
