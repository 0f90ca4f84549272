"""The page that shows trainings: what runs tell, what the server answers, who may stop a run."""

import contextlib
import http.client
import json
import socket
import threading

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.callbacks import CallbackList, Dashboard, EarlyStopping, LambdaCallback
from cornu.callbacks.dashboard import run_files
from cornu.callbacks.dashboard.run_files import Follower, RunFile, newest_runs
from cornu.callbacks.dashboard.server import Server, shown_folder

X, Y = np.ones((32, 3), "float32"), np.ones((32, 1), "float32")


def model():
    made = cornu.Sequential([layers.Input((3,)), layers.Dense(1)], name="small")
    made.compile("sgd", "mse", metrics=["mae"])
    return made


def ask(url, path, method="GET", **headers):
    """Return the status, and the body (the first line of a stream) of the answer."""
    connection = http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"), timeout=10)
    with contextlib.closing(connection):
        connection.request(method, path, headers=headers)
        with connection.getresponse() as answer:
            return answer.status, answer.readline() if path == "/events" else answer.read()


@pytest.fixture
def dashboard(tmp_path):
    made = Dashboard(name="a try", folder=tmp_path, port=0)
    yield made
    if made.server is not None:
        made.server.close()


def test_a_run_tells_its_epochs(dashboard, tmp_path, capsys):
    history = model().fit(X, Y, batch_size=8, epochs=3, verbose=0, validation_split=0.25, callbacks=[dashboard])
    lines = list(Follower(tmp_path).news())
    assert [line["kind"] for line in lines if line["kind"] != "progress"] == ["begin", "epoch", "epoch", "epoch", "end"]
    assert (lines[0]["name"], lines[0]["epochs"], lines[0]["parameters"]) == ("a try", 3, 4)
    epochs = [line for line in lines if line["kind"] == "epoch"]
    assert [line["logs"]["val_mae"] for line in epochs] == pytest.approx(history.history["val_mae"])
    assert epochs[0]["learning_rate"] == pytest.approx(0.01)
    assert epochs[0]["speed"] > 0
    assert not lines[-1]["stopped"]
    assert capsys.readouterr().out == f"Watch the training at {dashboard.url}\n"


def test_lines_that_no_run_writes_are_left_out_unparsed(tmp_path, monkeypatch):
    """Three million empty lists would take a gigabyte."""
    good, long = b'{"kind": "end", "time": 3.0}\n', b"[" + b"[]," * 10**6 + b"0]\n"
    (tmp_path / "1.jsonl").write_bytes(good + long + good)
    parsed = []
    monkeypatch.setattr(run_files.json, "loads", lambda line: parsed.append(len(line)) or {"kind": "end"})
    assert len(list(Follower(tmp_path).news())) == 2
    assert parsed == [len(good) - 1] * 2


def test_the_page_and_its_stream_of_events(dashboard):
    model().fit(X, Y, epochs=1, verbose=0, callbacks=[dashboard])
    status, page = ask(dashboard.url, "/")
    assert status == 200
    assert b"EventSource" in page
    assert b"//" not in page.replace(b"http://www.w3.org", b"")  # nothing from elsewhere
    status, line = ask(dashboard.url, "/events")
    assert status == 200
    news = json.loads(line.decode().removeprefix("data: "))
    assert {"begin", "epoch", "end"} <= {line["kind"] for line in news}
    assert ask(dashboard.url, "/elsewhere")[0] == 404


def test_a_run_that_is_asked_to_stop_ends_cleanly(dashboard):
    def stop(epoch, logs):
        if epoch == 1:
            assert ask(dashboard.url, f"/stop/{dashboard.run.number}", "POST")[0] == 200

    asking = LambdaCallback(on_epoch_end=stop)
    history = model().fit(X, Y, epochs=50, verbose=0, callbacks=[asking, dashboard])
    assert history.epoch == [0, 1]
    assert list(Follower(dashboard.folder).news())[-1]["stopped"]
    again = model().fit(X, Y, epochs=2, verbose=0, callbacks=[dashboard])
    assert again.epoch == [0, 1]


def test_only_this_page_may_ask(dashboard):
    model().fit(X, Y, epochs=1, verbose=0, callbacks=[dashboard])
    number = dashboard.run.number
    assert ask(dashboard.url, f"/stop/{number}", "POST", Origin="http://elsewhere.example")[0] == 403
    assert ask(dashboard.url, "/", Host="elsewhere.example:80")[0] == 403
    for wrong in ("0", "../secret", "%2e%2e/secret", ""):
        assert ask(dashboard.url, f"/stop/{wrong}", "POST")[0] == 404


def test_numbers_that_are_none_are_told_as_none(tmp_path):
    run = RunFile(tmp_path, "odd")
    run.record("epoch", logs={"loss": float("nan"), "many": np.array([1.0, 3.0]), "word": object})
    (line,) = Follower(tmp_path).news()
    assert line["logs"]["loss"] is None
    assert line["logs"]["many"] == 2.0


def test_a_full_disk_does_not_end_the_training(tmp_path, monkeypatch):
    def refuse(path, text):
        raise OSError(28, "no space left")

    run = RunFile(tmp_path, "one")
    monkeypatch.setattr("cornu.callbacks.dashboard.run_files.append_text", refuse)
    with pytest.warns(UserWarning, match="training continues"):
        run.record("begin")
    run.record("epoch")  # not a second time


def test_a_follower_reads_whole_lines_only_and_each_once(tmp_path):
    run, follower = RunFile(tmp_path, "one"), Follower(tmp_path)
    run.record("begin")
    assert len(list(follower.news())) == 1
    with run.path.open("a") as file:
        file.write('{"kind": "epo')
    assert list(follower.news()) == []
    with run.path.open("a") as file:
        file.write('ch"}\nno json\n')
    assert [line["kind"] for line in follower.news()] == ["epoch"]
    assert newest_runs(tmp_path / "nowhere") == []


def test_two_dashboards_share_a_page_and_the_second_takes_it_over(tmp_path):
    first = Server(tmp_path, port=0)
    first.start()
    second = Server(tmp_path, port=first.port)
    second.start()
    assert second.url == first.url
    assert shown_folder(second.url) == str(tmp_path.resolve())
    first.close()
    second.keep_alive()
    try:
        assert ask(second.url, "/about")[0] == 200
    finally:
        second.close()


def test_another_program_keeps_its_port(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        answering = threading.Thread(target=lambda: other.accept()[0].close(), daemon=True)
        answering.start()
        server = Server(tmp_path, port=other.getsockname()[1])
        server.start()
        try:
            assert server.port != other.getsockname()[1]
            answering.join()
        finally:
            server.close()


def test_it_does_not_end_the_blocks_of_steps(dashboard):
    watcher = CallbackList([dashboard, EarlyStopping()]).for_batches("train")
    assert not watcher.every_batch


def raw(url, text):
    """Return all that is answered to a text, until the connection is closed."""
    host, port = url.removeprefix("http://").partition("/")[0].split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(text.encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer.decode()


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("framing", ["Content-Length: {}", "Transfer-Encoding: chunked"])
def test_a_request_hidden_in_a_body_stops_nothing(tmp_path, method, framing):
    server, run = Server(tmp_path, port=0), RunFile(tmp_path, "one")
    run.record("begin")
    server.start()
    try:
        hidden = f"POST /stop/{run.number} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
        answer = raw(
            server.url, f"{method} /x HTTP/1.1\r\nHost: localhost\r\n{framing.format(len(hidden))}\r\n\r\n{hidden}"
        )
    finally:
        server.close()
    assert answer.count("HTTP/1.1") == 1
    assert not run.stop_asked()


def test_a_token_opens_the_page_and_is_shared_by_a_folder(tmp_path):
    first = Server(tmp_path, port=0, token=True)
    first.start()
    second = Server(tmp_path, port=first.port, token=True)
    second.start()
    try:
        assert first.url == second.url
        assert (tmp_path / "token").stat().st_mode & 0o77 == 0
        address, _, token = first.url.partition("?token=")
        for method, path in (
            ("GET", "/"),
            ("GET", "/about"),
            ("GET", "/events"),
            ("POST", "/stop/1"),
            ("GET", "/?token=x"),
        ):
            assert ask(address, path, method)[0] == 401
        answer = raw(address, f"GET /?token={token} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert answer.startswith("HTTP/1.1 303")
        assert "HttpOnly; SameSite=Strict" in answer
        cookie = answer.partition("Set-Cookie: ")[2].partition(";")[0]
        assert ask(address, "/", Cookie=cookie)[0] == 200
    finally:
        first.close()
        second.close()
    public = Server(tmp_path, host="0.0.0.0", port=0)
    public.start()
    public.close()
    assert public.token == token


def test_every_answer_has_a_policy(dashboard):
    model().fit(X, Y, epochs=1, verbose=0, callbacks=[dashboard])
    for path in ("/", "/about", "/nowhere"):
        answer = raw(dashboard.url, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert "default-src 'none'" in answer
        assert "nosniff" in answer


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
        ("OPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
        ("<script> / HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
        ("GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
        ("GET / HTTP/1.2\r\nHost: localhost\r\n\r\n", 505),
        ("rubbish\r\n\r\n", 400),
        ("GET /" + "x" * 70_000 + " HTTP/1.1\r\n\r\n", 414),
        ("GET / HTTP/1.1\r\n" + "a: b\r\n" * 200 + "\r\n", 431),
        ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: evil\r\nHost: localhost\r\n\r\n", 400),
        ("GET http://localhost/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
        ("GET /events HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\nConnection: close\r\n\r\n", 403),
        ("POST /stop/1 HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\nConnection: close\r\n\r\n", 403),
        ("POST /stop/1 HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\nConnection: close\r\n\r\n", 403),
    ],
)
def test_unusual_requests_are_refused_with_a_policy(tmp_path, request_, status):
    server = Server(tmp_path, port=0)
    server.start()
    try:
        answer = raw(server.url, request_)
    finally:
        server.close()
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert "default-src 'none'" in answer
    assert "nosniff" in answer
    assert "application/json" in answer


def test_a_request_that_comes_byte_by_byte_has_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr("cornu.callbacks.dashboard.server.SECONDS", 0.5)
    server = Server(tmp_path, port=0)
    server.start()
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            sent = 0
            with contextlib.suppress(ConnectionError):
                for sent in range(200):  # noqa: B007
                    connection.sendall(b"G")
                    threading.Event().wait(0.05)
        assert sent < 199
        assert ask(server.url, "/about")[0] == 200
    finally:
        server.close()


def test_a_line_cannot_name_another_run(tmp_path):
    (tmp_path / "7.jsonl").write_text('{"run": "8", "kind": "epoch", "x": NaN}\n5\n' + "[" * 100_000 + "\n")
    assert list(Follower(tmp_path).news()) == [{"run": "7", "kind": "epoch", "x": None}]
