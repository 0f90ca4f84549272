"""Preprocessing of Keras 1 and 2, images and texts, against keras-preprocessing in turns."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from benchmarks import environments, figures
from benchmarks.lab import Lab
from benchmarks.measures.programs import OWN
from benchmarks.peers_table import PEERS, Peer
from benchmarks.workers import take_turns

ORIGINAL = Peer("keras-preprocessing", "keras-preprocessing 1.1.2", "keras_preprocessing", python="python3.11")
TASKS = {
    "images": "images of 64x64, rotated, shifted, zoomed and flipped, per second",
    "images and flips only": "images of 64x64, flipped only, per second",
    "fit_on_texts": "`Tokenizer.fit_on_texts`, words per second",
    "texts_to_sequences": "`texts_to_sequences`, words per second",
    "texts_to_matrix": "`texts_to_matrix`, tf-idf, words per second",
}
TURNS = 9


def old_preprocessing(lab: Lab) -> dict[str, Any]:
    """Let both processes do each task in turns; units per second, of time and of processor time."""
    pythons = {"cornu": lab.pythons["cornu"], ORIGINAL.name: environments.make(ORIGINAL, lab.cache)}
    packages = {"cornu": "cornu.preprocessing", ORIGINAL.name: ORIGINAL.kind}
    workers: dict[str, Any] = {name: _started(python, packages[name]) for name, python in pythons.items()}
    rows = []
    for task in TASKS:
        found: Any = take_turns(workers, TURNS if lab.full else 3, lambda worker, task=task: [_asked(worker, task)])
        rows.append({"task": task, "rates": found})
        print(f"{task}: " + ", ".join(f"{name} {_rate(seen, 0):,.0f}" for name, seen in found.items()), flush=True)
    for worker in workers.values():
        worker.communicate("")
    return {"rows": rows}


def _started(python: str, package: str) -> subprocess.Popen:
    command = [python, "-W", "ignore", str(OWN / "old_preprocessing.py"), package]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _asked(worker: Any, task: str) -> list[float]:
    worker.stdin.write(task + "\n")
    worker.stdin.flush()
    return json.loads(worker.stdout.readline())


def _rate(seen: list[list[float]], which: int) -> float:
    return figures.median([one[which] for one in seen])


def write(found: dict[str, Any]) -> str:
    """Return the table."""
    lines = []
    for row in found["rows"]:
        (own, own_cpu), (other, other_cpu) = ([_rate(seen, at) for at in (0, 1)] for seen in row["rates"].values())
        ratios = [f"{figures.short(own / other)}×", f"{figures.short(own_cpu / other_cpu)}×"]
        lines.append([TASKS[row["task"]], f"{own:,.0f}", f"{other:,.0f}", *ratios])
    head = ["what", PEERS["cornu"].title, ORIGINAL.title, "ratio", "ratio by processor time"]
    return figures.table(head, lines)
