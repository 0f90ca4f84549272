"""``cornu run --devices N``: the program's batches are split over several devices."""

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any

from cornu.core import settings

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

    found = list_devices()
    count = len(found) if wanted == "all" else int(wanted)
    if count > len(found):
        raise ValueError(f"--devices {count}: there are {len(found)}, {', '.join(found)}. Take fewer, or all.")
    if count == 1:
        say(f"training runs on one device, {found[0]}" + (": --devices N takes N" if wanted == "all" else ""))
        return None
    parts = "batches, variables and the optimizer's state are" if shard_state else "batches are"
    if settings.replicas() > 1:
        say(f"replicas are spread over {count} devices, {found[0]} to {found[count - 1]}")
    else:
        say(f"{parts} split over {count} devices, {found[0]} to {found[count - 1]}")
    return DataParallel(devices=found[:count], shard_state=shard_state)


def end() -> None:
    """Compute on one device again."""
    os.environ.pop(COUNT, None)
    settings.set_first_distribution(None)
