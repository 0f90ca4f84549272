import json

import numpy as np
import pytest

from cornu.serve.inference_protocol import HEADER_LENGTH

SIZE = {"name": "size", "shape": [2, 3], "datatype": "FP32", "data": [1, 2, 3, 4, 5, 6]}
KIND = {"name": "kind", "shape": [2, 2], "datatype": "INT32", "data": [[0, 1], [2, 4]]}
ROWS = {"size": np.array([[1, 2, 3], [4, 5, 6]], "float32"), "kind": np.array([[0, 1], [2, 4]])}


def infer(client, **document):
    return client.post("/v2/models/two/infer", json=document)


def test_metadata(client):
    assert client.get("/v2").json()["name"] == "cornu"
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").status_code == 200
    assert client.get("/v2/models/two/ready").json() == {"name": "two", "ready": True}
    assert client.get("/v2/models/two").json() == client.get("/v2/models/two/versions/1").json() == {
        "name": "two",
        "versions": ["1"],
        "platform": "cornu_keras",
        "inputs": [
            {"name": "size", "datatype": "FP32", "shape": [-1, 3]},
            {"name": "kind", "datatype": "INT32", "shape": [-1, 2]},
        ],
        "outputs": [
            {"name": "price", "datatype": "FP32", "shape": [-1, 1]},
            {"name": "class", "datatype": "FP32", "shape": [-1, 4]},
        ],
    }  # fmt: skip
    found = client.get("/v2/models/two/config").json()
    assert found["input"][1] == {"name": "kind", "data_type": "TYPE_INT32", "dims": [2]}
    assert found["max_batch_size"] == 4096


def test_the_outputs_are_the_models(client, two_model):
    answer = infer(client, id="a7", inputs=[KIND, SIZE])
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["model_name"], found["id"]) == ("two", "a7")
    for output, expected in zip(found["outputs"], two_model.predict(ROWS, verbose=0), strict=True):
        assert output["shape"] == list(expected.shape)
        assert output["datatype"] == "FP32"
        np.testing.assert_allclose(np.reshape(output["data"], output["shape"]), expected, rtol=1e-5)


def test_outputs_can_be_chosen(client):
    found = infer(client, inputs=[SIZE, KIND], outputs=[{"name": "class"}]).json()
    assert [output["name"] for output in found["outputs"]] == ["class"]
    assert "id" not in found


def test_binary_data_both_ways(client, two_model):
    inputs = [
        {**SIZE, "parameters": {"binary_data_size": 24}},
        {**KIND, "datatype": "INT64", "parameters": {"binary_data_size": 32}},
    ]
    for one in inputs:
        del one["data"]
    outputs = [{"name": "price", "parameters": {"binary_data": True}}, {"name": "class"}]
    head = json.dumps({"inputs": inputs, "outputs": outputs}).encode()
    body = head + ROWS["size"].tobytes() + ROWS["kind"].astype("int64").tobytes()
    answer = client.post("/v2/models/two/infer", content=body, headers={HEADER_LENGTH: str(len(head))})
    assert answer.status_code == 200, answer.text
    length = int(answer.headers[HEADER_LENGTH])
    price, kind = json.loads(answer.content[:length])["outputs"]
    assert price["parameters"] == {"binary_data_size": 8}
    expected = two_model.predict(ROWS, verbose=0)
    np.testing.assert_allclose(np.frombuffer(answer.content[length:], "float32")[:, None], expected[0], rtol=1e-5)
    np.testing.assert_allclose(np.reshape(kind["data"], (2, 4)), expected[1], rtol=1e-5)


def test_a_single_input_may_have_any_name(client):
    one = {"name": "x", "shape": [1, 28, 28], "datatype": "FP64", "data": [0.5] * 784}
    answer = client.post("/v2/models/digits/infer", json={"inputs": [one]})
    assert answer.json()["outputs"][0]["shape"] == [1, 10]


@pytest.mark.parametrize(
    ("document", "status", "said"),
    [
        ([], 400, "must be a JSON object"),
        ({}, 422, "needs 'inputs'"),
        ({"inputs": []}, 422, "needs 'inputs'"),
        ({"inputs": [3]}, 422, "needs 'inputs'"),
        ({"inputs": [SIZE]}, 422, "'kind' is missing"),
        ({"inputs": [SIZE, SIZE]}, 422, "twice"),
        ({"inputs": [SIZE, KIND, {**KIND, "name": "kynd"}]}, 422, "'kynd'; the model's are 'size', 'kind'"),
        ({"inputs": [SIZE, {**KIND, "name": []}]}, 422, "the model's are"),
        ({"inputs": [SIZE, {**KIND, "data": [1, 2, 3]}]}, 422, "has 3 values"),
        ({"inputs": [SIZE, {**KIND, "data": [[1, 2], [3]]}]}, 422, "differ in length"),
        ({"inputs": [SIZE, {**KIND, "data": ["a", 1, 2, 3]}]}, 422, "not all numbers"),
        ({"inputs": [SIZE, {**KIND, "data": [0.5, 1, 2, 3]}]}, 422, "integers that fit into INT32"),
        ({"inputs": [SIZE, {**KIND, "data": [1 << 40, 1, 2, 3]}]}, 422, "integers that fit into INT32"),
        ({"inputs": [SIZE, {**KIND, "shape": [4], "data": [1, 2, 3, 4]}]}, 422, "expected [rows, 2]"),
        ({"inputs": [SIZE, {**KIND, "shape": [1, 2], "data": [1, 2]}]}, 422, "number of rows: [1, 2]"),
        ({"inputs": [SIZE, {**KIND, "shape": [-1, 2]}]}, 422, "list of integers"),
        ({"inputs": [SIZE, {**KIND, "shape": None}]}, 422, "list of integers"),
        ({"inputs": [SIZE, {**KIND, "datatype": "INT33"}]}, 422, "'INT33'; expected INT32"),
        ({"inputs": [SIZE, {**KIND, "parameters": {"binary_data_size": 8}}]}, 400, "0 bytes are left"),
        ({"inputs": [SIZE, {**KIND, "parameters": 7}]}, 422, "'parameters' must be an object"),
        ({"inputs": [{**SIZE, "data": [1e39] * 6}, KIND]}, 422, "too large for FP32"),
        ({"inputs": [{key: value for key, value in SIZE.items() if key != "data"}, KIND]}, 422, "has no data"),
        ({"inputs": [{**SIZE, "shape": [0, 3], "data": []}, KIND]}, 422, "no values"),
        ({"inputs": [SIZE, KIND], "outputs": [{"name": "prize"}]}, 422, "'prize'"),
        (
            {"inputs": [SIZE, KIND], "outputs": [{"name": "price", "parameters": {"classification": 2}}]},
            422,
            "parameter: classification",
        ),
        ({"inputs": [SIZE, KIND], "outputs": {"name": "price"}}, 422, "needs 'outputs'"),
        ({"inputs": [SIZE, KIND], "id": 5}, 422, "id of a request"),
    ],
)
def test_a_mismatch_raises_a_clear_error(client, document, status, said):
    answer = client.post("/v2/models/two/infer", json=document)
    assert answer.status_code == status
    assert said in answer.json()["error"]


def test_a_header_length_that_is_none(client):
    for length in ("-1", "99999", "1e3", "9" * 40):
        answer = client.post("/v2/models/two/infer", content=b"{}", headers={HEADER_LENGTH: length})
        assert answer.status_code == 400
        assert HEADER_LENGTH in answer.json()["error"]


def test_outputs_that_json_cannot_hold_are_refused_and_said(client):
    huge = {"name": "x", "shape": [1, 28, 28], "datatype": "FP32", "data": [3e38] * 784}
    answer = client.post("/v2/models/digits/infer", json={"inputs": [huge]})
    assert answer.status_code == 422
    assert "not finite" in answer.json()["error"]


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ([1] * 65, "65 axes"),
        ([2**39] * 100_000, "100000 axes"),
        ([2**39, 2**39, 0], "too large"),
        ([0, 2**39, 2**39], "too large"),
        ([1] * 20 + [2, 3], "expected [rows, 3]"),
    ],
)
@pytest.mark.parametrize("binary", [False, True])
def test_shapes_of_many_axes_or_too_large(client, shape, said, binary):
    data = [1, 2, 3, 4, 5, 6] if shape[0] == 1 else []
    size = {"name": "size", "shape": shape, "datatype": "FP32", "data": data}
    raw = np.float32(data).tobytes() if binary else b""
    if binary:
        del size["data"]
        size["parameters"] = {"binary_data_size": len(raw)}
    head = json.dumps({"inputs": [size, KIND]}).encode()
    answer = client.post("/v2/models/two/infer", content=head + raw, headers={HEADER_LENGTH: str(len(head))})
    assert (answer.status_code, said in answer.json()["error"]) == (422, True), answer.text
