"""A virtual environment per peer, made from pinned versions and kept in a cache folder outside the checkout."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.peers_table import PEERS, Peer
from benchmarks.workers import ROOT

REQUIREMENTS = Path(__file__).parent / "requirements"
TAIL = 1500  # characters of pip's complaint that are shown


class UnavailableError(RuntimeError):
    """A peer cannot be had on this machine; the text says why."""


def interpreter(peer: Peer) -> str:
    """Return the Python that a peer's environment is made with."""
    if not peer.python:
        return sys.executable
    found = shutil.which(peer.python)
    works = found and subprocess.run([found, "-c", "import venv"], capture_output=True).returncode == 0
    if not found or not works:
        raise UnavailableError(f"it needs `{peer.python}`, which is not there")
    return found


def folder_of(peer: Peer, cache: Path) -> Path:
    """Return the folder of a peer's environment: another one when its requirements change."""
    wanted = (REQUIREMENTS / f"{peer.name}.txt").read_bytes() + f"{sys.version_info[:2]} {peer.python}".encode()
    return cache / "environments" / f"{peer.name}-{hashlib.sha256(wanted).hexdigest()[:8]}"


def make(peer: Peer, cache: Path) -> str:
    """Return the Python of a peer's environment, made now if it is not there yet."""
    steps = [["-r", str(REQUIREMENTS / f"{peer.name}.txt")]]
    if peer.name == "cornu":
        steps.append(["--no-deps", "-e", str(ROOT)])
    return make_in(folder_of(peer, cache), peer, steps)


def make_in(folder: Path, peer: Peer, steps: list[list[str]]) -> str:
    """Return the Python of the environment in a folder; if it is not there, make it and install each of `steps`."""
    python = folder / "bin" / "python"
    if (folder / "complete").exists():
        return str(python)
    print(f"Making the environment of {peer.title} in {folder}", flush=True)
    base = interpreter(peer)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([base, "-m", "venv", str(folder)], check=True)
    for wanted in steps:
        install(str(python), wanted, peer)
    (folder / "complete").touch()
    return str(python)


def install(python: str, wanted: list[str], peer: Peer) -> None:
    """Install packages into an environment with pip, as pip is set up on this machine."""
    done = subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], capture_output=True, text=True)
    if done.returncode:
        raise UnavailableError(f"pip could not install it: {done.stderr.strip()[-TAIL:]}")


def make_all(names: list[str], cache: Path, given: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return each peer's Python, and why the others are not there. `given` are environments that the user has."""
    pythons, missing = {}, {}
    for name in names:
        try:
            pythons[name] = given.get(name) or make(PEERS[name], cache)
        except UnavailableError as error:
            missing[name] = str(error)
    return pythons, missing
