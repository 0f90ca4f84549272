"""Results kept as JSON, and the page that is written from them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import musts
from benchmarks.lab import Lab
from benchmarks.measures import checkpoints, epochs, inference, install, memory, precision, programs, scaling
from benchmarks.peers_table import PEERS


class Measure(NamedTuple):
    """A measure: what makes its figures, what writes them, and the section's heading and words."""

    measure: Callable[[Lab], dict[str, Any]]
    write: Callable[[dict[str, Any]], str]
    title: str
    about: str
    short: bool = True  # belongs to the short form


STEPS = "Milliseconds per step ± half the distance between the quartiles; in brackets beside Cornu's."
MEASURES = {
    "tutorials": Measure(epochs.tutorials, epochs.write, "Epochs: the five tutorials' models", STEPS),
    "batches": Measure(epochs.batches, epochs.write, "Epochs: other batch sizes", STEPS, False),
    "models": Measure(epochs.models, epochs.write, "Epochs: other models", STEPS),
    "programs": Measure(
        programs.programs,
        programs.write,
        "Whole programs",
        "Seconds from start to exit. Cold: no compiled program was kept. Keras keeps none by default.",
    ),
    "start": Measure(programs.start, programs.write, "Start", "Seconds from process start to exit."),
    "inference": Measure(
        inference.inference,
        inference.write,
        "Prediction and evaluation",
        "Milliseconds per call, seed1's model. Cornu and Keras: `predict` and `evaluate` without a batch size, "
        "`verbose=0`. The loops predict all rows in one bare call, and evaluate in batches of 32. "
        "`model(x)` is a call as loops of one's own make it: Keras computes it operation by operation, Cornu by a few "
        "programs.",
    ),
    "memory": Measure(memory.memory, memory.write, "Memory", "MB are 10^6 bytes."),
    "scaling": Measure(scaling.scaling, scaling.write, "Scaling", "Seconds per epoch, one after the other.", False),
    "sources": Measure(scaling.sources, scaling.write_sources, "Sources of data", "", False),
    "checkpoints": Measure(checkpoints.checkpoints, checkpoints.write, "Checkpoints", "", False),
    "precision": Measure(precision.precision, precision.write, "bfloat16", "", False),
    "install": Measure(install.install, install.write, "Installation", "", False),
}
UNMET = """Rows that are not met: on a processor like this one the steps of these models are little more than their
products of matrices, which every library computes at about the rate of the machine (see the shares below), so that
what Cornu saves around them is a small part. [Where the time goes](design/012-where-the-time-goes.md) has the profiles
of steps and of whole programs, by `python -m benchmarks.profiles`, and what was tried without gain; the forms of
products and convolutions are in [Matrix products on CPU](design/011-products-on-cpu.md) and
[Convolution and pooling on CPU](design/010-convolution-on-cpu.md)."""
HEAD = """# Benchmarks

Made by `scripts/bench`; every figure here is one that it measured. All peers run on one machine in one run, each in
its own virtual environment; processes stay alive and take turns (A B A B). All peers train from the same weights on
the same rows; "same loss" tells whether their median losses after the first epoch differ by no more than seeds
(shuffles, dropout) make them differ: twice the widest range of a peer's losses over the seeds, and one hundredth.
Epochs are timed from their beginning to their end with `verbose=0`; the first turn, which compiles, is left out. The
tutorials' MLPs have all their rows in an epoch; convolutional networks, other models and other batch sizes have
fewer, the same for all peers. A peer whose epoch takes more than {slow:.0f} s is timed once.

"Fastest peer" leaves out the hand-written JAX loop, which is what an expert would write without any Keras, and has
rows of its own: `lax.scan` with optax, and compiled steps for convolutional networks, since XLA computes their
gradients far more slowly inside loops.

PyTorch's RMSprop adds its epsilon to the root, Keras 3's below it. With the root of Keras's epsilon, the nearest to it,
the PyTorch loop's first epoch of `seed1` and `seed2` ends at a loss higher by a twentieth, and the column says "no".

Keras on PyTorch and Keras 2, the slowest, are left out of the other batch sizes and models, and of whole programs.
"""


def run(names: list[str], lab: Lab, kept: dict[str, Any], stamp: dict[str, Any], save: Callable[[dict], None]) -> None:
    """Measure, and put each result into `kept` as soon as it is there."""
    for name in names:
        print(f"== {MEASURES[name].title}", flush=True)
        kept[name] = MEASURES[name].measure(lab) | {"stamp": stamp}
        save(kept)


def read(path: Path) -> dict[str, Any]:
    """Return the results that are kept in a file; none if it is not there."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def page(results: dict[str, Any]) -> str:
    """Return the whole page."""
    lines = musts.musts(results)
    parts = [HEAD.format(slow=epochs.SLOW), _machines(results), "## What it must reach", musts.table(lines)]
    if any(line.must and not line.met for line in lines):
        parts.append(UNMET)
    for name, measure in MEASURES.items():
        if name in results:
            parts += [f"## {measure.title}", measure.about, measure.write(results[name])]
        if name == "models" and (
            found := [results[each] for each in ("tutorials", "batches", "models") if each in results]
        ):
            parts += ["## Share of the machine's rate", epochs.write_share(found)]
    return "\n\n".join(part for part in parts if part).replace("\n\n\n", "\n\n") + "\n"


def _machines(results: dict[str, Any]) -> str:
    """Return where, when and with which versions the sections were measured, one line for those that agree."""
    stamps: dict[str, list[str]] = {}
    for name in results:
        stamps.setdefault(json.dumps(results[name]["stamp"]), []).append(name)
    lines = []
    for text, names in stamps.items():
        stamp = json.loads(text)
        versions = "; ".join(
            f"{PEERS[peer].title}: " + ", ".join(f"{module} {version}" for module, version in each.items())
            for peer, each in stamp["versions"].items()
        )
        missing = " ".join(f"{PEERS[peer].title} was skipped: {why}." for peer, why in stamp["missing"].items())
        which = "All sections" if len(stamps) == 1 else "Sections " + ", ".join(names)
        where = f"{stamp['date']}, {stamp['machine']}; load when it began {stamp['load']:.2f}"
        lines.append(f"- {which}: {where}. {versions}. {missing}".rstrip())
    return "\n".join(lines)
