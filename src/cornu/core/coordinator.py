"""The process in which JAX's coordination service of several processes runs, beside the first of them.

It is a program of its own, so that the others learn of the first one's end from their own watch (`core.processes`), and
not from JAX, which would end them with a dump. Each process holds a connection to it; as soon as one is cut, it tells
the others which. It outlives its parent for that, and loads jaxlib alone.

``python coordinator.py PORT PROCESSES`` prints ``ready`` and the port of those connections once it listens, or why it
cannot. It ends when all have gone, some time after its standard input has ended.
"""

import contextlib
import os
import selectors
import socket
import sys
import time
from typing import Any

DAY = 24 * 3600  # seconds: how long JAX waits for a sign of life; `core.processes` has a watch of its own
LINGERING = 60.0  # seconds in which the others end after the first process


class Lines:
    """The connections of all processes. Each begins with a process's number, in a line; it hears who has gone."""

    def __init__(self) -> None:
        self.server = socket.create_server(("", 0))
        self.port = self.server.getsockname()[1]
        self.names: dict[socket.socket, bytes] = {}

    def accept(self) -> socket.socket:
        """Return a new connection."""
        line, _ = self.server.accept()
        self.names[line] = b""
        return line

    def read(self, line: socket.socket) -> bool:
        """Read what a process says; returns whether it is there. If not, the others are told."""
        try:
            data = line.recv(64)
        except OSError:
            data = b""
        self.names[line] += data
        if data:
            return True
        gone = self.names.pop(line)
        line.close()
        for other in self.names:
            with contextlib.suppress(OSError):
                other.sendall(gone)
        return False


def main(port: int, processes: int) -> None:
    """Serve until the parent has ended, and the others with it."""
    from jaxlib import _jax  # 0.8 to 0.12

    try:
        with socket.socket() as probe:  # the service itself would share a port with another
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("", port))
        service = _jax.get_distributed_runtime_service(f"[::]:{port}", processes, heartbeat_timeout=DAY)
    except (OSError, RuntimeError) as error:
        print(error, flush=True)
        return
    lines = Lines()
    print("ready", lines.port, flush=True)
    _watch(lines)
    del service
    os._exit(0)


def _watch(lines: Lines) -> None:
    end: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ)
        selector.register(lines.server, selectors.EVENT_READ)
        while end is None or (lines.names and time.monotonic() < end):
            for key, _ in selector.select(1.0):
                source: Any = key.fileobj
                if source is lines.server:
                    selector.register(lines.accept(), selectors.EVENT_READ)
                elif source is not sys.stdin:
                    if not lines.read(source):
                        selector.unregister(source)
                elif not os.read(sys.stdin.fileno(), 64):
                    selector.unregister(sys.stdin)
                    end = time.monotonic() + LINGERING


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
