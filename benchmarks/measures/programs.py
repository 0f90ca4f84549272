"""Whole programs, from process start to exit, and startup alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import figures
from benchmarks.lab import ROOT, Lab
from benchmarks.peers_table import PEERS

OWN = ROOT / "benchmarks" / "programs"
SHARED = ROOT.parent / "shared" / "programs"
DATA_SETS = {
    "MNIST by tf.data, 4 operations per image": "data_set.py",
    "the same, flipped, cropped and brightened": "data_set_augmented.py",
}
SPEAKERS = ("cornu", "keras-tensorflow", "keras-jax", "keras-torch")


def programs(lab: Lab) -> dict[str, Any]:
    """Run seed0 and seed3 unchanged, a tiny program and two of `tf.data`; Cornu also with no compiled programs kept."""
    wanted = {"tiny: 1,000 rows, 5 epochs": (OWN / "tiny.py", 3 if lab.full else 2)}
    for name in ("seed0_book_mlp.py", "seed3_notebook_mlp.py") if lab.full else ():
        if (SHARED / name).exists():
            wanted[name.partition("_")[0] + ", unchanged"] = (SHARED / name, 2)
    peers = lab.names("cornu", "keras-tensorflow", "keras-jax")
    rows = [_program(lab, title, *what, peers) for title, what in wanted.items()]
    for title, name in DATA_SETS.items() if lab.full else ():
        rows.append(_program(lab, title, OWN / name, 3, lab.names("cornu", "keras-tensorflow")))
    return {"rows": rows}


def _program(lab: Lab, title: str, path: Path, turns: int, peers: list[str]) -> dict[str, Any]:
    def run(name: str, **variables: str) -> float:
        if name == "cornu":
            return lab.run(name, ["-m", "cornu", "run", str(path)], **variables)
        return lab.run(name, [str(OWN / "with_keras.py"), lab.data, str(path)], **variables)

    return _in_turns(title, run, turns, peers)


def _in_turns(title: str, run: Callable[..., float], turns: int, peers: list[str]) -> dict[str, Any]:
    """Run each peer's process in turn; first Cornu's without any compiled program kept, which also warms its folder."""
    with tempfile.TemporaryDirectory() as empty:
        cold = run("cornu", CORNU_CACHE_DIR=empty)
    run("cornu")
    seconds: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(turns):
        for name in peers:
            seconds[name].append(run(name))
    row = {"what": title, "cold": cold, "seconds": seconds}
    print(
        f"{title}, s: cold {cold:.2f}, " + ", ".join(f"{n} {figures.median(s):.2f}" for n, s in seconds.items()),
        flush=True,
    )
    return row


def start(lab: Lab) -> dict[str, Any]:
    """Import; and import, build and one trained step of seed3's model."""
    peers = lab.names(*SPEAKERS) if lab.full else lab.names("cornu", "keras-jax", "keras-tensorflow")

    def imported(name: str, **variables: str) -> float:
        return lab.run(name, ["-c", f"import {PEERS[name].kind}"], **variables)

    def trained(name: str, **variables: str) -> float:
        return lab.run(name, [str(OWN / "first_step.py"), PEERS[name].kind], **variables)

    turns = 5 if lab.full else 3
    return {
        "rows": [
            _in_turns("import", imported, turns, peers),
            _in_turns("import, build, first trained step", trained, turns, peers),
        ]
    }


def write(found: dict[str, Any]) -> str:
    """Return the table of seconds, with Cornu's first run (nothing compiled before) apart."""
    peers = [name for name in PEERS if name in found["rows"][0]["seconds"]]
    head = ["program", "Cornu, cold", "Cornu, warm", *[PEERS[name].title for name in peers[1:]]]
    return figures.table(head, [_cells(row, peers) for row in found["rows"]])


def _cells(row: dict[str, Any], peers: list[str]) -> list[str]:
    medians = {name: figures.median(seconds) for name, seconds in row["seconds"].items()}
    others = [
        f"{figures.short(medians[n])} ({figures.short(medians[n] / medians['cornu'])}×)" if n in medians else ""
        for n in peers[1:]
    ]
    own = f"{figures.short(medians['cornu'])} ±{figures.spread(row['seconds']['cornu']):.0%}"
    return [row["what"], figures.short(row["cold"]), own, *others]
