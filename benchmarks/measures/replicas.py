"""Several replicas of a model in one process, against as many runs."""

from __future__ import annotations

from typing import Any

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
    return {"rows": [_row(lab, name, 2 if lab.full else 1) for name in wanted]}


def _row(lab: Lab, name: str, turns: int) -> dict[str, Any]:
    def seconds(*options: str) -> float:
        return lab.run("cornu", ["-m", "cornu", "run", *options, PROGRAM, name])

    seconds("--replicas", str(COUNT))  # fills the cache of compiled programs
    seconds()
    runs, together = [], []
    for _ in range(turns):
        runs.append(sum(seconds("--seed", str(seed)) for seed in range(COUNT)))
        together.append(seconds("--seed", "0", "--replicas", str(COUNT)))
    print(f"{name}: {COUNT} runs {figures.median(runs):.1f} s, replicas {figures.median(together):.1f} s", flush=True)
    return {"model": name, "runs": runs, "replicas": together}


def write(found: dict[str, Any]) -> str:
    """Return the table of seconds."""
    head = ["model", f"{COUNT} runs", f"{COUNT} replicas", "times as fast"]
    lines = []
    for row in found["rows"]:
        runs, together = figures.median(row["runs"]), figures.median(row["replicas"])
        lines.append([MODELS[row["model"]], figures.short(runs), figures.short(together), f"{runs / together:.1f}×"])
    return figures.table(head, lines)
