"""The open connections: how many there may be, and how long each may be idle or busy."""

import asyncio
import time
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from cornu.serve.limits import Limits, RequestError

#: Seconds between searches for connections that are idle or busy for too long.
LOOK = 0.5
#: Seconds for a request to arrive, and for its answer to be read, before its connection may be closed for a new one.
PATIENCE = 1.0
#: Seconds for the rest of a request to arrive, and for its answer to be read, when the server is stopped.
LAST_SECONDS = 0.3
NO_SNIFFING = b"x-content-type-options: nosniff\r\n"
JSON = NO_SNIFFING + b"content-type: application/json\r\n"


class Connections:
    """The connections of a server, each idle (until it has sent a request's head) or busy (until it is answered).

    If there are too many, the longest idle one is closed for a new one, or else the longest that waits for its client.
    """

    def __init__(self, limits: Limits) -> None:
        self.most, self.limits = limits.connections, limits
        self._idle: dict[Any, float] = {}  # since when, in this order
        self._busy: dict[Any, float] = {}
        self._looking = self._closing = False

    def __len__(self) -> int:
        return len(self._idle) + len(self._busy)

    def close(self) -> None:
        """Close new connections at once: the server is being stopped."""
        self._closing = True

    def opened(self, connection: Any) -> bool:
        """Count a new connection; returns False if there are too many, and none can be closed for it."""
        loop = connection.loop
        if self._closing:  # uvicorn tells only the connections that it has by then
            connection.transport.abort()
            return True
        if len(self) >= self.most:
            slowest = self._slowest()
            if slowest is None:
                return False
            self._abort(slowest)
        self._idle[connection] = time.monotonic()
        if not self._looking:
            self._looking = True
            loop.call_later(LOOK, self._look, loop)
        return True

    def _slowest(self) -> Any:
        """Return the connection to close for a new one; None if all are new, or wait for the server."""
        if self._idle:
            return next(iter(self._idle))
        latest = time.monotonic() - PATIENCE
        for connection, since in self._busy.items():
            if since > latest:
                return None
            if not connection.has_arrived() or connection.flow.write_paused:
                return connection
        return None

    def begun(self, connection: Any) -> None:
        """Record that the head of a request has arrived."""
        if self._idle.pop(connection, None) is not None:
            self._busy[connection] = time.monotonic()

    def answered(self, connection: Any, is_last: bool) -> None:
        """Record that a request has been answered, perhaps at once; others follow, unless it `is_last`."""
        if self._idle.pop(connection, None) is not None or self._busy.pop(connection, None) is not None:
            (self._idle if is_last else self._busy)[connection] = time.monotonic()

    def closed(self, connection: Any) -> None:
        """Forget a connection."""
        self._idle.pop(connection, None)
        self._busy.pop(connection, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close the connections that are idle or busy for too long."""
        for since, seconds in ((self._idle, self.limits.idle), (self._busy, self.limits.busy)):
            while since:
                oldest, when = next(iter(since.items()))
                if time.monotonic() - when < seconds:
                    break
                self._abort(oldest)
        self._looking = len(self) > 0
        if self._looking:
            loop.call_later(LOOK, self._look, loop)

    def _abort(self, connection: Any) -> None:
        """Close a connection, also if its client does not read what was sent."""
        self.closed(connection)
        connection.transport.abort()


class Watched:
    """What uvicorn's connection classes need for these limits; put it before one of them among the base classes."""

    service: Any
    loop: asyncio.AbstractEventLoop
    cycle: Any
    transport: Any
    connections: Any  # uvicorn's
    flow: Any

    def connection_made(self, transport: Any) -> None:
        """Begin, unless there are too many connections."""
        super().connection_made(transport)  # type: ignore[misc]
        if not self.service.connections.opened(self):
            self.turn_away(RequestError(503, "Too many connections; try again in a second."))

    def connection_lost(self, exc: Exception | None) -> None:
        """Discard what was received."""
        self.service.connections.closed(self)
        super().connection_lost(exc)  # type: ignore[misc]

    def on_response_complete(self) -> None:
        """Let uvicorn continue with the next request, without its timer: `Connections` closes idle ones."""
        super().on_response_complete()  # type: ignore[misc]
        self._unset_keepalive_if_required()  # type: ignore[attr-defined]
        self.service.connections.answered(self, self.cycle.response_complete)

    def shutdown(self) -> None:
        """Close the connection once its request is answered; the rest of the request must arrive soon."""
        super().shutdown()  # type: ignore[misc]
        self.loop.call_later(LAST_SECONDS, self._give_up)

    def _should_upgrade(self) -> bool:
        """Return False: there are no websockets."""
        return False

    def _unsupported_upgrade_warning(self) -> None:
        """Do not log requests for another protocol: they are answered in this one."""

    def has_arrived(self) -> bool:
        """Return whether a request is under way that has been received completely."""
        return self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body

    def _give_up(self) -> None:
        """Close the connection unless its client waits for an answer; then it has as long to read that."""
        if self in self.connections and self.has_arrived() and not self.flow.write_paused:
            self.loop.call_later(LAST_SECONDS, self._give_up)
        else:
            self.transport.abort()

    def turn_away(self, refusal: RequestError) -> None:
        """Answer with an error, and close the connection; if earlier requests are not answered yet, only those are."""
        if self.has_arrived():
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        body = refusal.body
        last = b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        self.transport.write(b"".join([STATUS_LINE[refusal.status], head_of(refusal), last, body]))
        self.transport.close()


def head_of(refusal: RequestError) -> bytes:
    """Return the header lines of the answer to a rejected request."""
    return JSON + "".join(f"{name}: {value}\r\n" for name, value in refusal.headers.items()).encode()


class SlowLane(Watched, H11Protocol):
    """A connection that passes every request to the application; h11 limits the length of a head that is incomplete."""

    def __init__(self, service: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service = service

    def data_received(self, data: bytes) -> None:
        """Parse the data received; a request that has not been answered by then is under way."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self.service.connections.begun(self)

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be parsed, and close the connection."""
        self.turn_away(RequestError(400, msg))
