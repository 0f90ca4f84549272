"""Worker processes that stay alive and are told what to do, one JSON object per line."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.peers_table import PEERS, Peer

ROOT = Path(__file__).resolve().parents[1]


class WorkerError(RuntimeError):
    """A worker could not do what it was told; the text is its traceback."""


def environment(peer: Peer, cache: Path) -> dict[str, str]:
    """Return a peer's environment variables: its own folders and settings, none of the user's."""
    home = cache / "homes" / peer.name
    home.mkdir(parents=True, exist_ok=True)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("KERAS_", "CORNU_", "JAX_", "XLA_"))
    }
    own = {"KERAS_HOME": str(home), "CORNU_CACHE_DIR": str(home / "compiled"), "PYTHONPATH": str(ROOT)}
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1", "PYTHONDONTWRITEBYTECODE": ""}
    return {**kept, **quiet, **own, **dict(peer.variables)}


class Worker:
    """One peer's process. ``worker("epochs", count=2)`` sends the command and waits for its answer."""

    def __init__(self, peer: Peer, python: str, cache: Path) -> None:
        self.peer = peer
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (lives as long as the worker)
        self.process = subprocess.Popen(
            [python, "-m", "benchmarks.peers.worker", peer.kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=environment(peer, cache),
        )
        try:
            self._answer()
        except WorkerError:
            self.close()
            raise

    def __call__(self, do: str, **arguments: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise WorkerError(f"{self.peer.title} ended:\n{self.errors.read()[-3000:]}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(f"{self.peer.title}: {answer['error']}")
        return answer

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.errors.close()


@contextlib.contextmanager
def started(names: list[str], pythons: dict[str, str], cache: Path) -> Iterator[dict[str, Worker]]:
    """Give a worker per peer, all alive at once; they end with the block."""
    workers: dict[str, Worker] = {}
    try:
        for name in names:
            workers[name] = Worker(PEERS[name], pythons[name], cache)
        yield workers
    finally:
        for worker in workers.values():
            worker.close()


def take_turns(workers: dict[str, Worker], turns: int, work: Callable[[Worker], list[float]]) -> dict[str, list[float]]:
    """Let the workers do the same work one after the other, A B C A B C, and return all their figures."""
    found: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(turns):
        for name, worker in workers.items():
            found[name] += work(worker)
    return found
