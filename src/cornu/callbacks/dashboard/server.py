"""The server behind `Dashboard`: one page, and a stream of the events of the runs in a folder."""

import contextlib
import http.client
import json
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any

from cornu.callbacks.dashboard.run_files import Follower, ask_to_stop

PORT = 8642
LOOK = 0.3  # seconds between polls
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


class Server:
    """Serves the runs of `folder` on a local port, in its own thread."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", port: int = PORT) -> None:
        self.folder, self.host, self.port = Path(folder), host, port
        self._http: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{host}:{self.port}/"

    def start(self) -> None:
        """Start serving, unless another process already serves this folder; if the port is taken, use a free one."""
        try:
            self._bind(self.port)
        except OSError:
            if shown_folder(self.url) != str(self.folder.resolve()):
                self._bind(0)

    def keep_alive(self) -> None:
        """Take over the port if another process served this folder and has ended."""
        if self._http is None:
            with contextlib.suppress(OSError):
                self._bind(self.port)

    def _bind(self, port: int) -> None:
        handler = type("Handler", (_Handler,), {"folder": self.folder, "public": self.host not in LOOPBACK})
        self._http = _Threads((self.host, port), handler)
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, name="cornu-dashboard", daemon=True).start()

    def close(self) -> None:
        """Stop the server, if this process runs it."""
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = False  # two processes must not share a port by accident

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of browsers that disconnected."""


def shown_folder(url: str) -> str | None:
    """Return the folder that a dashboard at `url` serves; None if there is no dashboard."""
    address = url.removeprefix("http://").rstrip("/")
    connection = http.client.HTTPConnection(address, timeout=2)
    try:
        connection.request("GET", "/about")
        return json.loads(connection.getresponse().read(100_000))["folder"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()


class _Handler(BaseHTTPRequestHandler):
    folder: Path
    public: bool
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if not self._is_meant():
            return
        if self.path in ("/", "/index.html"):
            page = resources.files("cornu.callbacks.dashboard").joinpath("dashboard.html").read_bytes()
            self._answer(HTTPStatus.OK, page, "text/html; charset=utf-8")
        elif self.path == "/about":
            self._answer_json(HTTPStatus.OK, {"program": "cornu", "folder": str(self.folder.resolve())})
        elif self.path == "/events":
            self._follow()
        else:
            self._answer_json(HTTPStatus.NOT_FOUND, {"error": "page not found"})

    def do_POST(self) -> None:
        if not self._is_meant():
            return
        origin = self.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != self.headers.get("Host"):
            self._answer_json(HTTPStatus.FORBIDDEN, {"error": "requested by a foreign page"})
        elif self.path.startswith("/stop/") and ask_to_stop(self.folder, self.path.removeprefix("/stop/")):
            self._answer_json(HTTPStatus.OK, {"stopping": True})
        else:
            self._answer_json(HTTPStatus.NOT_FOUND, {"error": "run not found"})

    def _is_meant(self) -> bool:
        """Reject requests for another host name: a foreign page may have pointed its name here (DNS rebinding)."""
        host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
        if self.public or host in LOOPBACK:
            return True
        self._answer_json(HTTPStatus.FORBIDDEN, {"error": f"this page is not at {host!r}"})
        return False

    def _follow(self) -> None:
        """Send all events so far, and then new ones as they come, as server-sent events."""
        self.close_connection = True
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        follower, quiet = Follower(self.folder), 0.0
        with contextlib.suppress(OSError):
            while True:
                news = list(follower.news())
                if news:
                    self.wfile.write(f"data: {json.dumps(news)}\n\n".encode())
                elif quiet > 10:
                    self.wfile.write(b": still here\n\n")
                quiet = 0.0 if news or quiet > 10 else quiet + LOOK
                self.wfile.flush()
                time.sleep(LOOK)

    def _answer_json(self, status: HTTPStatus, what: dict) -> None:
        self._answer(status, json.dumps(what).encode(), "application/json")

    def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the terminal shows the training."""
