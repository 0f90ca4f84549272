"""Recurrent layers and transformer blocks: training steps, the first step, and predictions one at a time."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks import figures
from benchmarks.lab import Lab
from benchmarks.measures import epochs, inference
from benchmarks.peers import sequence_tasks, tasks
from benchmarks.workers import Worker, started

PEERS = ("cornu", "keras-tensorflow", "keras-jax", "keras-torch", "torch")
LOOPS = {"characters": "predict of 1 row, 40 x 57", "one-step": "predict of 1 stateful step"}
FIRST = "lstm-32x100x64x64"
CALLS = 300
SLOWEST = ("keras-torch",)  # seconds per step
FOR_ALL = [name for name in sequence_tasks.MODELS if name.endswith("{}x{}x{}x{}".format(*sequence_tasks.SHAPES[0]))]
FOR_ALL += ["transformer", "decoder"]


def sequences(lab: Lab) -> dict[str, Any]:
    """Train all models; predict one row, and one step, in a loop; time the first training step of a process."""
    names = [name for name in sequence_tasks.MODELS if name not in LOOPS]
    if not lab.full:
        names = names[:2]
    with lab.workers(*PEERS) as workers:
        faster = {name: worker for name, worker in workers.items() if name not in SLOWEST}
        steps = [
            epochs.row(lab, workers if name in FOR_ALL else faster, name, *tasks.task(name)[-2:]) for name in names
        ]
    with lab.workers(*PEERS, "jax") as workers:
        loops = [_one_at_a_time(lab, workers, name) for name in LOOPS]
    return {"rows": steps, "loops": loops, "first": _first_step(lab)}


def _one_at_a_time(lab: Lab, workers: dict[str, Worker], name: str) -> dict[str, Any]:
    """One row per call; the JAX loop, a bare compiled call, shows what the arithmetic takes."""
    for worker in workers.values():
        worker("build", name=name, batch=1, rows=1, path=lab.data)
    first = {peer: worker("outputs", rows=1)["outputs"] for peer, worker in workers.items()}
    same = all(inference.near(outputs, first["cornu"]) for outputs in first.values())
    once = {peer: worker("predict", rows=1, count=1)["seconds"][0] for peer, worker in workers.items()}
    count = {peer: max(5, min(CALLS, int(0.5 / seconds))) for peer, seconds in once.items()}
    return inference.in_turns(LOOPS[name], workers, "predict", same, count, rows=1)


def _first_step(lab: Lab) -> dict[str, Any]:
    """Build a model and train a step in a process that has done nothing yet and finds no compiled programs."""
    seconds: dict[str, list[float]] = {name: [] for name in lab.names(*PEERS)}
    for _ in range(3 if lab.full else 1):
        for name in seconds:
            with (
                tempfile.TemporaryDirectory() as empty,
                started([name], lab.pythons, Path(empty)) as workers,
            ):
                seconds[name] += workers[name]("first_step", name=FIRST, path=lab.data)["seconds"]
    print("first step, s: " + ", ".join(f"{n} {figures.median(s):.2f}" for n, s in seconds.items()), flush=True)
    return {"what": f"build and train the first step of {tasks.task(FIRST).about}", "seconds": seconds}


def write(found: dict[str, Any]) -> str:
    """Return the tables."""
    first = {**found["first"], "same": True}
    return "\n\n".join(
        [
            epochs.write({"rows": found["rows"]}),
            "Milliseconds per call in a loop, and of the first step of a process without compiled programs kept:",
            inference.write({"rows": [*found["loops"], first]}),
        ]
    )
