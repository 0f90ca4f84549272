"""Results stored as JSON, and the page written from them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import musts
from benchmarks.lab import Lab
from benchmarks.measures import (
    checkpoints,
    epochs,
    inference,
    install,
    loops,
    memory,
    networks,
    old_preprocessing,
    pictures,
    precision,
    programs,
    replicas,
    scaling,
    sequences,
    texts,
)
from benchmarks.peers_table import PEERS


class Measure(NamedTuple):
    """A measure: the functions that measure and write it, and the section's title and introduction."""

    measure: Callable[[Lab], dict[str, Any]]
    write: Callable[[dict[str, Any]], str]
    title: str
    about: str
    short: bool = True  # belongs to the short form


STEPS = "Milliseconds per step ± half the interquartile range; in parentheses, relative to Cornu's."
NETWORKS = (
    "Milliseconds per step, or per batch of `predict` on several batches: wall time / processor time; in parentheses, "
    "relative to Cornu's. Adam. Every peer has as many weights, and from the same weights the same outputs (1e-3) and "
    "losses (2%) in three steps on one batch."
)
MEASURES = {
    "tutorials": Measure(epochs.tutorials, epochs.write, "Epochs: the five tutorials' models", STEPS),
    "batches": Measure(epochs.batches, epochs.write, "Epochs: other batch sizes", STEPS, False),
    "models": Measure(epochs.models, epochs.write, "Epochs: other models", STEPS),
    "sequences": Measure(
        sequences.sequences,
        sequences.write,
        "Sequences",
        f"{STEPS} Recurrent layers end in a dense layer of 10; Adam. Keras on PyTorch, which takes "
        "seconds for a step, runs a few of them. The JAX loop predicts in a bare compiled call, "
        "which shows what the arithmetic takes.",
    ),
    "loops": Measure(
        loops.loops,
        loops.write,
        "Training loops with GradientTape",
        "The same TensorFlow program on TensorFlow and, with Cornu as its stand-in, on Cornu: eagerly, step by step, "
        "and under `tf.function`. `fit` trains the same model beside it.",
    ),
    "networks": Measure(networks.networks, networks.write, "Convolutional networks", NETWORKS, False),
    "layers": Measure(
        networks.layers,
        networks.write,
        "Single layers",
        f"The layer is between a 1x1 Dense layer and a mean over space with a dense layer of 10. {NETWORKS}",
        False,
    ),
    "programs": Measure(
        programs.programs,
        programs.write,
        "Whole programs",
        "Seconds from start to exit. Cold: with an empty compilation cache. Keras caches nothing by default.",
    ),
    "replicas": Measure(
        replicas.replicas,
        replicas.write,
        "Error bars",
        "Seconds from start to exit: eight runs of a program one after the other, and one run with `--replicas 8`. The "
        "machine was busy with other work meanwhile, which moves a row by up to half.",
    ),
    "start": Measure(programs.start, programs.write, "Start", "Seconds from process start to exit."),
    "inference": Measure(
        inference.inference,
        inference.write,
        "Prediction and evaluation",
        "Milliseconds per call with seed1's model. Cornu and Keras: `predict` and `evaluate` without a batch size, "
        "`verbose=0`. The loops predict all rows in one bare call and evaluate in batches of 32. "
        "`model(x)` is the direct call that custom loops make: Keras runs it operation by operation, Cornu as a few "
        "compiled programs.",
    ),
    "memory": Measure(memory.memory, memory.write, "Memory", "MB are 10^6 bytes."),
    "scaling": Measure(scaling.scaling, scaling.write, "Scaling", "Seconds per epoch, run one after another.", False),
    "sources": Measure(scaling.sources, scaling.write_sources, "Data sources", "", False),
    "texts": Measure(
        texts.texts,
        texts.write,
        "Texts",
        "TextVectorization with 20,000 words, 100,000 texts of about 1 kB; in parentheses, how much faster Cornu "
        "is. Medians of three processes in turns.",
    ),
    "old_preprocessing": Measure(
        old_preprocessing.old_preprocessing,
        old_preprocessing.write,
        "Preprocessing of Keras 1 and 2",
        "`ImageDataGenerator.flow` in batches of 32, and 500 texts of 100 words. Medians of nine turns.",
        False,
    ),
    "pictures": Measure(
        pictures.pictures,
        pictures.write,
        "Folders of pictures",
        "Pictures per second ± half the interquartile range, shuffled, in batches of 32; in parentheses, how many "
        "times as long as Cornu the peer takes. Cornu and Keras: `image_dataset_from_directory`. PyTorch: a "
        "`DataLoader` with a process per core, which stays alive, over a data set that reads with Pillow.",
        False,
    ),
    "checkpoints": Measure(checkpoints.checkpoints, checkpoints.write, "Checkpoints", "", False),
    "precision": Measure(precision.precision, precision.write, "bfloat16", "", False),
    "install": Measure(install.install, install.write, "Installation", "", False),
}
UNMET = """Targets not met: on a processor like this one, the steps of these models are mostly matrix products, which
every library computes at about the machine's rate (see the fractions below), so the overhead that Cornu saves around
them is small. [Where the time goes](design/012-where-the-time-goes.md) has profiles of steps and whole programs, made
with `python -m benchmarks.profiles`, and lists what was tried without gain. The forms of products and convolutions
are described in [Matrix products on CPU](design/011-products-on-cpu.md) and
[Convolution and pooling on CPU](design/010-convolution-on-cpu.md)."""
HEAD = """# Benchmarks

Written by `scripts/bench`, which measured every figure here. All peers run on one machine in one run, each in its own
virtual environment; their processes stay alive and take turns (A B A B). All peers train from the same weights on the
same rows. "Same loss" says whether their median losses after the first epoch differ by no more than the choice of seed
(shuffling, dropout) explains: twice the widest range of a peer's losses over seeds, plus 1% of the loss. Epochs are
timed from start to end with `verbose=0`, without the first turn, which compiles. The tutorials' MLPs train on all
their rows; convolutional networks, other models and other batch sizes train on fewer, the same for all peers. A peer
whose epoch takes more than {slow:.0f} s is timed once.

"Fastest peer" excludes the hand-written JAX loop, which is what an expert would write without Keras and has its own
rows: `lax.scan` with optax, or jitted steps for convolutional networks, because XLA computes their gradients far
more slowly inside loops.

PyTorch's RMSprop adds epsilon outside the square root, Keras 3's inside. The PyTorch loop uses the square root of
Keras's epsilon, the closest match; its first epoch of `seed1` and `seed2` still ends at a loss higher by a twentieth,
so the column says "no".

Keras on PyTorch and Keras 2 are the slowest, so other batch sizes, other models and whole programs exclude them.
"""


def run(names: list[str], lab: Lab, kept: dict[str, Any], stamp: dict[str, Any], save: Callable[[dict], None]) -> None:
    """Measure, and store each result in `kept` as soon as it is available."""
    for name in names:
        print(f"== {MEASURES[name].title}", flush=True)
        kept[name] = MEASURES[name].measure(lab) | {"stamp": stamp}
        save(kept)


def read(path: Path) -> dict[str, Any]:
    """Return the results stored in a file, or none if it does not exist."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def page(results: dict[str, Any]) -> str:
    """Return the whole page."""
    lines = musts.musts(results)
    parts = [HEAD.format(slow=epochs.SLOW), _machines(results), "## Targets", musts.table(lines)]
    if any(line.must and not line.met for line in lines):
        parts.append(UNMET)
    for name, measure in MEASURES.items():
        if name in results:
            parts += [f"## {measure.title}", measure.about, measure.write(results[name])]
        if name == "models" and (
            found := [results[each] for each in ("tutorials", "batches", "models") if each in results]
        ):
            parts += ["## Fraction of peak", epochs.write_share(found)]
    return "\n\n".join(part for part in parts if part).replace("\n\n\n", "\n\n") + "\n"


def _machines(results: dict[str, Any]) -> str:
    """Return where, when and with which versions the sections were measured, one line for sections that agree."""
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
        where = f"{stamp['date']}, {stamp['machine']}; load at the start {stamp['load']:.2f}"
        lines.append(f"- {which}: {where}. {versions}. {missing}".rstrip())
    return "\n".join(lines)
