"""Calls of the names that programs ask of ``tf``: ``python name_cases.py FILE`` with TensorFlow 2.

`name_calls.txt` has the calls, one a line; `name_cases.json` is what TensorFlow 2.21 gave for each.
"""

import json
import sys
import wave
from io import BytesIO
from pathlib import Path

import numpy as np

CALLS = (Path(__file__).parent / "name_calls.txt").read_text(encoding="utf-8").splitlines()
#: Pictures of 4 by 5 pixels.
FILES = json.loads((Path(__file__).parent / "picture_files.json").read_text(encoding="utf-8"))


def recording():
    """Return the bytes of a WAV file of 20 samples."""
    data = BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((np.arange(20) * 1000).astype("<i2").tobytes())
    return data.getvalue()


def names(tf):
    """Return what the calls may use."""
    random = np.random.RandomState(0)

    def floats(*shape):
        return random.normal(size=shape).round(3).astype("float32")

    square = floats(3, 3)
    arrays = {"a": floats(2, 4), "b": floats(2, 4), "img": floats(1, 4, 4, 2), "ker": floats(3, 3, 2, 4)}
    arrays |= {"seq": floats(2, 5, 3), "vol": floats(1, 3, 3, 3, 1), "wave": floats(24), "sq": square}
    arrays |= {"spd": square @ square.T + np.eye(3, dtype="float32")}
    arrays |= {"rgb": random.random_sample((3, 4, 3)).round(3).astype("float32")}
    arrays |= {"big": random.random_sample((1, 16, 16, 3)).round(3).astype("float32")}
    files = {kind: bytes.fromhex(content) for kind, content in FILES.items()}
    return {"tf": tf, "np": np, "wav": recording(), **files, **{name: tf.constant(one) for name, one in arrays.items()}}


def plain(value):
    """Return a result as what JSON has: arrays as shape, dtype and numbers; 64 bits count as 32."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if type(value).__name__ == "TensorShape":
        return ["TensorShape", None if value.rank is None else value.as_list()]
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [*getattr(value, "_fields", ()), *map(plain, value)]
    if hasattr(value, "dense_shape"):
        return ["sparse", *map(plain, (value.indices, value.values, value.dense_shape))]
    if hasattr(value, "to_list"):
        return ["ragged", plain(value.to_list())]
    return numbers(np.asarray(value.numpy() if hasattr(value, "numpy") else value))


def numbers(array):
    if array.dtype.kind in "OSU":
        texts = [one.decode() if isinstance(one, bytes) else str(one) for one in array.ravel().tolist()]
        return {"shape": list(array.shape), "text": texts}
    dtype = array.dtype.name.replace("64", "32") if array.dtype.kind in "iuf" else array.dtype.name
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag], -1)
    values = [float(f"{one:.5g}") for one in array.ravel().astype("float64")]
    return {"shape": list(array.shape), "dtype": dtype, "values": values}


def results(tf):
    """Return the result of each call, or the error."""
    known, found = names(tf), {}
    for call in CALLS:
        try:
            found[call] = plain(eval(call, dict(known)))
        except Exception as error:
            found[call] = f"{type(error).__name__}: {error}"
    return found


if __name__ == "__main__":
    import tensorflow

    lines = [json.dumps(one, separators=(",", ":")) for one in results(tensorflow).items()]
    Path(sys.argv[1]).write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
