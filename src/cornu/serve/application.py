"""The web application: routes to models, limits on request bodies, and errors in each protocol's form."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from cornu import __version__
from cornu.serve import inference_protocol, openapi, pages, tensorflow_protocol
from cornu.serve.access import Access, Guard, refused
from cornu.serve.batching import Batcher
from cornu.serve.busy_wait import BusyWait
from cornu.serve.computing import ROUTES, Computing, is_long
from cornu.serve.connections import LAST_SECONDS, Connections
from cornu.serve.digits import DigitReader
from cornu.serve.inference_protocol import HEADER_LENGTH
from cornu.serve.limits import Limits, RequestError
from cornu.serve.metrics import Metrics
from cornu.serve.pictures import PictureReader
from cornu.serve.served_model import ServedModel

_EXTENSIONS = ["binary_tensor_data", "model_configuration"]
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class _Entry(NamedTuple):
    served: ServedModel
    batcher: Batcher
    reader: DigitReader | PictureReader | None


class Service:
    """Some models behind one web application, which is ``service.application`` (ASGI).

    The models are warmed up here, so that the first request is answered at once.
    """

    def __init__(
        self, models: Sequence[ServedModel], limits: Limits | None = None, access: Access | None = None
    ) -> None:
        self.access = access or Access()
        self.limits, self.metrics, self.busy_wait = limits or Limits(), Metrics(), BusyWait()
        self.connections = Connections(self.limits)
        self.entries: dict[str, _Entry] = {}
        self.computing: dict[tuple[str, str], Computing] = {}  # by route and model
        self.receiving = 0  # bytes of bodies
        self.ready = True
        self._parser = ThreadPoolExecutor(1, "cornu-parser")
        self._parsing: set[asyncio.Future] = set()
        for served in models:
            served.warm_up()
            batcher = Batcher(served, self.limits, self.metrics)
            self.entries[served.name] = _Entry(served, batcher, PictureReader.of(served) or DigitReader.of(served))
            for route, protocol in ROUTES.items():
                self.computing[route, served.name] = Computing(route, protocol, served, batcher, self.limits)
            self.metrics.waiting[served.name] = lambda batcher=batcher: batcher.waiting  # type: ignore[misc]
        self.by_address = {computing.address: computing for computing in self.computing.values()}
        self.document = openapi.document(models)
        self.application = Starlette(
            routes=self._routes(),
            middleware=[Middleware(Guard, access=self.access, limits=self.limits)],
            exception_handlers={HTTPException: self._http_error, Exception: self._error},
            lifespan=self._lifespan,
        )

    def _routes(self) -> list[Route]:
        v1, v2 = "/v1/models/{model}", "/v2/models/{model}"
        versions = ("", "/versions/{version}")
        describing = []
        for version in versions:
            describing += [
                self._route(f"{v2}{version}/ready", self._model_ready),
                self._route(f"{v2}{version}/config", self._configuration),
                self._route(f"{v2}{version}", self._model),
                self._route(f"{v1}{version}/metadata", self._metadata),
                self._route(f"{v1}{version}", self._status),
            ]
        return [
            *map(self._computing, ROUTES),
            self._route("/v2/health/live", self._live),
            self._route("/v2/health/ready", self._health),
            self._route("/v2", self._server),
            self._route("/v2/models", self._models),
            *describing,
            self._route("/draw/{model}", self._draw, "POST"),
            self._route("/classify/{model}", self._classify, "POST"),
            self._route("/openapi.json", self._openapi),
            self._route("/metrics", self._metrics),
            self._route("/", self._index),
            self._route("/docs", self._docs),
            self._route("/models/{model}", self._page),
            self._route("/static/{file}", self._static),
        ]

    def _route(self, path: str, answer: Callable[[Request], Awaitable[Response]], method: str = "GET") -> Route:
        """Return a route that counts its requests and reports errors in the protocol's format."""

        async def endpoint(request: Request) -> Response:
            started, status = time.perf_counter(), 500
            try:
                response = await answer(request)
                status = response.status_code
                return response
            except RequestError as refusal:
                status = refusal.status
                return refused(refusal)
            finally:
                self.metrics.request(path, status, time.perf_counter() - started)

        return Route(path, endpoint, methods=[method])

    def _computing(self, route: str) -> Route:
        """Return a route for predictions, for the requests that `fast_lane` does not handle."""

        async def answer(request: Request) -> Response:
            computing = self.computing[route, self._entry(request).served.name]
            body = await self._body(request)
            question = await self.understood(computing, body, request.headers.get(HEADER_LENGTH))
            content, head = computing.answered(question, await computing.batcher.submit(question.arrays))
            if head is None:
                return Response(content, media_type="application/json")
            return Response(content, headers={HEADER_LENGTH: str(head)}, media_type="application/octet-stream")

        return self._route(route, answer, "POST")

    async def understood(self, computing: Computing, body: bytes, header_length: str | None) -> Any:
        """Return a parsed request, as `Computing.understood`; a long one is parsed in another thread."""
        if not is_long(body, header_length):
            return computing.understood(body, header_length)
        return await self.parse(computing, body, header_length)

    def parse(self, computing: Computing, body: bytes, header_length: str | None) -> asyncio.Future:
        """Parse a long request in another thread; until then it counts as one being received."""
        if self.receiving + len(body) > self.limits.bodies:
            raise self.limits.too_many()
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        self._parsing.add(answer)
        self.receiving += len(body)

        def understood() -> Any:  # in the other thread
            if not self.ready:
                raise self.limits.stopping()
            return computing.understood(body, header_length)

        def parsed(work: Future) -> None:
            self.receiving -= len(body)
            self._parsing.discard(answer)
            error = work.exception()
            if answer.done():
                return
            if isinstance(error, RequestError):  # without its traceback, which holds the whole document
                answer.set_exception(RequestError(error.status, error.message))
            elif error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(work.result())

        def tell(work: Future) -> None:  # in the other thread
            with contextlib.suppress(RuntimeError):  # the event loop may have ended
                loop.call_soon_threadsafe(parsed, work)

        self._parser.submit(understood).add_done_callback(tell)
        return answer

    def stop(self) -> None:
        """Begin to shut down: no more connections, and soon no more of what waits to be parsed or drawn."""
        self.ready = False
        self.connections.close()
        for entry in self.entries.values():
            entry.batcher.stop()
        for answer in self._parsing:
            answer.get_loop().call_later(LAST_SECONDS, self._stop_parsing, answer)

    def _stop_parsing(self, answer: asyncio.Future) -> None:
        if not answer.done():
            answer.set_exception(self.limits.stopping())

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        self.stop()
        for entry in self.entries.values():
            await entry.batcher.close()
        self._parser.shutdown(wait=False, cancel_futures=True)

    def _entry(self, request: Request) -> _Entry:
        name, version = request.path_params["model"], request.path_params.get("version", "1")
        if name not in self.entries:
            raise RequestError(
                404, f"There is no model {name[:80]!r}; expected one of {', '.join(map(repr, self.entries))}."
            )
        if version != "1":
            raise RequestError(404, f"The model {name!r} has no version {version[:40]!r}, only '1'.")
        return self.entries[name]

    async def _body(self, request: Request) -> bytes:
        """Return a request's body; `RequestError` if it is compressed, too long or slow, or there are too many."""
        encoding = request.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise RequestError(
                415, f"The Content-Encoding {encoding[:40]!r} is not supported; send the body uncompressed."
            )
        length = request.headers.get("content-length", "")
        if length.isdigit() and (len(length) > 15 or int(length) > self.limits.body):
            raise self.limits.too_large()
        parts, size = [], 0
        try:
            async with asyncio.timeout(self.limits.receiving):
                async for part in request.stream():
                    parts.append(part)
                    size += len(part)
                    self.receiving += len(part)
                    if size > self.limits.body:
                        raise self.limits.too_large()
                    if self.receiving > self.limits.bodies:
                        raise self.limits.too_many()
        except TimeoutError:
            raise self.limits.too_slow() from None
        except ClientDisconnect:
            raise RequestError(400, "The body ended early.") from None
        finally:
            self.receiving -= size
        return b"".join(parts) if len(parts) > 1 else parts[0]

    # ---- the Open Inference Protocol

    async def _live(self, _: Request) -> Response:
        return _json({"live": True})

    async def _health(self, _: Request) -> Response:
        return _json({"ready": self.ready}, 200 if self.ready else 503)

    async def _server(self, _: Request) -> Response:
        return _json({"name": "cornu", "version": __version__, "extensions": _EXTENSIONS})

    async def _models(self, _: Request) -> Response:
        return _json({"models": list(self.entries)})

    async def _model(self, request: Request) -> Response:
        return _json(inference_protocol.description(self._entry(request).served))

    async def _configuration(self, request: Request) -> Response:
        return _json(inference_protocol.configuration(self._entry(request).served, self.limits.rows))

    async def _model_ready(self, request: Request) -> Response:
        return _json({"name": self._entry(request).served.name, "ready": self.ready}, 200 if self.ready else 503)

    # ---- TensorFlow Serving's

    async def _status(self, request: Request) -> Response:
        return _json(tensorflow_protocol.status(self._entry(request).served.name, self.ready))

    async def _metadata(self, request: Request) -> Response:
        return _json(tensorflow_protocol.metadata(self._entry(request).served))

    # ---- for people, and for Prometheus

    async def _draw(self, request: Request) -> Response:
        _, batcher, reader = self._entry(request)
        if not isinstance(reader, DigitReader):
            raise RequestError(404, f"The model {request.path_params['model']!r} does not read handwritten digits.")
        width, height = (_number(request, name) for name in ("width", "height"))
        separate = request.query_params.get("separate", "false") == "true"
        return _json(await batcher.apart(reader.read, await self._body(request), width, height, separate))

    async def _classify(self, request: Request) -> Response:
        _, batcher, reader = self._entry(request)
        if not isinstance(reader, PictureReader):
            raise RequestError(404, f"The model {request.path_params['model']!r} has no names for classes of pictures.")
        width, height = (_number(request, name) for name in ("width", "height"))
        return _json(await batcher.apart(reader.read, await self._body(request), width, height))

    async def _openapi(self, _: Request) -> Response:
        return _json(self.document)

    async def _metrics(self, _: Request) -> Response:
        return PlainTextResponse(self.metrics.text(), headers={"content-type": _PROMETHEUS})

    async def _index(self, _: Request) -> Response:
        if len(self.entries) == 1:
            return RedirectResponse(f"/models/{next(iter(self.entries))}", 307)
        return pages.index([(name, entry.reader) for name, entry in self.entries.items()])

    async def _page(self, request: Request) -> Response:
        served, _, reader = self._entry(request)
        return pages.of_model(served, reader)

    async def _docs(self, _: Request) -> Response:
        return pages.documentation()

    async def _static(self, request: Request) -> Response:
        return pages.static(request.path_params["file"])

    # ---- errors

    async def _http_error(self, _: Request, error: Any) -> Response:
        self.metrics.request("other", error.status_code, 0.0)
        return _json({"error": error.detail}, error.status_code, error.headers)

    async def _error(self, _: Request, error: Exception) -> Response:
        return _json({"error": f"Internal error: {type(error).__name__}."}, 500)


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise RequestError(422, f"The query lacks {name!r} in pixels: ...?width=...&height=...")
    return int(text)


def _json(content: Any, status: int = 200, headers: Any = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json")
