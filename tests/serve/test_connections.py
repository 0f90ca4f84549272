"""Clients that send too much, too slowly or not at all, in the fast lane and in the slow one."""

import asyncio
import json
import socket
import threading

import pytest
import uvicorn
from uvicorn.server import ServerState

from cornu.serve import connections, inference_protocol
from cornu.serve.access import Access
from cornu.serve.application import Service
from cornu.serve.computing import Computing
from cornu.serve.connections import SlowLane
from cornu.serve.direct_protocol import MOST_PIPELINED, FastLane
from cornu.serve.limits import Limits
from cornu.serve.served_model import ServedModel

PREDICT = b"POST /v1/models/two:predict HTTP/1.1\r\nHost: x\r\n"
BODY = json.dumps({"inputs": {"size": [[1, 2, 3]], "kind": [[0, 1]]}}).encode()
WHOLE = PREDICT + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKED = PREDICT + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n" % (len(BODY), BODY)
LIMITS = Limits(connections=3, idle=1.0, receiving=1.5, head=2000, address=300, body=5000)


@pytest.fixture(scope="module")
def served(two_model):
    return ServedModel("two", two_model, sizes=(2,))


@pytest.fixture(params=[FastLane, SlowLane])
def lane(request):
    return request.param


@pytest.fixture(autouse=True)
def look_often(monkeypatch):
    monkeypatch.setattr(connections, "LOOK", 0.05)


def serving(served, lane, talk, limits=LIMITS, access=None):
    """Run `talk`, which gets a function that opens a connection and the state of the server."""

    async def main():
        service = Service([served], limits, access)
        config = uvicorn.Config(
            service.application, access_log=False, lifespan="off", ws="none",
            h11_max_incomplete_event_size=limits.head,
        )  # fmt: skip
        state = ServerState()
        make = lambda: lane(service, config=config, server_state=state, app_state={})  # noqa: E731
        async with await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0) as server:
            address, opened = server.sockets[0].getsockname(), []

            async def connect():
                opened.append(await asyncio.open_connection(*address))
                await asyncio.sleep(0.01)
                return opened[-1]

            connect.service = service
            await asyncio.wait_for(talk(connect, state), 30)
            for _, writer in opened:
                writer.close()
            await asyncio.sleep(0.1)
        assert (service.receiving, len(service.connections), len(state.connections)) == (0, 0, 0)

    asyncio.run(main())


async def status(reader):
    """Return the status of an answer; None if the connection is closed without one."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    length = int(head.lower().partition(b"content-length: ")[2].split()[0])
    await reader.readexactly(length)
    return int(head.split()[1])


async def asked(connect, *parts, pause=0.0):
    reader, writer = await connect()
    for part in parts:
        writer.write(part)
        await asyncio.sleep(pause)
    return await status(reader)


def test_a_head_that_is_too_long(served, lane):
    async def talk(connect, state):
        refused = 431 if lane is FastLane else 400
        many = b"".join(b"a%d: x\r\n" % i for i in range(400))
        one = b"a: " + b"x" * 3000
        for head in (many, one):
            if lane is FastLane:
                assert await asked(connect, PREDICT + head + b"\r\n\r\n") == 431
            assert (
                await asked(connect, PREDICT, *[head[i : i + 900] for i in range(0, len(head), 900)], pause=0.02)
                == refused
            )
        assert await asked(connect, WHOLE + PREDICT, many, pause=0.02) == 200
        assert await asked(connect, WHOLE.replace(b"Host", b"A: %s\r\nHost" % (b"x" * 1500))) == 200

    serving(served, lane, talk)


def test_trailers_and_framing_that_are_too_long(served, lane):
    async def talk(connect, state):
        assert await asked(connect, CHUNKED + b"0\r\na: b\r\n\r\n") == 200
        reader, writer = await connect()
        writer.write(CHUNKED + b"0\r\n")
        for i in range(100):
            writer.write(b"a%d: x\r\n" % i * 20)
            await asyncio.sleep(0.001)
        assert await status(reader) in (400, 408, 431, None)

    serving(served, lane, talk)


def test_heads_that_come_too_slowly(served, lane):
    async def talk(connect, state):
        reader, writer = await connect()
        for byte in PREDICT:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.03)
            if reader.at_eof():
                break
        assert await status(reader) is None
        assert not state.connections

    serving(served, lane, talk)


def test_idle_connections_are_closed(served, lane):
    async def talk(connect, state):
        silent, _ = await connect()
        answered, writer = await connect()
        writer.write(WHOLE)
        assert await status(answered) == 200
        assert await silent.read() == await answered.read() == b""
        assert not state.connections

    serving(served, lane, talk)


def test_no_connection_has_a_timer_of_its_own(served, lane):
    async def talk(connect, state):
        reader, writer = await connect()
        for _ in range(2):
            writer.write(WHOLE)
            assert await status(reader) == 200
        [connection] = state.connections
        assert connection.timeout_keep_alive_task is None
        assert len(connect.service.connections) == 1

    serving(served, lane, talk)


def test_a_request_sent_before_the_last_was_answered_is_not_idle(served, lane):
    async def talk(connect, state):
        reader, writer = await connect()
        writer.write(WHOLE + WHOLE[:-3])
        assert await status(reader) == 200
        await asyncio.sleep(1.25)
        writer.write(WHOLE[-3:])
        assert await status(reader) == 200

    serving(served, lane, talk, LIMITS._replace(receiving=20.0))


def test_a_new_connection_takes_the_place_of_the_longest_idle_one(served, lane):
    async def talk(connect, state):
        first, _ = await connect()
        for _ in range(10):
            await connect()
        assert len(state.connections) == 3
        assert await first.read() == b""
        assert await asked(connect, WHOLE) == 200

    serving(served, lane, talk)


def test_connections_are_refused_while_all_are_busy(served, lane, monkeypatch):
    monkeypatch.setattr(connections, "PATIENCE", 60.0)

    async def talk(connect, state):
        under_way = [await connect() for _ in range(3)]
        for _, writer in under_way:
            writer.write(WHOLE[:-3])
        await asyncio.sleep(0.05)
        assert await asked(connect) == 503
        assert [await status(reader) for reader, _ in under_way] == [408] * 3
        assert await asked(connect, WHOLE) == 200

    serving(served, lane, talk)


def test_the_slowest_unfinished_request_makes_room_for_a_new_connection(served, lane, monkeypatch):
    monkeypatch.setattr(connections, "PATIENCE", 0.3)

    async def talk(connect, state):
        slow = []
        for sent in (WHOLE[:-3], CHUNKED[:-3], PREDICT + b"Content-Length: 9\r\n\r\n"):
            slow.append(await connect())
            slow[-1][1].write(sent)
        await asyncio.sleep(0.4)
        for _ in range(2):
            reader, writer = await connect()
            writer.write(WHOLE)
            assert await status(reader) == 200
        assert await status(slow[0][0]) is None
        slow[1][1].write(CHUNKED[-3:] + b"0\r\n\r\n")
        assert await status(slow[1][0]) == 200

    serving(served, lane, talk, LIMITS._replace(idle=20.0, receiving=20.0))


def test_requests_that_wait_for_the_server_make_no_room(served, lane, monkeypatch):
    monkeypatch.setattr(connections, "PATIENCE", 0.0)

    async def talk(connect, state):
        for _ in range(3):
            _, writer = await connect()
            writer.write(WHOLE[:-3])
        await asyncio.sleep(0.1)
        waiting = [*state.connections]
        for connection in waiting:
            connection.has_arrived = lambda: True
        assert await asked(connect) == 503
        for connection in waiting:
            connection.transport.abort()

    serving(served, lane, talk)


def test_a_client_that_does_not_read_its_answers_is_disconnected(served, lane):
    async def talk(connect, state):
        _, writer = await connect()
        writer.transport.pause_reading()
        page = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
        for _ in range(400):
            writer.write(page)
        while state.connections:
            await asyncio.sleep(0.05)

    serving(served, lane, talk, LIMITS._replace(seconds=-60.0))


def test_unfinished_requests_do_not_delay_the_end(served, lane):
    async def talk(connect, state):
        for sent in (b"", PREDICT, WHOLE[:-3], CHUNKED):
            _, writer = await connect()
            writer.write(sent)
        await asyncio.sleep(0.05)
        for connection in [*state.connections]:
            connection.shutdown()
        async with asyncio.timeout(3):
            while state.connections:
                await asyncio.sleep(0.02)

    serving(served, lane, talk, Limits())


def test_a_request_that_has_arrived_is_answered_at_the_end(served, lane):
    async def talk(connect, state):
        reader, writer = await connect()
        writer.write(WHOLE[:-3])
        await asyncio.sleep(0.05)
        for connection in [*state.connections]:
            connection.shutdown()
        writer.write(WHOLE[-3:])
        assert await status(reader) == 200
        assert await reader.read() == b""

    serving(served, lane, talk)


def test_connections_that_come_while_the_server_stops_are_closed(served, lane):
    async def talk(connect, state):
        connect.service.stop()
        for sent in (b"", WHOLE):
            reader, writer = await connect()
            writer.write(sent)
            async with asyncio.timeout(5):
                assert await status(reader) is None
        assert not state.connections

    serving(served, lane, talk, Limits())


def test_answers_that_are_not_read_do_not_delay_the_end(served, lane):
    async def talk(connect, state):
        page = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
        for requests in (50, 400):  # with these many, answers wait in the server's buffer, and requests behind them
            _, writer = await connect()
            writer.transport.pause_reading()
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            writer.write(page * requests)
        await asyncio.sleep(0.3)
        for connection in [*state.connections]:
            connection.shutdown()
        async with asyncio.timeout(5):
            while state.connections:
                await asyncio.sleep(0.02)

    serving(served, lane, talk, Limits())


@pytest.mark.parametrize("in_time", [True, False])
def test_long_requests_that_wait_to_be_parsed_are_refused_at_the_end(served, lane, monkeypatch, in_time):
    started, go_on = threading.Event(), threading.Event()
    understood = Computing.understood

    def slow(self, body, header_length):
        started.set()
        assert go_on.wait(30)
        return understood(self, body, header_length)

    monkeypatch.setattr(Computing, "understood", slow)

    async def talk(connect, state):
        body = BODY[:-1] + b', "more": "%s"}' % (b"x" * 600_000)
        readers = []
        for _ in range(3):
            reader, writer = await connect()
            writer.write(PREDICT + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            readers.append(reader)
        await asyncio.to_thread(started.wait, 30)
        while connect.service.receiving < 3 * len(body):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        connect.service.stop()
        if in_time:
            go_on.set()
        assert [await status(reader) for reader in readers] == [200 if in_time else 503, 503, 503]
        go_on.set()
        while connect.service.receiving:
            await asyncio.sleep(0.01)

    serving(served, lane, talk, Limits())


def test_bodies_of_many_keys_are_refused_before_they_are_parsed(served, lane, monkeypatch):
    monkeypatch.setattr(inference_protocol, "loads", None)
    many = b'{"inputs": {%s}}' % b",".join(b'"%d": 1' % i for i in range(100_000))

    async def talk(connect, state):
        assert await asked(connect, PREDICT + b"Content-Length: %d\r\n\r\n" % len(many) + many) == 422

    serving(served, lane, talk, Limits())


def test_a_url_that_is_too_long(served, lane):
    async def talk(connect, state):
        for path in (b"/v2?" + b"x" * 300, b"/v2/" + b"x" * 300):
            assert await asked(connect, b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path) == 414

    serving(served, lane, talk)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (WHOLE.replace(b"Host: x", b"Host: evil\r\nHost: x"), {400}),
        (WHOLE.replace(b"Host: x", b"Host: x\r\nHost: evil"), {400}),
        (WHOLE.replace(b"Host: x", b"X: y"), {400}),
        (WHOLE.replace(b"Host", b"Origin: http://x\r\nOrigin: http://evil\r\nHost"), {400}),
        (WHOLE.replace(b"Host", b"Content-Encoding: identity\r\nContent-Encoding: gzip\r\nHost"), {400}),
        (WHOLE.replace(b"Host", b"Content-Length: 0\r\nHost"), {400}),
        (WHOLE.replace(b"Host", b"Transfer-Encoding: chunked\r\nHost"), {400}),
        (CHUNKED.replace(b"Host", b"Content-Length: 3\r\nHost") + b"0\r\n\r\n", {400}),
        (CHUNKED.replace(b"chunked", b"gzip, chunked") + b"0\r\n\r\n", {400, 501}),
        (CHUNKED.replace(b"chunked", b"chunked, identity") + b"0\r\n\r\n", {400, 501}),
        (CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"0\r\n\r\n", {400}),
        (WHOLE.replace(b"/v1", b"http://evil/v1"), {400}),
        (b"GET http://x/v2 HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
        (b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
        (b"GET /v2\r\n\r\n", {400, 505}),
        (b"GET /v2 HTTP/2.0\r\nHost: x\r\n\r\n", {505}),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), {400}),
    ],
)
def test_what_proxies_may_read_otherwise_is_refused_and_closed(served, lane, request_, expected):
    async def talk(connect, state):
        reader, writer = await connect()
        writer.write(request_ + b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await status(reader) in expected
        assert await status(reader) is None

    serving(served, lane, talk, access=Access(token="secret") if b"evil/" in request_ else None)


def test_requests_for_another_protocol_are_answered_in_this_one(served, lane):
    """Java's client sends such headers with its first request."""

    async def talk(connect, state):
        for upgrade in (b"h2c\r\nHTTP2-Settings: AAEAAEAA", b"websocket\r\nSec-WebSocket-Version: 13"):
            asking = WHOLE.replace(b"Host", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\nHost" % upgrade)
            reader, writer = await connect()
            for parts in ([asking + asking + WHOLE], [asking[:-9], asking[-9:], WHOLE, asking]):
                for part in parts:
                    writer.write(part)
                    await asyncio.sleep(0.02)
                assert [await status(reader) for _ in range(3)] == [200] * 3

    serving(served, lane, talk)


def test_rubbish_after_a_request_does_not_take_its_answer(served, lane):
    async def talk(connect, state):
        reader, writer = await connect()
        page = b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n"
        writer.write(page + page + b"rubbish\r\n\r\n")
        assert [await status(reader), await status(reader)] == [200, 200]
        assert await status(reader) in (400, None)

    serving(served, lane, talk)


def test_requests_that_wait_behind_the_first_are_few(served, lane):
    async def talk(connect, state):
        reader, writer = await connect()
        writer.write(b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n" * 2000)
        await asyncio.sleep(0)
        most = 0
        while not reader.at_eof() and await status(reader) == 200:
            waiting = [getattr(connection, "pipeline", ()) for connection in state.connections]
            most = max(most, *map(len, waiting), 0)
        assert most <= MOST_PIPELINED
        assert await asked(connect, WHOLE) == 200

    serving(served, lane, talk)


@pytest.mark.parametrize(
    ("access", "headers", "expected"),
    [
        (Access(local=True), b"Host: evil.example:80", 403),
        (Access(local=True), b"Host: 127.0.0.1.evil.example", 403),
        (Access(local=True), b"Host: LocalHost:80", 200),
        (Access(local=True), b"Host: [::1]", 200),
        (Access(), b"Host: any.example", 200),
        (Access(), b"Host: x\r\nOrigin: http://evil.example\r\nContent-Type: text/plain", 403),
        (Access(), b"Host: x\r\nSec-Fetch-Site: cross-site", 403),
        (Access(), b"Host: x\r\nOrigin: null", 403),
        (Access(), b"Host: x\r\nOrigin: http://x", 200),
        (Access(token="secret"), b"Host: x", 401),
        (Access(token="secret"), b"Host: x\r\nAuthorization: Bearer wrong", 401),
        (Access(token="secret"), b"Host: x\r\nAuthorization: Bearer secret", 200),
        (Access(True, "secret"), b"Host: any.example\r\nCookie: cornu-%d=secret", 200),
        (Access(token="secret"), b"Host: x\r\nCookie: cornu-%d=secret\r\nOrigin: http://evil.example", 403),
    ],
)
def test_who_may_ask(served, lane, access, headers, expected):
    async def talk(connect, state):
        reader, writer = await connect()
        given = headers.replace(b"%d", b"%d" % writer.get_extra_info("peername")[1])
        writer.write(WHOLE.replace(b"Host: x", given))
        assert await status(reader) == expected

    serving(served, lane, talk, access=access)
