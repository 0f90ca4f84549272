"""Several replicas of a model in one process, against as many runs."""

from __future__ import annotations

import resource
from typing import Any

import numpy as np

from benchmarks import figures
from benchmarks.lab import ROOT, Lab

PROGRAM = str(ROOT / "benchmarks" / "programs" / "replicated.py")
MODELS = {
    "tiny": "MLP 16 on 8 numbers, 2,000 rows",
    "small": "MLP 64 on MNIST, 10,000 rows",
    "mlp": "MLP 512, 256 with dropout, 10,000 rows",
    "texts": "Embeddings, averaged, 6,400 rows",
    "lstm": "LSTM 64, 28 steps, 2,560 rows",
    "cnn": "two convolutions, 2,560 rows",
}
COUNT = 8


def replicas(lab: Lab) -> dict[str, Any]:
    """Time eight runs of a program one after the other, and one with eight replicas, in turns."""
    wanted = MODELS if lab.full else ("tiny", "small")
    return {"rows": [_row(lab, name) for name in wanted]}


def _row(lab: Lab, name: str) -> dict[str, Any]:
    """Return wall and processor seconds; half of the runs are before the replicas and half after."""

    def seconds(*options: str) -> np.ndarray:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall = lab.run("cornu", ["-m", "cornu", "run", *options, PROGRAM, name])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return np.array([wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime])

    seconds("--replicas", str(COUNT))  # fills the cache of compiled programs
    seconds()
    runs = sum(seconds("--seed", str(seed)) for seed in range(COUNT // 2))
    together = seconds("--seed", "0", "--replicas", str(COUNT))
    runs += sum(seconds("--seed", str(seed)) for seed in range(COUNT // 2, COUNT))
    print(f"{name}: {COUNT} runs {runs[0]:.1f} s, replicas {together[0]:.1f} s", flush=True)
    return {"model": name, "runs": runs.tolist(), "replicas": together.tolist()}


def write(found: dict[str, Any]) -> str:
    """Return the table of seconds."""
    head = ["model", f"{COUNT} runs", f"{COUNT} replicas", "times as fast"]
    lines = []
    for row in found["rows"]:
        both = [" / ".join(map(figures.short, row[what])) for what in ("runs", "replicas")]
        ratios = [f"{runs / together:.1f}×" for runs, together in zip(row["runs"], row["replicas"], strict=True)]
        lines.append([MODELS[row["model"]], *both, " / ".join(ratios)])
    return figures.table(head, lines)
