"""TextVectorization: learning the words of 100 MB of text, and mapping texts to numbers."""

from __future__ import annotations

import json
from typing import Any

from benchmarks import figures
from benchmarks.lab import Lab
from benchmarks.measures.programs import OWN
from benchmarks.peers_table import PEERS

SPEAKERS = ("cornu", "keras-tensorflow")
TURNS = 3


def texts(lab: Lab) -> dict[str, Any]:
    """Run the program of each peer in turns; it prints what it measured."""
    peers, turns = lab.names(*SPEAKERS), TURNS if lab.full else 1
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(turns):
        for name in peers:
            printed = lab.printed(name, [str(OWN / "text_layers.py"), PEERS[name].kind])
            for what, value in json.loads(printed.splitlines()[-1]).items():
                found.setdefault(what, {}).setdefault(name, []).append(value)
    for what, values in found.items():
        print(
            f"{what}: " + ", ".join(f"{name} {figures.median(each):.4g}" for name, each in values.items()), flush=True
        )
    return {"rows": [{"what": what, "values": values} for what, values in found.items()]}


def write(found: dict[str, Any]) -> str:
    """Return the table."""
    peers = list(found["rows"][0]["values"])
    head = ["", *(PEERS[name].title for name in peers)]
    return figures.table(head, [[row["what"], *_cells(row, peers)] for row in found["rows"]])


def _cells(row: dict[str, Any], peers: list[str]) -> list[str]:
    own = figures.median(row["values"]["cornu"])
    cells = []
    for name in peers:
        value = figures.median(row["values"][name])
        ratio = own / value if "per second" in row["what"] else value / own
        cells.append(figures.short(value) if name == "cornu" else f"{figures.short(value)} ({figures.short(ratio)}×)")
    return cells
