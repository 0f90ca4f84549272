"""Whole numbers to vectors."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core import registry
from cornu.core.layer import Layer
from cornu.layers.argument_checks import whole_number
from cornu.layers.weight_options import keep_options, make_weight


@registry.LAYERS.add()
class Embedding(Layer):
    """Look up a learned vector for each whole number: (batch, length) becomes (batch, length, `output_dim`).

    The numbers lie from 0 to `input_dim` - 1. With `mask_zero`, 0 stands for padding: later layers skip it. `weights`
    (an array of (`input_dim`, `output_dim`), or a list of it) are the first values; `input_length` is the length where
    it is fixed. Follows https://keras.io/api/layers/core_layers/embedding/

    >>> import numpy as np
    >>> Embedding(10, 4)(np.array([[1, 2, 3]])).shape
    (1, 3, 4)
    """

    keeps_rows_apart = True
    embeddings_initializer: Any
    embeddings_regularizer: Any
    embeddings_constraint: Any

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        activity_regularizer: Any = None,
        input_length: int | None = None,
        **kwargs: Any,
    ) -> None:
        weights = [weights] if hasattr(weights, "shape") else weights
        kwargs.setdefault("autocast", False)  # numbers up to 2**24 are exact in float32, but not in 16 bits
        super().__init__(activity_regularizer=activity_regularizer, weights=weights, **kwargs)
        self.input_dim = whole_number(self, "input_dim", input_dim)
        self.output_dim = whole_number(self, "output_dim", output_dim)
        keep_options(self, "embeddings", embeddings_initializer, embeddings_regularizer, embeddings_constraint)
        self.mask_zero = self.supports_masking = mask_zero
        self.input_length = input_length
        if input_length is not None and self._batch_input_shape is None:
            lengths = input_length if isinstance(input_length, (list, tuple)) else (input_length,)
            self._batch_input_shape = (None, *lengths)

    def build(self, input_shape: Any = None) -> None:
        self.embeddings = make_weight(self, "embeddings", (self.input_dim, self.output_dim))

    def call(self, inputs: jax.Array) -> jax.Array:
        numbers = inputs if jnp.issubdtype(inputs.dtype, np.integer) else inputs.astype("int32")
        return jnp.take(jnp.asarray(self.embeddings), numbers, axis=0).astype(self.compute_dtype)

    def compute_mask(self, inputs: jax.Array, previous_mask: Any = None) -> jax.Array | None:
        """Return True for the numbers that are no padding, where ``mask_zero``."""
        return jnp.not_equal(inputs, 0) if self.mask_zero else None


__all__ = [
    "Embedding",
]
