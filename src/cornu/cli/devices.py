"""``cornu run --devices N``: the program's batches are split over several devices."""

from cornu.core.distribution import DataParallel, set_distribution
from cornu.core.jax_internals import set_setting
from cornu.core.layouts import list_devices


def begin(wanted: str, shard_state: bool) -> str:
    """Split all training, evaluation and prediction from now on over devices; returns a note for the user.

    A number makes as many devices of a CPU, if JAX has not started.

    Args:
        wanted: ``"all"``, or a number.
        shard_state: Whether variables are split as well.

    Raises:
        ValueError: There are not so many devices.
        RuntimeError: JAX finds no device.
    """
    if wanted != "all":
        set_setting("jax_num_cpu_devices", int(wanted))
    found = list_devices()
    count = len(found) if wanted == "all" else int(wanted)
    if count > len(found):
        raise ValueError(f"--devices {count}: there are {len(found)}: {', '.join(found)}.")
    if count == 1:
        return f"training runs on one device, {found[0]}" + (": --devices N takes N" if wanted == "all" else "")
    set_distribution(DataParallel(devices=found[:count], shard_state=shard_state))
    parts = "batches, variables and the optimizer's state are" if shard_state else "batches are"
    return f"{parts} split over {count} devices, {found[0]} to {found[count - 1]}"


def end() -> None:
    """Compute on one device again."""
    set_distribution(None)
