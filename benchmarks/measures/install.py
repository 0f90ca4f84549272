"""Time and size of `pip install`."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import environments, figures
from benchmarks.lab import ROOT, Lab
from benchmarks.peers_table import PEERS


def install(lab: Lab) -> dict[str, Any]:
    """Install Cornu and the Keras backends into empty environments."""
    if not lab.full:
        return {"rows": [_installed("cornu")]}
    return {"rows": [_installed(name) for name in lab.names("cornu", "keras-tensorflow", "keras-jax", "keras-torch")]}


def _installed(name: str) -> dict[str, Any]:
    wanted = [str(ROOT)] if name == "cornu" else ["-r", str(environments.REQUIREMENTS / f"{name}.txt")]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([environments.interpreter(PEERS[name]), "-m", "venv", folder], check=True)
        before = _size(folder)
        began = time.perf_counter()
        environments.install(str(Path(folder) / "bin" / "python"), wanted, PEERS[name])
        seconds = time.perf_counter() - began
        megabytes = _size(folder) - before
    print(f"install {name}: {seconds:.0f} s, {megabytes:.0f} MB", flush=True)
    return {"peer": name, "seconds": seconds, "megabytes": megabytes}


def _size(folder: str) -> float:
    return sum(path.lstat().st_size for path in Path(folder).rglob("*")) / 1e6


def write(found: dict[str, Any]) -> str:
    """Return the table of seconds and megabytes."""
    lines = [
        [PEERS[row["peer"]].title, figures.short(row["seconds"]), f"{row['megabytes']:,.0f}"] for row in found["rows"]
    ]
    text = "Installed into an empty environment, with pip's cache as it is; sizes include compiled Python files.\n\n"
    return text + figures.table(["", "seconds", "MB"], lines)
