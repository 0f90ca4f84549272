"""What a server takes at most, and how it says no."""

from typing import NamedTuple


class Limits(NamedTuple):
    """The limits of a server. Beyond them a request is refused, so that no client can fill the memory or the queue."""

    body: int = 8 << 20  # bytes of one request
    bodies: int = 256 << 20  # bytes of all requests that are being received, and of all rows that wait for one model
    rows: int = 4096  # rows of one request
    queue: int = 8192  # rows that wait for one model
    drawings: int = 32  # pictures that wait to be read
    seconds: float = 30.0  # from a request's last byte to its answer
    receiving: float = 30.0  # from a request's first line to its last byte
    gather: float = 0.002  # seconds for which a batch waits for more rows, when clients are many


class RequestError(Exception):
    """A request that is not served: the HTTP status and, for people, why and what would be."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message
