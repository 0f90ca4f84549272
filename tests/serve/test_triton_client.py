"""Clients written for Triton work, also as docs/serving.md writes it down."""

import contextlib
import io
import re
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import uvicorn

import cornu as keras
from cornu import layers
from cornu.serve import server
from cornu.serve.application import Service
from cornu.serve.direct_protocol import FastLane
from cornu.serve.served_model import ServedModel

triton = pytest.importorskip("tritonclient.http", reason="Triton's client is not installed: tritonclient[http]")
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "serving.md"


@pytest.fixture(scope="module")
def address(two_model):
    """A server in a thread, with a model of two inputs and the guide's."""
    prices = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    service = Service([ServedModel("two", two_model, sizes=(4,)), ServedModel("prices", prices, sizes=(4,))])
    config = uvicorn.Config(
        service.application, http=lambda *args, **kwargs: FastLane(service, *args, **kwargs), log_level="critical"
    )
    running = uvicorn.Server(config)
    with server.bound_to("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        while not running.started:
            time.sleep(0.01)
        yield server.address(listening).removeprefix("http://")
        running.should_exit = True
        thread.join(30)


@pytest.fixture
def client(address):
    with contextlib.closing(triton.InferenceServerClient(address)) as found:
        yield found


ROWS = {"size": np.array([[1, 2, 3], [4, 5, 6]], "float32"), "kind": np.array([[0, 1], [2, 4]], "int32")}


def inputs(binary=True):
    found = []
    for (name, values), datatype in zip(ROWS.items(), ("FP32", "INT32"), strict=True):
        one = triton.InferInput(name, list(values.shape), datatype)
        found.append(one.set_data_from_numpy(values, binary_data=binary))
    return found


def test_what_it_asks_about_the_server(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("two")
    assert client.is_model_ready("two", "1")
    assert not client.is_model_ready("three")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    assert client.get_model_metadata("two")["inputs"][0] == {"name": "size", "datatype": "FP32", "shape": [-1, 3]}
    assert client.get_model_config("two")["output"][1] == {"name": "class", "data_type": "TYPE_FP32", "dims": [4]}


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_inference_in_binary_and_json(client, two_model, binary_in, binary_out):
    outputs = [triton.InferRequestedOutput(name, binary_data=binary_out) for name in ("price", "class")]
    found = client.infer("two", inputs(binary_in), outputs=outputs, request_id="a7", model_version="1")
    assert found.get_response()["id"] == "a7"
    for name, expected in zip(("price", "class"), two_model.predict(ROWS, verbose=0), strict=True):
        np.testing.assert_allclose(found.as_numpy(name), expected, rtol=1e-5)


def test_inference_that_is_awaited_later(client, two_model):
    found = client.async_infer("two", inputs()).get_result(timeout=30)
    np.testing.assert_allclose(found.as_numpy("price"), two_model.predict(ROWS, verbose=0)[0], rtol=1e-5)


def test_what_is_refused_is_said_in_words(client):
    with pytest.raises(triton.InferenceServerException, match="'kind' is missing"):
        client.infer("two", inputs()[:1])
    with pytest.raises(triton.InferenceServerException, match="parameter: classification"):
        client.infer("two", inputs(), outputs=[triton.InferRequestedOutput("class", class_count=2)])


def test_the_guides_lines(address):
    [program] = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(program.replace("127.0.0.1:8000", address), {})
    assert re.fullmatch(r"\[\[-?\d.+]]\n", said.getvalue())
