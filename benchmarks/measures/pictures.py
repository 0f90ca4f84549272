"""Folders of pictures: how many per second each peer reads, shuffled, in batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import figures
from benchmarks.lab import Lab
from benchmarks.peers_table import PEERS

READERS = ("cornu", "keras-tensorflow", "torch")
BATCH = 32
TURNS = 9


class Pictures(NamedTuple):
    """Files that are made: how many, of which height and width, the side of the squares that they are read as, kind."""

    count: int
    height: int
    width: int
    side: int
    kind: str = "JPEG"

    def folder(self, lab: Lab) -> str:
        """Return the folder, which is filled at its first use."""
        kinds = "" if self.kind == "JPEG" else f" {self.kind}"
        folder = lab.cache / "pictures" / f"{self.count}{kinds} of {self.height}x{self.width}"
        if not folder.exists():
            part = Path(f"{folder}.part")
            lab.run("cornu", ["-c", MAKE, str(part), *map(str, self[:3]), self.kind])
            part.rename(folder)
        return str(folder)


KINDS = (
    Pictures(2000, 64, 64, 64),
    Pictures(1000, 160, 160, 160),
    Pictures(400, 375, 500, 160),
    Pictures(1000, 160, 160, 160, "PNG"),
)
MAKE = """
import os, sys
import numpy as np
from PIL import Image
folder, count, height, width, kind = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]
rng = np.random.default_rng(0)
y, x = np.mgrid[:height, :width] / max(height, width)
for name in "ab":
    os.makedirs(os.path.join(folder, name), exist_ok=True)
for number in range(count):
    slopes, shifts = rng.uniform(5, 40, (3, 2)), rng.uniform(0, 6, 3)
    waves = [128 + 90 * np.sin(a * x + b * y + c) for (a, b), c in zip(slopes, shifts)]
    pixels = (np.stack(waves, -1) + rng.normal(0, 8, (height, width, 3))).clip(0, 255).astype("uint8")
    Image.fromarray(pixels).save(os.path.join(folder, "ab"[number % 2], f"{number}.{kind.lower()}"), quality=90)
"""


def pictures(lab: Lab) -> dict[str, Any]:
    """Seconds of an epoch over each folder, the peers in turns."""
    rows = []
    with lab.workers(*READERS) as workers:
        for kind in KINDS if lab.full else KINDS[:1]:
            folder = kind.folder(lab)
            means = {
                name: worker("build_pictures", folder=folder, side=kind.side, batch=BATCH)["mean"]
                for name, worker in workers.items()
            }
            seconds: dict[str, list[float]] = {name: [] for name in workers}
            for _ in range(TURNS if lab.full else 3):
                for name, worker in workers.items():
                    seconds[name] += worker("read_pictures", count=1)["seconds"]
            rows.append({"kind": kind._asdict(), "seconds": seconds, "means": means})
            print(_line(rows[-1]), flush=True)
    return {"rows": rows}


def _line(row: dict[str, Any]) -> str:
    rates = {name: row["kind"]["count"] / figures.median(seconds) for name, seconds in row["seconds"].items()}
    kind = "{kind} {height}x{width} as {side}x{side}".format(**row["kind"])
    return f"{kind}, pictures per second: " + ", ".join(f"{name} {rate:,.0f}" for name, rate in rates.items())


def write(found: dict[str, Any]) -> str:
    """Return the table of pictures per second, with how many times as many Cornu reads."""
    rows = found["rows"]
    peers = [name for name in READERS if name in rows[0]["seconds"]]
    lines = []
    for row in rows:
        kind, ours = row["kind"], figures.median(row["seconds"]["cornu"])
        cells = []
        for name in peers:
            seconds = figures.median(row["seconds"][name])
            more = "" if name == "cornu" else f" ({figures.short(seconds / ours)}×)"
            cells.append(f"{kind['count'] / seconds:,.0f} ±{figures.spread(row['seconds'][name]):.0%}{more}")
        about = "{count:,} {kind}s of {height}x{width}".format(**kind)
        lines.append([about, f"{kind['side']}x{kind['side']}", *cells])
    return figures.table(["pictures", "read as", *[PEERS[name].title for name in peers]], lines)
