"""What array functions of TensorFlow take besides arrays: text, ragged tensors, and sizes that are known."""

import functools
from collections.abc import Callable
from typing import Any

from cornu.compat.tensorflow.ragged import EACH, ON_RAGGED, RaggedTensor, map_flat_values
from cornu.compat.tensorflow.sizes import KNOWN, keeping_known
from cornu.compat.tensorflow.strings import ON_TEXT
from cornu.core.jax_internals import array_class
from cornu.core.scope import scope
from cornu.core.text import holds_text, recorded
from cornu.core.variable import Variable

_ARRAYS = (array_class(), Variable)
_KNOWN, _EACH = KNOWN.split(), EACH.split()


def extend(functions: dict[str, Any]) -> None:
    """Let the functions of a module take them; those that have no meaning for them stay as they are."""
    for name in {*_KNOWN, *ON_TEXT, *ON_RAGGED, *_EACH} & functions.keys():
        functions[name] = _extended(name, functions[name])


def _extended(name: str, of_arrays: Callable) -> Callable:
    of_text = recorded(ON_TEXT[name]) if name in ON_TEXT else None
    of_rest = keeping_known(of_arrays) if name in _KNOWN else of_arrays
    of_ragged = ON_RAGGED.get(name)
    if of_ragged is None and name in _EACH:
        of_ragged = functools.partial(map_flat_values, of_arrays)

    @functools.wraps(of_arrays)
    def call(*args: Any, **kwargs: Any) -> Any:
        first = args[0] if args else next(iter(kwargs.values()), None)
        second = args[1] if len(args) > 1 else None
        if isinstance(first, _ARRAYS) and not scope.bound and not isinstance(second, RaggedTensor):
            return of_arrays(*args, **kwargs)  # by far the most calls
        if of_text is not None and holds_text(first):
            return of_text(*args, **kwargs)
        one = first[0] if isinstance(first, (list, tuple)) and first else first
        if of_ragged is not None and (isinstance(one, RaggedTensor) or isinstance(second, RaggedTensor)):
            return of_ragged(*args, **kwargs)
        return of_rest(*args, **kwargs)

    return call
