"""Who may use a server: a token, the host names of this machine, and no pages of other sites."""

import functools
import hmac
import re
import urllib.parse
from typing import Any, NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cornu.serve.limits import Limits, RequestError

#: Of every answer that has no policy of its own: it loads nothing, and no page may frame it.
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_THIS_MACHINE = re.compile(rb"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)
#: Headers that may not come twice: programs differ in which one they take.
_ONCE = (
    b"authorization", b"content-encoding", b"content-length", b"host", b"inference-header-content-length", b"origin",
    b"sec-fetch-site", b"transfer-encoding",
)  # fmt: skip
#: Paths that tell only whether the server runs.
_OPEN = ("/v2/health/live", "/v2/health/ready")


class Access(NamedTuple):
    """What requests need: with `token`, that; else with `local`, a Host header that names this machine.

    A page of another site can have its name point to this machine (DNS rebinding), and would then read the answers.
    """

    local: bool = False
    token: str | None = None

    def allows(self, headers: dict[bytes, bytes]) -> bool:
        """Return whether a request of a program has what it needs; anything else is left to `Guard`."""
        if b"origin" in headers or b"sec-fetch-site" in headers:
            return False
        if self.token is not None:
            return self.has_token(headers.get(b"authorization", b"").decode("latin-1"))
        return not self.local or _is_this_machine(headers.get(b"host", b""))

    def has_token(self, authorization: str) -> bool:
        """Return whether the value of an Authorization header holds the token."""
        kind, _, given = authorization.partition(" ")
        return kind.lower() == "bearer" and self.is_token(given)

    def is_token(self, text: str) -> bool:
        """Return whether a text is the token."""
        return self.token is not None and hmac.compare_digest(text.strip().encode(), self.token.encode())


class Guard:
    """ASGI middleware that rejects requests of strangers, and adds headers for browsers to every answer."""

    def __init__(self, application: Any, access: Access, limits: Limits) -> None:
        self.application, self.access, self.limits = application, access, limits

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, or pass it to the application."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return

        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("content-security-policy", POLICY)
                headers.setdefault("x-content-type-options", "nosniff")
            await send(message)

        try:
            response = self._checked(scope)
        except RequestError as refusal:
            response = refused(refusal)
        await (response or self.application)(scope, receive, answer)

    def _checked(self, scope: Any) -> Response | None:
        """Return an answer to a request with the token in its address, or None if it may pass."""
        _check_form(scope)
        if len(scope["path"]) + len(scope["query_string"]) > self.limits.address:
            raise RequestError(414, f"The URL is longer than {self.limits.address:,} bytes.")
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            _check_origin(headers, host)
        if self.access.token is not None:
            return self._known(Request(scope), headers)
        if self.access.local and not _is_this_machine(host.encode("latin-1")):
            raise RequestError(
                403, f"This server is not at {host[:80]!r}; use localhost, or start it with --token to allow any name."
            )
        return None

    def _known(self, request: Request, headers: Headers) -> Response | None:
        access, path = self.access, request.scope["path"]
        name = f"cornu-{(request.scope.get('server') or ('', 0))[1]}"
        if path in _OPEN or access.has_token(headers.get("authorization", "")):
            return None
        if access.is_token(request.cookies.get(name, "")):
            return None
        if request.method == "GET" and access.is_token(request.query_params.get("token", "")):
            others = [(key, value) for key, value in request.query_params.multi_items() if key != "token"]
            query = "?" + urllib.parse.urlencode(others) if others else ""
            target = "/" + urllib.parse.quote(path.lstrip("/\\")) + query
            response = RedirectResponse(target, 303, {"referrer-policy": "no-referrer", "cache-control": "no-store"})
            response.set_cookie(name, access.token or "", httponly=True, samesite="strict")
            return response
        raise RequestError(
            401, "This server needs its token: open the address that it printed, or send 'Authorization: Bearer TOKEN'."
        )


@functools.lru_cache(maxsize=16)  # clients send the same one over and over
def _is_this_machine(host: bytes) -> bool:
    """Return whether a Host header names this machine."""
    return _THIS_MACHINE.fullmatch(host) is not None


def refused(refusal: RequestError) -> Response:
    """Return the answer to a rejected request."""
    return Response(refusal.body, refusal.status, refusal.headers, "application/json")


def _check_form(scope: Any) -> None:
    """Raise `RequestError` for a request that a proxy in front of this server may read in another way.

    What follows it may be a part of it, so the connection is closed.
    """
    if scope["http_version"] not in ("1.0", "1.1"):
        raise RequestError(505, "Only HTTP/1.0 and HTTP/1.1 are supported.", closes=True)
    if not scope["path"].startswith("/") and scope["path"] != "*":
        raise RequestError(400, "The target of a request must be a path.", closes=True)
    found = [(name, value) for name, value in scope["headers"] if name in _ONCE]
    headers = dict(found)
    if len(headers) < len(found):
        twice = next(name for i, (name, _) in enumerate(found) if name in dict(found[:i]))
        raise RequestError(400, f"The header {twice.decode()!r} came twice.", closes=True)
    if b"host" not in headers and scope["http_version"] == "1.1":
        raise RequestError(400, "The header 'host' is missing.", closes=True)
    encoding = headers.get(b"transfer-encoding")
    if encoding is not None and encoding.lower() != b"chunked":
        raise RequestError(501, "Of all transfer encodings, only 'chunked' is supported.", closes=True)
    if encoding is not None and (b"content-length" in headers or scope["http_version"] == "1.0"):
        raise RequestError(400, "A chunked body needs HTTP/1.1, and no Content-Length.", closes=True)


def _check_origin(headers: Headers, host: str) -> None:
    """Raise `RequestError` (403) for a request that a page of another site sends."""
    origin = headers.get("origin")
    if origin is None:
        foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    else:
        foreign = origin.partition("://")[2].lower() != host.lower()
    if foreign:
        raise RequestError(403, f"Pages of other sites may not use this server: {(origin or '')[:80]!r}.")
