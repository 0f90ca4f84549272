"""What checkpoints cost during training."""

from __future__ import annotations

import tempfile
from typing import Any

from benchmarks import figures
from benchmarks.lab import Lab
from benchmarks.peers import tasks

TASKS = (("seed1", 25_600), ("mlp-2048x3", 2_560))
MINUTE = 60.0  # seconds from one checkpoint to the next


def checkpoints(lab: Lab) -> dict[str, Any]:
    """Train seed1's model, and one of ten million weights, with and without a checkpoint after each epoch."""
    found = []
    with lab.workers("cornu") as workers, tempfile.TemporaryDirectory(dir=lab.cache) as folder:
        worker = workers["cornu"]
        for name, rows in TASKS:
            worker("build", name=name, batch=128, rows=rows if lab.full else rows // 10, path=lab.data)
            worker("epochs", count=1)
            row: dict[str, Any] = {"task": name, "plain": [], "kept": [], "waited": []}
            for _ in range(3 if lab.full else 1):  # in turns
                row["plain"] += worker("kept_epochs", count=5)["periods"]
                answer = worker("kept_epochs", count=5, folder=f"{folder}/{name}")
                row["kept"] += answer["periods"]
                row["waited"] += answer["waits"]
                row["megabytes"] = answer["megabytes"]
            found.append(row)
            print(f"checkpoints: {name} {seconds(row):.3f} s each", flush=True)
    return {"rows": found}


def seconds(row: dict[str, Any]) -> float:
    """Return the seconds that one checkpoint adds to training: waiting for the copy, and the writing thread's share.

    At least the waiting time, even if other load on the machine made the epochs without checkpoints slower.
    """
    return max(figures.median(row["waited"]), figures.median(row["kept"]) - figures.median(row["plain"]))


def write(found: dict[str, Any]) -> str:
    """Return the table of seconds per checkpoint."""
    head = ["model", "checkpoint", "waiting for the copy, s", "total overhead, s", "fraction of a minute"]
    lines = []
    for row in found["rows"]:
        cells = [tasks.task(row["task"]).about, f"{row['megabytes']:,.0f} MB"]
        cells += [figures.short(figures.median(row["waited"])), figures.short(seconds(row))]
        lines.append([*cells, f"{seconds(row) / MINUTE:.1%}"])
    text = """`BackupAndRestore` saves after each epoch; overhead is the extra time from one epoch's start to the next.
Training waits while its state is copied; a background thread then computes the checksum and writes the file.

"""
    return text + figures.table(head, lines)
