"""Categories as vectors: one-hot, multi-hot and counts, by numpy for layers on the host and by JAX for the others."""

from typing import Any, Unpack

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cornu.core import registry
from cornu.core.errors import unknown
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions
from cornu.core.placement import aligned
from cornu.layers.argument_checks import check_integer

MODES = ("int", "one_hot", "multi_hot", "count")
OLD_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}  # names that Keras takes, too


@registry.LAYERS.add()
class CategoryEncoding(Layer):
    """Encode categories, given as integers below `num_tokens`, as vectors of that size.

    Args:
        num_tokens: How many categories there are.
        output_mode: ``"one_hot"`` (a vector per element), ``"multi_hot"`` (one per row, with ones for the categories
            in it) or ``"count"`` (one per row, with how often each is in it).
        sparse: Accepted; outputs are dense.
        **kwargs: Arguments of `Layer`.

    Shapes:
        ``one_hot``: ``(batch, n)`` to ``(batch, n, num_tokens)``, or without the axis n if n is 1. The others:
        ``(batch, n)`` to ``(batch, num_tokens)``. Integers outside of the range count for nothing.

    Raises:
        ValueError: An argument, or `count_weights` in a mode other than ``"count"``.

    Follows https://keras.io/api/layers/preprocessing_layers/categorical/category_encoding/

    >>> CategoryEncoding(4)(np.array([[0, 1], [1, 3]])).tolist()
    [[1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 1.0]]
    >>> CategoryEncoding(3, "count")(np.array([[2, 2]]), count_weights=np.array([[0.5, 1.0]])).tolist()
    [[0.0, 0.0, 1.5]]
    """

    keeps_rows_apart = True
    autocast = False

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**kwargs)
        if num_tokens is None:
            raise ValueError(
                "CategoryEncoding needs `num_tokens`, the number of categories; a layer that finds it is IntegerLookup."
            )
        self.num_tokens = check_integer(self, "num_tokens", num_tokens)
        self.output_mode = checked_mode(self, output_mode, MODES[1:])
        self.sparse = sparse

    def call(self, inputs: Any, count_weights: Any = None) -> Array:
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                f"Layer {self.name!r} (CategoryEncoding) takes count_weights in the mode 'count' alone; its "
                f"output_mode is {self.output_mode!r}."
            )
        weights = None if count_weights is None else jnp.asarray(count_weights, self.compute_dtype)
        return encoded_by_jax(jnp.asarray(inputs), self.output_mode, self.num_tokens, self.compute_dtype, weights)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments that Keras keeps: all but `sparse`."""
        config = super().get_config()
        config.pop("sparse")
        return config


def checked_mode(layer: Layer, mode: Any, modes: tuple[str, ...]) -> str:
    """Return an output mode by its newest name; ValueError if it is not one of `modes`."""
    current = OLD_MODES.get(mode, mode) if isinstance(mode, str) else mode
    if current not in modes:
        raise unknown(f"output_mode of {type(layer).__name__}", mode, modes)
    return current


def encoded_shape(shape: Any, mode: str, depth: int | None) -> tuple[Any, ...]:
    """Return the shape of what an input of some shape is encoded as. Samples are along the second axis, as in Keras."""
    shape = tuple(shape)
    if mode == "int":
        return shape
    if mode == "one_hot":
        if not shape:
            return (1, depth)
        return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), depth)
    return (*shape[:1], *shape[2:], depth) if len(shape) > 1 else (depth,)


def encoded_by_numpy(indices: np.ndarray, mode: str, depth: int, dtype: Any) -> np.ndarray:
    """Return categories encoded as an array of numpy; those outside of the range 0 to `depth` count for nothing."""
    if mode == "int":
        return indices.astype(dtype)
    shape = encoded_shape(indices.shape, mode, depth)
    rows = _rows(np, indices, mode)
    inside = (rows >= 0) & (rows < depth)
    places = (rows + np.arange(len(rows))[:, None] * depth)[inside]
    return counted(places, len(rows), depth, mode, dtype).reshape(shape)


def count_dtype() -> Any:
    """Return the dtype of ones and counts: 64 bits, if JAX has them."""
    return jax.dtypes.canonicalize_dtype("int64")


def counted(places: np.ndarray, rows: int, depth: int, mode: str, dtype: Any) -> np.ndarray:
    """Return a matrix from places in it, counted row by row: how often each occurs, or 1 if the mode is not count."""
    found = aligned((rows * depth,), dtype, np.zeros)
    if mode == "count":
        np.add.at(found, places, 1)
    else:
        found[places] = 1
    return found.reshape(rows, depth)


def encoded_by_jax(indices: Array, mode: str, depth: int, dtype: Any, weights: Array | None = None) -> Array:
    """Return categories encoded as an array of JAX; `weights` counts each element of the mode count that often."""
    if mode == "int":
        return indices.astype(dtype)
    shape = encoded_shape(indices.shape, mode, depth)
    rows = _rows(jnp, indices, mode)
    rows = jnp.where((rows >= 0) & (rows < depth), rows, depth).astype("int32")  # others have a column that is cut off
    target = jnp.zeros((rows.shape[0], depth + 1), dtype).at[jnp.arange(rows.shape[0])[:, None], rows]
    amounts = 1 if weights is None else _rows(jnp, jnp.broadcast_to(weights, indices.shape), mode)
    found = target.add(amounts) if mode == "count" else target.set(1)
    return found[:, :depth].reshape(shape)


def _rows(numpy: Any, values: Any, mode: str) -> Any:
    """Return a matrix with a row for each vector of the outputs."""
    if mode == "one_hot":
        return values.reshape(-1, 1)
    values = numpy.moveaxis(values, 1, -1) if values.ndim > 1 else values.reshape(1, -1)
    rows = -1 if values.shape[-1] else int(np.prod(values.shape[:-1]))  # their number may be unknown, in an export
    return values.reshape(rows, values.shape[-1])


__all__ = ["CategoryEncoding"]
