"""A user's array that a compiled program reads in place, so that large data is not held twice."""

from __future__ import annotations

import collections
import functools
import math
from collections.abc import Generator, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from cornu.core.placement import ALIGNMENT, aligned, to_device
from cornu.data.prefetch import prefetched

LEAST_BYTES = 1 << 23  # smaller arrays are copied, which takes a millisecond or two
LEAST_PART = 1 << 19  # bytes that a program reads at once: smaller parts are copied in less time than a thread takes


class Fresh(np.ndarray):
    """An array that becomes one of JAX without a copy, if `is_fresh`: nobody writes to it any more.

    What is computed from it, or a part of it, is not fresh.
    """

    is_fresh = False


def fresh_array(shape: tuple[int, ...], dtype: Any) -> Fresh:
    """Return an array to be filled once, at an address from which programs can read it in place."""
    return _as_fresh(aligned(shape, dtype))


def _as_fresh(array: np.ndarray) -> Fresh:
    fresh = array.view(Fresh)
    fresh.is_fresh = True
    return fresh


class FreshArrays:
    """Arrays as those of `fresh_array`, in the memory of earlier ones that nobody refers to any more.

    The system clears new memory before it gives it away, which takes as long as decoding a small picture into it.

    Args:
        kept: How many memories to keep for further arrays.
    """

    def __init__(self, kept: int) -> None:
        self._free: collections.deque[np.ndarray] = collections.deque(maxlen=kept)

    def __call__(self, shape: tuple[int, ...], dtype: Any) -> Fresh:
        """Return an array for a stream whose arrays mostly have this shape."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        memory = self._free.pop() if self._free else None
        if memory is None or memory.nbytes != size:
            memory = aligned((size,), np.uint8)
        return _as_fresh(np.asarray(_Loan(memory, self._free)).view(dtype).reshape(shape))


class _Loan:
    """What an array, and all arrays made of parts of it, refer to; with the last of them, their memory comes back."""

    def __init__(self, memory: np.ndarray, free: collections.deque[np.ndarray]) -> None:
        self._memory, self._free = memory, free
        self.__array_interface__ = memory.__array_interface__

    def __del__(self) -> None:
        self._free.append(self._memory)


@jax.tree_util.register_pytree_node_class
class Shared:
    """The rows of a numpy array, read from its own memory.

    `flat` is that memory from its first aligned address on (numpy's starts 16 bytes after one), without its last bytes,
    so that its length does not depend on the address; `shift` is the number of elements before it. The first and last
    row, which it contains only in part, are copied to `ends`. The next program sees changes to the array; changes to
    those two rows, after `fresh`.
    """

    source: np.ndarray
    placement: Any = None

    def __init__(self, flat: Any, shift: Any, ends: Any, shape: tuple[int, ...]) -> None:
        self.flat, self.shift, self.ends, self.shape = flat, shift, ends, shape

    def tree_flatten(self) -> tuple:
        return (self.flat, self.shift, self.ends), self.shape

    @classmethod
    def tree_unflatten(cls, shape: tuple[int, ...], children: tuple) -> Shared:
        flat, shift, ends = children
        return cls(flat, shift, ends, shape)

    def rows(self, numbers: jax.Array) -> jax.Array:
        """Return the rows with these indices."""
        width = math.prod(self.shape[1:])
        starts = numbers[:, None] * width - self.shift  # (rows, 1)
        form = lax.GatherDimensionNumbers(offset_dims=(1,), collapsed_slice_dims=(), start_index_map=(0,))
        # (rows, width)
        taken = lax.gather(self.flat, starts, form, (width,), mode=lax.GatherScatterMode.CLIP)
        for number, end in ((0, self.ends[0]), (self.shape[0] - 1, self.ends[1])):
            taken = jnp.where(numbers[:, None] == number, end, taken)
        return taken.reshape(-1, *self.shape[1:])


def on_device(array: Any, placement: Any = None) -> Any:
    """Return an array for compiled programs: shared if it is large and can be, otherwise a copy on the device.

    `placement` puts it on several devices.
    """
    if can_be_shared(array):
        return share(array, placement)
    return to_device(array) if placement is None else placement.everywhere(to_device(array))


def fresh(array: Any) -> Any:
    """Return what `on_device` returned; for a shared array, with the current first and last row."""
    return share(array.source, array.placement) if isinstance(array, Shared) else array


def can_be_shared(array: Any) -> bool:
    """Return whether programs can read an array in place: large, contiguous, of a supported dtype, on the CPU."""
    return (
        isinstance(array, np.ndarray)
        and array.nbytes >= LEAST_BYTES
        and array.shape[0] > 1
        and array.size < 2**31
        and array.flags.c_contiguous
        and array.ctypes.data % array.itemsize == 0
        and jax.dtypes.canonicalize_dtype(array.dtype) == array.dtype
        and array.nbytes // array.shape[0] >= ALIGNMENT
        and jax.default_backend() == "cpu"
    )


def share(array: np.ndarray, placement: Any = None) -> Shared:
    """Return the `Shared` form of an array for which `can_be_shared` is true; all devices of `placement` read it."""
    flat = array.reshape(-1)
    shift = -array.ctypes.data % ALIGNMENT // array.itemsize
    stop = shift + array.size - ALIGNMENT // array.itemsize
    ends = np.stack([array[0].reshape(-1), array[-1].reshape(-1)])
    put = functools.partial(to_device, copy=False) if placement is None else placement.everywhere
    shared = Shared(put(flat[shift:stop]), np.int32(shift), put(ends), array.shape)
    shared.source, shared.placement = array, placement
    return shared


AHEAD = 1  # parts that wait for the program, beside the one that it reads and the one that is copied
Rows = TypeVar("Rows", bound=Sequence[int])


def parts_in_place(x: Any, parts: Sequence[Rows]) -> Generator[tuple[Rows, Any]]:
    """Yield each part with its rows of the arrays in `x`, in memory that programs read in place.

    A thread copies large parts to aligned memory, the next while a program computes one.

    Args:
        x: Arrays in any structure.
        parts: Each begins with the number of its first row, and of the row after its last.
    """
    arrays, structure = jax.tree.flatten(x)
    if len(parts) > 1 and any(_is_copied(array[slice(*parts[0][:2])]) for array in arrays):
        spaces = [FreshArrays(AHEAD + 2) for _ in arrays]

        def aligned_part(part: Rows) -> tuple[Rows, Any]:
            rows = [_in_place(array[slice(*part[:2])], space) for array, space in zip(arrays, spaces, strict=True)]
            return part, jax.tree.unflatten(structure, rows)

        yield from prefetched(parts, aligned_part, AHEAD)
    else:
        for part in parts:
            yield part, jax.tree.unflatten(structure, [array[slice(*part[:2])] for array in arrays])


def _is_copied(rows: Any) -> bool:
    """Return whether JAX would copy an array of numpy, and it takes time."""
    return (
        isinstance(rows, np.ndarray)
        and rows.nbytes >= LEAST_PART
        and not (rows.flags.c_contiguous and rows.ctypes.data % ALIGNMENT == 0)
        and jax.dtypes.canonicalize_dtype(rows.dtype) == rows.dtype
        and jax.default_backend() == "cpu"
    )


def _in_place(rows: Any, space: FreshArrays) -> Any:
    """Return the rows where a program can read them: copied, if JAX would do it."""
    if not _is_copied(rows):
        return rows
    copy = np.asarray(space(rows.shape, rows.dtype))
    copy[...] = rows
    return copy
