"""``cornu run --devices N``: the program's batches are split over several devices."""

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any

from cornu.core import processes, settings

COUNT = "JAX_NUM_CPU_DEVICES"  # how many devices JAX makes of a CPU


def begin(wanted: str, shard_state: bool, say: Callable[[str], None]) -> None:
    """Split all training, evaluation and prediction from now on over devices.

    A number makes as many devices of a CPU, if JAX has not started its own. JAX is loaded when the program needs it, as
    without devices: loading it advances numpy's random generator.

    Args:
        wanted: ``"all"``, or a number.
        shard_state: Whether variables are split as well.
        say: Called with a note for the user when the devices are known.
    """
    if wanted != "all":
        os.environ[COUNT] = wanted
        if "jax" in sys.modules:  # it has read its environment
            with contextlib.suppress(RuntimeError):  # it has made its devices
                sys.modules["jax"].config.update(COUNT.lower(), int(wanted))
    settings.set_first_distribution(lambda: _made(wanted, shard_state, say))


def _made(wanted: str, shard_state: bool, say: Callable[[str], None]) -> Any:
    """Return what splits over the devices, or None for one; ValueError if there are not so many."""
    from cornu.core.distribution import DataParallel
    from cornu.core.layouts import list_devices

    found, count = _chosen(list_devices(), wanted)
    if count == 1:
        say(f"training runs on one device, {found[0]}" + (": --devices N takes N" if wanted == "all" else ""))
        return None
    parts = "batches, variables and the optimizer's state are" if shard_state else "batches are"
    of = f" of {processes.count()} processes" if processes.count() > 1 else f", {found[0]} to {found[-1]}"
    what = "replicas are spread" if settings.replicas() > 1 else f"{parts} split"
    say(f"{what} over {count} devices{of}")
    return DataParallel(devices=found, shard_state=shard_state)


def _chosen(found: list[str], wanted: str) -> tuple[list[str], int]:
    """Return the names of the wanted devices, as many of each process, and their number."""
    each = len(found) // processes.count()
    count = each if wanted == "all" else int(wanted)
    if count > each:
        there = f"there are {each} in each process" if processes.count() > 1 else f"there are {each}"
        raise ValueError(f"--devices {count}: {there}, {', '.join(found)}. Take fewer, or all.")
    taken = [name for at, name in enumerate(found) if at % each < count]
    return taken, len(taken)


def end() -> None:
    """Compute on one device again."""
    os.environ.pop(COUNT, None)
    settings.set_first_distribution(None)
