"""The page of the trainings in a real browser: curves grow, a button ends the training, it fits a phone."""

import json
import threading
import time

import numpy as np
import pytest

import cornu
from browser import open_browser
from cornu import layers
from cornu.callbacks import Dashboard, LambdaCallback


@pytest.fixture(scope="module")
def page():
    with open_browser() as found:
        yield found


@pytest.fixture
def training(tmp_path):
    """Give a dashboard and a function that lets its training, of 1000 epochs, go on for some of them."""
    allowed, told = threading.Semaphore(0), threading.Event()
    dashboard = Dashboard(name="a <b>try</b>", folder=tmp_path, port=0)
    waiting = LambdaCallback(on_train_begin=lambda logs: told.set(), on_epoch_begin=lambda *_: allowed.acquire())

    def train():
        model = cornu.Sequential([layers.Input((3,)), layers.Dense(1)])
        model.compile("sgd", "mse")
        x = np.ones((32, 3), "float32")
        model.fit(x, x[:, :1], epochs=1000, verbose=0, validation_split=0.5, callbacks=[dashboard, waiting])

    thread = threading.Thread(target=train)
    thread.start()
    told.wait(60)
    yield dashboard, allowed.release, thread
    dashboard.model.stop_training = True
    allowed.release(1000)
    thread.join()
    dashboard.server.close()


def points(page):
    return "(document.querySelector('[data-name=loss] polyline')?.points.length || 0)"


def test_curves_grow_and_the_button_ends_the_training(page, training, capsys):
    dashboard, go_on, thread = training
    page.screen(1000, 800)
    page.open(dashboard.url)
    page.wait("document.querySelector('.name')?.textContent.startsWith('a <b>try</b>')")
    go_on(3)
    page.wait(f"{points(page)} === 3")
    go_on(4)
    page.wait(f"{points(page)} === 7")
    assert "of 1000" in page.ask("document.querySelector('.said').textContent")
    assert page.ask("document.querySelectorAll('[data-name=loss] polyline').length") == 2  # training and validation
    page.ask("document.querySelector('.run button').click()")
    page.wait("document.querySelector('.run button').textContent === 'Stopping'")
    page.wait("true")
    for _ in range(50):
        if dashboard.run.stop_asked():
            break
        page.ask("new Promise((done) => setTimeout(done, 100))")
    go_on(1)
    thread.join(timeout=60)
    assert not thread.is_alive()
    page.wait("document.querySelector('.said').textContent.startsWith('stopped after 8 epochs')")
    assert not page.problems
    assert all(address.startswith((dashboard.url, "data:", "about:")) for address in page.asked)


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone_in_light_and_dark(page, training, capsys, dark):
    dashboard, go_on, _ = training
    page.screen(360, 700, dark=dark, phone=True)
    page.open(dashboard.url)
    go_on(2)
    page.wait(f"{points(page)} === 2")
    assert page.ask("document.documentElement.scrollWidth") <= 360
    assert page.ask("document.querySelector('.began').textContent").startswith("since ")
    assert page.ask("document.querySelector('[data-name=loss] svg text').textContent") == "epoch"
    colour = page.ask("getComputedStyle(document.body).backgroundColor")
    assert (colour == "rgb(20, 22, 26)") is dark


def test_values_of_run_files_are_shown_as_text(page, training, capsys):
    dashboard, _, _ = training
    image = "<img src=x onerror=document.title=1>"
    lines = [
        {"kind": "begin", "name": image, "epochs": image, "steps": image, "parameters": image, "time": time.time()},
        {"kind": "progress", "step": image, "logs": {image: image, f"a{image}": 1.0}, "speed": image, "time": image},
        {"kind": "epoch", "epoch": image, "logs": {image: 1.0}, "speed": image},
        {"kind": "epoch", "epoch": 0, "logs": {image: 1.0}, "speed": image},
        {"kind": "end", "seconds": image, "stopped": image},
    ]
    (dashboard.folder / "20990101-000000-abcdef.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    page.open(dashboard.url)
    page.wait("document.querySelectorAll('.run').length === 2 && document.querySelector('.chart h2') !== null")
    assert page.ask("document.querySelectorAll('img').length") == 0
    assert page.ask("document.title") == "Cornu: runs"
    assert "rgb" in page.ask("getComputedStyle(document.querySelector('.chip')).backgroundColor")
    assert not page.problems
