"""The Open Inference Protocol, version 2, over HTTP, as KServe and Triton implement it.

Follows https://github.com/kserve/open-inference-protocol and its extension for binary tensor data.
"""

from typing import Any, NamedTuple

import numpy as np
import orjson

from cornu.serve.limits import Limits, RequestError
from cornu.serve.reading import DuplicateKeyError, loads
from cornu.serve.served_model import ServedModel
from cornu.serve.tensors import DATATYPES, Tensor, array_of, check_rows, fitted, size_of

#: The header that says how many bytes of a body are JSON; raw numbers follow.
HEADER_LENGTH = "Inference-Header-Content-Length"
_LARGEST_AXIS = 1 << 40
_MOST_AXES = 32


class Question(NamedTuple):
    """A parsed request: the model's inputs in order, and the requested outputs (each: as binary data?)."""

    arrays: list[np.ndarray]
    outputs: dict[str, bool]
    id: str | None


def parse_json(body: bytes | memoryview, floats: bool) -> dict[str, Any]:
    """Return the JSON object in a body, long lists of numbers as arrays (`floats`); `RequestError` (400) otherwise."""
    try:
        found = loads(body, floats)
    except orjson.JSONDecodeError as error:
        raise RequestError(400, f"The body is not valid JSON: {str(error)[:200]}.") from None
    except DuplicateKeyError:
        raise RequestError(400, "An object in the body has the same key twice; send each key once.") from None
    if not isinstance(found, dict):
        raise RequestError(400, f"The body must be a JSON object; got {_kind(found)}.")
    return found


def parse(body: bytes, header_length: str | None, served: ServedModel, limits: Limits) -> Question:
    """Return an inference request, parsed; `RequestError` (400, 413, 422) if it does not fit the model."""
    split = _header_length(header_length, len(body))
    document, rest = parse_json(memoryview(body)[:split], served.takes_floats), memoryview(body)[split:]
    given = _by_name(_list_of_objects(document, "inputs"), "inputs", [tensor.name for tensor in served.inputs])
    missing = [tensor.name for tensor in served.inputs if tensor.name not in given]
    if missing:
        raise RequestError(422, f"The input {missing[0]!r} is missing; the model's inputs are {_names(served.inputs)}.")
    raw, rest = _binary_parts(given, rest)
    if len(rest):
        raise RequestError(400, f"{len(rest)} bytes of binary data belong to no input.")
    arrays = [_input(given[tensor.name], tensor, raw.get(tensor.name)) for tensor in served.inputs]
    check_rows(arrays, limits.rows)
    identifier = document.get("id")
    if identifier is not None and not isinstance(identifier, str):
        raise RequestError(422, f"The id of a request must be a string; got {_kind(identifier)}.")
    return Question(arrays, _wanted(document, served), identifier)


def answer(question: Question, outputs: list[np.ndarray], served: ServedModel) -> tuple[bytes, int | None]:
    """Return the body of the answer, and how many of its bytes are JSON if binary data follows."""
    document: dict[str, Any] = {"model_name": served.name, "model_version": "1"}
    if question.id is not None:
        document["id"] = question.id
    document["outputs"], parts = [], []
    by_name = {tensor.name: (tensor, output) for tensor, output in zip(served.outputs, outputs, strict=True)}
    for name, as_binary in question.outputs.items():
        tensor, output = by_name[name]
        described: dict[str, Any] = {"name": name, "shape": list(output.shape), "datatype": tensor.datatype}
        if as_binary:
            parts.append(np.ascontiguousarray(output).tobytes())
            described["parameters"] = {"binary_data_size": len(parts[-1])}
        else:
            described["data"] = json_values(output, name).ravel()
        document["outputs"].append(described)
    head = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    return (b"".join([head, *parts]), len(head)) if parts else (head, None)


def json_values(output: np.ndarray, name: str) -> np.ndarray:
    """Return an output for JSON; `RequestError` (422) for NaN and infinity, which JSON lacks."""
    if output.dtype.kind == "f" and not np.isfinite(output).all():
        raise RequestError(422, f"The output {name!r} for these inputs is not finite, which JSON cannot represent.")
    return np.ascontiguousarray(output if output.dtype != np.float16 else output.astype("float32"))


def description(served: ServedModel) -> dict[str, Any]:
    """Return the metadata of a model."""
    return {
        "name": served.name,
        "versions": ["1"],
        "platform": "cornu_keras",
        "inputs": [_described(tensor) for tensor in served.inputs],
        "outputs": [_described(tensor) for tensor in served.outputs],
    }


def configuration(served: ServedModel, rows: int) -> dict[str, Any]:
    """Return a model's configuration for Triton's clients, for requests of at most `rows`."""

    def described(tensor: Tensor) -> dict[str, Any]:
        dims = [-1 if size is None else size for size in tensor.shape]
        return {"name": tensor.name, "data_type": f"TYPE_{tensor.datatype}", "dims": dims}

    return {
        "name": served.name,
        "platform": "",
        "backend": "cornu",
        "max_batch_size": rows,
        "input": [described(tensor) for tensor in served.inputs],
        "output": [described(tensor) for tensor in served.outputs],
    }


def _described(tensor: Tensor) -> dict[str, Any]:
    shape = [-1, *(-1 if size is None else size for size in tensor.shape)]
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": shape}


def _header_length(text: str | None, size: int) -> int:
    if text is None:
        return size
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= size):
        raise RequestError(
            400, f"{HEADER_LENGTH} must be an integer from 0 to {size}, the body's size; got {text[:40]!r}."
        )
    return int(text)


def _list_of_objects(document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = document.get(key)
    if not (isinstance(found, list) and found and all(isinstance(one, dict) for one in found)):
        raise RequestError(422, f"The request needs {key!r}, a list of objects, each with a name.")
    return found


def _by_name(given: list[dict[str, Any]], what: str, known: list[str]) -> dict[str, dict[str, Any]]:
    """Return inputs or outputs by name. If the model has one input, its name may be anything, or missing."""
    if what == "inputs" and len(given) == len(known) == 1:
        return {known[0]: given[0]}
    names = [one.get("name") for one in given]
    unknown = [name for name in names if not isinstance(name, str) or name not in known]
    if unknown:
        raise RequestError(
            422, f"The {what} include {str(unknown[0])[:80]!r}; the model's are {', '.join(map(repr, known))}."
        )
    if len({*names}) < len(names):
        raise RequestError(422, f"The {what} contain the same name twice.")
    return dict(zip(names, given, strict=True))  # type: ignore[arg-type]


def _parameters(one: dict[str, Any]) -> dict[str, Any]:
    found = one.get("parameters")
    if found is not None and not isinstance(found, dict):
        raise RequestError(422, f"'parameters' must be an object; got {_kind(found)}.")
    return found or {}


def _binary_parts(given: dict[str, dict[str, Any]], rest: memoryview) -> tuple[dict[str, memoryview], memoryview]:
    """Split the binary data after the JSON into one part for each input, in their order."""
    raw: dict[str, memoryview] = {}
    for name, one in given.items():
        size = _parameters(one).get("binary_data_size")
        if size is None:
            continue
        if not _is_size(size) or size > len(rest):
            raise RequestError(400, f"An input has binary_data_size {str(size)[:40]}, but {len(rest)} bytes are left.")
        raw[name], rest = rest[:size], rest[size:]
    return raw, rest


def _input(given: dict[str, Any], tensor: Tensor, raw: memoryview | None) -> np.ndarray:
    """Return one input's array, from JSON (flat or nested) or binary data."""
    datatype, shape = given.get("datatype", tensor.datatype), given.get("shape")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise RequestError(
            422, f"The datatype of {tensor.name!r} is {str(datatype)[:40]!r}; expected {tensor.datatype}."
        )
    if not (isinstance(shape, list) and shape and all(map(_is_size, shape))):
        raise RequestError(422, f"The shape of {tensor.name!r} must be a list of integers, rows first.")
    if len(shape) > _MOST_AXES:
        raise RequestError(
            422, f"The shape of {tensor.name!r} has {len(shape)} axes; at most {_MOST_AXES} are allowed."
        )
    if (datatype == "BYTES") != (tensor.dtype == "object"):
        raise RequestError(422, f"The datatype of {tensor.name!r} is {datatype}; expected {tensor.datatype}.")
    if raw is not None and datatype == "BYTES":
        return fitted(_reshaped(_texts(raw, size_of(tuple(shape)), tensor), shape, tensor), tensor)
    if raw is not None:
        dtype = np.dtype(DATATYPES[datatype]).newbyteorder("<")
        if len(raw) != size_of(tuple(shape)) * dtype.itemsize:
            raise RequestError(
                422, f"{len(raw)} bytes for {tensor.name!r} do not match its shape {shape[:9]} of {datatype}."
            )
        return fitted(_reshaped(np.frombuffer(raw, dtype), shape, tensor), tensor)
    if "data" not in given:
        raise RequestError(422, f"The input {tensor.name!r} has no data.")
    array = array_of(given["data"], tensor)
    if array.size != size_of(tuple(shape)) or array.ndim == 0:
        raise RequestError(422, f"The data for {tensor.name!r} has {array.size} values; its shape is {shape[:9]}.")
    return fitted(_reshaped(array, shape, tensor), tensor)


def _texts(raw: memoryview, count: int, tensor: Tensor) -> np.ndarray:
    """Return strings that are sent as binary data: each is its length, 4 bytes, and then its bytes in UTF-8."""
    found: list[str] = []
    while len(raw) >= 4 and len(found) < count:
        size = int.from_bytes(raw[:4], "little")
        found.append(bytes(raw[4 : 4 + size]).decode("utf-8", "replace"))
        raw = raw[4 + size :] if size <= len(raw) - 4 else raw[:1]
    if len(raw) or len(found) != count:
        raise RequestError(
            422,
            f"The binary data for {tensor.name!r} are not {count} strings, each with its length in 4 bytes before it.",
        )
    return np.array(found, object)


def _reshaped(array: np.ndarray, shape: list[int], tensor: Tensor) -> np.ndarray:
    try:
        return array.reshape(shape)
    except ValueError:  # an axis of 0, and others whose product is too large
        raise RequestError(422, f"The shape of {tensor.name!r} is too large: {shape[:9]}.") from None


def _wanted(document: dict[str, Any], served: ServedModel) -> dict[str, bool]:
    """Return the names of the requested outputs, each with whether it is sent as binary data."""
    binary = _parameters(document).get("binary_data_output") is True
    names, asked = [tensor.name for tensor in served.outputs], document.get("outputs")
    if asked is None or (isinstance(asked, list) and not asked):
        return dict.fromkeys(names, binary)
    given = _by_name(_list_of_objects(document, "outputs"), "outputs", names)
    for one in given.values():
        unknown = _parameters(one).keys() & {"classification", "shared_memory_region"}
        if unknown:
            raise RequestError(422, f"Unsupported output parameter: {', '.join(sorted(unknown))}.")
    return {name: _parameters(one).get("binary_data", binary) is True for name, one in given.items()}


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST_AXIS


def _names(tensors: list[Tensor]) -> str:
    return ", ".join(repr(tensor.name) for tensor in tensors)


def _kind(value: Any) -> str:
    kinds = {type(None): "null", bool: "a boolean", str: "a string", list: "a list", np.ndarray: "a list"}
    return kinds.get(type(value), "an object" if isinstance(value, dict) else "a number")
