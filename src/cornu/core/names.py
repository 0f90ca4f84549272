"""Names: snake case, with a number for each further layer of a class (dense, dense_1, dense_2, ...)."""

import re
from collections import defaultdict

_counters: defaultdict[str, int] = defaultdict(int)


def to_snake_case(name: str) -> str:
    """Return `name` in snake case.

    >>> to_snake_case("Conv2DTranspose"), to_snake_case("MaxPooling2D"), to_snake_case("ReLU")
    ('conv2d_transpose', 'max_pooling2d', 're_lu')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def unique_name(prefix: str) -> str:
    """Return `prefix` the first time, then `prefix` with the next number: dense, dense_1, dense_2."""
    count = _counters[prefix]
    _counters[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


def unique_number(prefix: str = "") -> int:
    """Return 1, 2, 3, ... for each call with `prefix` (Keras's ``get_uid``)."""
    _counters[f"\0{prefix}"] += 1
    return _counters[f"\0{prefix}"]


def forget_names() -> None:
    """Restart all numbers (``clear_session``)."""
    _counters.clear()
