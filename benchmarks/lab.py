"""What every measure receives: the available peers, the data, and whether this is a short run."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.peers_table import PEERS
from benchmarks.workers import ROOT, Worker, environment, started

MAKE_DATA = """
import sys, cornu, numpy
(x, y), (x_test, y_test) = cornu.datasets.mnist.load_data()
numpy.savez(sys.argv[1], x=x, y=y, x_test=x_test, y_test=y_test)
"""


class Lab(NamedTuple):
    """The peers' Pythons (by name), the folder for data and environments, and whether to measure everything."""

    pythons: dict[str, str]
    cache: Path
    full: bool = False

    @property
    def data(self) -> str:
        """The path of MNIST as arrays, written at its first use."""
        path = self.cache / "mnist.npz"
        if not path.exists():
            self.run("cornu", ["-c", MAKE_DATA, str(path.with_suffix(".part.npz"))])
            path.with_suffix(".part.npz").rename(path)
        return str(path)

    def names(self, *wanted: str) -> list[str]:
        """Return those of the wanted peers that are there; all that are there if none is wanted."""
        return [name for name in wanted or tuple(self.pythons) if name in self.pythons]

    @contextlib.contextmanager
    def workers(self, *wanted: str) -> Iterator[dict[str, Worker]]:
        """Give a worker for each of the wanted peers that are there."""
        with started(self.names(*wanted), self.pythons, self.cache) as workers:
            yield workers

    def run(self, name: str, arguments: list[str], **variables: str) -> float:
        """Run a peer's Python from start to exit; returns the seconds."""
        began = time.perf_counter()
        self.printed(name, arguments, **variables)
        return time.perf_counter() - began

    def printed(self, name: str, arguments: list[str], **variables: str) -> str:
        """Run a peer's Python; returns what it prints. RuntimeError if it fails."""
        own = environment(PEERS[name], self.cache) | variables
        done = subprocess.run(
            [self.pythons[name], *arguments], cwd=self.cache, env=own, capture_output=True, text=True, timeout=1200
        )
        if done.returncode:
            raise RuntimeError(f"{PEERS[name].title} ended with {done.returncode}:\n{done.stderr[-3000:]}")
        return done.stdout


def default_cache() -> Path:
    """Return the user's folder for the benchmark: ``$CORNU_BENCH_CACHE``, else one in the user's cache folder."""
    given = os.environ.get("CORNU_BENCH_CACHE") or os.environ.get("XDG_CACHE_HOME")
    base = Path(given) if given else Path.home() / ".cache"
    return (base if os.environ.get("CORNU_BENCH_CACHE") else base / "cornu-bench").resolve()


__all__ = ["ROOT", "Lab", "default_cache"]
