"""What a layer accepts, checked before it computes, so that a wrong shape gives a clear error."""

from collections.abc import Sequence
from typing import Any

from cornu.core.graph import leaves
from cornu.core.shapes import shape_of


class InputSpec:
    """The rank, shape and dtype that a layer expects of an input; None accepts anything.

    Args:
        dtype: Expected dtype.
        shape: Expected shape, None for any size.
        ndim: Exact number of axes.
        max_ndim, min_ndim: Bounds of the number of axes.
        axes: Dictionary from axis to expected size.
        allow_last_axis_squeeze: Whether a last axis of size 1 may be missing or added.
        name: Name of the input.
        optional: Whether the input may be None.

    Follows https://keras.io/api/layers/base_layer/ (``input_spec``)

    >>> InputSpec(ndim=2).mismatch((None, 3, 4))
    '2 axes'
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype, self.name, self.optional = dtype, name, optional
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze

    def mismatch(self, shape: tuple) -> str | None:
        """Return what is expected if `shape` does not fit, else None."""
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim and not self.allow_last_axis_squeeze:
            return f"{self.ndim} axes"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"at most {self.max_ndim} axes"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"at least {self.min_ndim} axes"
        sizes = dict(enumerate(self.shape or ())) | self.axes
        for axis, size in sizes.items():
            if size is not None and -rank <= axis < rank and shape[axis] not in (size, None):
                return f"axis {axis} of size {size}"
        return None


def check_inputs(spec: Any, inputs: Any, layer_name: str) -> None:
    """Raise ValueError if `inputs` (arrays or symbolic tensors) do not fit a layer's `input_spec`."""
    if spec is None:
        return
    tensors = leaves(inputs)
    specs = leaves_of_specs(spec)
    if len(specs) != len(tensors):
        raise ValueError(f"Layer {layer_name!r} takes {len(specs)} inputs; it was called with {len(tensors)}.")
    for one, tensor in zip(specs, tensors, strict=True):
        shape = tuple(shape_of(tensor))
        expected = one.mismatch(shape)
        if expected:
            raise ValueError(
                f"Layer {layer_name!r} expects an input with {expected} (the first axis is the batch); "
                f"it was called with shape {shape}."
            )


def leaves_of_specs(spec: Any) -> list[InputSpec]:
    """Return the specs as a list, from one spec, a list or a dictionary."""
    if isinstance(spec, dict):
        spec = [spec[key] for key in sorted(spec)]
    return list(spec) if isinstance(spec, (list, tuple)) else [spec]
