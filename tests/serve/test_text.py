"""Models that take text, over HTTP."""

import json

import numpy as np
import pytest

pytest.importorskip("starlette")

from starlette.testclient import TestClient

import cornu
from cornu import layers
from cornu.layers.host import HostLayer
from cornu.serve.application import Service
from cornu.serve.served_model import ServedModel


class Words(HostLayer):
    """How many words texts have, and how many characters."""

    output_dtype = "int32"

    def call(self, inputs):
        return np.array([[len(text.split()), len(text)] for text in inputs.reshape(-1)], np.int32)

    def compute_output_shape(self, input_shape):
        return input_shape[0], 2


@pytest.fixture(scope="module")
def models():
    text, size = cornu.Input((1,), dtype="string", name="text"), cornu.Input((2,), name="size")
    joined = layers.Concatenate()([layers.Dense(2)(Words()(text)), size])
    one = cornu.Sequential([cornu.Input((1,), dtype="string", name="text"), Words(), layers.Dense(2)])
    return one, cornu.Model({"text": text, "size": size}, layers.Dense(2)(joined))


@pytest.fixture(scope="module")
def client(models):
    served = [ServedModel(name, model, sizes=(1, 4)) for name, model in zip(("one", "two"), models, strict=True)]
    with TestClient(Service(served).application) as found:
        yield found


TEXTS = ["a text", "", "ein längerer Text"]


@pytest.mark.parametrize("rows", [TEXTS, [[text] for text in TEXTS]], ids=["flat", "rows"])
def test_predictions_as_tensorflow_serving_gives_them(client, models, rows):
    answer = client.post("/v1/models/one:predict", json={"instances": rows})
    assert answer.status_code == 200, answer.text
    expected = models[0].predict(TEXTS, verbose=0)
    np.testing.assert_allclose(answer.json()["predictions"], expected, rtol=1e-5)


def test_text_beside_numbers(client, models):
    rows = [{"text": text, "size": [1.0, 2.0]} for text in TEXTS]
    answer = client.post("/v1/models/two:predict", json={"instances": rows})
    expected = models[1].predict({"text": TEXTS, "size": np.array([[1.0, 2.0]] * 3)}, verbose=0)
    np.testing.assert_allclose(answer.json()["predictions"], expected, rtol=1e-5)


def asked(client, body=b"", **described):
    described = {"name": "text", "shape": [3, 1], "datatype": "BYTES"} | described
    head = json.dumps({"inputs": [described]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))} if body else {}
    return client.post("/v2/models/one/infer", content=head + body, headers=headers)


def as_binary(texts):
    return b"".join(len(text.encode()).to_bytes(4, "little") + text.encode() for text in texts)


def test_the_open_inference_protocol_takes_bytes(client, models):
    expected = models[0].predict(TEXTS, verbose=0).ravel()
    body = as_binary(TEXTS)
    for answer in (
        asked(client, data=TEXTS),
        asked(client, data=[[text] for text in TEXTS]),
        asked(client, body, parameters={"binary_data_size": len(body)}),
    ):
        np.testing.assert_allclose(answer.json()["outputs"][0]["data"], expected, rtol=1e-5)
    described = client.get("/v2/models/one").json()["inputs"]
    assert described == [{"name": "text", "datatype": "BYTES", "shape": [-1, 1]}]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([1, 2], "not strings"),
        ([["a"], ["b", "c"]], "not strings in lists of the same length"),
        ([[["a", "b"]]], "have shape"),
        ([None], "not strings"),
        ([{"a": "b"}], "lacks 'text'"),
    ],
)
def test_what_is_no_text_is_refused(client, rows, said):
    answer = client.post("/v1/models/one:predict", json={"instances": rows})
    assert answer.status_code == 422
    assert said in answer.json()["error"]


def test_what_is_not_the_binary_form_of_texts_is_refused(client):
    body = as_binary(TEXTS)
    cut = (body[:-1], body + b"\0", b"\xff" * len(body), b"\0" * 8)
    for one in cut:
        answer = asked(client, one, parameters={"binary_data_size": len(one)})
        assert (answer.status_code, "each with its length" in answer.json()["error"]) == (422, True)
    answer = asked(client, datatype="FP32", data=[1, 2, 3])
    assert (answer.status_code, answer.json()["error"]) == (422, "The datatype of 'text' is FP32; expected BYTES.")


def test_the_page_has_a_text_to_replace(client):
    assert "your text" in client.get("/models/one").text
