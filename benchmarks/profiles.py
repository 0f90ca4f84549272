"""Where Cornu's time goes: in the steps of one of the benchmark's models, or in a whole program.

`python -m benchmarks.profiles seed4` prints how long each operation of a step takes, and how much of a step is not
products and convolutions. `python -m benchmarks.profiles PROGRAM.py` runs a program as `cornu run` does and prints
where its time goes.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import cProfile
import io
import pstats
import runpy
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks import figures
from benchmarks.peers import keras_peer, network_tasks, tasks

#: Part of a program -> the file and function whose cumulative time counts as that part.
PARTS = {
    "importing JAX": ("jax/__init__.py", "<module>"),
    "reading MNIST": ("cornu/datasets/mnist.py", "load_data"),
    "tracing": ("jax/_src/pjit.py", "_trace_for_jit"),
    "lowering": ("jax/_src/pjit.py", "_pjit_lower"),
    "compiling, or reading the compilation cache": ("jax/_src/compiler.py", "compile_or_get_cached"),
    "waiting for steps": ("jax/_src/array.py", "_value"),
}
PRODUCTS = ("dot", "conv")
#: Names of events that are no operations, or stand around others.
AROUND = ("$", "end:", "Thunk", "Threadpool", "np.", "Pjit", "while", "call", "conditional")


class Event(NamedTuple):
    """One run of one operation, in nanoseconds."""

    start: float
    length: float
    name: str


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.profiles", description=__doc__)
    parser.add_argument("what", help=f"a program, or one of {', '.join([*tasks.TASKS, *network_tasks.MODELS])}")
    parser.add_argument("--steps", type=int, default=20, help="steps of an epoch (default 20)")
    parser.add_argument("--top", type=int, default=12, help="operations that are listed (default 12)")
    options = parser.parse_args()
    if options.what in {**tasks.TASKS, **network_tasks.MODELS}:
        print(profile_steps(options.what, options.steps, options.top))
    else:
        print(profile_program(Path(options.what)))


def profile_steps(name: str, steps: int, top: int) -> str:
    """Return the step's time and a table of its operations."""
    import jax

    import cornu

    task = tasks.task(name)
    if tasks.is_network(task):
        x, y = tasks.data(task, "", steps * task.batch)
    else:
        (x, y), _ = cornu.datasets.mnist.load_data()
        x, y = tasks.prepared(task, x, y, steps * task.batch)
    peer = keras_peer.Peer("cornu")
    peer.build(task, task.batch, x, y)
    peer.epochs(3)
    plain = figures.median(peer.epochs(5)[0]) / steps * 1e3
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            traced = peer.epochs(1)[0][0] / steps * 1e3
        events = _events(folder)
    busy: dict[str, float] = collections.defaultdict(float)
    for event in events:
        busy[event.name] += event.length / steps / 1e6
    others = _covered([event for event in events if not event.name.startswith(PRODUCTS)]) / steps / 1e6
    lines = [
        [f"`{operation}`", figures.short(spent)]
        for operation, spent in sorted(busy.items(), key=lambda item: -item[1])[:top]
    ]
    head = (
        f"{name}, batch of {task.batch}: {figures.short(plain)} ms per step; {figures.short(traced)} with the profiler"
    )
    return (
        f"{head}; something other than products and convolutions runs for {figures.short(others)} ms of them.\n\n"
        + figures.table(["operation", "ms per step (summed over threads)"], lines)
    )


def _events(folder: str) -> list[Event]:
    """Return the operations that the profiler saw, by their beginnings."""
    import jax

    (path,) = Path(folder).rglob("*.xplane.pb")
    planes = jax.profiler.ProfileData.from_file(str(path)).planes
    return sorted(
        Event(event.start_ns, event.duration_ns, event.name)
        for plane in planes
        for line in plane.lines
        if line.name.startswith("tf_XLA")
        for event in line.events
        if not event.name.startswith(AROUND)
    )


def _covered(events: list[Event]) -> float:
    """Return for how long at least one of the events runs.

    >>> _covered([Event(0, 10, "a"), Event(5, 10, "b"), Event(20, 1, "c")])
    16
    """
    total: float = 0
    end: float = 0
    for event in events:
        total += max(0, event.start + event.length - max(event.start, end))
        end = max(end, event.start + event.length)
    return total


def profile_program(path: Path) -> str:
    """Return what the seconds of a program are spent on."""
    profile, started = cProfile.Profile(), time.perf_counter()
    kept, sys.argv = sys.argv, ["cornu", "run", str(path)]
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
            profile.runcall(runpy.run_module, "cornu", run_name="__main__", alter_sys=True)
    finally:
        sys.argv = kept
    whole = time.perf_counter() - started
    calls = pstats.Stats(profile).stats.items()  # type: ignore[attr-defined]
    spent = {
        what: sum(found[3] for (file, _, called), found in calls if called == function and file.endswith(end))
        for what, (end, function) in PARTS.items()
    }
    spent["everything else"] = whole - sum(spent.values())
    lines = [[what, figures.short(seconds), f"{seconds / whole:.0%}"] for what, seconds in spent.items()]
    return f"{path.name}: {whole:.2f} s with the profiler.\n\n" + figures.table(["part", "seconds", ""], lines)


if __name__ == "__main__":
    main()
