"""Layers that change the shape or the order of axes."""

import math
from collections.abc import Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu.core import registry, settings
from cornu.core.budget import check_shape
from cornu.core.graph import SymbolicTensor
from cornu.core.input_spec import InputSpec
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions
from cornu.layers.argument_checks import check_integer, number_of


@registry.LAYERS.add()
class Flatten(Layer):
    """Flatten all axes except the batch into one.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; the latter moves the channels of
            ``(batch, channels, ...)`` last first, so that both formats give the same result.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, a, b, c)``, outputs ``(batch, a * b * c)``.

    Follows https://keras.io/api/layers/reshaping_layers/flatten/

    >>> import numpy as np
    >>> Flatten()(np.ones((2, 28, 28))).shape
    (2, 784)
    """

    keeps_rows_apart = True

    def __init__(self, data_format: str | None = None, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: jax.Array) -> jax.Array:
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = jnp.moveaxis(inputs, 1, -1)  # (batch, ..., channels)
        return inputs.reshape(inputs.shape[0], math.prod(inputs.shape[1:]))  # (batch, features)


@registry.LAYERS.add()
class Reshape(Layer):
    """Reshape each sample.

    Args:
        target_shape: The shape of a sample, without the batch axis. One size may be -1 and is then inferred.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, ...)``, outputs ``(batch, *target_shape)``.

    Raises:
        ValueError: `target_shape` is malformed, or the number of values differs.

    Follows https://keras.io/api/layers/reshaping_layers/reshape/

    >>> import numpy as np
    >>> Reshape((-1, 4))(np.ones((2, 28))).shape
    (2, 7, 4)
    """

    keeps_rows_apart = True

    def __init__(self, target_shape: Sequence[int], **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        target_shape = number_of(target_shape)
        sizes = (target_shape,) if isinstance(target_shape, int) else tuple(map(number_of, target_shape))
        sizes = tuple(-1 if size is None else size for size in sizes)
        if any(not isinstance(size, int) or size < -1 for size in sizes) or sizes.count(-1) > 1:
            raise ValueError(
                f"Reshape: target_shape must be a tuple of sizes with at most one -1, such as (28, 28, 1) or (-1, 4); "
                f"got {target_shape!r}."
            )
        check_shape([None, *(None if size == -1 else size for size in sizes)])
        self.target_shape = sizes

    def call(self, inputs: jax.Array) -> jax.Array:
        return inputs.reshape(inputs.shape[0], *self._sizes(inputs.shape[1:]))

    # With an unknown axis, no size that tracing tries need fit: take the target shape instead.
    def infer_call(self, args: tuple, kwargs: dict) -> Any:
        inputs = args[0] if args else kwargs.get("inputs")
        if isinstance(inputs, SymbolicTensor) and None in inputs.shape[1:]:
            open_size = [None if size == -1 else size for size in self.target_shape]
            return SymbolicTensor((inputs.shape[0], *open_size), inputs.dtype)
        return super().infer_call(args, kwargs)

    def _sizes(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the target shape with -1 replaced; ValueError if the number of values differs."""
        total, known = math.prod(shape), math.prod(size for size in self.target_shape if size != -1)
        fits = total % known == 0 if -1 in self.target_shape and known else total == known
        if not fits:
            raise ValueError(
                f"Layer {self.name!r} cannot reshape samples of shape {shape} ({total} values) into "
                f"{self.target_shape} ({known} values{' or a multiple' if -1 in self.target_shape else ''})."
            )
        return tuple(total // known if size == -1 and known else max(size, 0) for size in self.target_shape)


@registry.LAYERS.add()
class Permute(Layer):
    """Reorder the axes of each sample.

    Args:
        dims: The new order of the axes, counted from 1 without the batch axis.
        **kwargs: Arguments of `Layer`.

    Shapes:
        ``Permute((2, 1))`` has inputs ``(batch, a, b)`` and outputs ``(batch, b, a)``.

    Raises:
        ValueError: `dims` is not a permutation of 1, 2, ....

    Follows https://keras.io/api/layers/reshaping_layers/permute/

    >>> import numpy as np
    >>> Permute((2, 1))(np.ones((2, 3, 4))).shape
    (2, 4, 3)
    """

    keeps_rows_apart = True

    def __init__(self, dims: Sequence[int], **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"Permute: `dims` must name each axis of a sample once, counted from 1, such as (2, 1); got {dims!r}."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: jax.Array) -> jax.Array:
        return jnp.transpose(inputs, (0, *self.dims))


@registry.LAYERS.add()
class RepeatVector(Layer):
    """Repeat each sample `n` times.

    Args:
        n: Number of repetitions, a positive integer.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs ``(batch, features)``, outputs ``(batch, n, features)``.

    Raises:
        ValueError: `n` is not a positive integer.

    Follows https://keras.io/api/layers/reshaping_layers/repeat_vector/

    >>> import numpy as np
    >>> RepeatVector(3)(np.ones((2, 5))).shape
    (2, 3, 5)
    """

    keeps_rows_apart = True

    def __init__(self, n: int, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.n = check_integer(self, "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: jax.Array) -> jax.Array:
        return jnp.broadcast_to(inputs[:, None, :], (inputs.shape[0], self.n, inputs.shape[1]))


__all__ = [
    "Flatten",
    "Permute",
    "RepeatVector",
    "Reshape",
]
