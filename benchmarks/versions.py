"""Cornu with each JAX release: the short test set, and speed compared with the previous release.

`scripts/versions` creates an environment for each release, runs the short set in it and writes docs/versions.md.
`scripts/versions --speed` times the tutorials' models with the last two of the given releases, in turns.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import figures, machine
from benchmarks.environments import UnavailableError, make_in
from benchmarks.lab import ROOT, Lab, default_cache
from benchmarks.peers import tasks
from benchmarks.peers_table import Peer
from benchmarks.workers import Worker, environment, take_turns

RELEASES = ("0.8", "0.9", "0.10", "0.11", "0.12")
RESULTS, PAGE = ROOT / "benchmarks" / "versions.json", ROOT / "docs" / "versions.md"
TUTORIALS = ("seed0", "seed1", "seed2", "seed3", "seed4")
#: Release -> an explanation of its failures.
NOTES = {
    "0.8": "jaxlib 0.8.3 prints a line about processor features when it loads a compiled program from the disk cache; "
    "the one failing test expects no output there. jaxlib 0.8.0 prints nothing.",
    "0.9": "jaxlib 0.9.2 prints the same line.",
}
#: What is timed -> what a worker does for it; returns the seconds.
FIGURES: dict[str, Callable[[Worker], list[float]]] = {
    "epoch": lambda worker: worker("epochs", count=2)["seconds"],
    "predict, 10,000 rows": lambda worker: worker("predict", rows=10000, count=3)["seconds"],
    "predict, one row": lambda worker: worker("predict", rows=1, count=200)["seconds"],
}


def python_with(release: str, cache: Path) -> str:
    """Return the Python of an environment with a JAX release and the short set's dependencies."""
    folder = cache / "versions" / f"jax-{release}-python-{sys.version_info[0]}.{sys.version_info[1]}"
    pins = [f"jax=={release}.*", f"jaxlib=={release}.*"]
    return make_in(folder, _peer(release), [[*pins, "-e", f"{ROOT}[test-short]"]])


def _peer(release: str) -> Peer:
    return Peer(f"jax-{release}", f"Cornu on jax {release}", "cornu")


def versions_of(python: str) -> dict[str, str]:
    """Return the exact versions in an environment."""
    program = (
        "import jax, jaxlib, numpy, json, platform;"
        "print(json.dumps({'Python': platform.python_version(), 'jax': jax.__version__, 'jaxlib': jaxlib.__version__, "
        "'numpy': numpy.__version__}))"
    )
    return json.loads(subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout)


def tested(python: str, log: Path) -> dict[str, Any]:
    """Run the short set; return pytest's counts and the seconds."""
    path = os.pathsep.join([str(Path(python).parent), os.environ.get("PATH", "")])
    own = os.environ | {"PATH": path, "CORNU_CACHE_DIR": str(log.parent / f"compiled-{log.stem}")}
    with log.open("w") as output:
        began = time.perf_counter()
        subprocess.run([str(ROOT / "scripts" / "test"), "--short", "-q"], stdout=output, stderr=output, env=own)
    return counted(log.read_text(errors="replace")) | {"seconds": round(time.perf_counter() - began)}


def counted(text: str) -> dict[str, int]:
    """Return the counts of pytest's last line.

    >>> counted("...\\n1 failed, 20 passed, 3 skipped in 4.5s\\n")
    {'failed': 1, 'passed': 20, 'skipped': 3, 'error': 0}
    """
    lines = [line for line in text.splitlines() if re.search(r"\d+ (passed|failed|error).* in [\d.]+s", line)]
    last = lines[-1] if lines else "1 error"
    found = {name: re.search(rf"(\d+) {name}", last) for name in ("failed", "passed", "skipped", "error")}
    return {name: int(match[1]) if match else 0 for name, match in found.items()}


def timed(before: str, now: str, lab: Lab, turns: int) -> dict[str, dict[str, list[float]]]:
    """Return model -> figure -> the median seconds of both Pythons; their processes take turns."""
    found: dict[str, dict[str, list[float]]] = {}
    for name in TUTORIALS:
        task = tasks.task(name)
        with contextlib.ExitStack() as stack:
            workers = {}
            for key, python in (("before", before), ("now", now)):
                workers[key] = worker = Worker(_peer(key), python, lab.cache)
                stack.callback(worker.close)
                worker("build", name=name, batch=task.batch, rows=task.rows, path=lab.data)
                worker("epochs", count=2)
            found[name] = {
                figure: [figures.median(each) for each in take_turns(workers, turns, work).values()]
                for figure, work in FIGURES.items()
            }
        print(name, found[name], flush=True)
    program = str(Path(__file__).parent / "programs" / "first_step.py")
    starts: dict[str, list[float]] = {"before": [], "now": []}
    for _ in range(turns + 1):
        for key, python in (("before", before), ("now", now)):
            began = time.perf_counter()
            own = environment(_peer(key), lab.cache)
            subprocess.run([python, program, "cornu"], env=own, check=True, capture_output=True, cwd=lab.cache)
            starts[key].append(time.perf_counter() - began)
    found["a program of one step"] = {"start to exit": [figures.median(each[1:]) for each in starts.values()]}
    return found


def page(kept: dict[str, Any]) -> str:
    """Return docs/versions.md."""
    lines = [
        "# Versions of Python and JAX",
        "",
        "Written by `scripts/versions`: results of the short test set (`scripts/test --short`) with each JAX release.",
        "Each `.ci/run` also runs the whole suite on the newest Python and JAX, and the short set on the lowest",
        "versions of all dependencies.",
        "",
        figures.table(
            ["JAX", "jaxlib", "Python", "numpy", "passed", "failed", "skipped", "seconds"],
            [
                [row["jax"], row["jaxlib"], row["Python"], row["numpy"], f"{row['passed']:,}",
                 str(row["failed"] + row["error"]), str(row["skipped"]), str(row["seconds"])]
                for row in kept["tests"].values()
            ],
        ),
        "",
    ]  # fmt: skip
    failed = [release for release, row in kept["tests"].items() if row["failed"] + row["error"]]
    lines += [line for release in failed if release in NOTES for line in (NOTES[release], "")]
    if speed := kept.get("speed"):
        rows = []
        for name, per_figure in speed["figures"].items():
            about = f"{name}: {tasks.TASKS[name].about}" if name in tasks.TASKS else name
            for figure, (before, now) in per_figure.items():
                numbers = [figures.short(before * 1e3), figures.short(now * 1e3), f"{now / before:.2f}"]
                rows.append([about, figure, *numbers])
        lines += [
            "## Speed",
            "",
            f"Milliseconds with jax {speed['before']} and {speed['now']} (`scripts/versions --speed`): medians of",
            f"processes that take turns, on {speed['machine']}.",
            "",
            figures.table(["model", "what", speed["before"], speed["now"], "ratio"], rows),
            "",
            "jaxlib 0.12 has a new matrix product on CPU. Products of many features (100 x 784 x 128: 69 us before, 88",
            "now) and of many rows (1024 x 512 x 512: 1,386 us before, 1,883 now) take up to 36% longer in every form;",
            "the second is seed1's prediction of 10,000 rows. With a transposed second operand they took up to 50%",
            "longer, so Cornu transposes it first. `python -m benchmarks.products` prints them all; see",
            "[011](design/011-products-on-cpu.md).",
            "",
        ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser("scripts/versions", description=__doc__)
    parser.add_argument("releases", nargs="*", default=list(RELEASES), metavar="RELEASE", help=", ".join(RELEASES))
    parser.add_argument("--speed", action="store_true", help="no tests: time the last two releases in turns")
    parser.add_argument("--turns", type=int, default=7, help="turns of the timed processes (default 7)")
    options = parser.parse_args()
    cache = default_cache()
    cache.mkdir(parents=True, exist_ok=True)
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"tests": {}}
    failed = False
    if options.speed:
        before, now = (python_with(release, cache) for release in options.releases[-2:])
        names = {key: versions_of(python)["jax"] for key, python in (("before", before), ("now", now))}
        found = timed(before, now, Lab({"cornu": now}, cache), options.turns)
        kept["speed"] = names | {"machine": machine.describe(), "figures": found}
    for release in () if options.speed else options.releases:
        try:
            python = python_with(release, cache)
        except UnavailableError as error:
            print(f"jax {release} is skipped: {error}", flush=True)
            continue
        kept["tests"][release] = row = versions_of(python) | tested(python, cache / "versions" / f"{release}.log")
        failed |= bool(row["failed"] or row["error"] or not row["passed"])
        print(row, flush=True)
    kept["tests"] = dict(sorted(kept["tests"].items(), key=lambda item: RELEASES.index(item[0])))
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
    PAGE.write_text(page(kept))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
