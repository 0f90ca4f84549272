"""Old layers with their old signatures; they make today's layers, so configs and ``isinstance`` work."""

import warnings
from collections.abc import Sequence
from typing import Any

from cornu import layers
from cornu.core.errors import unknown
from cornu.layers.merging import Merge as MergeBase
from cornu.models import Model

# What followed the kernel's size in Keras 1, in order.
_AFTER_KERNEL = ("init", "activation", "weights", "border_mode", "subsample", "dim_ordering")


class OldLayer:
    """An old name of a layer: calling it makes today's layer, and ``isinstance`` checks for today's class.

    `kernel_numbers` is how many kernel sizes the layer had in Keras 1, `after_kernel` the arguments after them.

    >>> layer = Convolution2D(32, 3, 5, border_mode="same", subsample=(2, 2))
    >>> type(layer).__name__, layer.kernel_size, layer.strides, isinstance(layer, Convolution2D)
    ('Conv2D', (3, 5), (2, 2), True)
    """

    def __init__(
        self, name: str, today: type, kernel_numbers: int, after_kernel: Sequence[str] = _AFTER_KERNEL
    ) -> None:
        self.__name__ = self.__qualname__ = name
        self.today, self.kernel_numbers, self.after_kernel = today, kernel_numbers, tuple(after_kernel)
        self.__doc__ = f"The old name of `{today.__name__}`; the kernel size may be {kernel_numbers} numbers."

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make today's layer."""
        return self.today(*self._arguments(args, kwargs), **self._adapted(kwargs))

    def _arguments(self, args: tuple, kwargs: dict) -> tuple:
        """Join the kernel sizes, and name the arguments after them."""
        count = self.kernel_numbers
        if len(args) <= count or not all(isinstance(size, int) for size in args[1 : 1 + count]):
            return args
        named = dict(zip(self.after_kernel, args[1 + count :], strict=False))
        kwargs |= {name: value for name, value in named.items() if value is not None}
        return args[0], tuple(args[1 : 1 + count])

    def _adapted(self, kwargs: dict) -> dict:
        if kwargs.pop("output_shape", None) is not None:
            warnings.warn(
                f"{self.__name__}(output_shape=...) is ignored: the output size follows from the kernel, the "
                f"strides and the padding of {self.today.__name__}.",
                UserWarning,
                stacklevel=3,
            )
        return kwargs

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, self.today)

    def __subclasscheck__(self, cls: type) -> bool:
        return issubclass(cls, self.today)

    def __mro_entries__(self, bases: tuple) -> tuple[type]:
        return (self.today,)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "today":
            raise AttributeError(name)
        return getattr(self.today, name)

    def __repr__(self) -> str:
        return f"<{self.__name__}, an old name of {self.today.__name__}>"


_AFTER_SHAPE = ("output_shape", *_AFTER_KERNEL)

Convolution1D = OldLayer("Convolution1D", layers.Conv1D, 1)
Convolution2D = OldLayer("Convolution2D", layers.Conv2D, 2)
Convolution3D = OldLayer("Convolution3D", layers.Conv3D, 3)
AtrousConvolution1D = AtrousConv1D = OldLayer("AtrousConvolution1D", layers.Conv1D, 1)
AtrousConvolution2D = AtrousConv2D = OldLayer("AtrousConvolution2D", layers.Conv2D, 2)
SeparableConvolution1D = OldLayer("SeparableConvolution1D", layers.SeparableConv1D, 1)
SeparableConvolution2D = OldLayer("SeparableConvolution2D", layers.SeparableConv2D, 2)
DepthwiseConvolution2D = OldLayer("DepthwiseConvolution2D", layers.DepthwiseConv2D, 0)
Deconvolution2D = Convolution2DTranspose = OldLayer("Deconvolution2D", layers.Conv2DTranspose, 2, _AFTER_SHAPE)
Deconvolution3D = Convolution3DTranspose = OldLayer("Deconvolution3D", layers.Conv3DTranspose, 3, _AFTER_SHAPE)


def ThresholdedReLU(theta: float = 1.0, **kwargs: Any) -> Any:  # noqa: N802, it was a class
    """Return a `ReLU` layer that keeps values above `theta` and sets the rest to zero."""
    return layers.ReLU(threshold=float(theta), **kwargs)


def ConvLSTM2DCell(*args: Any, **kwargs: Any) -> Any:  # noqa: N802, it was a class
    """Return the cell of `ConvLSTM2D`, which had a class of its own in Keras 2.

    >>> import numpy as np
    >>> layers.RNN(ConvLSTM2DCell(4, 3, padding="same"))(np.ones((2, 5, 8, 8, 1))).shape
    (2, 8, 8, 4)
    """
    return layers.ConvLSTMCell(2, *args, **kwargs)


def TimeDistributedDense(*args: Any, **kwargs: Any) -> Any:  # noqa: N802, it was a class
    """Return ``TimeDistributed(Dense(...))``, which replaced this layer of Keras 1."""
    shape = {name: kwargs.pop(name) for name in ("input_shape", "batch_input_shape", "name") if name in kwargs}
    if "input_dim" in kwargs:
        shape["input_shape"] = (kwargs.pop("input_length", None), kwargs.pop("input_dim"))
    return layers.TimeDistributed(layers.Dense(*args, **kwargs), **shape)


class _AnyMerge(type(MergeBase)):  # type: ignore[misc]
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, MergeBase) if cls is OldMerge else super().__instancecheck__(instance)


class OldMerge(MergeBase, metaclass=_AnyMerge):
    """Keras 2's ``_Merge``, the base of merging layers: a subclass defines ``_merge_function(self, inputs)``.

    >>> import numpy as np
    >>> class Difference(OldMerge):
    ...     def _merge_function(self, inputs):
    ...         return inputs[0] - inputs[1]
    >>> print(Difference()([np.array([[3.0]]), np.array([[1.0]])]), isinstance(layers.Add(), OldMerge))
    [[2.]] True
    """

    def merge(self, arrays: Any, masks: Any) -> Any:
        return self._merge_function(arrays)

    def _merge_function(self, inputs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no method _merge_function(self, inputs).")


# Mode of Keras 1 -> the layer, as a function of the axis to concatenate and the axes to multiply along.
_MODES = {
    "sum": lambda axis, axes, name: layers.Add(name=name),
    "mul": lambda axis, axes, name: layers.Multiply(name=name),
    "ave": lambda axis, axes, name: layers.Average(name=name),
    "max": lambda axis, axes, name: layers.Maximum(name=name),
    "concat": lambda axis, axes, name: layers.Concatenate(axis=axis, name=name),
    "dot": lambda axis, axes, name: layers.Dot(axes=axes, name=name),
    "cos": lambda axis, axes, name: layers.Dot(axes=axes, normalize=True, name=name),
}


def merge(
    inputs: Sequence[Any],
    mode: Any = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: dict | None = None,
    name: str | None = None,
) -> Any:
    """Merge tensors as Keras 1's ``merge`` did: `mode` is sum, mul, ave, max, concat, dot, cos, or a function.

    Raises ValueError for another mode. Of Keras 1: https://faroit.com/keras-docs/1.2.2/getting-started/functional-api-guide/
    """
    return _merging(mode, concat_axis, dot_axes, output_shape, arguments, name)(list(inputs))


def Merge(  # noqa: N802, it was a class
    layers: Sequence[Any] | None = None,
    mode: Any = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: dict | None = None,
    name: str | None = None,
    **_: Any,
) -> Any:
    """Return the merge layer; with `layers` (models that have inputs), the model that merges their outputs."""
    merging = _merging(mode, concat_axis, dot_axes, output_shape, arguments, name)
    if not layers:
        return merging
    inputs = [
        tensor for layer in layers for tensor in (layer.input if isinstance(layer.input, list) else [layer.input])
    ]
    return Model(inputs, merging([layer.output for layer in layers]))


def _merging(mode: Any, concat_axis: int, dot_axes: Any, output_shape: Any, arguments: Any, name: str | None) -> Any:
    if callable(mode):
        return layers.Lambda(mode, output_shape=output_shape, arguments=arguments, name=name)
    if mode not in _MODES:
        raise unknown("mode of merge", mode, _MODES)
    return _MODES[mode](concat_axis, dot_axes, name)
