"""Models that name pictures: the reader, its route, and its page in a real browser."""

import base64
import threading
import time

import numpy as np
import pytest
import uvicorn
from starlette.testclient import TestClient

import cornu as keras
from browser import open_browser
from cornu import layers
from cornu.serve import server
from cornu.serve.application import Service
from cornu.serve.pictures import PictureReader
from cornu.serve.served_model import ServedModel

NAMES = ["red things", "green things", "blue & <white>"]


def colours(names=NAMES, outputs=3):
    """A model that names the strongest colour of a picture."""
    x = keras.Input((6, 8, 3))
    mean = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(x))
    top = layers.Dense(outputs, activation="softmax" if outputs > 1 else "sigmoid", use_bias=False)
    model = keras.Model(x, top(mean))
    top.set_weights([20 * np.eye(3)[:, :outputs]])
    model.class_names = names
    return model


@pytest.fixture(scope="module")
def service():
    return Service([ServedModel("colours", colours(), sizes=(1,)), ServedModel("plain", colours(None), sizes=(1,))])


@pytest.fixture(scope="module")
def client(service):
    with TestClient(service.application) as found:
        yield found


def picture(colour, width=40, height=30):
    return np.full((height, width, 3), colour, "uint8")


def test_which_models_are_readers():
    def reader(model):
        return PictureReader.of(ServedModel("it", model))

    assert reader(colours()) is not None
    assert reader(colours(["a", "b"], outputs=1)) is not None
    assert reader(colours(["a", "b"])) is None
    assert reader(colours(None)) is None
    rows = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    rows.class_names = ["a", "b"]
    assert reader(rows) is None


def test_classes_come_the_likeliest_first(client):
    found = client.post("/classify/colours?width=40&height=30", content=picture((0, 200, 20)).tobytes())
    assert found.status_code == 200
    answer = found.json()
    assert [one["name"] for one in answer["classes"]] == ["green things", "blue & <white>", "red things"]
    assert abs(sum(one["probability"] for one in answer["classes"]) - 1) < 1e-5
    assert base64.b64decode(answer["seen"].partition(",")[2])[:4] == b"\x89PNG"


def test_two_classes_with_one_output():
    served = ServedModel("it", colours(["no red", "red"], outputs=1), sizes=(1,))
    found = PictureReader.of(served).read(picture((255, 0, 0)).tobytes(), 40, 30)["classes"]
    assert found[0]["name"] == "red"
    assert found[0]["probability"] > 0.99


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("colours?width=40&height=30", 10, 422),
        ("colours?width=4000&height=1", 12000, 422),
        ("colours", 3, 422),
        ("plain?width=1&height=1", 3, 404),
        ("nothing?width=1&height=1", 3, 404),
    ],
)
def test_wrong_requests(client, path, body, status):
    assert client.post(f"/classify/{path}", content=b"x" * body).status_code == status
    assert client.post("/draw/colours?width=1&height=1", content=b"x").status_code == 404


def test_pages(client):
    page = client.get("/models/colours").text
    assert "blue &amp; &lt;white&gt;" in page
    assert "8 × 6 pixels" in page
    assert "{{" not in page
    assert "name a picture" in client.get("/").text
    assert "Try it" in client.get("/models/plain").text
    assert client.get("/static/picture.js").status_code == 200


@pytest.fixture(scope="module")
def address(service):
    listening = server.bound_to("127.0.0.1", 0)
    running = uvicorn.Server(uvicorn.Config(service.application, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield server.address(listening)
    running.should_exit = True
    thread.join()


DROP = """(async () => {
  const canvas = new OffscreenCanvas(900, 500);
  const pen = canvas.getContext("2d");
  pen.fillStyle = "COLOUR";
  pen.fillRect(0, 0, 900, 500);
  const file = new File([await canvas.convertToBlob()], "a.png", { type: "image/png" });
  const transfer = new DataTransfer();
  transfer.items.add(file);
  EVENT
})()"""
EVENTS = {
    "drop": "document.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }));",
    "paste": "document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true }));",
    "choose": "const input = document.getElementById('file'); input.files = transfer.files; "
    "input.dispatchEvent(new Event('change'));",
}


def test_a_picture_is_dropped_pasted_and_chosen(address):
    with open_browser() as page:
        for width, phone in ((1400, False), (390, True)):
            page.screen(width, 844, phone=phone)
            page.open(f"{address}/models/colours")
            for (way, event), colour in zip(
                EVENTS.items(), ("rgb(250,0,0)", "rgb(0,250,0)", "rgb(0,0,250)"), strict=True
            ):
                name = NAMES[("red", "green", "blue").index({"drop": "red", "paste": "green", "choose": "blue"}[way])]
                page.ask(DROP.replace("COLOUR", colour).replace("EVENT", event))
                page.wait(f"document.getElementById('winner').textContent === {name!r}")
            assert page.ask("document.querySelectorAll('#bars li').length") == 3
            assert page.ask("document.getElementById('seen').naturalWidth") == 8
            assert page.ask("document.documentElement.scrollWidth <= innerWidth")
            assert not page.problems
