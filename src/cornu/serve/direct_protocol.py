"""The usual prediction requests, answered as soon as they are parsed: no task, no routing, no events.

These are most of a server's requests, and the application around the model would take most of their time. A request
that is unusual (in its method, address, framing, size, ...) goes to the application, which also reports what is wrong
with it.
"""

import asyncio
import logging
import sys
import time
from types import SimpleNamespace
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from cornu.serve.access import Access
from cornu.serve.application import Service
from cornu.serve.batching import Job
from cornu.serve.busy_wait import BusyWait
from cornu.serve.computing import LONG, Computing, is_long
from cornu.serve.connections import JSON, NO_SNIFFING, Connections, Watched, head_of
from cornu.serve.inference_protocol import HEADER_LENGTH
from cornu.serve.limits import Limits, RequestError
from cornu.serve.metrics import Metrics

_HEADER_LENGTH = HEADER_LENGTH.lower().encode()
_BINARY = NO_SNIFFING + b"content-type: application/octet-stream\r\n"
#: Requests of one connection that may wait for the answer to the first.
MOST_PIPELINED = 64
_PARSING = object()  # a question that is being parsed in another thread
_log = logging.getLogger("cornu.serve")


class Exchange:
    """A request on its way through the fast lane.

    It replaces uvicorn's own request object, and has the attributes of it that the protocol reads and sets.
    """

    __slots__ = (
        "computing", "disconnected", "header_length", "job", "keep_alive", "parts", "question", "response_complete",
        "size", "started", "timer",
    )  # fmt: skip
    message_event = asyncio.Event()  # set if the connection is lost; nothing waits for it

    def __init__(self, computing: Computing, header_length: str | None) -> None:
        self.computing, self.header_length = computing, header_length
        self.started = time.perf_counter()
        self.response_complete = self.disconnected = False
        self.keep_alive = True
        self.parts: list[bytes] = []
        self.size = 0
        self.timer: asyncio.TimerHandle | None = None
        self.question: Any = None
        self.job: Job | None = None


class FastLane(Watched, HttpToolsProtocol):
    """A uvicorn connection that answers the usual prediction requests itself."""

    def __init__(self, service: Service, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service = service
        self._head, self._begun = True, False  # is the parser in a request's head? did that begin in the last data?
        self._bytes = self._latest = 0  # of the head, or of the framing of the body; and of the latest data
        self._refusal: RequestError | None = None
        self._upgrade = False  # is the request one for another protocol?
        self._data = self._again = b""  # what is being parsed, and what is to be parsed instead

    # ---- what the parser calls

    def on_message_begin(self) -> None:
        """Begin with a request's head; only `_pass_on` needs the rest of what uvicorn does here."""
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._head = self._begun = True
        self._upgrade, self._bytes = False, 0

    def on_headers_complete(self) -> None:
        """Begin with a request."""
        self._head = False
        if self._bytes + self._latest > self.service.limits.head:
            self._check_head()
        self._bytes = 0
        computing = self.service.by_address.get(self.url)
        if computing is None or not self._is_free():
            return self._pass_on()
        headers = dict(self.headers)
        length = headers.get(b"content-length", b"")
        if len(headers) < len(self.headers) or b"host" not in headers:
            return self._pass_on()
        if not self.service.access.allows(headers):
            return self._pass_on()
        if b"content-encoding" in headers or not length.isdigit() or len(length) > 15:
            return self._pass_on()
        if int(length) > self.service.limits.body:
            return self._pass_on()
        header_length = headers.get(_HEADER_LENGTH)
        said = None if header_length is None else header_length.decode("latin-1")
        self.cycle: Any = Exchange(computing, said)
        return None

    def _pass_on(self) -> None:
        """Pass a request to the application, without the trailers of its body: they could fill the memory."""
        if not self.url.startswith(b"/") and self.url != b"*":
            raise self._refused(400, "The target of a request must be a path.")
        if len(self.pipeline) >= MOST_PIPELINED:
            raise self._refused(429, f"More than {MOST_PIPELINED} requests were sent before the first was answered.")
        self._upgrade = self.parser.should_upgrade()
        if self._upgrade:
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super().on_headers_complete()
        self.headers = _Nothing()

    def _check_head(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.service.limits.head:
            raise self._refused(431, self._too_long)

    @property
    def _too_long(self) -> str:
        return f"The head of the request has more than {self.service.limits.head:,} bytes."

    def _refused(self, status: int, message: str) -> RequestError:
        """Return an error for the parser to raise, which makes uvicorn call `send_400_response`."""
        self._refusal = RequestError(status, message)
        return self._refusal

    def _unsupported_upgrade_warning(self) -> None:
        """Let a request for another protocol be read again without that header: the parser skips its body."""
        rest = self._data[sys.exception().args[0] :]  # type: ignore[union-attr]
        lines = [b"%s: %s\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        first = b"%s %s HTTP/%s\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        self._again = b"".join([first, *lines, b"\r\n", rest])
        self.parser = httptools.HttpRequestParser(self)

    def _is_free(self) -> bool:
        """Return whether a request is a plain POST and every earlier one has been answered."""
        parser = self.parser
        return (
            (self.cycle is None or self.cycle.response_complete)
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
        )

    def on_body(self, body: bytes) -> None:
        """Keep a part of a request's body."""
        exchange = self.cycle
        if type(exchange) is not Exchange:
            self._bytes -= 3 * len(body)  # the framing of small chunks may be twice as long as what they hold
            return super().on_body(body)
        if exchange.response_complete:
            return None
        exchange.parts.append(body)
        exchange.size += len(body)
        self.service.receiving += len(body)
        if self.service.receiving > self.service.limits.bodies:
            self._refuse(exchange, self.service.limits.too_many())
        return None

    def on_message_complete(self) -> None:
        """Pass a complete request to the model."""
        if self._upgrade:
            return None
        exchange = self.cycle
        if type(exchange) is not Exchange:
            return super().on_message_complete()
        if exchange.response_complete:
            return None
        body = b"".join(exchange.parts) if len(exchange.parts) != 1 else exchange.parts[0]
        self._received(exchange)
        computing, header_length = exchange.computing, exchange.header_length
        try:
            if len(body) > LONG and is_long(body, header_length):
                exchange.question = _PARSING
                future = self.service.parse(computing, body, header_length)
                future.add_done_callback(lambda done: self._parsed(exchange, done))
                return None
            exchange.question = computing.understood(body, header_length)
            self._compute(exchange)
        except RequestError as refusal:
            self._refuse(exchange, refusal)
        except Exception as error:
            self._fail(exchange, error)
        return None

    def _parsed(self, exchange: Exchange, done: asyncio.Future) -> None:
        """Pass a long request to the model, parsed in another thread."""
        try:
            question = done.result()
            if not exchange.disconnected:
                exchange.question = question
                self._compute(exchange)
        except RequestError as refusal:
            self._refuse(exchange, refusal)
        except Exception as error:
            self._fail(exchange, error)

    def _compute(self, exchange: Exchange) -> None:
        """Compute a request here if there is no other client to read from, else queue it."""
        batcher, arrays = exchange.computing.batcher, exchange.question.arrays
        found = batcher.at_once(arrays) if len(self.connections) == 1 else None
        if found is None:
            exchange.job = batcher.put(arrays, lambda found: self._found(exchange, found))
        else:
            self._found(exchange, found)

    # ---- what the connection calls

    def data_received(self, data: bytes) -> None:
        """Parse the data received; the time limit for the rest of a request starts here."""
        self.service.busy_wait.arrived()
        self._latest, self._begun, self._data = len(data), False, data
        super().data_received(data)
        while self._again:
            self._data, self._again = self._again, b""
            super().data_received(self._data)
        self._data = b""
        exchange, is_ours = self.cycle, type(self.cycle) is Exchange
        if not self._begun and (self._head or not is_ours):
            self._count(len(data))
        if exchange is None or exchange.response_complete:
            return
        self.service.connections.begun(self)
        if is_ours and exchange.question is None and exchange.timer is None:
            exchange.timer = self.loop.call_later(self.service.limits.receiving, self._too_slow, exchange)

    def _count(self, size: int) -> None:
        """Count the bytes of a head or of a body's framing, which the parser keeps."""
        self._bytes += size
        if self._bytes > self.service.limits.head and not self.transport.is_closing():
            self.turn_away(RequestError(431, self._too_long))

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be parsed, or whose head is too long, and close the connection."""
        self.turn_away(self._refusal or RequestError(400, msg))

    def has_arrived(self) -> bool:
        """Return whether a request is under way that has been received completely."""
        if type(self.cycle) is Exchange:
            return self.cycle.question is not None and not self.cycle.response_complete
        return super().has_arrived()

    def connection_lost(self, exc: Exception | None) -> None:
        """Discard what was received, and what was not computed yet."""
        exchange = self.cycle
        super().connection_lost(exc)
        if type(exchange) is Exchange:
            self._received(exchange)
            if exchange.job is not None:
                exchange.job.drop()

    def _received(self, exchange: Exchange) -> None:
        """Remove the body from the count of those being received."""
        if exchange.timer is not None:
            exchange.timer.cancel()
        self.service.receiving -= exchange.size
        exchange.size = 0
        exchange.parts = []

    def _too_slow(self, exchange: Exchange) -> None:
        if not exchange.response_complete:
            self._refuse(exchange, self.service.limits.too_slow())

    # ---- answers

    def _found(self, exchange: Exchange, found: Any) -> None:
        """Answer with the model's outputs, or with the error."""
        if isinstance(found, RequestError):
            return self._refuse(exchange, found)
        try:
            content, head = exchange.computing.answered(exchange.question, found)
        except RequestError as refusal:
            return self._refuse(exchange, refusal)
        except Exception as error:
            return self._fail(exchange, error)
        kind = JSON if head is None else b"%s%s: %d\r\n" % (_BINARY, _HEADER_LENGTH, head)
        return self._respond(exchange, 200, kind, content)

    def _fail(self, exchange: Exchange, error: Exception) -> None:
        _log.error("A request failed", exc_info=error)
        self._refuse(exchange, RequestError(500, f"Internal error: {type(error).__name__}."))

    def _refuse(self, exchange: Exchange, refusal: RequestError) -> None:
        self._received(exchange)
        self._respond(exchange, refusal.status, head_of(refusal), refusal.body)

    def _respond(self, exchange: Exchange, status: int, kind: bytes, content: bytes) -> None:
        """Write an answer, and let uvicorn continue with the next request."""
        exchange.response_complete = True
        exchange.question = exchange.job = None  # idle connections would keep their rows
        if not self.transport.is_closing():
            head = [STATUS_LINE[status]]
            head += [b"%s: %s\r\n" % header for header in self.server_state.default_headers]
            closing = b"" if exchange.keep_alive else b"connection: close\r\n"
            head += [kind, closing, b"content-length: %d\r\n\r\n" % len(content), content]
            self.transport.write(b"".join(head))
            self.service.busy_wait.answered(self.loop)
            if not exchange.keep_alive:
                self.transport.close()
        self.service.metrics.request(exchange.computing.route, status, time.perf_counter() - exchange.started)
        self.on_response_complete()

    def on_response_complete(self) -> None:
        """Continue with the next request, as uvicorn does."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
        else:
            self.server_state.total_requests += 1
            self.flow.resume_reading()
            self.service.connections.answered(self, self.cycle.response_complete)


_PROBE = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


def is_compatible() -> bool:
    """Return whether the installed uvicorn works as `FastLane` expects, by some requests that are rejected."""
    loop, written, state = asyncio.new_event_loop(), _Written(), ServerState()
    service: Any = SimpleNamespace(
        by_address={b"/": _Refusing()},
        limits=Limits(),
        metrics=Metrics(),
        busy_wait=BusyWait(spare=False),
        receiving=0,
        connections=Connections(Limits()),
        access=Access(),
    )
    # The application is never reached: a request passed to it counts as not answered.
    config = uvicorn.Config(lambda scope: None, log_config=None, lifespan="off")
    try:
        lane = FastLane(service, config=config, server_state=state, app_state={}, _loop=loop)
        lane.connection_made(written)
        lane.data_received(2 * _PROBE)
        lane.data_received(_PROBE.replace(b"Host", b"Connection: upgrade\r\nUpgrade: h2c\r\nHost"))
        HttpToolsProtocol.on_message_begin(lane)
        if lane.scope["headers"] is not lane.headers or (lane.url, lane.expect_100_continue) != (b"", False):
            return False
        written.close()
        lane.data_received(_PROBE)  # not answered
        lane.connection_lost(None)
    except Exception:  # another uvicorn may fail in any way
        return False
    finally:
        loop.close()
    answers = b"".join(written.parts).count(b"HTTP/1.1 422 ")
    return (answers, state.total_requests, service.receiving) == (3, 4, 0)


class _Nothing(list):
    """A list that stays empty."""

    def append(self, _: Any) -> None:
        """Do nothing."""


class _Refusing:
    """A stand-in for a model behind a protocol."""

    route = "/"

    def understood(self, _body: bytes, _header_length: str | None) -> Any:
        raise RequestError(422, "This is only a probe.")


class _Written(asyncio.Transport):
    """A stand-in for a connection, which keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[Any] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.parts.append(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        """Do nothing: there is nothing to pause."""

    def resume_reading(self) -> None:
        """Do nothing: there is nothing to resume."""
