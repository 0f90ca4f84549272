"""The server behind `Dashboard`: one page, and a stream of the events of the runs in a folder."""

import contextlib
import hmac
import http.client
import io
import json
import os
import secrets
import socket
import threading
import time
import urllib.parse
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any

from cornu.callbacks.dashboard.run_files import Follower, ask_to_stop

PORT = 8642
LOOK = 0.3  # seconds between polls
CONNECTIONS = 64
SECONDS = 10  # that a client may take to send a whole request, or to read a part of the answer
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


#: No other page may frame this one, and it loads nothing.
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def shared_token(folder: Path) -> str:
    """Return the token of a folder's dashboards, which only its owner can read; it is made if there is none."""
    path = folder / "token"
    folder.mkdir(parents=True, exist_ok=True)
    with (
        contextlib.suppress(FileExistsError),
        open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file,
    ):
        file.write(secrets.token_urlsafe(24))
    return path.read_text()


class Server:
    """Serves the runs of `folder` on a local port, in its own thread."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", port: int = PORT, token: bool = False) -> None:
        self.folder, self.host, self.port, self.secret = Path(folder), host, port, token
        self.token: str | None = None
        self._http: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{host}:{self.port}/" + (f"?token={self.token}" if self.token else "")

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
        if (self.secret or self.host not in LOOPBACK) and self.token is None:
            self.token = shared_token(self.folder)
        settings = {"folder": self.folder, "token": self.token}
        self._http = _Threads((self.host, port), type("Handler", (_Handler,), settings))
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
    free = threading.BoundedSemaphore(CONNECTIONS)
    allow_reuse_address = False  # two processes must not share a port by accident

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a request in its own thread, unless there are too many."""
        if self.free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer a request."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of browsers that disconnected."""


def shown_folder(url: str) -> str | None:
    """Return the folder that a dashboard at `url` serves; None if there is no dashboard."""
    address, _, query = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(address, timeout=2)
    try:
        connection.request("GET", f"/about{query}")
        return json.loads(connection.getresponse().read(100_000))["folder"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()


class _Received(io.RawIOBase):
    """The bytes of a connection, as long as there is time for the request; TimeoutError after that."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection, self.end = connection, 0.0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for some bytes."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.connection.settimeout(left)
        try:
            return self.connection.recv_into(buffer)
        finally:
            self.connection.settimeout(SECONDS)


class _Handler(BaseHTTPRequestHandler):
    folder: Path
    token: str | None
    timeout = SECONDS
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._received = _Received(self.connection)
        self.rfile = io.BufferedReader(self._received)

    def handle_one_request(self) -> None:
        """Answer a request; a client that sends it byte by byte would keep this thread for hours."""
        self._received.end = time.monotonic() + SECONDS
        super().handle_one_request()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a request that cannot be parsed, or has another method."""
        self.close_connection = True
        self.request_version = self.protocol_version  # without one, it would send no headers
        self._answer_json(HTTPStatus(code), {"error": message or HTTPStatus(code).phrase})

    def do_GET(self) -> None:
        if not self._is_meant():
            return
        if self.path in ("/", "/index.html"):
            self._answer_page()
        elif self.path == "/about":
            self._answer_json(HTTPStatus.OK, {"program": "cornu", "folder": str(self.folder.resolve())})
        elif self.path == "/events":
            if not self._is_foreign():
                self._follow()
        else:
            self._answer_json(HTTPStatus.NOT_FOUND, {"error": "page not found"})

    def do_POST(self) -> None:
        if not self._is_meant():
            return
        if self._is_foreign():
            return
        if self.path.startswith("/stop/") and ask_to_stop(self.folder, self.path.removeprefix("/stop/")):
            self._answer_json(HTTPStatus.OK, {"stopping": True})
        else:
            self._answer_json(HTTPStatus.NOT_FOUND, {"error": "run not found"})

    def _is_foreign(self) -> bool:
        """Reject a request that a page of another site sends."""
        origin = self.headers.get("Origin")
        if origin is None:
            foreign = self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
        else:
            foreign = origin.partition("://")[2] != self.headers.get("Host")
        if foreign:
            self._answer_json(HTTPStatus.FORBIDDEN, {"error": "requested by a foreign page"})
        return foreign

    def _is_meant(self) -> bool:
        """Reject requests without the token, and for another host name.

        A foreign page may have pointed its name here (DNS rebinding).
        """
        if "Content-Length" in self.headers or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # bodies are not read: a second request may be hidden in one
        if self.request_version not in ("HTTP/1.0", "HTTP/1.1"):
            self.send_error(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
            return False
        if any(len(self.headers.get_all(name, [])) > 1 for name in ("Host", "Origin", "Sec-Fetch-Site")):
            self.send_error(HTTPStatus.BAD_REQUEST, "a header came twice")
            return False
        if self.token is not None:
            return self._is_known(self.token)
        host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
        if host in LOOPBACK:
            return True
        self._answer_json(HTTPStatus.FORBIDDEN, {"error": f"this page is not at {host!r}"})
        return False

    def _is_known(self, token: str) -> bool:
        """Return whether a request has the token; one that has it in its address gets it as a cookie."""
        path, _, query = self.path.partition("?")
        name = f"cornu-{self.connection.getsockname()[1]}"
        cookies = [part.strip().partition("=") for part in (self.headers.get("Cookie") or "").split(";")]
        if any(key == name and hmac.compare_digest(value.encode(), token.encode()) for key, _, value in cookies):
            return True
        given = urllib.parse.parse_qs(query).get("token", [""])[0]
        if self.command == "GET" and hmac.compare_digest(given.encode(), token.encode()):
            if path == "/about":
                self.path = path
                return True
            cookie = f"{name}={token}; HttpOnly; SameSite=Strict; Path=/"
            self._answer(HTTPStatus.SEE_OTHER, b"", "text/plain", {"Location": "/", "Set-Cookie": cookie})
        else:
            self._answer_json(HTTPStatus.UNAUTHORIZED, {"error": "open the address that was printed: it has a token"})
        return False

    def _answer_page(self) -> None:
        """Send the page; only its own script and style may run."""
        nonce = secrets.token_urlsafe(16)
        page = resources.files("cornu.callbacks.dashboard").joinpath("dashboard.html").read_text(encoding="utf-8")
        for tag in ("script", "style"):
            page = page.replace(f"<{tag}>", f'<{tag} nonce="{nonce}">')
        policy = f"script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; connect-src 'self'; {POLICY}"
        headers = {"Content-Security-Policy": policy}
        self._answer(HTTPStatus.OK, page.encode(), "text/html; charset=utf-8", headers)

    def _follow(self) -> None:
        """Send all events so far, and then new ones as they come, as server-sent events."""
        self.close_connection = True
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
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

    def _answer(self, status: HTTPStatus, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Security-Policy": POLICY, **(headers or {})}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the terminal shows the training."""
