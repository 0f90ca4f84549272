"""Numbers and texts of a request as arrays with the shape and dtype of a model's inputs."""

import itertools
import math
from typing import Any, NamedTuple

import numpy as np

from cornu.serve.limits import RequestError

#: The Open Inference Protocol's names of dtypes.
DATATYPES = {
    "BOOL": "bool", "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64", "INT8": "int8",
    "INT16": "int16", "INT32": "int32", "INT64": "int64", "FP16": "float16", "FP32": "float32", "FP64": "float64",
    "BYTES": "object",
}  # fmt: skip
NAMES = {dtype: name for name, dtype in DATATYPES.items()}


class Tensor(NamedTuple):
    """An input or output of a model: its name, the shape of one row (None: any size), and its numpy type."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    @property
    def datatype(self) -> str:
        """The dtype's name in the Open Inference Protocol."""
        return NAMES[self.dtype]


def array_of(values: Any, tensor: Tensor) -> np.ndarray:
    """Return nested lists of numbers as an array of their own dtype, or of strings if `tensor` is text.

    Raises `RequestError` (422) for anything else.
    """
    name = tensor.name
    if tensor.dtype == "object":
        return _texts_of(values, name)
    if isinstance(values, np.ndarray):
        return values
    if _has_text(values):
        raise RequestError(422, f"The values for {name!r} are not all numbers of at most 64 bits.")
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError):
        raise RequestError(
            422, f"The lists for {name!r} differ in length: they do not form a rectangular array."
        ) from None
    if array.dtype.kind not in "fiub":
        raise RequestError(422, f"The values for {name!r} are not all numbers of at most 64 bits.")
    return array


def _texts_of(values: Any, name: str) -> np.ndarray:
    try:
        array = np.array(values, object)
    except ValueError:
        array = np.array([None])
    if not all(isinstance(one, str) for one in array.flat):
        raise RequestError(422, f"The values for {name!r} are not strings in lists of the same length.")
    return array


def _has_text(values: Any) -> bool:
    """Return whether nested lists contain strings, which an array would all pad to the length of the longest."""
    level = values if isinstance(values, list) else [values]
    while level:
        kinds = set(map(type, level))
        if str in kinds:
            return True
        if list not in kinds:
            return False
        lists = level if len(kinds) == 1 else [value for value in level if isinstance(value, list)]
        level = lists[0] if len(lists) == 1 else list(itertools.chain.from_iterable(lists))
    return False


def fitted(array: np.ndarray, tensor: Tensor) -> np.ndarray:
    """Return `array` in the dtype and shape of `tensor`, rows first; `RequestError` (422) if it does not fit.

    As in Keras, a last axis of size 1 may be missing or extra.
    """
    shape, expected = array.shape, tensor.shape
    if shape and shape[1:] == expected and array.size:
        return _converted(array, tensor)
    if len(shape) == len(expected) and len(expected) > 0 and expected[-1] == 1:
        array = array[..., None]
    elif len(shape) == len(expected) + 2 and shape[-1] == 1:
        array = array[..., 0]
    if len(array.shape) != len(expected) + 1 or not all(
        want is None or want == have for have, want in zip(array.shape[1:], expected, strict=True)
    ):
        wanted = ["rows", *("any" if size is None else size for size in expected)]
        raise RequestError(
            422,
            f"The values for {tensor.name!r} have shape {list(shape)}; expected [{', '.join(map(str, wanted))}].",
        )
    if array.size == 0:
        raise RequestError(422, f"There are no values for {tensor.name!r}: its shape is {list(shape)}.")
    return _converted(array, tensor)


def _converted(array: np.ndarray, tensor: Tensor) -> np.ndarray:
    if tensor.dtype == "object":
        return array
    if tensor.dtype.startswith("float"):
        with np.errstate(over="ignore"):
            array = array.astype(tensor.dtype, copy=False)
        if not np.isfinite(array).all():
            raise RequestError(
                422, f"The values for {tensor.name!r} contain NaN, or numbers too large for {tensor.datatype}."
            )
        return array
    if tensor.dtype == "bool":
        if array.dtype.kind != "b" and not np.isin(array, (0, 1)).all():
            raise RequestError(422, f"The values for {tensor.name!r} are not all true or false.")
        return array.astype(bool)
    most = np.iinfo(tensor.dtype)
    whole = array.dtype.kind != "f" or (np.isfinite(array).all() and (array == np.trunc(array)).all())
    if not whole or array.min() < most.min or array.max() > most.max:
        raise RequestError(422, f"The values for {tensor.name!r} are not all integers that fit into {tensor.datatype}.")
    return array.astype(tensor.dtype, copy=False)


def check_rows(arrays: list[np.ndarray], most: int) -> None:
    """Raise `RequestError` if inputs differ in their number of rows, or there are more than `most`."""
    rows = len(arrays[0])
    if len(arrays) > 1 and any(len(array) != rows for array in arrays):
        found = sorted({len(array) for array in arrays})
        raise RequestError(422, f"The inputs differ in their number of rows: {found}.")
    if rows > most:
        raise RequestError(413, f"The request has {rows} rows; at most {most} are allowed. Send several requests.")


def size_of(shape: tuple[int, ...]) -> int:
    """Return how many values an array of a shape has."""
    return math.prod(shape)
