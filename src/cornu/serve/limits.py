"""Limits of a server, and how it rejects requests."""

from typing import NamedTuple

import orjson

from cornu.core.errors import readable


class RequestError(Exception):
    """A rejected request: the HTTP status, the reason, and what to do. If it `closes`, its connection ends with it."""

    def __init__(self, status: int, message: str, closes: bool = False) -> None:
        self.status, self.message, self.closes = status, readable(message), closes
        super().__init__(self.message)

    @property
    def headers(self) -> dict[str, str]:
        """The answer's headers."""
        if self.status == 401:
            return {"www-authenticate": "Bearer"}
        if self.closes:
            return {"connection": "close"}
        return {"retry-after": "1"} if self.status in (429, 503) else {}

    @property
    def body(self) -> bytes:
        """The answer's body, as JSON."""
        return orjson.dumps({"error": self.message})


class Limits(NamedTuple):
    """The limits of a server. Requests beyond them are rejected, so that no client can fill the memory or the queue."""

    body: int = 8 << 20  # bytes of one request
    bodies: int = 256 << 20  # bytes of all requests that are being received, and of all rows that wait for one model
    rows: int = 4096  # rows of one request
    queue: int = 8192  # rows that wait for one model
    drawings: int = 32  # pictures that wait to be read
    seconds: float = 30.0  # from a request's last byte to its answer
    receiving: float = 30.0  # from a request's first line to its last byte
    connections: int = 1024  # a new one takes the place of the longest idle or slowest one
    head: int = 64 << 10  # bytes of a request's head, and of a chunked body's framing
    address: int = 8 << 10  # bytes of a URL
    idle: float = 10.0  # seconds from a connection's start, or the last answer, to the end of a request's head
    gather: float = 0.002  # seconds that a batch waits for more rows if there are many clients

    @property
    def busy(self) -> float:
        """Seconds from a request's head to its answer's last byte: more than the other limits together."""
        return self.receiving + self.seconds + 60

    def too_large(self) -> RequestError:
        """Return the error for a body that is too long."""
        return RequestError(413, f"The body has more than {self.body:,} bytes. Send fewer rows at a time.")

    def too_slow(self) -> RequestError:
        """Return the error for a body that arrives too slowly."""
        return RequestError(408, f"The body did not arrive within {self.receiving:g} seconds.")

    def too_many(self) -> RequestError:
        """Return the error while the bodies being received have too many bytes in total."""
        return RequestError(429, "Too many requests are being received; try again in a second.")

    def stopping(self) -> RequestError:
        """Return the error while the server is being stopped."""
        return RequestError(503, "The server is shutting down.")
