"""Integer indices to learned vectors."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core import registry
from cornu.core.layer import Layer
from cornu.core.scope import set_mask
from cornu.core.variable import Seed
from cornu.kernels.random_bits import dropout as drop
from cornu.layers.argument_checks import check_integer, number_in
from cornu.layers.weight_options import keep_options, make_weight


@registry.LAYERS.add()
class Embedding(Layer):
    """Look up a learned vector for each integer index.

    Args:
        input_dim: Number of vectors; indices are from 0 to `input_dim` - 1.
        output_dim: Size of each vector.
        embeddings_initializer: Initial values of the matrix ``(input_dim, output_dim)``.
        embeddings_regularizer: Penalty on the matrix, added to the loss.
        embeddings_constraint: Projection of the matrix after each update.
        mask_zero: Whether index 0 is padding, which later layers skip.
        weights: Initial matrix, an array or a list of one array.
        activity_regularizer: Penalty on the outputs, added to the loss.
        input_length: Number of indices per sample, if it is fixed (an argument of Keras 1 and 2).
        dropout: Fraction of the vectors that are zero in a training step, each for all its indices; the others are
            scaled up (an argument of Keras 1, https://arxiv.org/abs/1512.05287).
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, ...)`` of integers, outputs ``(batch, ..., output_dim)``, mask as the inputs.

    Raises:
        ValueError: `input_dim` or `output_dim` is not a positive integer, or `dropout` is not from 0 to 1.

    Follows https://keras.io/api/layers/core_layers/embedding/

    >>> import numpy as np
    >>> Embedding(10, 4)(np.array([[1, 2, 3]])).shape
    (1, 3, 4)
    """

    keeps_rows_apart = keeps_steps_apart = True
    keeps_masks = False  # whether masks of the indices go on to the vectors; in Keras 3 they end here
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
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        weights = [weights] if hasattr(weights, "shape") else weights
        kwargs.setdefault("autocast", False)  # float32 holds indices up to 2**24 exactly, 16-bit floats do not
        super().__init__(activity_regularizer=activity_regularizer, weights=weights, **kwargs)
        self.input_dim = check_integer(self, "input_dim", input_dim)
        self.output_dim = check_integer(self, "output_dim", output_dim)
        keep_options(self, "embeddings", embeddings_initializer, embeddings_regularizer, embeddings_constraint)
        self.mask_zero = self.supports_masking = mask_zero
        self.input_length = input_length
        self.dropout = number_in(self, "dropout", dropout, 0, 1)
        if self.dropout:
            self.seed_generator = Seed()
        if input_length is not None and self._batch_input_shape is None:
            lengths = input_length if isinstance(input_length, (list, tuple)) else (input_length,)
            self._batch_input_shape = (None, *lengths)

    def build(self, input_shape: Any = None) -> None:
        self.embeddings = make_weight(self, "embeddings", (self.input_dim, self.output_dim))

    def call(self, inputs: jax.Array, training: bool = False) -> jax.Array:
        numbers = inputs if jnp.issubdtype(inputs.dtype, np.integer) else inputs.astype("int32")
        vectors = jnp.asarray(self.embeddings)
        if training and self.dropout:
            vectors = drop(vectors, self.seed_generator.next(), self.dropout, (None, 1))
        return jnp.take(vectors, numbers, axis=0).astype(self.compute_dtype)  # (batch, ...) -> (batch, ..., output_dim)

    # Keras 3 has no argument `dropout`.
    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "dropout" or value}

    def compute_mask(self, inputs: jax.Array, previous_mask: Any = None) -> jax.Array | None:
        """Return True for indices that are not 0, or None without `mask_zero`."""
        if self.mask_zero:
            return jnp.not_equal(inputs, 0)
        return previous_mask if self.keeps_masks else None


@registry.LAYERS.add()
class ReversibleEmbedding(Embedding):
    """Look up a learned vector for each integer index, and project vectors back to scores of the indices.

    Args:
        input_dim, output_dim: As in `Embedding`.
        tie_weights: Whether both directions share one matrix; else the way back has its own, `reverse_embeddings`.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint, mask_zero: As in `Embedding`.
        reverse_dtype: Dtype of the projection; None takes that of vectors and matrix.
        logit_soft_cap: Bound of the scores, applied with tanh.
        **kwargs: Other arguments of `Embedding`.

    Call arguments:
        inputs: Indices ``(batch, ...)``, or vectors ``(batch, ..., output_dim)`` if `reverse` is true.
        reverse: Whether to project vectors to scores ``(batch, ..., input_dim)``.

    Raises:
        ValueError: `input_dim` or `output_dim` is not a positive integer.

    Follows https://keras.io/api/layers/core_layers/reversible_embedding/ and https://arxiv.org/abs/1608.05859

    >>> import numpy as np
    >>> layer = ReversibleEmbedding(10, 4)
    >>> layer(layer(np.array([[1, 2, 3]])), reverse=True).shape
    (1, 3, 10)
    """

    keeps_rows_apart = True

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
            mask_zero=mask_zero,
            **kwargs,
        )
        self.tie_weights = tie_weights
        self.reverse_dtype = reverse_dtype
        self.logit_soft_cap = logit_soft_cap

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                (self.output_dim, self.input_dim), self.embeddings_initializer, name="reverse_embeddings"
            )

    def call(  # type: ignore[override]
        self, inputs: jax.Array, reverse: bool = False, training: bool = False
    ) -> jax.Array:
        if not reverse:
            vectors = super().call(inputs, training=training)
            if self.mask_zero:
                set_mask(vectors, jnp.not_equal(inputs, 0))
            return vectors
        kernel = jnp.asarray(self.embeddings).T if self.tie_weights else jnp.asarray(self.reverse_embeddings)
        if self.reverse_dtype is not None:
            inputs, kernel = inputs.astype(self.reverse_dtype), kernel.astype(self.reverse_dtype)
        scores = inputs @ kernel  # (batch, ..., output_dim) -> (batch, ..., input_dim)
        cap = self.logit_soft_cap
        return scores if cap is None else jnp.tanh(scores / cap) * cap

    def compute_mask(self, inputs: jax.Array, previous_mask: Any = None) -> None:
        """Return None: the vectors of indices come with their mask."""


__all__ = [
    "Embedding",
    "ReversibleEmbedding",
]
