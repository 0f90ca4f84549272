"""Cells of any kind, those of programs as well: checked, called, and asked for their sizes and first states."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.signature import call_signature


def check_cell(cell: Any) -> Any:
    """Return a cell; ValueError if it lacks ``call`` or ``state_size``."""
    if isinstance(cell, type) or not callable(getattr(cell, "call", None)):
        raise ValueError(
            f"A cell is an object with call(inputs, states), such as LSTMCell(32) or a layer of your own; got {cell!r}."
        )
    if getattr(cell, "state_size", None) is None:
        raise ValueError(
            f"The cell {type(cell).__name__} has no state_size. Set self.state_size in its __init__: an integer, or a "
            "list with the size of each state."
        )
    return cell


def takes_constants(cell: Any) -> bool:
    """Return whether the ``call`` of a cell has an argument `constants`."""
    return "constants" in call_signature(type(cell)).by_keyword


def call_cell(cell: Any, training: Any, constants: Any = None) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Return a function of inputs and states that calls a cell, with `training` if it takes it, and `constants`."""
    more = {"training": training} if call_signature(type(cell)).takes_training else {}
    if constants is not None:
        more["constants"] = constants
    function = cell if callable(cell) else cell.call
    return lambda inputs, states: function(inputs, states, **more)


def output_size(cell: Any) -> Any:
    """Return the size of a cell's outputs: its `output_size`, or the size of its first state."""
    size = getattr(cell, "output_size", None)
    if size is not None:
        return size
    return cell.state_size[0] if isinstance(cell.state_size, (list, tuple)) else cell.state_size


def first_states(cell: Any, batch: int, dtype: Any, sequences: Any = None) -> Any:
    """Return the states before the first step, as the cell's ``get_initial_state`` gives them, else zeros.

    Args:
        cell: The cell.
        batch: Size of the batch.
        dtype: A dtype for zeros.
        sequences: The inputs of the recurrent layer, for cells of the library whose states have sizes of the inputs.
    """
    function = getattr(cell, "get_initial_state", None)
    if function is not None:
        step = None
        if sequences is not None and getattr(cell, "sizes_states_by_inputs", False):
            step = jax.ShapeDtypeStruct((batch, *sequences.shape[2:]), sequences.dtype)
        known = {"inputs": step, "batch_size": batch, "dtype": dtype}
        parameters = inspect.signature(function).parameters
        return function(**{name: value for name, value in known.items() if name in parameters})
    sizes = cell.state_size if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]
    dtype = getattr(cell, "compute_dtype", dtype)
    return [jnp.zeros((batch, *(size if isinstance(size, (list, tuple)) else [size])), dtype) for size in sizes]
