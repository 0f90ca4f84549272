"""Functions of old `keras.utils` that today's Keras lacks."""

from collections.abc import Iterable, Sequence
from typing import Any


def multi_gpu_model(model: Any, gpus: int | Sequence[int] | None = None, **_: Any) -> Any:
    """Return `model` itself: splitting each batch over devices changes how fast it trains, not what it computes."""
    return model


def count_params(weights: Iterable[Any]) -> int:
    """Return how many numbers a list of weights holds (``keras.utils.layer_utils.count_params``).

    >>> import numpy as np
    >>> count_params([np.zeros((784, 10)), np.zeros(10)])
    7850
    """
    return sum(int(weight.size) for weight in {id(weight): weight for weight in weights}.values())


def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """Return one whole number `n` times, or a sequence of `n` as it is (``keras.utils.conv_utils.normalize_tuple``).

    Raises ValueError naming the argument `name` for anything else.
    """
    values = (value,) * n if isinstance(value, int) else tuple(value)
    if len(values) != n or not all(isinstance(one, int) for one in values):
        raise ValueError(f"{name} must be a whole number or {n} of them; it is {value!r}.")
    return values


def conv_output_length(
    length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """Return how long an axis is after a convolution (``keras.utils.conv_utils.conv_output_length``).

    `padding` is ``valid``, ``same``, ``causal`` or ``full``; None (unknown) stays None.

    >>> conv_output_length(28, 3, "valid", 1), conv_output_length(28, 3, "same", 2)
    (26, 14)
    """
    if length is None:
        return None
    reach = (filter_size - 1) * dilation
    changes = {"valid": -reach, "same": 0, "causal": 0, "full": reach}
    if padding not in changes:
        raise ValueError(f"padding must be one of {', '.join(changes)}; it is {padding!r}.")
    return (length + changes[padding] + stride - 1) // stride


def deconv_length(length: int | None, stride: int, filter_size: int, padding: str) -> int | None:
    """Return how long an axis is after a transposed convolution (``keras.utils.conv_utils.deconv_length``)."""
    if length is None:
        return None
    extra = {"valid": max(filter_size - stride, 0), "same": 0, "full": -(stride + filter_size - 2)}
    if padding not in extra:
        raise ValueError(f"padding must be one of {', '.join(extra)}; it is {padding!r}.")
    return length * stride + extra[padding]
