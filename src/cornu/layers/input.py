"""Where data enters a model: `Input` and the layer behind it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.core import registry
from cornu.core.dtype_policies import array_dtype
from cornu.core.graph import Node, SymbolicTensor
from cornu.core.layer import Layer
from cornu.core.shapes import batch_input_shape
from cornu.layers import host


@registry.LAYERS.add()
class InputLayer(Layer):
    """The first layer of a model: declares the shape and dtype of its data.

    Args:
        shape: Shape of one sample, without the batch axis; None in it leaves a size open.
        batch_size: Size of the batch axis, if it is fixed.
        dtype: Dtype of the data, by default ``cornu.config.floatx()``.
        sparse, ragged: Must be False: Cornu computes with dense arrays.
        batch_shape: Shape with the batch axis, instead of `shape` and `batch_size`.
        input_tensor: Symbolic tensor to use instead of a new one.
        optional: Whether the input may be None in a call.
        name: Name of the layer.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: The shape is missing, given twice or malformed; `input_tensor` is not symbolic; or sparse or ragged
            data is requested.

    Follows https://keras.io/api/layers/core_layers/input/

    >>> InputLayer(shape=(28, 28)).batch_shape
    (None, 28, 28)
    """

    keeps_rows_apart = True

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if input_tensor is not None and not isinstance(input_tensor, SymbolicTensor):
            raise ValueError(
                "Input(tensor=...) takes a symbolic tensor, as Input and layers return; got "
                f"{type(input_tensor).__name__}.\nPass arrays to fit, predict or the model itself."
            )
        if sparse or ragged:
            raise ValueError(
                f"Input(..., {'sparse' if sparse else 'ragged'}=True): Cornu supports dense arrays only. Remove it "
                "and pass the data as dense arrays, padded to one length.\nIn programs that use tensorflow, "
                "tf.keras.Input(shape, ragged=True) takes ragged tensors."
            )
        if batch_shape is None and shape is None:
            batch_shape = batch_input_shape(kwargs)
        self._input_batch_shape = _whole_shape(shape, batch_size, batch_shape, input_tensor)
        dtype = array_dtype(input_tensor.dtype if dtype is None and input_tensor is not None else dtype)
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.optional, self.sparse, self.ragged = optional, False, False
        self.built = True
        tensor = input_tensor
        if tensor is None:
            tensor = SymbolicTensor(self._input_batch_shape, dtype, name=self.name)
        if tensor.node is None:
            Node(self, (), {}, tensor)
        self._tensor = tensor

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        """The shape of the data, batch axis included."""
        return self._input_batch_shape

    @property
    def input(self) -> SymbolicTensor:
        return self._tensor

    @property
    def output(self) -> SymbolicTensor:
        return self._tensor

    def call(self, inputs: Any) -> Any:
        return inputs

    # The only config that differs from the constructor's arguments: `shape` and `batch_size` become `batch_shape`.
    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
        }


def Input(  # noqa: N802 (Keras's name)
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
    **kwargs: Any,
) -> SymbolicTensor:
    """Return a symbolic tensor: the input of a functional model.

    Args:
        shape: Shape of one sample, without the batch axis. None in it leaves a size open; an integer is one axis.
        batch_size: Size of the batch axis, if it is fixed.
        dtype: Dtype of the data, by default ``cornu.config.floatx()``.
        sparse: Must be False: Cornu computes with dense arrays. So must `ragged`, except where tensorflow means Cornu.
        batch_shape: Shape with the batch axis, instead of `shape` and `batch_size`.
        name: Name of the input.
        tensor: Symbolic tensor to use instead of a new one.
        optional: Whether the input may be None in a call.

    Returns:
        A symbolic tensor of shape ``(batch_size, *shape)``, which layers can be called on.

    Raises:
        ValueError: The shape is missing, given twice or malformed.

    Follows https://keras.io/api/layers/core_layers/input/

    >>> Input((28, 28), name="image")
    <KerasTensor shape=(None, 28, 28), dtype=float32, name=image>
    """
    rows_of = host.ragged_input if kwargs.get("ragged") else None
    if rows_of is not None:
        del kwargs["ragged"]
    layer = InputLayer(
        shape=shape,
        batch_size=batch_size,
        dtype=dtype,
        sparse=sparse,
        batch_shape=batch_shape,
        name=name,
        input_tensor=tensor,
        optional=optional,
        **kwargs,
    )
    return layer.output if rows_of is None else rows_of(layer.output)


def _whole_shape(
    shape: Any, batch_size: Any, batch_shape: Any, tensor: SymbolicTensor | None
) -> tuple[int | None, ...]:
    """Return the shape with its batch axis; ValueError if the arguments contradict each other or give none."""
    if batch_shape is not None:
        if shape is not None or batch_size is not None:
            raise ValueError(
                f"Input takes either `shape` and `batch_size`, or `batch_shape`; got shape={shape!r}, "
                f"batch_size={batch_size!r} and batch_shape={batch_shape!r}."
            )
        return _sizes(batch_shape, "batch_shape")
    if shape is not None:
        return _sizes((batch_size, *_sizes(shape, "shape")), "batch_size")
    if tensor is None:
        raise ValueError("Input needs the shape of one sample, for example Input(shape=(784,)) or Input((28, 28, 1)).")
    return tuple(tensor.shape)


def _sizes(shape: Any, argument: str) -> tuple[int | None, ...]:
    sizes = (shape,) if isinstance(shape, (int, np.integer)) else shape
    if not isinstance(sizes, Sequence) or isinstance(sizes, str):
        raise ValueError(f"Input: `{argument}` must be a tuple of sizes, such as (28, 28, 1); got {shape!r}.")
    for size in sizes:
        if size is not None and (not isinstance(size, (int, np.integer)) or isinstance(size, bool) or size < 0):
            raise ValueError(f"Input: the sizes in `{argument}` must be integers or None; got {shape!r}.")
    return tuple(None if size is None else int(size) for size in sizes)


__all__ = [
    "Input",
    "InputLayer",
]
