"""Convolutional networks and single layers: training steps, prediction, and the first step of a process."""

from __future__ import annotations

from typing import Any

from benchmarks import figures
from benchmarks.lab import Lab
from benchmarks.peers import network_tasks, tasks
from benchmarks.peers_table import PEERS as ALL
from benchmarks.workers import Worker, WorkerError

PEERS = ("cornu", "keras-tensorflow", "keras-jax", "keras-torch", "torch")
TURN = 0.8  # seconds of training that one turn aims at
MOST = 40  # steps of one epoch
TURNS = 3
WORK = {"train": "network_epochs", "predict": "predict_all"}


def networks(lab: Lab) -> dict[str, Any]:
    """Train and predict with all networks."""
    names = list(network_tasks.NETWORKS) if lab.full else ["resnet", "mobilenet"]
    with lab.workers(*PEERS) as workers:
        return {"rows": [_row(workers, name) for name in names]}


def _row(workers: dict[str, Worker], name: str) -> dict[str, Any]:
    """Let the workers train and predict in turns; first they show that they compute the same thing."""
    first, failed = {}, {}
    for peer, worker in workers.items():
        try:
            first[peer] = worker("build_network", name=name)
        except WorkerError as error:
            failed[peer] = str(error).strip().splitlines()[-1]
    workers = {peer: worker for peer, worker in workers.items() if peer in first}
    steps, turns = {}, {}
    for peer, worker in workers.items():
        once = worker("network_epochs", count=2)["seconds"][-1]
        steps[peer] = max(1, min(MOST, int(TURN / once)))
        worker("repeat_rows", times=steps[peer])
        turns[peer] = 1 if once > 2 * TURN else TURNS
    found: dict[str, Any] = {each: {peer: {"wall": [], "processor": []} for peer in workers} for each in WORK}
    for turn in range(TURNS + 1):  # the first compiles
        for doing, command in WORK.items():
            for peer, worker in workers.items():
                if turn > turns[peer]:
                    continue
                done = worker(command, count=2 if doing == "predict" else 1)
                if turn:
                    found[doing][peer]["wall"] += [each / steps[peer] for each in done["seconds"]]
                    found[doing][peer]["processor"] += [each / steps[peer] for each in done["processor"]]
    row = {"task": name, "failed": failed, "same": _same(first), **found}
    print(_line(row), flush=True)
    return row


def _same(first: dict[str, dict[str, Any]]) -> bool:
    """Tell whether all have as many weights, the same outputs and the same losses in the first steps on one batch."""
    own = first["cornu"]
    return all(
        each["parameters"] == own["parameters"]
        and all(abs(a - b) < 1e-3 for a, b in zip(each["outputs"], own["outputs"], strict=True))
        and all(abs(a - b) < 0.02 * b for a, b in zip(each["losses"], own["losses"], strict=True))
        for each in first.values()
    )


def _line(row: dict[str, Any]) -> str:
    parts = []
    for doing in WORK:
        cells = [
            f"{peer} {figures.short(1e3 * figures.median(times['wall']))}"
            f" ({figures.short(1e3 * figures.median(times['processor']))})"
            for peer, times in row[doing].items()
        ]
        parts.append(f"{doing}, ms (processor): {', '.join(cells)}")
    return f"{row['task']}, same {row['same']} {row['failed'] or ''}\n  " + "\n  ".join(parts)


def write(found: dict[str, Any]) -> str:
    """Return the table."""
    peers = [peer for peer in ALL if any(peer in row["train"] for row in found["rows"])]
    head = ["network", "batch", "", *[ALL[peer].title for peer in peers], "fastest peer", "same result"]
    return figures.table(head, [_cells(row, doing, peers) for row in found["rows"] for doing in WORK])


def _cells(row: dict[str, Any], doing: str, peers: list[str]) -> list[str]:
    task, times = tasks.task(row["task"]), row[doing]
    wall = {peer: figures.median(each["wall"]) for peer, each in times.items()}
    processor = {peer: figures.median(each["processor"]) for peer, each in times.items()}
    cells = []
    for peer in peers:
        if peer not in wall:
            cells.append("")
            continue
        text = f"{figures.short(1e3 * wall[peer])}, {figures.short(1e3 * processor[peer])}"
        ratios = f"{wall[peer] / wall['cornu']:.2f}×, {processor[peer] / processor['cornu']:.2f}×"
        cells.append(text if peer == "cornu" else f"{text} ({ratios})")
    best = figures.fastest(wall)
    same = "yes" if row["same"] else "**no**"
    return [f"`{row['task']}`: {task.about}", str(task.batch), doing, *cells, ALL[best].title, same]
