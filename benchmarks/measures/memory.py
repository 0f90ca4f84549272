"""Memory of the processes."""

from __future__ import annotations

from typing import Any

from benchmarks import figures
from benchmarks.lab import Lab
from benchmarks.peers import tasks
from benchmarks.peers_table import PEERS
from benchmarks.workers import started

ROWS = 60000
MODELS, PREDICTIONS = 200, 100_000


def memory(lab: Lab) -> dict[str, Any]:
    """Peak memory of training seed1's model; growth after 200 models and after 100,000 one-row predictions."""
    names = lab.names() if lab.full else lab.names("cornu", "keras-jax")
    seconds = 12.0 if lab.full else 6.0  # Cornu has five times that
    task = tasks.TASKS["seed1"]
    weights = 4e-6 * tasks.parameters(task)
    rows = [_peer(lab, name, seconds) for name in names]
    return {"rows": rows, "data": 4e-6 * ROWS * (784 + 10), "weights": weights, "seconds": seconds}


def _peer(lab: Lab, name: str, seconds: float) -> dict[str, Any]:
    row: dict[str, Any] = {"peer": name}
    with started([name], lab.pythons, lab.cache) as workers:
        workers[name]("build", name="seed1", batch=128, rows=ROWS, path=lab.data)
        row["data only"] = workers[name]("memory")["now"]
        workers[name]("epochs", count=1)
        row["most"] = workers[name]("memory")["most"]
    if PEERS[name].speaks_keras:
        most = 5 * seconds if name == "cornu" else seconds
        row["models"] = _growth(lab, name, "many_models", MODELS, most, 20)
        row["predictions"] = _growth(lab, name, "many_predictions", PREDICTIONS, most, 500)
    print(f"memory, MB: {name} {row['most']:.0f} at most in training", flush=True)
    return row


def _growth(lab: Lab, name: str, do: str, count: int, seconds: float, warm: int) -> dict[str, float]:
    """Return how much memory grows from the first `warm` repetitions to the last, and how many there were."""
    with started([name], lab.pythons, lab.cache) as workers:
        workers[name]("build", name="small", batch=128, rows=1280, path=lab.data)
        first = workers[name](do, count=warm, most_seconds=seconds / 3)
        last = workers[name](do, count=count - first["done"], most_seconds=seconds)
    return {"first": first["now"], "last": last["now"], "done": last["done"], "total": first["done"] + last["done"]}


def write(found: dict[str, Any]) -> str:
    """Return the table of megabytes."""
    allowed = found["data"] + 3 * found["weights"] + 250
    head = [
        "",
        "peak, training seed1",
        "after N models",
        "MB per model",
        "after N one-row predictions",
    ]
    lines = []
    for row in found["rows"]:
        cells = [PEERS[row["peer"]].title, f"{row['most']:,.0f} MB"]
        for kind in ("models", "predictions"):
            grown = row.get(kind)
            cells.append("" if grown is None else _growth_text(grown))
            if kind == "models":
                cells.append("" if grown is None else figures.short(per_model(row)))
        lines.append(cells)
    text = f"""The process holds {ROWS:,} rows of float32 ({found["data"]:.0f} MB). The goal of {allowed:,.0f} MB is
these data, three times the weights and 250 MB. Growth is measured from the 20th model and the 500th prediction on. A
peer is stopped after {found["seconds"]:.0f} s (Cornu: five times that).

"""
    return text + figures.table(head, lines)


def _growth_text(grown: dict[str, float]) -> str:
    return f"{grown['total']:,}: {grown['first']:,.0f} → {grown['last']:,.0f} MB"


def per_model(row: dict[str, Any]) -> float:
    """Return the memory growth in megabytes for each model created and dropped."""
    grown = row["models"]
    return (grown["last"] - grown["first"]) / max(1, grown["done"])
