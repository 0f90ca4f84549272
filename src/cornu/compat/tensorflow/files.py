"""``tf.io.gfile`` and the parts of ``tf.io`` for tensors and lines of text; addresses such as ``gs://`` are refused."""

import base64
import contextlib
import csv
import glob as python_glob
import os
import shutil
from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.dtypes import array_type, as_dtype
from cornu.compat.tensorflow.errors import AlreadyExistsError, NotFoundError
from cornu.compat.tensorflow.image_files import file_bytes
from cornu.compat.tensorflow.strings import text_tensor
from cornu.core.records import field, whole
from cornu.core.text import holds_text, text_array
from cornu.core.variable import plain
from cornu.data.dataset import EagerArray
from cornu.saving.protobuf import Message, Record


def path_of(given: Any) -> str:
    """Return a path as a text. ValueError for an address of a remote store."""
    path = os.fspath(given) if hasattr(given, "__fspath__") else str(text_array(given)[()])
    if "://" in path and not path.startswith("file://"):
        raise ValueError(f"{path!r} is an address of a remote store, which Cornu does not read.\nCopy it to a file.")
    return path.removeprefix("file://")


@contextlib.contextmanager
def _with_errors() -> Iterator[None]:
    """Raise TensorFlow's errors about files, which are also Python's."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(message=str(error)) from None
    except FileExistsError as error:
        raise AlreadyExistsError(message=str(error)) from None


class GFile:
    """A file. Stand-in for ``tf.io.gfile.GFile``: a file of Python's, with `size` and `n` of bytes to read."""

    def __init__(self, name: Any, mode: str = "r") -> None:
        self.name, self.mode = path_of(name), mode
        with _with_errors():
            self._file = open(self.name, mode, encoding=None if "b" in mode else "utf-8")  # noqa: SIM115

    def size(self) -> int:
        """Return the size of the file."""
        self._file.flush() if self._file.writable() else None
        return os.path.getsize(self.name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "GFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator:
        return iter(self._file)


FastGFile = Open = GFile


def exists(path: Any) -> bool:
    """Return whether a file or folder is there."""
    return os.path.exists(path_of(path))


def isdir(path: Any) -> bool:
    """Return whether a folder is there."""
    return os.path.isdir(path_of(path))


def glob(pattern: Any) -> list[str]:
    """Return the paths that fit a pattern, or one of several."""
    several = pattern if isinstance(pattern, (list, tuple)) else [pattern]
    return [found for one in several for found in sorted(python_glob.glob(path_of(one)))]


def listdir(path: Any) -> list[str]:
    """Return the names in a folder."""
    with _with_errors():
        return os.listdir(path_of(path))


def makedirs(path: Any) -> None:
    """Make a folder and those above it."""
    os.makedirs(path_of(path), exist_ok=True)


def mkdir(path: Any) -> None:
    """Make a folder."""
    with _with_errors():
        os.mkdir(path_of(path))


def remove(path: Any) -> None:
    """Delete a file."""
    with _with_errors():
        os.remove(path_of(path))


def rmtree(path: Any) -> None:
    """Delete a folder with all that is in it."""
    with _with_errors():
        shutil.rmtree(path_of(path))


def _onto(src: Any, dst: Any, overwrite: bool) -> tuple[str, str]:
    if not overwrite and exists(dst):
        raise AlreadyExistsError(message=f"{path_of(dst)} is there already: pass overwrite=True.")
    return path_of(src), path_of(dst)


def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Copy a file. AlreadyExistsError if the other is there, without `overwrite`."""
    with _with_errors():
        shutil.copyfile(*_onto(src, dst, overwrite))


def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Rename a file or folder. AlreadyExistsError if the other is there, without `overwrite`."""
    with _with_errors():
        os.replace(*_onto(src, dst, overwrite))


def join(path: Any, *paths: Any) -> str:
    """Return parts of a path joined."""
    return os.path.join(path_of(path), *map(path_of, paths))


def stat(path: Any) -> os.stat_result:
    """Return what the system knows of a file; with ``length``, its size, as `st_size`."""
    with _with_errors():
        return os.stat(path_of(path))


def walk(top: Any, topdown: bool = True, onerror: Any = None) -> Iterator:
    """Return an iterator over a folder and those below it."""
    return os.walk(path_of(top), topdown, onerror)


MkDir, MakeDirs, Exists, IsDirectory, ListDirectory = mkdir, makedirs, exists, isdir, listdir
Glob, Remove, DeleteRecursively, Copy, Rename = glob, remove, rmtree, copy, rename


def matching_files(pattern: Any, name: Any = None) -> Any:
    """Return the paths that fit a pattern, as a tensor."""
    patterns = text_array(pattern).ravel().tolist()
    return text_tensor(np.array(glob(patterns), object))


# ---- tensors and lines


#: Dtype -> its number in messages (``types.proto``).
_NUMBERS = {
    "float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int16": 5, "int8": 6, "string": 7, "complex64": 8, "int64": 9,
    "bool": 10, "bfloat16": 14, "uint16": 17, "float16": 19, "uint32": 22, "uint64": 23,
}  # fmt: skip


def serialize_tensor(tensor: Any, name: Any = None) -> Any:
    """Return a tensor as bytes, in TensorFlow's form (``tensor.proto``)."""
    return np.array(tensor_message(tensor), object).view(EagerArray)


def tensor_message(tensor: Any) -> bytes:
    """Return the message that holds a tensor: its dtype, its shape, its values."""
    array = text_array(tensor) if holds_text(tensor) else on_host(tensor)
    kind = "string" if array.dtype == object else array.dtype.name
    shape = b"".join(field(2, whole(1, size)) for size in array.shape)
    if kind == "string":
        content = b"".join(field(8, as_bytes(text)) for text in array.ravel())
    else:
        content = field(4, array.tobytes())
    return whole(1, _NUMBERS[kind]) + field(2, shape) + content


def parse_tensor(serialized: Any, out_type: Any, name: Any = None) -> Any:
    """Return the tensor that `serialize_tensor` wrote. ValueError if it is none, or of another dtype."""
    message = Record(Message(file_bytes(serialized), "The tensor"))
    kind = next((name for name, number in _NUMBERS.items() if number == message.number(1)), "unknown")
    if array_type_or_text(kind) != array_type_or_text(out_type):
        raise ValueError(f"parse_tensor: the tensor has the dtype {kind}, not {out_type}.")
    form = message.one(2)
    shape = [Record(one).number(1) for one in Record(form).each(2)] if form is not None else []
    if kind == "string":
        return text_tensor(np.array([one.content() for one in message.each(8)], object).reshape(shape))
    content = message.one(4)
    array = np.frombuffer(b"" if content is None else content.content(), jnp.dtype(kind))
    return jnp.asarray(array.reshape(shape).astype(array_type(kind)))


def array_type_or_text(dtype: Any) -> str:
    """Return the name of the dtype that an array gets, or ``"string"``."""
    return "string" if as_dtype(dtype) == "string" else array_type(dtype)


def decode_csv(
    records: Any, record_defaults: Any, field_delim: str = ",", use_quote_delim: bool = True, na_value: str = "",
    select_cols: Any = None, name: Any = None,
) -> list[Any]:  # fmt: skip
    """Return the columns of lines, each with the dtype of its default, which stands for an empty field.

    ValueError for an empty field whose default is an empty list, or another number of fields.
    """
    texts = text_array(records)
    quoting: Any = csv.QUOTE_MINIMAL if use_quote_delim else csv.QUOTE_NONE
    rows = list(csv.reader(texts.ravel().tolist(), delimiter=field_delim, quoting=quoting))
    rows = [[row[at] for at in select_cols] for row in rows] if select_cols is not None else rows
    for number, row in enumerate(rows):
        if len(row) != len(record_defaults):
            raise ValueError(f"Expect {len(record_defaults)} fields but have {len(row)} in record {number}.")
    columns = zip(*rows, strict=True)
    return [
        _column(values, default, na_value, texts.shape)
        for values, default in zip(columns, record_defaults, strict=True)
    ]


def _column(values: Any, default: Any, empty: str, shape: tuple) -> Any:
    kind = _kind_of(default)
    flat = (
        []
        if hasattr(default, "is_floating")
        else np.ravel(np.asarray(plain(default), object if kind == "string" else None)).tolist()
    )
    if not flat and any(one in ("", empty) for one in values):
        raise ValueError("A field is empty, and its default is too: pass a value in record_defaults.")
    filled = [flat[0] if one in ("", empty) else one for one in values]
    if kind == "string":
        return text_tensor(np.array(filled, object).reshape(shape))
    return jnp.asarray(np.array([float(one) for one in filled]).astype(array_type(kind)).reshape(shape))


def _kind_of(default: Any) -> str:
    if hasattr(default, "is_floating"):
        return str(default)
    array = on_host(default)
    return "string" if array.dtype.kind in "OUS" else str(as_dtype(array.dtype)).replace("64", "32")


def encode_base64(input: Any, pad: bool = False, name: Any = None) -> Any:
    """Return texts in base 64, with the letters for addresses."""

    def encoded(text: Any) -> str:
        found = base64.urlsafe_b64encode(as_bytes(text)).decode()
        return found if pad else found.rstrip("=")

    return text_tensor(np.vectorize(encoded, otypes=[object])(np.asarray(input, object)))


def decode_base64(input: Any, name: Any = None) -> Any:
    """Return the texts, or bytes, that are in base 64."""

    def decoded(text: str) -> Any:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    return np.asarray(np.vectorize(decoded, otypes=[object])(text_array(input)), object).view(EagerArray)


def as_str(bytes_or_text: Any, encoding: str = "utf-8") -> str:
    """Return a text, decoded if it is bytes."""
    return bytes_or_text.decode(encoding) if isinstance(bytes_or_text, bytes) else bytes_or_text


def as_bytes(bytes_or_text: Any, encoding: str = "utf-8") -> bytes:
    """Return bytes, encoded if it is a text."""
    return bytes_or_text.encode(encoding) if isinstance(bytes_or_text, str) else bytes(bytes_or_text)


def as_str_any(value: Any, encoding: str = "utf-8") -> str:
    """Return anything as a text."""
    return as_str(value, encoding) if isinstance(value, bytes) else str(value)


as_text = as_str
