"""Conversion of user data to arrays: numpy, jax, torch, pandas, lists, dictionaries."""

import ctypes
import datetime
from collections.abc import Callable, Iterable
from typing import Any

import jax
import numpy as np

from cornu.core import settings
from cornu.core.errors import listed
from cornu.core.text import as_text

LEAST_IN_PLACE = 1 << 20  # bytes: smaller arrays are copied in less time than it takes to see whose memory they are
# Kinds of numpy dtypes that are not numbers, by their names in messages.
_NO_NUMBERS = {"U": "text", "S": "bytes", "M": "dates", "m": "durations", "V": "structured records"}


_TEXT_ADVICE = (
    ",\nor begin the model with keras.Input(shape=(1,), dtype='string') and a layer for strings: TextVectorization, "
    "StringLookup or Hashing."
)
_LABEL_ADVICE = ",\nfor example: names, labels = numpy.unique(y, return_inverse=True)."
_DATE_ADVICE = ",\nfor example the year, the day of the year and the hour; of a column: frame['date'].dt.dayofyear."


def owned(array: Any, shared: Iterable[Any] = ()) -> np.ndarray:
    """Return an array that a program has made as numpy's, for its owner to write to.

    A large one is not copied, unless its memory may be that of one of the arrays in `shared`.

    >>> owned(jax.numpy.ones(2)).flags.writeable
    True
    """
    host = np.asarray(array)
    if host.nbytes < LEAST_IN_PLACE or not host.flags.c_contiguous:
        return np.array(host)
    if any(_may_share(host, other) for other in shared):
        return np.array(host)
    if host.flags.owndata:  # copied from the device
        host.flags.writeable = True
        return host
    memory = (ctypes.c_byte * host.nbytes).from_address(host.ctypes.data)
    memory.owner = host  # type: ignore[attr-defined]  # the memory lives as long as the array that is returned
    return np.frombuffer(memory, np.uint8).view(host.dtype).reshape(host.shape)


def _may_share(host: np.ndarray, other: Any) -> bool:
    if isinstance(other, jax.Array):  # a program returns a whole array that it got, or a new one
        if other.nbytes != host.nbytes:
            return False
        if other.is_deleted():  # another thread trains
            return True
    return np.may_share_memory(host, np.asarray(other))


def is_array(thing: Any) -> bool:
    """Return whether `thing` is an array of any library (numpy, jax, torch, pandas, h5py), not a plain list."""
    return isinstance(thing, (np.ndarray, jax.Array, np.generic)) or (
        (hasattr(thing, "shape") and hasattr(thing, "dtype"))
        or is_column(thing)
        or hasattr(thing, "to_numpy")
        or hasattr(thing, "__array__")
    )


def is_column(thing: Any) -> bool:
    """Return whether `thing` is a column of a data set of Hugging Face: it is read when it is sliced."""
    return hasattr(thing, "column_name") and hasattr(thing, "source") and hasattr(thing, "__getitem__")


def to_array(thing: Any, what: str, text: bool = False) -> Any:
    """Return `thing` as a numeric numpy or jax array, float64 cast to ``floatx()``.

    Args:
        thing: an array of any library, or nested lists.
        what: name of the argument, for messages.
        text: whether it may be strings, too.

    Raises:
        TypeError: if it does not hold numbers, or is a sparse matrix or a function.
        ValueError: if it is a list of rows of different lengths.
    """
    if isinstance(thing, jax.Array):
        return thing
    if is_column(thing):
        thing = thing[:]
    if hasattr(thing, "toarray") and not hasattr(thing, "__array__"):  # scipy
        raise TypeError(f"{what} is a sparse matrix; a model needs dense arrays. Pass {what}.toarray().")
    if hasattr(thing, "row_splits"):
        thing = thing.numpy()
        if thing.dtype == object and isinstance(thing.flat[0] if thing.size else None, np.ndarray):
            raise ValueError(f"{what} has rows of different lengths (a ragged tensor): pass {what}.to_tensor().")
    if callable(thing) and not is_array(thing):
        raise TypeError(f"{what} is a {type(thing).__name__}, not data: call it, and pass what it returns.")
    if hasattr(thing, "detach"):  # torch: may require gradients or be on another device
        thing = thing.detach().cpu()
        thing = (thing.float() if str(thing.dtype) == "torch.bfloat16" else thing).numpy()  # numpy lacks that dtype
    elif hasattr(thing, "to_numpy"):  # pandas
        if not text:
            _check_columns(thing, what)
        thing = thing.to_numpy()
    try:
        array = thing if isinstance(thing, np.ndarray) else np.asarray(thing)
        if text and array.dtype.kind == "U" and isinstance(thing, (list, tuple)):
            array = np.array(thing, object)  # what is missing is not the text "nan"
    except ValueError as error:
        raise ValueError(
            f"{what} is a list whose rows differ in length: pad them, or pass one array. ({error})"
        ) from None
    if text and _holds_text(plain := np.asarray(array)):  # not as an array whose items are tensors
        _check_no_text_is_missing(plain, what)
        return as_text(plain)
    if array.dtype == object:
        array = _from_objects(array, what)
    if array.dtype.kind in _NO_NUMBERS:
        raise _no_numbers(what, array.dtype.kind)
    if array.dtype == np.float64 and settings.floatx() != "float64" and not isinstance(array, np.memmap):
        array = array.astype(settings.floatx())
    return array


def _no_numbers(what: str, kind: str, example: Any = None) -> TypeError:
    """Return the error for data of a numpy `kind` that a model cannot compute with."""
    shown = "" if example is None else f" (one value is {str(example)[:40]!r})"
    targets = what.partition("[")[0] == "y"
    advice = _LABEL_ADVICE if targets else _TEXT_ADVICE
    return TypeError(
        f"{what} contains {_NO_NUMBERS[kind]}{shown}; a model needs numbers. Encode them as numbers first"
        + (advice if kind in "US" else _DATE_ADVICE if kind == "M" else ".")
    )


def _check_columns(frame: Any, what: str) -> None:
    """Raise TypeError if a column of a data frame holds text, with the names of such columns."""
    types: Any = getattr(frame, "dtypes", None)
    if not hasattr(types, "items") or getattr(frame, "ndim", 0) != 2:
        return
    text = [name for name, kind in types.items() if not _holds_numbers(frame[name], kind)]
    if text:
        names = ", ".join(repr(name) for name in text[:5]) + (", ..." if len(text) > 5 else "")
        example = next((value for value in frame[text[0]] if isinstance(value, str)), "")
        raise TypeError(
            f"{what} has text in {len(text)} of its columns: {names} (one value is {example[:40]!r}); a model needs "
            f"numbers.\nEncode them, for example with pandas.get_dummies, or drop them: {what}.drop(columns=[...])."
        )


def _holds_text(array: np.ndarray) -> bool:
    return array.dtype.kind in "UST" or (
        array.dtype == object and any(isinstance(one, (str, bytes)) for one in array.ravel()[:1000])
    )


def _check_no_text_is_missing(array: np.ndarray, what: str) -> None:
    """Raise TypeError if there are None or NaN among texts, with their row."""
    if array.dtype != object or set(map(type, array.flat)) <= {str, bytes, np.str_, np.bytes_}:
        return
    for place, value in np.ndenumerate(array):
        if (
            value is None
            or type(value).__name__ in ("NAType", "NaTType")
            or (isinstance(value, float) and value != value)
        ):
            raise TypeError(
                f"{what} has {value!r} in row {place[0] if place else 0}, where there should be a string.\n"
                "Replace missing values by a string of their own, such as '', or drop those rows."
            )


def _holds_numbers(column: Any, kind: Any) -> bool:
    if getattr(kind, "kind", "O") not in "OUT" and str(kind) not in ("string", "str", "category"):
        return True
    return not any(isinstance(value, str) and not _is_number(value) for value in column[:1000])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _from_objects(array: np.ndarray, what: str) -> np.ndarray:
    if array.ndim == 1 and len({np.shape(item) for item in array if is_array(item)} - {()}) == 1:
        array = np.asarray(array.tolist(), object)  # a column whose cells are arrays of one shape
    try:
        return array.astype(settings.floatx())
    except (TypeError, ValueError):
        example = next(
            (item for item in array.ravel()[:1000] if not isinstance(item, (int, float, np.number))), array.flat[0]
        )
        if isinstance(example, (str, bytes)):
            raise _no_numbers(what, "U" if isinstance(example, str) else "S", example) from None
        if isinstance(example, (datetime.date, np.datetime64)):
            raise _no_numbers(what, "M", example) from None
        raise TypeError(
            f"{what} is an array of Python objects (one is {str(example)[:40]!r}, {type(example).__name__}); "
            "a model needs numbers.\nConvert it first, as with .astype('float32'), or pad rows of different length."
        ) from None


def as_arrays(given: Any, what: str, inputs: int | None = None, text: bool = False) -> Any:
    """Return a structure (an array, a list, a tuple or a dictionary) with every array converted.

    Args:
        given: the data.
        what: name of the argument, for messages.
        inputs: number of the model's inputs, if known: it decides whether a list of lists is one array or several.
        text: whether arrays may hold strings.
    """
    if given is None:
        return None
    if isinstance(given, dict):
        return {key: as_arrays(value, f"{what}[{key!r}]", text=text) for key, value in given.items()}
    if isinstance(given, (list, tuple)) and not _is_one_array(given, inputs):
        if inputs == 1 and len(given) == 1:
            return as_arrays(given[0], what, text=text)
        converted = [as_arrays(item, f"{what}[{position}]", text=text) for position, item in enumerate(given)]
        return tuple(converted) if isinstance(given, tuple) else converted
    return to_array(given, what, text)


def columns_by_name(x: Any, names: Iterable[str]) -> Any:
    """Return a data frame as a dictionary of the columns with these names; anything else unchanged.

    Raises ValueError if a column is missing.
    """
    columns = getattr(x, "columns", None)
    if columns is None or not hasattr(x, "to_numpy"):
        return x
    known = list(columns)
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(f"The model has the inputs {list(names)}; the data frame has no column {missing[0]!r}.")
    return {name: x[name] for name in names}


def column_names(x: Any) -> list[str] | None:
    """Return the names of a data frame's columns; None for anything else, or columns without names."""
    names = list(x.columns) if hasattr(x, "columns") and hasattr(x, "to_numpy") else []
    return names if names and all(isinstance(name, str) for name in names) else None


def check_columns(x: Any, known: list[str]) -> None:
    """Raise ValueError if `x` is a data frame whose columns are those a model has learned from in another order.

    So it does if columns are missing, or more than these. As many columns with other names are taken as they are.
    """
    names = column_names(x)
    if names is None or names == known:
        return
    missing = next((name for name in known if name not in names), None)
    if len(names) != len(known):
        problem = f"this one has {len(names)}" if missing is None else f"this one has no column {missing!r}"
    elif missing is None:
        place = next(place for place, name in enumerate(names) if name != known[place])
        problem = f"in this one, they are in another order: column {place} is {names[place]!r}, not {known[place]!r}"
    else:
        return
    raise ValueError(
        f"The model has learned from a data frame with {len(known)} columns ({listed(known)}); {problem}.\n"
        "Pass the same columns in the same order: frame[training_frame.columns]."
    )


Converter = Callable[[Any], Any]


def as_inputs(x: Any) -> Any:
    """Return the inputs of a model of which nothing is known as arrays."""
    return as_arrays(x, "x")


def _is_one_array(given: Any, inputs: int | None) -> bool:
    """Return whether a list is the rows of one array rather than a list of arrays."""
    if not given:
        return True
    if any(is_array(item) and np.ndim(item) > 0 for item in given):
        return False
    several = inputs is not None and inputs > 1 and len(given) == inputs
    return not (several and isinstance(given[0], (list, tuple)))


def rows_in(*structures: Any) -> int:
    """Return the number of rows, which all arrays share; ValueError if they differ or there are none."""
    counts: dict[str, int] = {}
    for name, structure in zip(("x", "y", "sample_weight"), structures, strict=False):
        for path, array in jax.tree_util.tree_flatten_with_path(structure)[0]:
            if np.ndim(array) == 0:
                raise ValueError(f"{name} is a single number; a model needs arrays whose first axis counts the rows.")
            counts[name + jax.tree_util.keystr(path)] = array.shape[0]
    if len(set(counts.values())) > 1:
        shown = ", ".join(f"{name} has {count}" for name, count in list(counts.items())[:8])
        shown += ", ..." if len(counts) > 8 else ""
        raise ValueError(f"All arrays need the same number of rows: {shown}.\nCut or repeat them to the same length.")
    if not counts:
        raise ValueError("There is no data: x is None or empty.")
    rows = next(iter(counts.values()))
    if rows == 0:
        raise ValueError("There is no data: the arrays have 0 rows.")
    return rows


def map_arrays(function: Callable, structure: Any) -> Any:
    """Apply `function` to every array of a structure; None stays None."""
    return jax.tree.map(function, structure)
