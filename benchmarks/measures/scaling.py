"""How time grows with rows, width, depth and batch size; and data sources other than arrays."""

from __future__ import annotations

import tempfile
from typing import Any

from benchmarks import figures
from benchmarks.lab import Lab
from benchmarks.peers import tasks
from benchmarks.peers_table import PEERS
from benchmarks.workers import Worker, started

LIMIT = 700.0  # MB of extra private memory that a process may use while it trains from memory-mapped files


def scaling(lab: Lab) -> dict[str, Any]:
    """Time against rows, width, depth and batch size."""
    wanted = [("rows", "small", 128, rows) for rows in (1000, 10_000, 100_000, 1_000_000)]
    wanted += [("width", f"mlp-{width}x2", 128, 2560) for width in (64, 256, 1024, 2048)]
    wanted += [("depth", f"mlp-64x{depth}", 128, 12_800) for depth in (1, 4, 16, 48)]
    wanted += [("batch", "mlp-256x2", batch, 16_384) for batch in (8, 32, 128, 512, 2048, 8192)]
    if not lab.full:
        wanted = wanted[:2]
    with lab.workers("cornu", "keras-jax", "torch", "jax") as workers:
        return {"rows": [_row(lab, workers, *each) for each in wanted]}


def _row(lab: Lab, workers: dict[str, Worker], what: str, name: str, batch: int, rows: int) -> dict[str, Any]:
    seconds = {}
    for worker in workers.values():
        worker("build", name=name, batch=batch, rows=rows, path=lab.data)
        worker("epochs", count=1)
    for peer, worker in workers.items():
        seconds[peer] = worker("epochs", count=1 if rows >= 1e6 else 3)["seconds"]
    print(f"{what}: {name} batch {batch} rows {rows:,}: {figures.median(seconds['cornu']):.3f} s", flush=True)
    return {"what": what, "task": name, "batch": batch, "rows": rows, "seconds": seconds}


def write(found: dict[str, Any]) -> str:
    """Return the table of seconds per epoch."""
    peers = [name for name in PEERS if name in found["rows"][0]["seconds"]]
    head = ["what grows", "model", "batch", "rows", *[PEERS[name].title for name in peers]]
    lines = []
    for row in found["rows"]:
        medians = {name: figures.median(row["seconds"][name]) for name in peers}
        cells = [figures.short(medians["cornu"])]
        cells += [f"{figures.short(medians[n])} ({figures.short(medians[n] / medians['cornu'])}×)" for n in peers[1:]]
        about = tasks.task(row["task"]).about
        lines.append([row["what"], about, str(row["batch"]), f"{row['rows']:,}", *cells])
    return figures.table(head, lines)


def sources(lab: Lab) -> dict[str, Any]:
    """Arrays, a generator, and memory-mapped files larger than the memory that the process may use."""
    rows = 25_600 if lab.full else 6_400
    with lab.workers("cornu", "keras-jax", "keras-tensorflow") as workers:
        found = [_sources(lab, name, worker, rows) for name, worker in workers.items()]
    result: dict[str, Any] = {"rows": rows, "peers": found}
    if lab.full:
        result["mapped"] = _mapped(lab)
    return result


def _sources(lab: Lab, name: str, worker: Worker, rows: int) -> dict[str, Any]:
    worker("build", name="seed1", batch=128, rows=rows, path=lab.data)
    seconds: dict[str, list[float]] = {"arrays": [], "generator": [], "memmap": []}
    with tempfile.TemporaryDirectory(dir=lab.cache) as folder:
        worker("write_mapped", folder=folder, times=1)
        for _ in range(3):
            for source in seconds:
                if source == "memmap":
                    worker("build_mapped", name="seed1", batch=128, folder=folder)
                else:
                    worker("build", name="seed1", batch=128, rows=rows, path=lab.data)
                # The first epoch compiles, or opens the source.
                seconds[source] += worker("fit_from", source=source, count=3)["seconds"][1:]
    print(f"{name}, s per epoch: " + ", ".join(f"{s} {figures.median(v):.3f}" for s, v in seconds.items()), flush=True)
    return {"peer": name, "seconds": seconds}


def _mapped(lab: Lab) -> dict[str, Any]:
    """Train from files of 1.6 GB in a process that may use 0.7 GB of extra memory."""
    with tempfile.TemporaryDirectory(dir=lab.cache) as folder:
        with started(["cornu"], lab.pythons, lab.cache) as workers:
            workers["cornu"]("build", name="seed1", batch=128, rows=50_000, path=lab.data)
            workers["cornu"]("write_mapped", folder=folder, times=10)
        with started(["cornu"], lab.pythons, lab.cache) as workers:
            worker = workers["cornu"]
            worker("build", name="seed1", batch=128, rows=1280, path=lab.data)
            worker("fit_from", source="arrays", count=1)
            before = worker("memory")["own"]
            limited = worker("limit_memory", megabytes=LIMIT)["limited"]
            size = worker("build_mapped", name="seed1", batch=1024, folder=folder)["megabytes"]
            seconds = worker("fit_from", source="arrays", count=1)["seconds"]
            after = worker("memory")["own"]
    return {
        "megabytes": size,
        "limited": limited,
        "seconds": seconds[0],
        "before": before,
        "after": after,
        "rows": 500_000,
    }


def write_sources(found: dict[str, Any]) -> str:
    """Return the table of seconds per epoch by source, and the figures of training from large files."""
    lines = []
    for each in found["peers"]:
        medians = {source: figures.median(values) for source, values in each["seconds"].items()}
        cells = [
            f"{figures.short(medians[s])} ({figures.short(medians[s] / medians['arrays'])}×)"
            for s in ("generator", "memmap")
        ]
        lines.append([PEERS[each["peer"]].title, figures.short(medians["arrays"]), *cells])
    text = f"Seed1's model, {found['rows']:,} rows, batch 128; in parentheses, relative to arrays.\n\n"
    text += figures.table(["", "arrays, s per epoch", "generator", "memmap"], lines)
    if "mapped" in found:
        large = found["mapped"]
        limit = f"limited to {LIMIT:,.0f} MB of extra memory" if large["limited"] else "without a memory limit"
        text += f"""

From memory-mapped files of {large["megabytes"]:,.0f} MB ({large["rows"]:,} rows, batch 1,024), in a process {limit}:
one epoch took {figures.short(large["seconds"])} s, and the process's own memory grew from {large["before"]:,.0f} to
{large["after"]:,.0f} MB."""
    return text
