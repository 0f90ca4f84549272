"""What applies during a call: training or not, compute dtype, masks, and values of symbolic tensors."""

import contextlib
import threading
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any


class NeedsPythonError(Exception):
    """A function has to run as it is: it iterates over a data set, or calls Python from ``Dataset.map``."""


class _Scope(threading.local):
    """The state of the current call in this thread."""

    def __init__(self) -> None:
        self.depth = 0
        self.path = ""  # names of the layers being called or built, from the outermost inwards
        self.training: bool | None = None
        self.compute_dtype: str | None = None
        self.masks: dict[int, tuple[Any, Any]] = {}
        # Id of a symbolic tensor -> its value in the running step.
        self.values: MutableMapping[int, Any] | None = None
        self.created: list[tuple[Any, Any]] | None = None  # variables made while tracing, with their first values
        self.assigned: dict[int, tuple[Any, Any]] | None = None  # variables assigned to, with what they held before
        self.probes: frozenset[int] = frozenset()  # sizes that stand for unknown axes while shapes are inferred
        self.learning_phase: bool | None = None
        self.budget: Any = None  # of the config that is being read
        # What this thread alone sees. While it traces, variables hold tracers, layers have the `trainable` flags of
        # `compile`, and losses are added that no other thread may collect.
        self.bound: dict[int, Any] | None = None  # id of a variable -> its value; None: it has read no variable yet
        self.flags: dict[int, bool] = {}  # id of a layer -> `trainable`
        self.losses: dict[int, tuple[Any, list]] | None = None  # id of a layer -> the layer, and its losses
        self.custom: dict[str, Any] | None = None  # custom classes and functions of the config that is being made
        # Id of a cell of a recurrent layer -> its dropout in the running sequence, the same for all time steps.
        self.noise: dict[int, Any] | None = None
        self.several = False  # whether one operation computes several replicas of a model
        self.ambient: Any = None  # the seed of the running step, for calls without a seed of their own
        # While sequences are padded: where they are in the network that is running (`steps_apart.Lengths`), and the
        # real number of time steps of the layer, loss or metric that is running.
        self.lengths: Any = None
        self.length: Any = None
        # Called with a variable and its array when its value is read; returns the array: tapes find variables so.
        self.reader: Callable[[Any, Any], Any] | None = None
        # Called with a variable that is not bound; binds it and returns its array: traced functions find their state.
        self.meet: Callable[[Any], Any] | None = None
        # Called with the path and the outputs of each layer in a step on several devices; returns them laid out.
        self.lay_out: Callable[[str, Any], Any] | None = None
        self.mapping = False  # whether a function of `Dataset.map` is traced, which may run as it is instead
        self.shared: dict[Any, Any] | None = None  # layers of the config that is being read, by their shared_object_id
        # Id of a layer that is in several places of a model -> its number in files.
        self.shared_ids: dict[int, int] = {}


scope = _Scope()


@contextlib.contextmanager
def changed(**attributes: Any) -> Iterator[None]:
    """Set attributes of the scope inside a ``with`` block, and restore them afterwards."""
    before = {name: getattr(scope, name) for name in attributes}
    vars(scope).update(attributes)
    try:
        yield
    finally:
        vars(scope).update(before)


@contextlib.contextmanager
def calling(training: bool | None, compute_dtype: str | None) -> Iterator[None]:
    """Enter one layer's call. Masks are dropped when the outermost call ends."""
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
    """Give variables made inside a ``with`` block paths that begin with `path`."""
    before, scope.path = scope.path, path
    try:
        yield
    finally:
        scope.path = before


def joined(*names: str) -> str:
    """Join names to a path, skipping empty ones.

    >>> joined("", "dense", "kernel")
    'dense/kernel'
    """
    return "/".join(name for name in names if name)


def set_mask(array: Any, mask: Any) -> None:
    """Attach `mask` to `array`, for the next layer.

    JAX arrays accept an attribute. Tracers do not, so their masks are in a table that lives as long as the outermost
    call.
    """
    try:
        array._keras_mask = mask
    except AttributeError:
        if mask is not None or id(array) in scope.masks:
            scope.masks[id(array)] = (array, mask)


def get_mask(array: Any) -> Any:
    """Return the mask attached to `array`, or None."""
    mask = getattr(array, "_keras_mask", None)
    if mask is None and id(array) in scope.masks:
        mask = scope.masks[id(array)][1]
    return mask
