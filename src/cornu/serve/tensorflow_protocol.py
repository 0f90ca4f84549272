"""The REST API of TensorFlow Serving: ``instances`` (a list of rows) or ``inputs`` (a list for each input).

Follows https://www.tensorflow.org/tfx/serving/api_rest
"""

from typing import Any, NamedTuple

import numpy as np
import orjson

from cornu.serve.inference_protocol import json_values, parse_json
from cornu.serve.limits import Limits, RequestError
from cornu.serve.served_model import ServedModel
from cornu.serve.tensors import array_of, check_rows, fitted


class Question(NamedTuple):
    """A parsed request: the model's inputs in order, and whether they came row by row."""

    arrays: list[np.ndarray]
    by_row: bool


def parse(body: bytes, _: str | None, served: ServedModel, limits: Limits) -> Question:
    """Return a request, parsed; `RequestError` (400, 413, 422) if it does not fit the model."""
    document = parse_json(body, served.takes_floats)
    if ("instances" in document) == ("inputs" in document):
        raise RequestError(
            422, "The request needs either 'instances', a list of rows, or 'inputs', the values of each input."
        )
    by_row = "instances" in document
    columns = _columns(document["instances"], served) if by_row else _named(document["inputs"], served)
    names = [tensor.name for tensor in served.inputs]
    unknown = [name for name in columns if name not in names]
    missing = [name for name in names if name not in columns]
    if unknown or missing:
        said = f"lacks {missing[0]!r}" if missing else f"names {str(unknown[0])[:80]!r}"
        raise RequestError(422, f"The request {said}; the model's inputs are {', '.join(map(repr, names))}.")
    arrays = [fitted(array_of(columns[tensor.name], tensor), tensor) for tensor in served.inputs]
    check_rows(arrays, limits.rows)
    return Question(arrays, by_row)


def answer(question: Question, outputs: list[np.ndarray], served: ServedModel) -> tuple[bytes, None]:
    """Return the body of the answer, in the request's format."""
    names = [tensor.name for tensor in served.outputs]
    values = {name: json_values(output, name) for name, output in zip(names, outputs, strict=True)}
    found: Any = values[names[0]] if len(names) == 1 else values
    if question.by_row and len(names) > 1:
        found = [dict(zip(names, row, strict=True)) for row in zip(*(values[n].tolist() for n in names), strict=True)]
    key = "predictions" if question.by_row else "outputs"
    return orjson.dumps({key: found}, option=orjson.OPT_SERIALIZE_NUMPY), None


def status(name: str, ready: bool) -> dict[str, Any]:
    """Return the status of a loaded model, in the form of TensorFlow Serving and of KServe's version 1."""
    state = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    return {"name": name, "ready": ready, "model_version_status": [state]}


def metadata(served: ServedModel) -> dict[str, Any]:
    """Return the signature of a model as TensorFlow Serving describes it."""
    kinds = {"float32": "DT_FLOAT", "float64": "DT_DOUBLE", "float16": "DT_HALF", "object": "DT_STRING"}

    def described(tensor: Any) -> dict[str, Any]:
        sizes = [{"size": str(-1 if size is None else size), "name": ""} for size in (None, *tensor.shape)]
        dtype = kinds.get(tensor.dtype, f"DT_{tensor.dtype.upper()}")
        return {"dtype": dtype, "tensor_shape": {"dim": sizes, "unknown_rank": False}, "name": tensor.name}

    signature = {
        "inputs": {tensor.name: described(tensor) for tensor in served.inputs},
        "outputs": {tensor.name: described(tensor) for tensor in served.outputs},
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {"name": served.name, "signature_name": "", "version": "1"},
        "metadata": {"signature_def": {"signature_def": {"serving_default": signature}}},
    }


def _columns(instances: Any, served: ServedModel) -> dict[str, Any]:
    """Convert rows to one list for each input."""
    if not isinstance(instances, list | np.ndarray) or not len(instances):
        raise RequestError(422, "'instances' must be a list with at least one row.")
    if not isinstance(instances[0], dict):
        if len(served.inputs) > 1:
            raise RequestError(
                422, "The model has several inputs: each instance must be an object with a value for each of them."
            )
        return {served.inputs[0].name: instances}
    names = [*instances[0]]
    if not all(isinstance(row, dict) and row.keys() == instances[0].keys() for row in instances):
        raise RequestError(422, "The instances are not all objects with the same keys.")
    return {name: [row[name] for row in instances] for name in names}


def _named(inputs: Any, served: ServedModel) -> dict[str, Any]:
    if isinstance(inputs, dict):
        return inputs
    if len(served.inputs) > 1:
        raise RequestError(
            422, "The model has several inputs: 'inputs' must be an object with the values of each of them."
        )
    return {served.inputs[0].name: inputs}
