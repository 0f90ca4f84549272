"""The table of targets, with met or not met computed from the figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from benchmarks import figures
from benchmarks.measures import checkpoints, epochs, memory
from benchmarks.measures.programs import DATA_SETS
from benchmarks.peers_table import PEERS


class Must(NamedTuple):
    """One line of the table."""

    what: str
    must: str
    found: str
    met: bool
    aim: str = ""


def musts(results: dict[str, Any]) -> list[Must]:
    """Return the lines of the measures that are available."""
    makers: list[tuple[str, Callable[[dict], Iterator[Must]]]] = [
        ("tutorials", _epochs),
        ("sequences", _sequences),
        ("programs", _programs),
        ("loops", _loops),
        ("start", _start),
        ("inference", _inference),
        ("memory", _memory),
        ("sources", _sources),
        ("checkpoints", _checkpoints),
    ]
    return [line for name, make in makers if name in results for line in make(results[name])]


def _against(what: str, medians: dict[str, float], must: float, aim: str, rival: str = "") -> Iterator[Must]:
    """Yield a line that compares Cornu's time with a rival's, or with the fastest peer's."""
    if (rival and rival not in medians) or not set(medians) - set(epochs.HAND):
        return
    rival = rival or figures.fastest(medians, epochs.HAND)
    factor = medians[rival] / medians["cornu"]
    yield Must(f"{what}, against {PEERS[rival].title}", f"≥ {must}×", f"{factor:.2f}×", factor >= must, aim)


def _medians(row: dict[str, Any]) -> dict[str, float]:
    return {name: figures.median(values) for name, values in row["seconds"].items()}


def _epochs(found: dict[str, Any]) -> Iterator[Must]:
    rows = {row["task"]: row for row in found["rows"]}
    for name, must in (("seed0", 2.5), ("seed1", 1.5), ("seed2", 1.5), ("seed3", 1.5), ("seed4", 1.2)):
        yield from _against(
            f"epoch of {name}, fastest peer", _medians(rows[name]), must, "2×" if name == "seed4" else "3×"
        )
    for name, must in (("seed0", 8), ("seed1", 4), ("seed2", 4), ("seed3", 5)):
        yield from _against(f"epoch of {name}", _medians(rows[name]), must, "10×", "keras-tensorflow")
    for name in epochs.TUTORIALS[:4]:
        yield from _against(f"epoch of {name}, never behind", _medians(rows[name]), 1.0, "", "jax")
    if found["peak"]:
        share = epochs.share(rows["seed1"], found["peak"], "cornu")
        yield Must("fraction of peak, seed1's 512-512", "≥ 60%", f"{share:.0%}", share >= 0.6, "80%")


def _sequences(found: dict[str, Any]) -> Iterator[Must]:
    for row in found["rows"]:
        yield from _against(f"`{row['task']}`, fastest peer", _medians(row), 1.0, "1.5×")
    for row in found["loops"]:
        medians = _medians(row)
        if "jax" in medians:
            more = (medians["cornu"] - medians["jax"]) * 1e3
            yield Must(f"{row['what']}, beyond the arithmetic", "≤ 0.5 ms", f"{more:.2f} ms", more <= 0.5)
    yield from _against("first step of an LSTM, nothing kept", _medians(found["first"]), 1.0, "", "keras-jax")


def _programs(found: dict[str, Any]) -> Iterator[Must]:
    for row in found["rows"]:
        if row["what"].startswith("seed"):
            yield from _against(f"whole program {row['what']}, warm, fastest peer", _medians(row), 3.0, "5×")
        elif row["what"] in DATA_SETS:
            yield from _against(f"whole program {row['what']}, warm", _medians(row), 1.5, "", "keras-tensorflow")


def _loops(found: dict[str, Any]) -> Iterator[Must]:
    for row in found["rows"]:
        medians = _medians(row)
        if row["how"] == "fit":
            factor = medians["cornu"] / medians["loop"]
            yield Must(f"`fit` of `{row['task']}`, against its loop", "≤ 1.3×", f"{factor:.2f}×", factor <= 1.3)
            continue
        what = f"loop of `{row['task']}`, {'eager' if row['how'] == 'eager' else '`tf.function`'}"
        yield from _against(what, medians, 1.0 if row["how"] == "eager" else 1.5, "", "keras-tensorflow")


def _start(found: dict[str, Any]) -> Iterator[Must]:
    yield from _against("import, build, first step, warm", _medians(found["rows"][1]), 2.0, "4×", "keras-jax")


def _inference(found: dict[str, Any]) -> Iterator[Must]:
    one, _, many, _, evaluated = (_medians(row) for row in found["rows"][:5])
    yield from _against("predict one row", one, 3.0, "", "keras-jax")
    yield from _against("predict one row", one, 100.0, "", "keras-tensorflow")
    if "jax" in one:
        factor = one["cornu"] / one["jax"]
        yield Must(
            "predict one row, against a bare jitted call", "", f"{factor:.2f} times as long", factor <= 2, "≤ 2 times"
        )
    yield from _against("predict 10,000 rows, fastest peer", many, 3.0, "")
    yield from _against("evaluate 10,000 rows, fastest peer", evaluated, 3.0, "")
    for what, medians in (("predict", many), ("evaluate", evaluated)):
        yield from _against(f"{what} 10,000 rows", medians, 3.0, "", "keras-jax")
        if found["peak"]:
            share = found["operations"] / medians["cornu"] / 1e9 / found["peak"]
            line = f"fraction of peak, {what} 10,000 rows"
            yield Must(line, "", f"{share:.0%}", share >= 0.6, "60%")


def _memory(found: dict[str, Any]) -> Iterator[Must]:
    most = {row["peer"]: row["most"] for row in found["rows"]}
    rivals = {name: value for name, value in most.items() if name.startswith("keras")}
    if rivals:
        least = min(rivals, key=rivals.__getitem__)
        allowed = found["data"] + 3 * found["weights"] + 250
        text = f"{most['cornu']:,.0f} MB, {PEERS[least].title} {rivals[least]:,.0f} MB"
        must = "below every Keras"
        yield Must("peak memory, training seed1", must, text, most["cornu"] < rivals[least], f"{allowed:,.0f} MB")
    own = next(row for row in found["rows"] if row["peer"] == "cornu")
    grown = own["predictions"]["last"] - own["predictions"]["first"]
    text = f"{memory.per_model(own):.2f} MB per model, {grown:.0f} MB after {own['predictions']['total']:,} predictions"
    yield Must("memory growth", "", text, memory.per_model(own) < 0.5 and grown < 20, "nothing")


def _sources(found: dict[str, Any]) -> Iterator[Must]:
    own = next(each for each in found["peers"] if each["peer"] == "cornu")
    medians = {source: figures.median(values) for source, values in own["seconds"].items()}
    for source in ("generator", "memmap"):
        factor = medians[source] / medians["arrays"]
        yield Must(f"{source} input, against arrays", "≤ 1.3×", f"{factor:.2f}×", factor <= 1.3)


def _checkpoints(found: dict[str, Any]) -> Iterator[Must]:
    for row in found["rows"]:
        share = checkpoints.seconds(row) / checkpoints.MINUTE
        what = f"one checkpoint of {row['megabytes']:,.0f} MB per minute"
        yield Must(what, "< 5% of the time", f"{share:.1%}", share < 0.05)


def table(lines: list[Must]) -> str:
    """Return the lines as Markdown; a line without a requirement is judged by its goal."""
    head = ["what", "required", "measured", "", "goal"]
    return figures.table(head, [[m.what, m.must, m.found, _verdict(m), m.aim] for m in lines])


def _verdict(line: Must) -> str:
    if line.must:
        return "met" if line.met else "**not met**"
    return "goal met" if line.met else "goal not met"
