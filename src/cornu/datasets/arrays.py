"""Reading arrays from downloaded files without running any code in them.

IMDB, Reuters and CIFAR are distributed as pickles, which can call any function. Here a pickle can only rebuild numpy
arrays.
"""

import math
import pickle
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

_rebuild = np.empty(0).__reduce__()[0]

MOST_UNPACKED, SMALL = 200, 1 << 24  # arrays of word numbers shrink by ten

#: What zipfile, numpy and pickle raise for a damaged file.
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, RuntimeError, SyntaxError, LookupError),
    *(TypeError, AttributeError, ArithmeticError, MemoryError, tokenize.TokenError),
)
ALLOWED = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _rebuild,
    ("numpy._core.multiarray", "_reconstruct"): _rebuild,
}


class ArrayUnpickler(pickle.Unpickler):
    """Unpickles plain Python values and numpy arrays; rejects every other class or function by its name."""

    def find_class(self, module: str, name: str) -> Any:
        """Return one of the allowed names; UnpicklingError for any other."""
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(
                f"The file asks for {module}.{name}, which a data set does not need: refused. "
                "Delete the file; it will be downloaded again."
            )
        return ALLOWED[module, name]


def load_npz(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an ``.npz`` file, including arrays of Python lists; ValueError if it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy"): _member(archive, name) for name in archive.namelist()}
    except DAMAGE as error:
        raise ValueError(f"{path.name!r} is damaged: {type(error).__name__}: {str(error)[:200]!r}.") from None


def _member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    room = archive.getinfo(name).file_size
    if room > MOST_UNPACKED * archive.getinfo(name).compress_size + SMALL:
        raise ValueError(f"{name!r} unpacks to {room:,} bytes, from far fewer: refused.")
    with archive.open(name) as stream:
        shape, dtype = _header(stream)
        if not dtype.hasobject:
            if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize > room:
                raise ValueError(f"{name!r} claims shape {shape}, but has {room:,} bytes: refused.")
            stream.seek(0)
            try:
                return npy.read_array(stream, allow_pickle=False)
            except ValueError as error:
                raise ValueError(f"{name!r} is damaged: {error}") from None
        array = ArrayUnpickler(stream).load()
    if not isinstance(array, np.ndarray):
        raise pickle.UnpicklingError(f"{name} holds {type(array).__name__} instead of an array.")
    return array


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Read the shape and dtype at the start of a ``.npy`` stream, and leave the stream at the data."""
    major, _ = npy.read_magic(stream)
    read_header = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
    shape, _, dtype = read_header(stream)
    return shape, dtype
