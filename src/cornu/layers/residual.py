"""What ConvNeXt's residual branches end in: a learned scale, and dropping whole branches."""

from typing import Any, Unpack

from jax import Array

from cornu import initializers
from cornu.core import registry
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions
from cornu.core.variable import Seed
from cornu.kernels.random_bits import dropout
from cornu.layers.argument_checks import check_integer, number_in

KERAS_MODULE = "keras.src.applications.convnext"


@registry.LAYERS.add()
class LayerScale(Layer):
    """Multiply each channel by a learned factor that starts near zero.

    Args:
        init_values: First value of all factors.
        projection_dim: Number of channels, the last axis.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs and outputs ``(batch, ..., channels)``.

    Follows https://arxiv.org/abs/2103.17239; files of ConvNeXt have it under this name.

    >>> import numpy as np
    >>> LayerScale(0.5, 2)(np.ones((1, 2))).tolist()
    [[0.5, 0.5]]
    """

    keeps_rows_apart = keeps_steps_apart = True
    keras_module = KERAS_MODULE

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.init_values = init_values
        self.projection_dim = check_integer(self, "projection_dim", projection_dim)

    def build(self, input_shape: Any) -> None:
        start = initializers.Constant(self.init_values)
        self.gamma = self.add_weight(shape=(self.projection_dim,), initializer=start, name="gamma")

    def call(self, inputs: Array) -> Array:
        return inputs * self.gamma.value


@registry.LAYERS.add()
class StochasticDepth(Layer):
    """In training, set whole samples to zero at random and scale the others by ``1 / (1 - drop_path_rate)``.

    Args:
        drop_path_rate: Fraction of the samples to drop, from 0 to 1.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs of any shape; outputs have the same shape. Inference returns the inputs.

    Raises:
        ValueError: `drop_path_rate` is not from 0 to 1.

    Follows https://arxiv.org/abs/1603.09382; files of ConvNeXt have it under this name.

    >>> import numpy as np
    >>> rows = StochasticDepth(0.5)(np.ones((8, 3)), training=True)
    >>> bool((rows == rows[:, :1]).all())
    True
    """

    keeps_rows_apart = True
    keras_module = KERAS_MODULE

    def __init__(self, drop_path_rate: float, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.drop_path_rate = number_in(self, "drop_path_rate", drop_path_rate, 0, 1)
        if self.drop_path_rate > 0:
            self.seed_generator = Seed(None)

    def call(self, inputs: Array, training: bool = False) -> Array:
        if not training or self.drop_path_rate == 0:
            return inputs
        one_per_sample = (inputs.shape[0], *(1,) * (inputs.ndim - 1))
        return dropout(inputs, self.seed_generator.next(), self.drop_path_rate, one_per_sample)


__all__ = [
    "LayerScale",
    "StochasticDepth",
]
