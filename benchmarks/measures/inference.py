"""Prediction and evaluation."""

from __future__ import annotations

import random
from typing import Any

from benchmarks import figures
from benchmarks.lab import Lab
from benchmarks.measures import epochs
from benchmarks.peers import tasks
from benchmarks.peers_table import PEERS
from benchmarks.workers import Worker, take_turns

MODEL = "seed1"
ROWS = 10000
DIFFERENCE = 2e-4  # between two peers' probabilities from the same weights


def inference(lab: Lab) -> dict[str, Any]:
    """Predict 1, 100 and 10,000 rows, and a new row count each time; evaluate 10,000; call the model on a row."""
    with lab.workers(*[name for name in lab.pythons if lab.full or name != "keras-torch"]) as workers:
        for worker in workers.values():
            worker("build", name=MODEL, batch=128, rows=ROWS, path=lab.data)
        rows = [_compared(workers, rows, lab.full) for rows in (1, 100, ROWS)]
        rows += [_changing(workers, lab.full), _evaluated(workers, lab.full)]
        rows.append(_called({name: worker for name, worker in workers.items() if name != "keras2"}))
        operations = sum(tasks.product_operations(tasks.task(MODEL), ROWS))
        return {"rows": rows, "operations": operations, "peak": max(epochs.peaks(workers), default=None)}


def _compared(workers: dict[str, Worker], rows: int, full: bool) -> dict[str, Any]:
    first = {name: worker("outputs", rows=min(rows, 100))["outputs"] for name, worker in workers.items()}
    same = all(near(outputs, first["cornu"]) for outputs in first.values())
    once = {name: worker("predict", rows=rows, count=1)["seconds"][0] for name, worker in workers.items()}
    count = {name: max(1, min(200, int((0.6 if full else 0.3) / seconds))) for name, seconds in once.items()}
    return in_turns(f"predict {rows:,} row" + "s" * (rows > 1), workers, "predict", same, count, rows=rows)


def _called(workers: dict[str, Worker]) -> dict[str, Any]:
    """A row through ``model(x)``, as custom loops call a model; Keras 2 has no such call on arrays."""
    first = {name: worker("call", rows=1, count=5)["outputs"] for name, worker in workers.items()}
    same = all(near(outputs, first["cornu"]) for outputs in first.values())
    return in_turns("model(x), 1 row", workers, "call", same, dict.fromkeys(workers, 50), rows=1)


def near(a: list[list[float]], b: list[list[float]], difference: float = DIFFERENCE) -> bool:
    """Tell whether two peers' outputs agree."""
    return all(
        abs(x - y) < difference for row, other in zip(a, b, strict=True) for x, y in zip(row, other, strict=True)
    )


def in_turns(
    title: str, workers: dict[str, Worker], do: str, same: bool, count: dict[str, int], **arguments: Any
) -> dict[str, Any]:
    """Let the workers do the same calls in turns; return their seconds."""

    def work(worker: Worker) -> list[float]:
        return worker(do, count=count[worker.peer.name], **arguments)["seconds"]

    seconds = take_turns(workers, 3, work)
    cells = ", ".join(f"{name} {figures.short(figures.median(values) * 1e3)}" for name, values in seconds.items())
    print(f"{title}, ms: {cells}", flush=True)
    return {"what": title, "seconds": seconds, "same": same}


def _changing(workers: dict[str, Worker], full: bool) -> dict[str, Any]:
    """Each call has a row count that no call before it had."""
    sizes = random.Random(0).sample(range(2, 400), 60 if full else 20)
    # One turn: a second one would meet what the first compiled.
    seconds = {name: worker("predict_sizes", sizes=sizes)["seconds"] for name, worker in workers.items()}
    means = {name: [sum(values) / len(values)] for name, values in seconds.items()}
    return {"what": f"predict {len(sizes)} row counts, 2 to 400, each new (mean)", "seconds": means, "same": True}


def _evaluated(workers: dict[str, Worker], full: bool) -> dict[str, Any]:
    values = {name: worker("evaluate", rows=ROWS, count=1)["values"] for name, worker in workers.items()}
    same = all(near([found], [values["cornu"]], 2e-3) for found in values.values())
    return in_turns(
        f"evaluate {ROWS:,} rows", workers, "evaluate", same, dict.fromkeys(workers, 2 if full else 1), rows=ROWS
    )


def write(found: dict[str, Any]) -> str:
    """Return the table of milliseconds per call."""
    peers = [name for name in PEERS if name in found["rows"][0]["seconds"]]
    head = ["call", *[PEERS[name].title for name in peers], "same result"]
    return figures.table(head, [_cells(row, peers) for row in found["rows"]])


def _cells(row: dict[str, Any], peers: list[str]) -> list[str]:
    own = figures.median(row["seconds"]["cornu"])

    def cell(name: str, seconds: list[float]) -> str:
        text = f"{figures.short(figures.median(seconds) * 1e3)} ±{figures.spread(seconds):.0%}"
        return text if name == "cornu" else f"{text} ({figures.short(figures.median(seconds) / own)}×)"

    texts = [cell(name, row["seconds"][name]) if name in row["seconds"] else "" for name in peers]
    return [row["what"], *texts, "yes" if row["same"] else "**no**"]
