"""Requests per second of `cornu serve`, compared with the same model behind Keras's ``predict`` in starlette.

Run ``python -m benchmarks.serve`` where Cornu's extra ``serve`` and Keras 3 are installed; it prints Markdown tables.
The three processes (clients, Cornu, Keras) share the machine, so stop other work on it. Clients are closed loops over
persistent connections: each sends the next request when it has its response. A second table shows the time per request
without a network: parsing, computing and writing the response, sequentially in one process.
"""

import argparse
import contextlib
import functools
import itertools
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

CLIENTS, ROWS = (1, 8, 64), (1, 32)
SERVERS = ("Keras predict", "Cornu", "Cornu, binary")
ON_CPU = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}


def main() -> None:
    """Print the table, or be one of the processes that it needs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each cell is measured")
    parser.add_argument("--rounds", type=int, default=3, help="how often; the median is shown")
    parser.add_argument("--keras-server", nargs=2, metavar=("MODEL", "PORT"), help=argparse.SUPPRESS)
    for name in ("--make", "--alone", "--alone-with-keras"):
        parser.add_argument(name, metavar="MODEL", help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=4, metavar=("PORT", "KIND", "ROWS", "CLIENTS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.keras_server:
        serve_with_keras(options.keras_server[0], int(options.keras_server[1]))
    elif options.make:
        make_model(Path(options.make))
    elif options.alone:
        print(json.dumps(alone(Path(options.alone))))
    elif options.alone_with_keras:
        print(json.dumps(alone_with_keras(Path(options.alone_with_keras))))
    elif options.measure:
        port, kind, rows, clients = options.measure
        print(json.dumps(measure(int(port), kind, int(rows), int(clients), options.seconds)))
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


class Client:
    """One client: it asks, waits for the answer, notes how long that took, and asks again."""

    def __init__(self, port: int, request: bytes) -> None:
        self.request = request
        self.seconds: list[float] = []
        self.connection = socket.create_connection(("127.0.0.1", port))
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.setblocking(False)
        self.unsent, self.received = memoryview(b""), b""

    def ask(self) -> None:
        """Send the request, as much of it as the connection takes."""
        self.started, self.unsent = time.perf_counter(), memoryview(self.request)
        self.go_on()

    def go_on(self) -> None:
        """Send more of it."""
        with contextlib.suppress(BlockingIOError):
            while self.unsent:
                self.unsent = self.unsent[self.connection.send(self.unsent) :]

    def has_answer(self) -> bool:
        """Read what came; tell whether the answer is whole, and note how long it took."""
        self.received += self.connection.recv(1 << 18)
        head, blank, body = self.received.partition(b"\r\n\r\n")
        if not blank or len(body) < int(head[head.lower().index(b"content-length:") + 15 :].split(maxsplit=1)[0]):
            return False
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the server answers {self.received[:500]!r}")
        self.seconds.append(time.perf_counter() - self.started)
        self.received = b""
        return True


def measure(port: int, kind: str, rows: int, clients: int, seconds: float) -> dict[str, float]:
    """Return requests a second, the 99th percentile of their times in ms, and the processor time of asking in us.

    The first half second, in which both sides get going, does not count. All clients are in one thread, without an
    event loop's own work: the machine's cores are for the server.
    """
    request = question(kind, rows)
    everyone = [Client(port, request) for _ in range(clients)]
    _run(everyone, 0.5)
    for client in everyone:
        client.seconds.clear()
    started, own = time.perf_counter(), time.process_time()
    _run(everyone, seconds)
    took, own = time.perf_counter() - started, time.process_time() - own
    found = [one for client in everyone for one in client.seconds]
    for client in everyone:
        client.connection.close()
    return {
        "rate": len(found) / took,
        "p99": float(np.percentile(found, 99)) * 1000,
        "client_us": own / len(found) * 1e6,
    }


def _run(everyone: list[Client], seconds: float) -> None:
    """Let all clients ask for some time, and wait for the last answers."""
    poll, until = select.poll(), time.perf_counter() + seconds
    waiting = {client.connection.fileno(): client for client in everyone}
    for number, client in waiting.items():
        client.ask()
        poll.register(number, select.POLLIN | (select.POLLOUT if client.unsent else 0))
    while waiting:
        for number, event in poll.poll():
            client = waiting[number]
            if event & select.POLLOUT:
                client.go_on()
            elif client.has_answer():
                if time.perf_counter() >= until:
                    poll.unregister(number)
                    del waiting[number]
                    continue
                client.ask()
            if client.unsent or event & select.POLLOUT:
                poll.modify(number, select.POLLIN | (select.POLLOUT if client.unsent else 0))


def alone(path: Path) -> list[list[float]]:
    """Return the milliseconds that a request takes in Cornu, for each number of rows: computing alone, then reading it,
    computing and answering, as JSON and as binary."""
    import cornu
    from cornu.serve import inference_protocol, tensorflow_protocol
    from cornu.serve.limits import Limits
    from cornu.serve.served_model import ServedModel
    from cornu.serve.server import compute_in_calling_thread

    compute_in_calling_thread()
    served = ServedModel("model", cornu.models.load_model(path))
    served.warm_up()
    found = []
    for rows in ROWS:
        x = np.random.default_rng(0).random((rows, 784), "float32")
        steps = [functools.partial(served.compute, [x])]
        for kind, protocol in zip(SERVERS[1:], (tensorflow_protocol, inference_protocol), strict=True):
            head, _, body = question(kind, rows).partition(b"\r\n\r\n")
            _, _, length = head.decode().partition("Inference-Header-Content-Length: ")
            said = length.split("\r\n", 1)[0] or None

            def answered(protocol=protocol, body=body, said=said):
                asked = protocol.parse(body, said, served, Limits())
                return protocol.answer(asked, served.compute(asked.arrays), served)

            steps.append(answered)
        found.append([_milliseconds(step) for step in steps])
    return found


def alone_with_keras(path: Path) -> list[float]:
    """Return the milliseconds that Keras's ``predict`` takes, for each number of rows."""
    import keras

    model = keras.models.load_model(path)
    each = [np.random.default_rng(0).random((rows, 784), "float32") for rows in ROWS]
    return [_milliseconds(functools.partial(model.predict, x, verbose=0)) for x in each]


def _milliseconds(step, count: int = 300) -> float:
    seconds = []
    for _ in range(count):
        started = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds[count // 10 :])) * 1000


def compare(seconds: float, rounds: int) -> None:
    """Start both servers, measure them in turn, and print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        make = [sys.executable, "-m", "benchmarks.serve", "--make", str(path)]
        subprocess.run(make, env=os.environ | ON_CPU, check=True)
        print_table(_served(path, seconds, rounds))
        print_alone(_told(["--alone", str(path)]), _told(["--alone-with-keras", str(path)]))


def _served(path: Path, seconds: float, rounds: int) -> dict[tuple[str, int, int], list[dict[str, float]]]:
    """Return what each server answers to each number of clients and rows, by rounds."""
    with contextlib.ExitStack() as running:
        ports = [_free_port(), _free_port()]
        commands = (
            [sys.executable, "-m", "benchmarks.serve", "--keras-server", str(path), str(ports[0])],
            [sys.executable, "-m", "cornu", "serve", str(path), "--port", str(ports[1])],
        )
        for port, command in zip(ports, commands, strict=True):
            process = running.enter_context(subprocess.Popen(command, env=os.environ | ON_CPU))
            running.callback(process.terminate)
            _wait_for(port, process)
        found: dict[tuple[str, int, int], list[dict[str, float]]] = {}
        for rows, clients, kind in itertools.product(ROWS, CLIENTS, SERVERS):
            port = ports[0] if kind == "Keras predict" else ports[1]
            for _ in range(rounds):
                one = _measured(port, kind, rows, clients, seconds)
                found.setdefault((kind, rows, clients), []).append(one)
                print(kind, rows, clients, one, file=sys.stderr, flush=True)
        return found


def print_alone(own: list[list[float]], keras: list[float]) -> None:
    """Print what requests take without a network as Markdown."""
    print(
        "\n| rows | Keras's `predict`, ms | Cornu: computation | parsing JSON, computing, responding | same, binary |"
    )
    print("|---|---|---|---|---|")
    for rows, times, other in zip(ROWS, own, keras, strict=True):
        print(f"| {rows} | {other:.2f} | {' | '.join(f'{each:.2f}' for each in times)} |")


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
    return _told(["--seconds", str(seconds), "--measure", str(port), kind, str(rows), str(clients)])


def _told(arguments: list[str]) -> Any:
    """Return what a process of this script, with these arguments, measures."""
    command = [sys.executable, "-m", "benchmarks.serve", *arguments]
    return json.loads(
        subprocess.run(command, env=os.environ | ON_CPU, check=True, capture_output=True, text=True).stdout
    )


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
