"""The server process: a socket, and uvicorn on it until it is stopped."""

import functools
import gc
import ipaddress
import logging
import os
import re
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn

try:
    import resource
except ModuleNotFoundError:  # Windows
    resource = None  # type: ignore[assignment]

from cornu.core.jax_internals import set_setting
from cornu.kernels.native import library
from cornu.serve.access import Access
from cornu.serve.application import Service
from cornu.serve.connections import SlowLane

#: Seconds for running requests to finish when the server is stopped.
LAST_SECONDS = 30
#: Connections that the system accepts before the server has seen them.
BACKLOG = 512
#: Open files that are not connections.
OTHER_FILES = 128
#: Seconds before a waiting thread gets its turn: Python's default of 5 ms is longer than a whole batch.
SWITCH = 0.0005

_log = logging.getLogger("cornu.serve")


def compute_in_calling_thread() -> None:
    """Let JAX compute on the CPU in the calling thread: handing over a small batch takes longer than computing it.

    Call it before JAX computes anything.
    """
    set_setting("jax_cpu_enable_async_dispatch", False)


def start_no_compiler() -> None:
    """Let this process use native kernels that exist, and build none: a server starts no other programs."""
    library.never_build()


def bound_to(host: str, port: int) -> socket.socket:
    """Return a socket on a port, 0 for a free one; OSError if it is taken. Nobody can connect before `run`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except BaseException:
        listening.close()
        raise
    return listening


def address(listening: socket.socket) -> str:
    """Return the address of a socket for a browser."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def access(listening: socket.socket, wanted: bool) -> Access:
    """Return who may use a server: beyond this machine, or if `wanted`, only who has its token.

    The token is the environment variable ``CORNU_TOKEN``, or random. ValueError if that is too short.
    """
    local = ipaddress.ip_address(listening.getsockname()[0].partition("%")[0]).is_loopback
    given = os.environ.get("CORNU_TOKEN")
    if given is not None and not re.fullmatch(r"[A-Za-z0-9._~-]{16,}", given):
        raise ValueError("CORNU_TOKEN must have at least 16 letters, digits, '.', '_', '~' or '-'.")
    needed = wanted or not local or given is not None
    return Access(local, (given or secrets.token_urlsafe(24)) if needed else None)


class _Server(uvicorn.Server):
    """A server that calls `on_start` once it listens, and lets `service` reject what comes while it stops."""

    def __init__(self, config: uvicorn.Config, service: Service, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self.service, self.on_start = service, on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.service.stop()
        await super().shutdown(sockets)


def connections(service: Service) -> Any:
    """Return the connection class: the fast lane, or the slow one with a warning if uvicorn is not compatible."""
    try:
        from cornu.serve.direct_protocol import FastLane, is_compatible
    except ImportError:  # another uvicorn, or no httptools
        fits = False
    else:
        fits = is_compatible()
    if fits:
        return functools.partial(FastLane, service)
    _log.warning("This Cornu does not support uvicorn %s: requests take a slower path.", uvicorn.__version__)
    return functools.partial(SlowLane, service)


def _possible(connections: int) -> int:
    """Return how many connections can be open at once, and allow the process to open so many."""
    if resource is None:
        return connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + BACKLOG + OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(16, min(connections, wanted - BACKLOG - OTHER_FILES))


def run(service: Service, listening: socket.socket, started: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM, and call `started` once it listens; accepted requests are still answered."""
    config = uvicorn.Config(
        service.application,
        http=connections(service),
        proxy_headers=False,
        log_level="error",  # no line for each malformed request
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        ws="none",
        h11_max_incomplete_event_size=service.limits.head,
        timeout_graceful_shutdown=LAST_SECONDS,
    )
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn handles them while it runs, then raises them again
        signal.signal(number, lambda *_: None)
    service.connections.most = _possible(service.limits.connections)
    gc.collect()
    gc.freeze()  # objects made so far stay: the collector need not scan them again
    sys.setswitchinterval(SWITCH)
    _Server(config, service, started).run(sockets=[listening])
