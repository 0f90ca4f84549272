"""How many requests a second `cornu serve` answers, beside the same model behind Keras's ``predict`` in starlette.

Run ``python -m benchmarks.serve`` where Cornu's extra ``serve`` and Keras 3 are installed; it prints a Markdown table.
The three processes (clients, Cornu, Keras) share the machine, so its other work should be stopped. Clients are closed
loops over connections that stay open: each asks again when it has its answer.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

CLIENTS, ROWS = (1, 8, 64), (1, 32)
SERVERS = ("Keras predict", "Cornu", "Cornu, binary")


def main() -> None:
    """Print the table, or be one of the processes that it needs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each cell is measured")
    parser.add_argument("--rounds", type=int, default=3, help="how often; the median is shown")
    parser.add_argument("--keras-server", nargs=2, metavar=("MODEL", "PORT"), help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=4, metavar=("PORT", "KIND", "ROWS", "CLIENTS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.keras_server:
        serve_with_keras(options.keras_server[0], int(options.keras_server[1]))
    elif options.measure:
        port, kind, rows, clients = options.measure
        print(json.dumps(asyncio.run(measure(int(port), kind, int(rows), int(clients), options.seconds))))
    else:
        compare(options.seconds, options.rounds)


def serve_with_keras(path: str, port: int) -> None:
    """Serve a model as people do: a starlette route around ``model.predict``, compiled for both sizes beforehand."""
    import keras
    import uvicorn
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    model = keras.models.load_model(path)
    for rows in ROWS:
        model.predict(np.zeros((rows, 784), "float32"), verbose=0)

    async def predict(request):
        question = await request.json()
        x = np.asarray(question["instances"], "float32")
        return JSONResponse({"predictions": model.predict(x, verbose=0).tolist()})

    routes = [Route("/v1/models/model:predict", predict, methods=["POST"])]
    uvicorn.run(Starlette(routes=routes), port=port, log_level="warning", access_log=False)


def make_model(path: Path) -> None:
    """Write the model that is served, the MLP of the classic tutorial: 784, 512, 512, 10."""
    import cornu as keras
    from cornu import layers

    hidden = [layers.Dense(512, activation="relu") for _ in range(2)]
    keras.Sequential([keras.Input((784,)), *hidden, layers.Dense(10, activation="softmax")]).save(path)


def question(kind: str, rows: int) -> bytes:
    """Return an HTTP request with rows like MNIST's: a fifth of the pixels have ink, written with four decimals."""
    draw = np.random.default_rng(0)
    x = np.where(draw.random((rows, 784)) < 0.2, draw.random((rows, 784)), 0).round(4).astype("float32")
    if kind == "Cornu, binary":
        described = {
            "name": "x",
            "shape": [rows, 784],
            "datatype": "FP32",
            "parameters": {"binary_data_size": x.nbytes},
        }
        head = json.dumps({"inputs": [described], "parameters": {"binary_data_output": True}}).encode()
        body, path = head + x.tobytes(), "/v2/models/model/infer"
        kinds = f"Content-Type: application/octet-stream\r\nInference-Header-Content-Length: {len(head)}"
    else:
        values = [[float(f"{value:.4f}") for value in row] for row in x.tolist()]
        body, path = json.dumps({"instances": values}).encode(), "/v1/models/model:predict"
        kinds = "Content-Type: application/json"
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{kinds}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Client(asyncio.Protocol):
    """One client: it asks, waits for the answer, notes how long that took, and asks again."""

    def __init__(self, request: bytes, seconds: list[float], until: float) -> None:
        self.request, self.seconds, self.until = request, seconds, until
        self.received, self.done = b"", asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        """Send the request."""
        self.started = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Note a whole answer and ask again."""
        self.received += data
        head, blank, body = self.received.partition(b"\r\n\r\n")
        if not blank or len(body) < int(head.lower().partition(b"content-length:")[2].split()[0]):
            return
        assert head.startswith(b"HTTP/1.1 200"), self.received[:500]
        now, self.received = time.perf_counter(), b""
        self.seconds.append(now - self.started)
        if now < self.until:
            self.ask()
        else:
            self.transport.close()
            self.done.set_result(None)


async def measure(port: int, kind: str, rows: int, clients: int, seconds: float) -> dict[str, float]:
    """Return requests a second and the 99th percentile of their times in ms, after half a second to get going."""
    request = question(kind, rows)
    for times, length in (([], 0.5), (found := [], seconds)):
        started = time.perf_counter()
        loop = asyncio.get_running_loop()
        made = [
            (
                await loop.create_connection(
                    lambda t=times, u=started + length: Client(request, t, u), "127.0.0.1", port
                )
            )[1]
            for _ in range(clients)
        ]
        await asyncio.gather(*(client.done for client in made))
        took = time.perf_counter() - started
    return {"rate": len(found) / took, "p99": float(np.percentile(found, 99)) * 1000}


def compare(seconds: float, rounds: int) -> None:
    """Start both servers, measure them in turn, and print the table."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        path = Path(folder) / "model.keras"
        subprocess.run(
            [sys.executable, "-c", f"from benchmarks.serve import *; make_model(Path({str(path)!r}))"], check=True
        )
        ports = [_free_port(), _free_port()]
        commands = (
            [sys.executable, "-m", "benchmarks.serve", "--keras-server", str(path), str(ports[0])],
            [sys.executable, "-m", "cornu", "serve", str(path), "--port", str(ports[1])],
        )
        for port, command in zip(ports, commands, strict=True):
            environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
            process = running.enter_context(subprocess.Popen(command, env=environment))
            running.callback(process.terminate)
            _wait_for(port, process)
        found: dict[tuple[str, int, int], list[dict[str, float]]] = {}
        for rows, clients, kind in itertools.product(ROWS, CLIENTS, SERVERS):
            port = ports[0] if kind == "Keras predict" else ports[1]
            for _ in range(rounds):
                one = _measured(port, kind, rows, clients, seconds)
                found.setdefault((kind, rows, clients), []).append(one)
                print(kind, rows, clients, one, file=sys.stderr, flush=True)
    print_table(found)


def print_table(found: dict[tuple[str, int, int], list[dict[str, float]]]) -> None:
    """Print medians over the rounds as Markdown."""
    print(
        "| rows in a body | clients | " + " | ".join(f"{kind}: requests/s (p99 ms)" for kind in SERVERS) + " | ratio |"
    )
    print("|---|---|" + "---|" * (len(SERVERS) + 1))
    for rows in ROWS:
        for clients in CLIENTS:
            rates = [np.median([one["rate"] for one in found[kind, rows, clients]]) for kind in SERVERS]
            slowest = [np.median([one["p99"] for one in found[kind, rows, clients]]) for kind in SERVERS]
            cells = [f"{rate:,.0f} ({p99:.1f})" for rate, p99 in zip(rates, slowest, strict=True)]
            ratio = f"{rates[1] / rates[0]:.1f}; {rates[2] / rates[0]:.1f}"
            print(f"| {rows} | {clients} | {' | '.join(cells)} | {ratio} |")


def _measured(port: int, kind: str, rows: int, clients: int, seconds: float) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.serve", "--seconds", str(seconds)]
    command += ["--measure", str(port), kind, str(rows), str(clients)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _wait_for(port: int, process: subprocess.Popen) -> None:
    end = time.monotonic() + 300
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError):
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/health/ready", timeout=5)
            return
        time.sleep(0.2)
    raise RuntimeError(f"the server on port {port} did not start (exit code {process.poll()})")


if __name__ == "__main__":
    main()
