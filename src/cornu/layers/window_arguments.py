"""Window arguments (sizes, strides, padding) and the spatial axes of a shape."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jax import Array

from cornu.core.errors import unknown
from cornu.core.layer import Layer
from cornu.layers.argument_checks import number_of


def per_dimension(layer: Layer, argument: str, value: Any, rank: int, least: int = 1) -> tuple[int, ...]:
    """Return one integer per spatial dimension, from one integer or from `rank` of them; else ValueError."""
    value = number_of(value)
    numbers = (value,) * rank if isinstance(value, int) else value
    fits = isinstance(numbers, (list, tuple, np.ndarray)) and len(numbers) == rank
    numbers = list(map(number_of, numbers)) if fits else numbers
    if not fits or not all(_is_whole(number) and number >= least for number in numbers):
        several = f", or {rank} of them, one per spatial dimension" if rank > 1 else ""
        raise ValueError(
            f"{type(layer).__name__}: `{argument}` must be an integer of at least {least}{several}; got {value!r}."
        )
    return tuple(int(number) for number in numbers)


def sides(layer: Layer, argument: str, value: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """Return ``(before, after)`` per spatial dimension, from one integer, one per dimension, or such pairs."""
    value = number_of(value)
    pairs = (value,) * rank if isinstance(value, int) else value
    if not isinstance(pairs, (list, tuple)) or len(pairs) != rank:
        raise ValueError(
            f"{type(layer).__name__}: `{argument}` must be an integer, {rank} integers, or {rank} pairs "
            f"(before, after), one per spatial dimension; got {value!r}."
        )
    return tuple(per_dimension(layer, argument, pair, 2, least=0) for pair in pairs)  # type: ignore[misc]


def _is_whole(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def padding_word(layer: Layer, padding: Any, *more: str) -> str:
    """Return ``"valid"``, ``"same"`` or one of `more` in lower case; ValueError for anything else."""
    words = ("valid", "same", *more)
    if not isinstance(padding, str) or padding.lower() not in words:
        raise unknown(f"padding of {type(layer).__name__}", padding, words)
    return padding.lower()


def channel_axis(data_format: str) -> int:
    """Return the axis of the channels: -1, or 1 for ``"channels_first"``."""
    return -1 if data_format == "channels_last" else 1


def space_axes(data_format: str, rank: int) -> tuple[int, ...]:
    """Return the `rank` spatial axes."""
    first = 1 if data_format == "channels_last" else 2
    return tuple(range(first, first + rank))


def check_not_empty(layer: Layer, inputs: Array, outputs: Array, advice: str) -> Array:
    """Return `outputs`; ValueError if no window fits into the inputs, so that nothing would be left."""
    if 0 in outputs.shape[1:] and 0 not in inputs.shape[1:]:
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) would return an empty output for inputs of shape "
            f"{_plain(inputs.shape)}: "
            f"its output would have shape {_plain(outputs.shape)}.\n{advice}"
        )
    return outputs


def _plain(shape: Sequence[int]) -> tuple[Any, ...]:
    return ("batch", *shape[1:])
