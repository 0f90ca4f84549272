"""A cache folder of its own for each test, and a web server on this machine."""

import functools
import http.server
import threading
from pathlib import Path
from typing import NamedTuple

import pytest


class Site(NamedTuple):
    """A folder served over HTTP: its URL, the folder, the paths that were asked for."""

    url: str
    folder: Path
    requests: list[str]


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """Give an empty folder in the place of ~/.keras."""
    folder = tmp_path / "keras-home"
    monkeypatch.setenv("KERAS_HOME", str(folder))
    return folder


@pytest.fixture
def site(tmp_path):
    """Serve a folder on 127.0.0.1 until the test ends."""
    folder = tmp_path / "site"
    folder.mkdir()
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format, *args):
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield Site(f"http://127.0.0.1:{server.server_port}", folder, asked)
        server.shutdown()
        thread.join(timeout=10)


@pytest.fixture
def no_network(monkeypatch):
    """Make any download an error."""

    def refuse(origin, *_):
        raise AssertionError(f"a download of {origin} was tried")

    monkeypatch.setattr("cornu.datasets.fetch._retrieve", refuse)
