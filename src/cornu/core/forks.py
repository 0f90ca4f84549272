"""Processes that were forked after JAX had been used: its threads are not in them, and what needs those never ends."""

import os

from cornu.core.jax_internals import device_started

_without_threads = False  # whether this process is such a fork


def _note_fork() -> None:
    global _without_threads
    _without_threads = _without_threads or device_started()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def check_process(what: str) -> None:
    """Raise RuntimeError if this process cannot compute `what`: it was forked after its parent had used JAX.

    >>> check_process("predict")
    """
    if _without_threads:
        raise RuntimeError(
            f"{what} cannot run in a process that was forked after its parent had used Cornu or JAX: the threads that "
            "compute are not copied, and it could wait for ever.\n"
            'Start processes with multiprocessing.get_context("spawn") (joblib\'s default, loky, does so), or use '
            "threads; a process that is forked before the first model or array is made may compute too."
        )
