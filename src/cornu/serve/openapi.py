"""The OpenAPI document of a server, for the models that it serves."""

from collections.abc import Sequence
from typing import Any

from cornu import __version__
from cornu.serve.served_model import ServedModel
from cornu.serve.tensors import DATATYPES

_REFUSALS = {
    "400": "The body could not be read.",
    "404": "There is no such model.",
    "408": "The body did not arrive in time.",
    "413": "The body is too long, or has too many rows.",
    "415": "The body is compressed.",
    "422": "The values do not fit the model.",
    "429": "Too much is waiting; try again.",
    "500": "Running the model failed.",
    "503": "The server is shutting down.",
    "504": "The answer took too long.",
}
_TEXT, _TRUTH, _OBJECT = {"type": "string"}, {"type": "boolean"}, {"type": "object"}
_SIZES = {"type": "array", "items": {"type": "integer"}}


def document(models: Sequence[ServedModel]) -> dict[str, Any]:
    """Return the document (OpenAPI 3.1)."""
    name = {"type": "string", "enum": [served.name for served in models]}
    model = {"name": "model", "in": "path", "required": True, "schema": name, "description": "The model's name."}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Cornu",
            "version": __version__,
            "description": "Trained models over the Open Inference Protocol (/v2) and TensorFlow Serving's API (/v1).",
        },
        "paths": {**_open_inference(model), **_tensorflow(model, models), **_others(model)},
        "components": {"schemas": _schemas()},
    }


def _open_inference(model: dict[str, Any]) -> dict[str, Any]:
    tag = "Open Inference Protocol"
    return {
        "/v2": _get(tag, "Name, version and extensions of the server", "Server"),
        "/v2/health/live": _get(tag, "Is the server running?", "Live"),
        "/v2/health/ready": _get(tag, "Does the server accept requests?", "Ready", refusals=("503",)),
        "/v2/models": _get(tag, "The names of the models", "Models"),
        "/v2/models/{model}": _get(tag, "A model's inputs and outputs", "Model", [model]),
        "/v2/models/{model}/config": _get(tag, "A model's configuration, as in Triton", "Configuration", [model]),
        "/v2/models/{model}/ready": _get(tag, "Does the model accept requests?", "Ready", [model], ("503",)),
        "/v2/models/{model}/infer": _post(
            tag, "Compute the outputs for some rows", "InferenceRequest", "InferenceResponse", [model]
        ),
    }


def _tensorflow(model: dict[str, Any], models: Sequence[ServedModel]) -> dict[str, Any]:
    tag = "TensorFlow Serving"
    return {
        "/v1/models/{model}": _get(tag, "The model's status", "Status", [model]),
        "/v1/models/{model}/metadata": _get(tag, "The model's signature", "Metadata", [model]),
        "/v1/models/{model}:predict": _post(
            tag, "Compute the outputs for some rows", "PredictRequest", "PredictResponse", [model]
        ),
    }


def _others(model: dict[str, Any]) -> dict[str, Any]:
    side = {"in": "query", "required": True, "schema": {"type": "integer", "minimum": 1, "maximum": 1600}}
    separate = {"name": "separate", "in": "query", "schema": _TRUTH, "description": "Allow several digits"}
    draw = _post(
        "Digits",
        "Read the digits in a picture of grey pixels (one byte each, 0 black, row by row)",
        "Digits",
        "Digits",
        [model, {"name": "width", **side}, {"name": "height", **side}, separate],
    )
    draw["post"]["requestBody"]["content"] = {"application/octet-stream": {"schema": {}}}
    classify = _post(
        "Pictures",
        "Name a picture in RGB (three bytes per pixel, row by row)",
        "Classes",
        "Classes",
        [model, {"name": "width", **side}, {"name": "height", **side}],
    )
    classify["post"]["requestBody"]["content"] = {"application/octet-stream": {"schema": {}}}
    metrics = _get("Server", "Counts and times for Prometheus", "Server")
    metrics["get"]["responses"]["200"]["content"] = {"text/plain": {"schema": _TEXT}}
    own = {"/draw/{model}": draw, "/classify/{model}": classify}
    return own | {"/metrics": metrics, "/openapi.json": _get("Server", "This document", "Document")}


def _get(
    tag: str, summary: str, answer: str, parameters: list[Any] | None = None, refusals: tuple[str, ...] = ()
) -> dict[str, Any]:
    codes = (*refusals, *(("404",) if parameters else ()))
    found = {"tags": [tag], "summary": summary, "responses": {"200": _answer(summary, answer), **_refused(codes)}}
    if parameters:
        found["parameters"] = parameters
    return {"get": found}


def _post(tag: str, summary: str, question: str, answer: str, parameters: list[Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{question}"}}}
    return {
        "post": {
            "tags": [tag],
            "summary": summary,
            "parameters": parameters,
            "requestBody": {"required": True, "content": content},
            "responses": {"200": _answer(summary, answer), **_refused(tuple(_REFUSALS))},
        }
    }


def _answer(description: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


def _refused(codes: tuple[str, ...]) -> dict[str, Any]:
    return {code: _answer(_REFUSALS[code], "Error") for code in codes}


def _schemas() -> dict[str, Any]:
    datatype = {"type": "string", "enum": list(DATATYPES)}
    data = {"type": "array", "description": "Numbers or strings, flat in row-major order or nested."}
    tensor = {"name": _TEXT, "shape": _SIZES, "datatype": datatype, "parameters": _OBJECT, "data": data}
    wanted = _object(name=_TEXT, parameters=_OBJECT)
    described = {"type": "array", "items": _object(name=_TEXT, datatype=datatype, shape=_SIZES)}
    some = {"type": "array", "items": {**_object(**tensor), "required": ["name", "shape", "datatype"]}}
    return {
        "Error": _object(error=_TEXT),
        "Server": _object(name=_TEXT, version=_TEXT, extensions={"type": "array", "items": _TEXT}),
        "Live": _object(live=_TRUTH),
        "Ready": {"type": "object", "required": ["ready"], "properties": {"name": _TEXT, "ready": _TRUTH}},
        "Models": _object(models={"type": "array", "items": _TEXT}),
        "Model": _object(
            name=_TEXT, versions={"type": "array", "items": _TEXT}, platform=_TEXT, inputs=described, outputs=described
        ),
        "Configuration": _object(
            name=_TEXT,
            platform=_TEXT,
            backend=_TEXT,
            max_batch_size={"type": "integer"},
            input={"type": "array", "items": _OBJECT},
            output={"type": "array", "items": _OBJECT},
        ),
        "InferenceRequest": {
            "type": "object",
            "required": ["inputs"],
            "properties": {
                "id": _TEXT,
                "parameters": _OBJECT,
                "inputs": some,
                "outputs": {"type": "array", "items": {**wanted, "required": ["name"]}},
            },
        },
        "InferenceResponse": {
            "type": "object",
            "required": ["model_name", "outputs"],
            "properties": {
                "model_name": _TEXT,
                "model_version": _TEXT,
                "id": _TEXT,
                "outputs": some,
            },
        },
        "PredictRequest": {
            "type": "object",
            "properties": {
                "instances": {"type": "array", "description": "Rows: one value each, or an object per row."},
                "inputs": {"description": "The values of the only input, or an object with those of each input."},
            },
        },
        "PredictResponse": {"type": "object", "properties": {"predictions": {"type": "array"}, "outputs": {}}},
        "Status": _object(name=_TEXT, ready=_TRUTH, model_version_status={"type": "array", "items": _OBJECT}),
        "Metadata": _object(model_spec=_OBJECT, metadata=_OBJECT),
        "Digits": _object(digits={"type": "array", "items": _OBJECT}),
        "Classes": _object(classes={"type": "array", "items": _OBJECT}, seen=_TEXT),
        "Document": _OBJECT,
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}
