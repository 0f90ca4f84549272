"""What holds during a call: training or not, the compute precision, masks, and values of symbolic tensors."""

import contextlib
import threading
from collections.abc import Iterator, MutableMapping
from typing import Any


class _Scope(threading.local):
    """The state of the call that runs now in this thread."""

    def __init__(self) -> None:
        self.depth = 0
        self.path = ""  # names of the layers that are called or built now, from the outermost on
        self.training: bool | None = None
        self.compute_dtype: str | None = None
        self.masks: dict[int, tuple[Any, Any]] = {}
        # The id of a symbolic tensor -> its value in the step that runs now.
        self.values: MutableMapping[int, Any] | None = None
        self.created: list[tuple[Any, Any]] | None = None  # variables made while tracing, with their first values
        self.assigned: dict[int, tuple[Any, Any]] | None = None  # variables assigned to, with what they held before
        self.probes: frozenset[int] = frozenset()  # sizes that stand for unknown axes while shapes are inferred
        self.learning_phase: bool | None = None
        self.budget: Any = None  # of the config that is being read


scope = _Scope()


@contextlib.contextmanager
def changed(**attributes: Any) -> Iterator[None]:
    """Set attributes of the scope inside a ``with`` block, and set them back after it."""
    before = {name: getattr(scope, name) for name in attributes}
    vars(scope).update(attributes)
    try:
        yield
    finally:
        vars(scope).update(before)


@contextlib.contextmanager
def calling(training: bool | None, compute_dtype: str | None) -> Iterator[None]:
    """Enter one layer's call; masks are forgotten when the outermost call ends."""
    before = scope.training, scope.compute_dtype
    scope.training, scope.compute_dtype = training, compute_dtype
    scope.depth += 1
    try:
        yield
    finally:
        scope.depth -= 1
        scope.training, scope.compute_dtype = before
        if scope.depth == 0:
            scope.masks.clear()


@contextlib.contextmanager
def inside(path: str) -> Iterator[None]:
    """Let variables that are made in a ``with`` block have paths that begin with `path`."""
    before, scope.path = scope.path, path
    try:
        yield
    finally:
        scope.path = before


def joined(*names: str) -> str:
    """Return the path of some names, empty ones left out.

    >>> joined("", "dense", "kernel")
    'dense/kernel'
    """
    return "/".join(name for name in names if name)


def set_mask(array: Any, mask: Any) -> None:
    """Let `mask` travel with `array` to the next layer.

    JAX arrays take an attribute; tracers do not, so theirs lie in a table that lives as long as the outermost call.
    """
    try:
        array._keras_mask = mask
    except AttributeError:
        if mask is not None or id(array) in scope.masks:
            scope.masks[id(array)] = (array, mask)


def get_mask(array: Any) -> Any:
    """Return the mask that travels with `array`, or None."""
    mask = getattr(array, "_keras_mask", None)
    if mask is None and id(array) in scope.masks:
        mask = scope.masks[id(array)][1]
    return mask
