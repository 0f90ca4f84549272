"""Names: snake case, with a number for each further layer of a class (dense, dense_1, dense_2, ...)."""

import re
from collections import defaultdict

from cornu.core import era

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
    """Return `prefix` the first time, then `prefix` with the next number: dense, dense_1, dense_2.

    In the eras of Keras 1 and 2 the first number is 1: dense_1, dense_2.
    """
    count = _counters[prefix] + era.holds("names count from 1")
    _counters[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


def automatic_name(class_name: str) -> str:
    """Return the name of a layer or model that was given none, as its class and the era have it.

    >>> forget_names()
    >>> with era.using("2"):
    ...     automatic_name("Dense"), automatic_name("InputLayer"), automatic_name("Functional")
    ('dense_1', 'input_1', 'model_1')
    """
    named = era.NAMES[era.current()].get(class_name)
    if named == "input":  # counted from 1 before Keras 3, by tf.keras too
        _counters[named] += 1
        return f"input_{_counters[named]}"
    joined = class_name.lower() if era.holds("names are joined") else to_snake_case(class_name)
    return unique_name(named or joined)


def unique_number(prefix: str = "") -> int:
    """Return 1, 2, 3, ... for each call with `prefix` (Keras's ``get_uid``)."""
    _counters[f"\0{prefix}"] += 1
    return _counters[f"\0{prefix}"]


def forget_names() -> None:
    """Restart all numbers (``clear_session``)."""
    _counters.clear()
