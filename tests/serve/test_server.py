"""A real process on the loopback: started as people start it, asked by many at once, stopped in the middle."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cornu.serve import server


@pytest.fixture
def started(digits_file):
    """Start `cornu serve` and give the process and its address."""
    command = [sys.executable, "-m", "cornu", "serve", str(digits_file), "--port", "0", "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True) as process:
        try:
            said = ""
            while not (found := re.search(r"http://[\d.]+:\d+", said)):
                line = process.stderr.readline()
                assert line, f"it ended with {process.wait()} and said: {said}"
                said += line
            yield process, found[0]
        finally:
            process.kill()


def ask(address, images):
    body = json.dumps({"instances": images.tolist()}).encode()
    with urllib.request.urlopen(f"{address}/v1/models/digits:predict", body, timeout=60) as answer:
        return json.load(answer)["predictions"]


def test_many_at_once_get_their_own_answers_and_a_signal_ends_it_cleanly(started, digits_model):
    process, address = started
    said = json.loads(process.stdout.readline())
    assert said == {"address": address, "models": ["digits"], "process": process.pid}
    images = np.random.default_rng(0).random((40, 28, 28)).round(3)
    expected = digits_model.predict(images, verbose=0)
    parts = [images[i : i + 1 + i % 5] for i in range(0, 35, 5)] * 6
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda part: ask(address, part), parts))
    for part, rows in zip(parts, found, strict=True):
        start = next(i for i in range(40) if (images[i] == part[0]).all())
        np.testing.assert_allclose(rows, expected[start : start + len(part)], rtol=1e-3, atol=1e-5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert process.stderr.read() == "cornu: stopped\n"


def test_a_request_that_is_under_way_is_answered_before_the_end(started):
    """The head has come, the body not yet, when the signal comes."""
    process, address = started
    host, port = address.removeprefix("http://").split(":")
    body = json.dumps({"instances": np.zeros((1, 28, 28)).tolist()}).encode()
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /v1/models/digits:predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body[:10])
        threading.Event().wait(0.5)
        process.send_signal(signal.SIGINT)
        threading.Event().wait(0.2)
        connection.sendall(body[10:])
        connection.settimeout(60)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"predictions" in answer
    assert process.wait(60) == 0


def test_rubbish_on_the_wire_does_not_end_it(started):
    _, address = started
    host, port = address.removeprefix("http://").split(":")
    for rubbish in (
        b"\x00\xff" * 50,
        b"GET / HTTP/9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"\r\n" * 9,
    ):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(rubbish)
    assert len(ask(address, np.zeros((2, 28, 28)))) == 2


def test_a_token_is_needed_beyond_this_machine_and_on_request(monkeypatch):
    for host, wanted, needed in (("127.0.0.1", False, False), ("127.0.0.1", True, True), ("0.0.0.0", False, True)):
        with server.bound_to(host, 0) as listening:
            found = server.access(listening, wanted)
        assert (found.local, found.token is not None) == (host == "127.0.0.1", needed)
    with server.bound_to("127.0.0.1", 0) as listening:
        monkeypatch.setenv("CORNU_TOKEN", "sixteen-letters-")
        assert server.access(listening, False).token == "sixteen-letters-"
        monkeypatch.setenv("CORNU_TOKEN", "short")
        with pytest.raises(ValueError, match="at least 16"):
            server.access(listening, False)


def test_a_port_that_is_taken():
    with server.bound_to("127.0.0.1", 0) as first:
        first.listen()
        with pytest.raises(OSError, match="in use"):
            server.bound_to("127.0.0.1", first.getsockname()[1])


def test_addresses_for_a_browser():
    with server.bound_to("127.0.0.1", 0) as found:
        assert server.address(found) == f"http://127.0.0.1:{found.getsockname()[1]}"
    if socket.has_ipv6:
        try:
            with server.bound_to("::1", 0) as found:
                assert server.address(found) == f"http://[::1]:{found.getsockname()[1]}"
        except OSError:
            pytest.skip("this machine has no address ::1")


@pytest.mark.parametrize("imported", [True, False])
def test_without_the_uvicorn_that_it_knows_uvicorns_own_way_is_taken(service, monkeypatch, caplog, imported):
    assert server.connections(service).func.__name__ == "FastLane"
    assert not caplog.text
    if imported:
        monkeypatch.setattr(sys.modules["cornu.serve.direct_protocol"], "is_compatible", lambda: False)
    else:
        monkeypatch.setitem(sys.modules, "cornu.serve.direct_protocol", None)
    assert server.connections(service).func.__name__ == "SlowLane"
    assert "does not support uvicorn" in caplog.text
