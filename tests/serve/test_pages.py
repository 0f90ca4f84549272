"""The pages: as text, and in a real browser."""

import base64
import io
import itertools
import re
import threading
import time

import numpy as np
import pytest
import uvicorn

import cornu as keras
from browser import open_browser
from cornu import layers
from cornu.serve import pages, server
from cornu.serve.served_model import ServedModel

SEVEN = [(0.25, 0.2), (0.45, 0.2), (0.72, 0.2), (0.65, 0.35), (0.55, 0.55), (0.48, 0.7), (0.42, 0.85)]


@pytest.fixture(scope="module")
def address(service):
    """The session's models on a port of this machine."""
    listening = server.bound_to("127.0.0.1", 0)
    running = uvicorn.Server(uvicorn.Config(service.application, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield server.address(listening)
    running.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def page():
    with open_browser() as found:
        yield found


def draw(page, touch=False):
    """Draw a seven, in small steps."""
    left, top, width, height = page.box("#drawing")
    steps = []
    for start, end in itertools.pairwise(SEVEN):
        steps += [(start[0] + (end[0] - start[0]) * i / 4, start[1] + (end[1] - start[1]) * i / 4) for i in range(4)]
    page.drag([(left + width * x, top + height * y) for x, y in [*steps, SEVEN[-1]]], touch)


def text(page, selector):
    return page.ask(f"document.querySelector({selector!r}).textContent")


def pixels(page, canvas):
    """Return how many different colours a canvas has."""
    return page.ask(
        f"new Set([...new Uint32Array(document.getElementById({canvas!r}).getContext('2d')"
        ".getImageData(0, 0, 28, 28).data.buffer)]).size"
    )


def test_nothing_is_loaded_from_elsewhere(client):
    for path in (
        "/",
        "/docs",
        "/models/digits",
        "/models/two",
        "/static/draw.js",
        "/static/style.css",
        "/static/docs.js",
    ):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        addresses = re.findall(r"(?:https?:)?//[\w.]+", answer.text)
        assert set(addresses) <= {"http://www.w3.org"}, (path, addresses)
        assert "{{" not in answer.text


def test_one_model_is_shown_at_once():
    assert b"Draw here" not in pages.index([("a", None), ("b", None)]).body


def test_names_from_a_file_are_text_and_no_html():
    model = keras.Sequential([keras.Input((2,), name="x<script>alert(1)"), layers.Dense(1)])
    served = ServedModel("m", model)
    assert "<script>" in served.inputs[0].name
    body = pages.model(served).body.decode()
    assert "<script>alert" not in body
    assert "&lt;script&gt;alert" in body


def test_drawing_a_seven_with_the_mouse(page, address):
    page.screen(1200, 800)
    page.open(f"{address}/models/digits")
    assert text(page, "#winner") == "?"
    draw(page)
    page.wait("document.getElementById('winner').textContent === '7'")
    assert page.ask("document.querySelector('.best b').textContent") == "7"
    assert page.ask("document.querySelectorAll('.bars li')[7].querySelector('i').getBoundingClientRect().width") > 100
    assert pixels(page, "seen") > 10
    assert pixels(page, "mattered") > 10
    assert "for 7" in text(page, "#why")
    page.ask("document.getElementById('clear').click()")
    assert text(page, "#winner") == "?"
    assert pixels(page, "seen") == 1
    assert not page.problems
    assert all(one.startswith(address) for one in page.asked)


def test_the_answer_moves_while_the_pen_is_down(page, address):
    page.screen(1200, 800)
    page.open(f"{address}/models/digits")
    left, top, width, height = page.box("#drawing")
    for kind, x, y in (("Pressed", 0.5, 0.2), ("Moved", 0.5, 0.5), ("Moved", 0.5, 0.8)):
        place = {"x": left + x * width, "y": top + y * height}
        page.send("Input.dispatchMouseEvent", type=f"mouse{kind}", button="left", buttons=1, clickCount=1, **place)
    page.wait("document.getElementById('winner').textContent === '1'")


@pytest.mark.parametrize("dark", [False, True])
def test_drawing_with_a_finger_on_a_phone(page, address, dark):
    page.screen(375, 740, dark=dark, phone=True)
    page.open(f"{address}/models/digits")
    draw(page, touch=True)
    page.wait("document.getElementById('winner').textContent === '7'")
    assert page.ask("document.documentElement.scrollWidth") <= 375
    assert page.ask("window.scrollY") == 0  # the finger drew, and did not scroll
    ground = page.ask("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground))) < 200) == dark
    assert not page.problems


def test_a_picture_that_is_dropped_in(page, address):
    image = pytest.importorskip("PIL.Image")
    sheet = np.full((120, 300), 235, "uint8")
    sheet[20:100, 60:70] = sheet[20:100, 220:230] = 40
    written = io.BytesIO()
    image.fromarray(sheet).save(written, "PNG")
    page.screen(1200, 800)
    page.open(f"{address}/models/digits")
    encoded = base64.b64encode(written.getvalue()).decode()
    page.ask(
        f"""(async () => {{
            const bytes = Uint8Array.from(atob({encoded!r}), (one) => one.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "ones.png", {{ type: "image/png" }}));
            document.dispatchEvent(new DragEvent("drop", {{ dataTransfer: data, cancelable: true, bubbles: true }}));
        }})()"""
    )
    page.wait("document.querySelectorAll('#found button').length === 2")
    assert text(page, "#found") == "11"
    assert not page.problems


def test_trying_another_model(page, address):
    page.screen(900, 800)
    page.open(f"{address}/models/two")
    page.ask("document.querySelector('form button').click()")
    page.wait("document.querySelector('form pre').textContent.includes('predictions')")
    assert f"{address}/v2/models/two/infer" in text(page, "main")
    page.open(f"{address}/docs")
    page.wait("document.querySelectorAll('details').length > 10")
    page.wait("document.querySelector('textarea').value.includes('28')")
    infer = "[...document.querySelectorAll('details')].find((one) => one.textContent.includes('/infer'))"
    page.ask(f"{infer}.querySelector('button').click()")
    page.wait(f"{infer}.querySelector('form pre').textContent.startsWith('200')")
    assert page.ask("document.documentElement.scrollWidth") <= 900
    assert not page.problems
