"""Convolutional networks and single layers: training steps, prediction, and the first step of a process."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import figures
from benchmarks.lab import Lab
from benchmarks.peers import network_tasks, tasks
from benchmarks.peers_table import PEERS
from benchmarks.workers import Worker, WorkerError, started

NAMES = ("cornu", "keras-tensorflow", "keras-jax", "keras-torch", "torch")
HALF = "bfloat16"  # Cornu with the policy mixed_bfloat16
TURN, SHORT_TURN = 0.8, 0.3  # seconds of training that one turn aims at: of a network, of a single layer
TURNS = 3  # after one that compiles
MOST = 40  # steps of one epoch
WORK = {"train": "network_epochs", "predict": "predict_all"}
FIRST = ("resnet", "mobilenet", "unet", "tcn")
FIRST_NAMES = ("cornu", "keras-tensorflow", "torch")
STAGES = ("trace", "lower", "compile")


def networks(lab: Lab) -> dict[str, Any]:
    """Train and predict with all networks; time the first step of a process."""
    names = list(network_tasks.NETWORKS) if lab.full else ["resnet", "tcn"]
    with workers(lab) as found:
        rows = [row(found, name, TURN) for name in names]
    return {"rows": rows, "first": [first_step(lab, name) for name in (FIRST if lab.full else FIRST[-1:])]}


def layers(lab: Lab) -> dict[str, Any]:
    """Train and predict with all single layers."""
    names = list(network_tasks.LAYERS)
    with workers(lab) as found:
        return {"rows": [row(found, name, SHORT_TURN) for name in (names if lab.full else names[:2])]}


@contextlib.contextmanager
def workers(lab: Lab) -> Iterator[dict[str, Worker]]:
    """Give the peers' workers and a second one of Cornu, in mixed_bfloat16."""
    with lab.workers(*NAMES) as found, started(["cornu"], lab.pythons, lab.cache) as half:
        half["cornu"]("use_policy", policy="mixed_bfloat16")
        yield {**found, HALF: half["cornu"]}


def row(workers: dict[str, Worker], name: str, turn: float) -> dict[str, Any]:
    """Let the workers train and predict in turns; first each shows what it computes."""
    first, failed = {}, {}
    for peer, worker in workers.items():
        try:
            first[peer] = worker("build_network", name=name)
        except WorkerError as error:
            failed[peer] = str(error).strip().splitlines()[-1]
    working = {peer: worker for peer, worker in workers.items() if peer in first}
    once = {peer: worker("network_epochs", count=2)["seconds"][-1] for peer, worker in working.items()}
    steps = {peer: max(1, min(MOST, int(turn / seconds))) for peer, seconds in once.items()}
    for peer, worker in working.items():
        worker("repeat_rows", times=steps[peer])
    found: dict[str, Any] = {each: {peer: {"wall": [], "processor": []} for peer in working} for each in WORK}
    for number in range(TURNS + 1):  # the first compiles
        for doing, command in WORK.items():
            for peer, worker in working.items():
                if number > 1 and once[peer] > 2 * turn:  # slow: timed once
                    continue
                done = worker(command, count=2 if doing == "predict" else 1)
                if number:
                    found[doing][peer]["wall"] += [each / steps[peer] for each in done["seconds"]]
                    found[doing][peer]["processor"] += [each / steps[peer] for each in done["processor"]]
    same = _same({peer: each for peer, each in first.items() if peer != HALF})
    result = {"task": name, "failed": failed, "same": same, "parameters": first["cornu"]["parameters"], **found}
    print(_line(result), flush=True)
    return result


def _same(first: dict[str, dict[str, Any]]) -> bool:
    """Tell whether all have as many weights, the same outputs and the same losses in the first steps on one batch."""
    own = first["cornu"]
    return all(
        each["parameters"] == own["parameters"]
        and all(abs(a - b) < 1e-3 for a, b in zip(each["outputs"], own["outputs"], strict=True))
        and all(abs(a - b) < 0.02 * abs(b) + 0.005 for a, b in zip(each["losses"], own["losses"], strict=True))
        for each in first.values()
    )


def first_step(lab: Lab, name: str) -> dict[str, Any]:
    """Build a network and train a step in new processes: the first keeps compiled programs for the second."""
    found: dict[str, list[dict[str, Any]]] = {}
    for peer in lab.names(*FIRST_NAMES):
        with tempfile.TemporaryDirectory() as folder:
            found[peer] = []
            for _ in ("cold", "warm"):
                with started([peer], lab.pythons, Path(folder)) as workers:
                    found[peer].append(workers[peer]("first_network_step", name=name))
    texts = [f"{peer} " + ", ".join(f"{each['seconds']:.1f}" for each in runs) for peer, runs in found.items()]
    print(f"first step of {name}, s, cold and warm: {'; '.join(texts)}", flush=True)
    return {"task": name, "runs": found}


def medians(row: dict[str, Any], doing: str, clock: str = "wall") -> dict[str, float]:
    """Return each peer's median seconds of a step; Cornu in half precision is not a peer."""
    return {peer: figures.median(times[clock]) for peer, times in row[doing].items() if peer != HALF}


def _line(row: dict[str, Any]) -> str:
    lines = [f"{row['task']}: {row['parameters']:,} weights{'' if row['same'] else ', RESULTS DIFFER'}"]
    for doing in WORK:
        cells = [f"{peer} {_milliseconds(times)}" for peer, times in row[doing].items()]
        lines.append(f"{doing}, ms, of the processor: {'; '.join(cells)}")
    return "\n  ".join([*lines, *(f"{peer} failed: {why}" for peer, why in row["failed"].items())])


def _milliseconds(times: dict[str, list[float]]) -> str:
    return " / ".join(figures.short(1e3 * figures.median(times[clock])) for clock in ("wall", "processor"))


def write(found: dict[str, Any]) -> str:
    """Return the tables."""
    parts = [*([found["note"]] if "note" in found else []), _table(found["rows"])]
    if behind := [text for row in found["rows"] for text in _behind(row)]:
        parts.append("Behind the fastest peer: " + "; ".join(behind) + ".")
    if different := [f"`{row['task']}`" for row in found["rows"] if not row["same"]]:
        parts.append(f"Results differ: {', '.join(different)}.")
    failures = [
        f"{PEERS[peer].title} cannot run `{row['task']}` ({why})"
        for row in found["rows"]
        for peer, why in row["failed"].items()
    ]
    if failures:
        parts.append("; ".join(failures) + ".")
    if "first" in found:
        parts += [
            "Seconds until a new process has built the network and trained a step, without its imports: cold, and with "
            "the compiled programs that the run before kept (Cornu keeps them by default). The rest of Cornu's time is "
            "building the model, and the step itself.",
            _first_table(found["first"]),
        ]
    return "\n\n".join(parts)


def _table(rows: list[dict[str, Any]]) -> str:
    peers = [peer for peer in PEERS if any(peer in row["train"] for row in rows)]
    head = ["what", "batch", "", *[PEERS[peer].title for peer in peers], "fastest peer", "Cornu, `mixed_bfloat16`"]
    return figures.table(head, [_cells(row, doing, peers) for row in rows for doing in WORK])


def _cells(row: dict[str, Any], doing: str, peers: list[str]) -> list[str]:
    task, wall, processor = tasks.task(row["task"]), medians(row, doing), medians(row, doing, "processor")
    first = [f"`{row['task']}`: {task.about}", str(task.batch)] if doing == "train" else ["", ""]
    cells = []
    for peer in peers:
        ratios = f" ({_ratio(wall, peer)}, {_ratio(processor, peer)})" if peer in wall and peer != "cornu" else ""
        cells.append(_milliseconds(row[doing][peer]) + ratios if peer in wall else "")
    half = ""
    if HALF in row[doing]:
        factor = wall["cornu"] / figures.median(row[doing][HALF]["wall"])
        half = f"{_milliseconds(row[doing][HALF])} ({factor:.2f}× as fast)"
    return [*first, doing, *cells, PEERS[figures.fastest(wall)].title, half]


def _ratio(values: dict[str, float], peer: str) -> str:
    return f"{figures.short(values[peer] / values['cornu'])}×"


def _behind(row: dict[str, Any]) -> Iterator[str]:
    for doing in WORK:
        wall = medians(row, doing)
        best = figures.fastest(wall)
        if wall[best] < wall["cornu"]:
            yield f"`{row['task']}` {doing} ({_ratio(wall, best)}, {PEERS[best].title})"


def _first_table(rows: list[dict[str, Any]]) -> str:
    peers = [peer for peer in PEERS if peer in rows[0]["runs"]]
    head = ["network", *[f"{PEERS[peer].title}, {when}" for peer in peers for when in ("cold", "warm")]]
    head += [f"Cornu's {stage}, cold / warm" for stage in STAGES]
    lines = []
    for row in rows:
        seconds = [figures.short(run["seconds"]) for peer in peers for run in row["runs"][peer]]
        stages = [" / ".join(figures.short(run[stage]) for run in row["runs"]["cornu"]) for stage in STAGES]
        lines.append([f"`{row['task']}`", *seconds, *stages])
    return figures.table(head, lines)
