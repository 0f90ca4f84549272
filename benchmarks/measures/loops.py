"""Custom training loops with GradientTape: the same program on TensorFlow, eagerly and under ``tf.function``."""

from __future__ import annotations

from typing import Any

from benchmarks import figures
from benchmarks.lab import Lab
from benchmarks.peers import loop_tasks

PEERS = ("cornu", "keras-tensorflow")
WAYS = {"eager": 40, "function": 400}  # steps of a turn


def loops(lab: Lab) -> dict[str, Any]:
    """Milliseconds per step of each task in both ways; `fit` beside the compiled loop for the tasks that have it."""
    found = []
    with lab.workers(*PEERS) as workers:
        for task in loop_tasks.TASKS if lab.full else ("mlp",):
            for worker in workers.values():
                worker("build_loop", name=task)
            for how, count in WAYS.items():
                found.append(_in_turns(lab, workers, task, how, count))
            if task in ("mlp", "cnn"):
                found.append(_fit_beside_loop(lab, workers["cornu"], task, WAYS["function"]))
    return {"rows": found}


def _in_turns(lab: Lab, workers: dict[str, Any], task: str, how: str, count: int) -> dict[str, Any]:
    seconds: dict[str, list[float]] = {name: [] for name in workers}
    count = count if task != "cnn" else count // 4
    for worker in workers.values():
        worker("loop_steps", how=how, count=3)
    for _ in range(5 if lab.full else 2):
        for name, worker in workers.items():
            seconds[name].append(worker("loop_steps", how=how, count=count)["seconds"] / count)
    print(
        f"{task} {how}: " + ", ".join(f"{n} {1e3 * figures.median(s):.3f} ms" for n, s in seconds.items()), flush=True
    )
    return {"task": task, "how": how, "seconds": seconds}


def _fit_beside_loop(lab: Lab, worker: Any, task: str, count: int) -> dict[str, Any]:
    """Return the seconds per step of `fit` and of the compiled loop, in turns."""
    seconds: dict[str, list[float]] = {"cornu": [], "loop": []}
    count = count if task != "cnn" else count // 4
    for _ in range(5 if lab.full else 2):
        for name, how in (("cornu", "fit"), ("loop", "function")):
            seconds[name].append(worker("loop_steps", how=how, count=count)["seconds"] / count)
    return {"task": task, "how": "fit", "seconds": seconds}


def write(found: dict[str, Any]) -> str:
    """Return the table of milliseconds per step."""
    lines = []
    for row in found["rows"]:
        ours = figures.median(row["seconds"]["cornu"])
        theirs = row["seconds"].get("keras-tensorflow")
        how = {"eager": "eager", "function": "`tf.function`", "fit": "`fit`"}[row["how"]]
        about = f"`{row['task']}`: {loop_tasks.ABOUT[row['task']]}"
        rest = ["", ""] if theirs is None else [figures.short(1e3 * figures.median(theirs)), ""]
        if theirs is not None:
            rest[1] = f"{figures.short(figures.median(theirs) / ours)}×"
        if beside := row["seconds"].get("loop"):
            rest[1] = f"{figures.short(ours / figures.median(beside))} times as long as `tf.function`"
        lines.append([about, how, figures.short(1e3 * ours), *rest])
    return figures.table(["program", "", "Cornu, ms per step", "TensorFlow, ms per step", "faster by"], lines)
