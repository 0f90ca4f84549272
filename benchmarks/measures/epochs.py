"""Epoch time: all peers train the same model from the same weights, and take turns."""

from __future__ import annotations

from typing import Any

from benchmarks import figures
from benchmarks.lab import Lab
from benchmarks.peers import tasks
from benchmarks.peers_table import PEERS
from benchmarks.workers import Worker

TUTORIALS = ["seed0", "seed1", "seed2", "seed3", "seed4"]
ENOUGH = 1.2  # seconds of training that one turn aims at
SLOW = 5.0  # seconds; slower epochs run in two turns only: one that compiles, one that is timed
HAND = ("cornu", "jax")  # never "the fastest peer": the hand-written JAX loop has its own rows
SLOWEST = ("keras-torch", "keras2")  # run on the tutorials' models only
TURNS = 3  # each with a seed of its own; the first compiles
PRODUCT = 2048  # rows and columns of the product that measures the machine's peak rate


def tutorials(lab: Lab) -> dict[str, Any]:
    """The five tutorials' models, at their own batch sizes."""
    if lab.full:
        return _measure(lab, [(name, tasks.TASKS[name].batch, tasks.TASKS[name].rows) for name in TUTORIALS], SLOWEST)
    rows = {"seed0": 24000, "seed1": 12800, "seed2": 12800, "seed3": 24000, "seed4": 640}
    return _measure(lab, [(name, tasks.TASKS[name].batch, rows[name]) for name in TUTORIALS])


def batches(lab: Lab) -> dict[str, Any]:
    """The tutorials' models with small and with large batches."""
    wanted = []
    for batch in (32, 1024):
        wanted += [(name, batch, 10240) for name in TUTORIALS[:4]] + [("seed4", batch, 1024)]
    return _measure(lab, wanted if lab.full else wanted[:1])


def models(lab: Lab) -> dict[str, Any]:
    """Other models: wide; deep and narrow; with batch normalization."""
    wanted = [("wide", 128, 2560), ("deep", 128, 12800), ("norm", 128, 640)]
    return _measure(lab, wanted if lab.full else wanted[1:2])


def _measure(lab: Lab, wanted: list[tuple[str, int, int]], also: tuple[str, ...] = ()) -> dict[str, Any]:
    with lab.workers(*[name for name in lab.pythons if name not in SLOWEST or name in also]) as workers:
        before = peaks(workers)
        rows = [row(lab, workers, *each) for each in wanted]
        return {"rows": rows, "peak": max([*before, *peaks(workers)], default=None)}


def peaks(workers: dict[str, Worker]) -> list[float]:
    """Return the rates of a large matrix product, in GFLOP/s, by the peers that can show one."""
    return [
        workers[name]("product", size=PRODUCT, count=8)["gigaflops"] for name in ("torch", "jax") if name in workers
    ]


def row(lab: Lab, workers: dict[str, Worker], name: str, batch: int, rows: int) -> dict[str, Any]:
    """Train a task's model with each worker in turn; return the seconds and losses."""
    seconds: dict[str, list[float]] = {peer: [] for peer in workers}
    losses: dict[str, list[float]] = {peer: [] for peer in workers}
    for worker in workers.values():
        worker("build", name=name, batch=batch, rows=rows, path=lab.data)
    for turn in range(TURNS):
        for peer, worker in workers.items():
            if turn > 1 and min(seconds[peer]) > SLOW:
                continue
            worker("reset", seed=turn + 1)
            done = worker("epochs", count=_count(seconds[peer]))
            seconds[peer] = done["seconds"] if turn == 1 else seconds[peer] + done["seconds"]  # the first compiles
            losses[peer].append(done["losses"][0])
    found = {
        "task": name,
        "batch": batch,
        "rows": rows,
        "steps": -(-rows // batch),
        "seconds": seconds,
        "losses": losses,
    }
    print(_line(found), flush=True)
    return found | {"operations": rows / batch * tasks.step_operations(tasks.task(name), batch)}


def _count(seconds: list[float]) -> int:
    """Return how many epochs a turn has: at least three of short ones, as a `fit` has several; two of longer ones."""
    if not seconds:
        return 2
    if min(seconds) > ENOUGH:
        return 1 if min(seconds) > SLOW else 2
    return max(3, min(12, int(ENOUGH / min(seconds))))


def _line(row: dict[str, Any]) -> str:
    steps = {name: figures.median(values) / row["steps"] * 1e3 for name, values in row["seconds"].items()}
    cells = ", ".join(f"{name} {figures.short(value)}" for name, value in steps.items())
    return f"{row['task']} batch {row['batch']} ({row['rows']} rows), ms per step: {cells}"


def ratios(row: dict[str, Any]) -> dict[str, float]:
    """Return how many times as long as Cornu each peer takes."""
    medians = {name: figures.median(values) for name, values in row["seconds"].items()}
    return {name: value / medians["cornu"] for name, value in medians.items()}


def write(found: dict[str, Any]) -> str:
    """Return the section's table: milliseconds per step with the spread, and Cornu's seconds per epoch."""
    rows = found["rows"]
    peers = [name for name in PEERS if name in rows[0]["seconds"]]
    head = [
        "model",
        "batch",
        "rows",
        "Cornu, s per epoch",
        *[PEERS[name].title for name in peers],
        "fastest peer",
        "same loss",
    ]
    return figures.table(head, [_cells(row, peers) for row in rows])


def _cells(row: dict[str, Any], peers: list[str]) -> list[str]:
    steps, seconds, factors = row["steps"], row["seconds"], ratios(row)
    first = [
        f"`{row['task']}`: {tasks.task(row['task']).about}",
        str(row["batch"]),
        f"{row['rows']:,}",
        figures.short(figures.median(seconds["cornu"])),
    ]
    for name in peers:
        if name not in seconds:
            first.append("")
            continue
        text = f"{figures.short(figures.median(seconds[name]) / steps * 1e3)} ±{figures.spread(seconds[name]):.0%}"
        first.append(text if name == "cornu" else f"{text} ({figures.short(factors[name])}×)")
    best = figures.fastest({name: figures.median(values) for name, values in seconds.items()}, HAND)
    losses = [figures.median(values) for values in row["losses"].values()]
    same = "yes" if figures.agree(row["losses"]) else "**no**"
    return [*first, PEERS[best].title, f"{same}: {min(losses):.3f} to {max(losses):.3f}"]


def write_share(parts: list[dict[str, Any]]) -> str:
    """Return the table of fractions of the machine's peak rate, for all measured epochs."""
    peers = [name for name in PEERS if name in parts[0]["rows"][0]["seconds"]]
    lines = [
        [f"`{row['task']}`", str(row["batch"]), figures.short(row["operations"] / row["steps"] / 1e6)]
        + [f"{share(row, part['peak'], name):.0%}" if name in row["seconds"] else "" for name in peers]
        for part in parts
        if part["peak"]
        for row in part["rows"]
    ]
    rates = ", ".join(figures.short(part["peak"]) for part in parts if part["peak"])
    text = f"Peak: the rate of a {PRODUCT}x{PRODUCT} float32 product in the same runs: {rates} GFLOP/s.\n\n"
    return text + figures.table(["model", "batch", "MFLOP per step", *[PEERS[name].title for name in peers]], lines)


def share(row: dict[str, Any], peak: float, name: str) -> float:
    """Return a peer's fraction of peak: operations of the matrix products over the time of the whole epoch."""
    return row["operations"] / figures.median(row["seconds"][name]) / 1e9 / peak
