"""Layers that compute with numpy: on strings, which no compiled program holds, or by tables of any keys."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from cornu.core.dtype_policies import array_dtype
from cornu.core.graph import SymbolicTensor, holds_symbolic
from cornu.core.layer import Layer
from cornu.core.placement import to_device
from cornu.core.scope import NeedsPythonError, scope
from cornu.core.shapes import shapes_of
from cornu.core.text import as_text, first_in, is_text, stand_in_for_text

#: What calls return text as: an array of numpy, unless `compat` says that it is one of TensorFlow's tensors.
text_output: Callable[[np.ndarray], Any] = np.asarray
#: Makes rows of different lengths of all their values and the lengths: None, unless `compat` has such tensors.
ragged_output: Callable[[np.ndarray, np.ndarray], Any] | None = None
#: Returns the rows that an input of rows of different lengths stands for: None, unless `compat` has such tensors.
ragged_input: Callable[[SymbolicTensor], SymbolicTensor] | None = None
#: Returns the inputs of a model as arrays, where some are such tensors.
dense_rows: Callable[[Any, Any], Any] = lambda model, x: x  # noqa: E731


class HostLayer(Layer):
    """A layer whose ``call`` takes and returns numpy arrays. Where strings enter a model, it runs before the program.

    A subclass defines ``call(inputs)``, ``compute_output_shape(input_shape)`` and `output_dtype`. Strings are arrays of
    numpy's dtype ``object`` or ``U``; lists of strings, bytes and data frames become such arrays. Called on arrays of a
    program that is being compiled, which hold numbers, the layer is called back from the program.
    """

    on_host = True
    autocast = False

    @property
    def keeps_values_apart(self) -> bool:
        """Whether each output depends on one value of the inputs alone."""
        return getattr(self, "output_mode", None) == "int" and not hasattr(self, "split")

    @property
    def output_dtype(self) -> str:
        """The dtype of the outputs, ``"string"`` for text."""
        raise NotImplementedError

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Compute the outputs: arrays of JAX, or of numpy if they hold strings; or add a node to the graph."""
        if holds_symbolic((inputs,), {}):
            return super().__call__(inputs, **kwargs)
        if (stand_in := stand_in_for_text(inputs)) is not None:
            return stand_in.called_by(self.compute, inputs)
        if hasattr(inputs, "with_flat_values") and self.keeps_values_apart:
            return inputs.with_flat_values(self(inputs.flat_values))  # rows of different lengths
        arrays = self.host_arrays(inputs)
        if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(arrays)):
            return self._called_back(arrays)
        given = [leaf for leaf in jax.tree.leaves(arrays) if isinstance(leaf, np.ndarray)]
        return jax.tree.map(lambda array: _as_output(array, given), self.compute(arrays))

    def host_arrays(self, inputs: Any) -> Any:
        """Return what a call got as arrays of numpy."""
        return as_host_arrays(inputs, self)

    def compute(self, inputs: Any) -> Any:
        """Compute the outputs as numpy arrays."""
        arrays = self.host_arrays(inputs)
        with self.naming():
            self._check_and_build((arrays,), {})
            return self.call(arrays)

    def _called_back(self, arrays: Any) -> Any:
        if scope.mapping:
            raise NeedsPythonError
        if self.output_dtype == "string":
            raise TypeError(
                f"Layer {self.name!r} ({type(self).__name__}) makes text of numbers that a compiled program computes; "
                "it can only hold numbers.\nCall the layer on what predict() returns."
            )
        shape = self.compute_output_shape(jax.tree.map(lambda array: tuple(array.shape), arrays))
        if None in shape and not scope.probes:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) has outputs of the shape {shape} in a compiled program, "
                "which has to know all sizes.\nPass output_sequence_length, or begin the model with this layer."
            )
        shape = [max(scope.probes) if size is None else size for size in shape]
        found = jax.ShapeDtypeStruct(tuple(shape), jax.dtypes.canonicalize_dtype(array_dtype(self.output_dtype)))

        def computed(given: Any) -> np.ndarray:
            outputs = np.asarray(self.compute(jax.tree.map(np.asarray, given)))
            if _is_wide(outputs):
                raise OverflowError(
                    f"Layer {self.name!r} ({type(self).__name__}) has outputs beyond 32 bits in a program."
                )
            return outputs.astype(found.dtype)

        return jax.pure_callback(computed, found, jax.tree.map(jax.lax.stop_gradient, arrays))

    def compute_output_spec(self, inputs: Any, **_: Any) -> Any:
        return SymbolicTensor(self.compute_output_shape(shapes_of(inputs)), self.output_dtype)


def _as_output(array: np.ndarray, given: list[np.ndarray]) -> Any:
    """Return an array of JAX, in the memory of numpy's if that is new; text and wide integers as they are."""
    if is_text(array):
        return text_output(array)
    if _is_wide(array):
        return array
    is_new = not any(np.may_share_memory(array, one) for one in given)
    return to_device(array, copy=False if is_new else None)


def _is_wide(array: np.ndarray) -> bool:
    """Return whether an array holds integers that JAX's integers, which have 32 bits by default, do not hold."""
    if array.dtype != np.int64 or not array.size or jax.config.jax_enable_x64:
        return False
    return bool(array.max() > np.iinfo("int32").max or array.min() < np.iinfo("int32").min)


def as_host_arrays(given: Any, layer: Any) -> Any:
    """Return an array, a list of values, a data frame's column, or a tuple, list or dictionary of them, as numpy's.

    Bytes become strings. TypeError if something else is given.
    """
    if isinstance(given, dict):
        return {key: as_host_arrays(value, layer) for key, value in given.items()}
    if isinstance(given, (list, tuple)) and any(hasattr(one, "shape") and np.ndim(one) for one in given):
        return type(given)(as_host_arrays(one, layer) for one in given)
    if isinstance(given, jax.core.Tracer):
        return given
    if hasattr(given, "to_numpy"):
        given = given.to_numpy()
    uneven = f"Layer {layer.name!r} ({type(layer).__name__}) takes an array; got a list whose rows differ in length."
    try:
        # In an array of dtype U, each string would take the room of the longest.
        array = np.array(given, object) if isinstance(first_in(given), (str, bytes)) else np.asarray(given)
        if array.dtype.kind in "US" and isinstance(given, (list, tuple)):  # numbers, then strings
            array = np.array(given, object)
    except ValueError as error:
        raise ValueError(f"{uneven} ({error})") from None
    if array.dtype.kind == "O" and any(isinstance(one, (list, tuple)) for one in array.flat):
        raise ValueError(uneven)
    return as_text(array, getattr(layer, "encoding", "utf-8")) if is_text(array) else array


__all__ = ["HostLayer"]
