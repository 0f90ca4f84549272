"""The fast lane answers as the application does, one request after the other, and leaves the rest to it."""

import asyncio
import json
import sys

import numpy as np
import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from cornu.serve.application import Service
from cornu.serve.direct_protocol import FastLane, is_compatible
from cornu.serve.limits import Limits
from cornu.serve.served_model import ServedModel

ROWS = {"inputs": {"size": [[1, 2, 3]], "kind": [[0, 1]]}}
BODY = json.dumps(ROWS).encode()
PREDICT, INFER = "/v1/models/two:predict", "/v2/models/two/infer"


@pytest.fixture(scope="module")
def small(two_model):
    """A service of low limits that only the fast lane reaches: the application answers 418 to whatever comes to it."""
    return Service([ServedModel("two", two_model, sizes=(2,))], Limits(body=2000, bodies=3000, receiving=0.3))


async def teapot(scope, receive, send):
    await send({"type": "http.response.start", "status": 418, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


def post(path=PREDICT, body=BODY, *headers, length=None):
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def answer(reader):
    """Return an answer's status, headers and body."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if line)
    return int(first.split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


def talk(service, *parts, answers=1, application=teapot, before_last=0.0, shutdown=False, others=0):
    """Send parts over one connection, a turn after each other, and return the answers; `others` only connect."""

    async def main():
        config = uvicorn.Config(application, access_log=False, lifespan="off", proxy_headers=False)
        state = ServerState()
        make = lambda: FastLane(service, config=config, server_state=state, app_state={})  # noqa: E731
        async with await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0) as server:
            address = server.sockets[0].getsockname()
            idle = [await asyncio.open_connection(*address) for _ in range(others)]
            reader, writer = await asyncio.open_connection(*address)
            for number, part in enumerate(parts):
                if number == len(parts) - 1:
                    await asyncio.sleep(before_last)
                    if shutdown:
                        for connection in [*state.connections]:
                            connection.shutdown()
                writer.write(part)
                await asyncio.sleep(0.01)
            found = [await asyncio.wait_for(answer(reader), 30) for _ in range(answers)]
            rest = await asyncio.wait_for(reader.read(), 30) if shutdown else b""
            assert not rest
            for _, each in [(reader, writer), *idle]:
                each.close()
            await asyncio.sleep(0.05)
        assert service.receiving == 0
        assert not state.connections
        return found

    return asyncio.run(main())


def test_it_answers_what_the_application_answers(small, client):
    [(status, headers, body)] = talk(small, post())
    expected = client.post(PREDICT, content=BODY)
    assert (status, headers["content-type"]) == (200, "application/json")
    for name, values in json.loads(body)["outputs"].items():
        np.testing.assert_allclose(values, expected.json()["outputs"][name], rtol=1e-5)
    inputs = [
        {"name": "size", "shape": [1, 3], "datatype": "FP32", "parameters": {"binary_data_size": 12}},
        {"name": "kind", "shape": [1, 2], "datatype": "INT32", "data": [0, 1]},
    ]
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    question = head + np.float32([1, 2, 3]).tobytes()
    [(status, headers, body)] = talk(
        small, post(INFER, question, f"inference-header-content-length: {len(head)}", "Connection: keep-alive")
    )
    assert (status, headers["content-type"]) == (200, "application/octet-stream")
    price = np.frombuffer(body[int(headers["inference-header-content-length"]) :][:4], "float32")
    np.testing.assert_allclose(price, expected.json()["outputs"]["price"][0], rtol=1e-5)


def test_a_request_in_pieces_and_several_in_one_piece(small):
    whole = post()
    assert talk(small, whole[:9], whole[9:60], whole[60:90], whole[90:])[0][0] == 200
    bad = post(body=b"{}")
    found = talk(small, whole + bad + whole, whole, answers=4, application=small.application)
    assert [one[0] for one in found] == [200, 422, 200, 200]


@pytest.mark.parametrize(
    ("request_", "status", "said"),
    [
        (post(body=b"nothing"), 400, "not valid JSON"),
        (post(body=b"{}"), 422, "either 'instances'"),
        (post(INFER, BODY, "Inference-Header-Content-Length: 99999"), 400, "99999"),
        (post(length=99), 408, "within 0.3 seconds"),
    ],
)
def test_refusals(small, request_, status, said):
    [(found, _, body)] = talk(small, request_)
    assert (found, said in json.loads(body)["error"]) == (status, True), body
    assert talk(small, post())[0][0] == 200


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /v1/models/two HTTP/1.1\r\nHost: x\r\n\r\n",
        post("/v1/models/two:predict?x=1"),
        post("/v1/models/three:predict"),
        post(PREDICT, BODY, "Content-Encoding: gzip"),
        post(PREDICT, BODY, "Connection: close"),
        post(PREDICT, BODY, "Expect: 100-continue"),
        post(PREDICT, b" " * 2001),
        post().replace(b"HTTP/1.1", b"HTTP/1.0"),
        post().replace(b"POST", b"PUT"),
        b"POST /v1/models/two:predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_the_unusual_goes_to_the_application(small, request_):
    assert talk(small, request_)[0][0] == 418


def test_long_bodies_are_parsed_in_another_thread(two_model):
    service = Service([ServedModel("two", two_model, sizes=(2,))])
    long = json.dumps({**ROWS, "more": "x" * 1_000_000}).encode()
    many = b'{"inputs": {%s}}' % b",".join(b'"%d": 1' % i for i in range(100_000))
    found = talk(service, post(body=long) + post(), answers=2, application=service.application)
    assert [one[0] for one in found] == [200, 200]
    assert talk(service, post(body=many))[0][0] == 422
    talk(service, post(body=long), answers=0)  # lost while it is parsed


def test_strings_among_numbers_do_not_fill_the_memory(small):
    kind = ["x" * 1000, *["y"] * 100]
    [(status, _, body)] = talk(small, post(body=json.dumps({"inputs": {"size": [[1, 2, 3]], "kind": kind}}).encode()))
    assert (status, b"not all numbers" in body) == (422, True)


def test_bodies_that_are_received_may_not_fill_the_memory(small, monkeypatch):
    monkeypatch.setattr(small, "receiving", 2990)
    with pytest.raises(AssertionError):  # `talk` sees what was set here
        talk(small, post())
    assert small.receiving == 2990
    assert dict(small.metrics.requests)["/v1/models/{model}:predict", 429] == 1


def test_an_error_of_ours_and_one_of_the_models(small, monkeypatch, caplog):
    with monkeypatch.context() as patched:
        patched.setattr(small.entries["two"].served, "compute", lambda arrays: 1 / 0)
        [(status, _, body)] = talk(small, post())
    assert (status, json.loads(body)["error"]) == (500, "Running the model failed: ZeroDivisionError.")
    with monkeypatch.context() as patched:
        protocols = {one.protocol.__name__.rpartition(".")[2]: one.protocol for one in small.computing.values()}
        patched.setattr(protocols["tensorflow_protocol"], "check_rows", lambda *_: 1 / 0)
        [(status, _, body)] = talk(small, post())
    assert (status, json.loads(body)["error"]) == (500, "Internal error: ZeroDivisionError.")
    assert caplog.text.count("Traceback") == 2


def test_a_request_under_way_is_answered_before_the_connection_is_closed(small):
    whole = post()
    [(status, headers, _)] = talk(small, whole[:-9], whole[-9:], before_last=0.1, shutdown=True)
    assert (status, headers["connection"]) == (200, "close")


@pytest.mark.parametrize(("others", "queued"), [(0, 0), (1, 1)])
def test_who_is_alone_does_not_queue(small, monkeypatch, others, queued):
    batcher, put = small.entries["two"].batcher, []
    monkeypatch.setattr(batcher, "put", lambda *args, wrapped=batcher.put: put.append(args) or wrapped(*args))
    monkeypatch.setattr(batcher.served, "seconds", dict.fromkeys(batcher.served.sizes, 0.001))
    [(status, _, body)] = talk(small, post(), others=others)
    assert (status, {*json.loads(body)}, len(put)) == (200, {"outputs"}, queued)


def test_a_connection_that_is_lost_leaves_nothing_behind(small):
    talk(small, post()[:-9], answers=0)
    talk(small, post(), answers=0)


def test_rows_of_a_lost_connection_are_not_computed(small, monkeypatch):
    batcher, jobs = small.entries["two"].batcher, []
    monkeypatch.setattr(batcher, "at_once", lambda arrays: None)
    monkeypatch.setattr(batcher, "_schedule", lambda loop: None)
    monkeypatch.setattr(batcher, "put", lambda *args, wrapped=batcher.put: jobs.append(wrapped(*args)) or jobs[-1])
    talk(small, post(), answers=0)
    assert [job.over for job in jobs] == [True]
    assert batcher._next_jobs() == []


@pytest.mark.parametrize("others", [0, 1])
def test_an_answered_request_leaves_no_rows_behind(small, others, monkeypatch):
    lanes = []
    monkeypatch.setattr(FastLane, "connection_made", lambda self, _, made=FastLane.connection_made: (
        lanes.append(self), made(self, _))[1])  # fmt: skip
    talk(small, post(), others=others)
    exchanges = [lane.cycle for lane in lanes if lane.cycle is not None]
    assert [(one.response_complete, one.question, one.job, one.parts) for one in exchanges] == [(True, None, None, [])]


def test_a_rejected_document_is_freed(two_model):
    service = Service([ServedModel("two", two_model, sizes=(2,))])
    body = json.dumps({"inputs": 5, "more": "x" * 600_000}).encode()

    async def main():
        before = sys.getrefcount(body)
        [error] = await asyncio.gather(
            service.parse(service.by_address[PREDICT.encode()], body, None), return_exceptions=True
        )
        await asyncio.sleep(0.1)
        return error.status, sys.getrefcount(body) - before

    assert asyncio.run(main()) == (422, 0)


def test_it_gets_along_with_this_uvicorn():
    assert is_compatible()


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("__init__", lambda self, config: None),
        ("on_response_complete", lambda self, sent: None),
        ("connection_made", lambda self, transport: None),
        ("on_message_begin", lambda self: None),
        ("connection_made", lambda self, transport: asyncio.get_running_loop()),
    ],
)
def test_it_sees_a_uvicorn_that_works_otherwise(monkeypatch, name, other):
    monkeypatch.setattr(HttpToolsProtocol, name, other)
    assert not is_compatible()
