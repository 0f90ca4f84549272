"""``cornu run --hosts`` and ``--processes N``: several processes, on one host or many, run one program together."""

import builtins
import contextlib
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cornu.core import processes
from cornu.core.loading import import_module

ENDING = 30.0  # seconds in which the processes end after one has ended with an error
PARENT = "CORNU_PARENT"  # the variable with the number of the process that has started this one


class Hosts(NamedTuple):
    """How the processes of a program find each other: what the user gave, None for what the job says."""

    coordinator: str | None = None
    processes: int | None = None
    process: int | None = None

    @property
    def to_start(self) -> int | None:
        """How many processes this one starts, on this host; None if all are started by others."""
        return self.processes if self.coordinator is None and self.process is None else None

    def begin(self) -> Any:
        """Join the others; returns the `processes.Group`.

        Raises ValueError if it is not known who they are, RuntimeError if they cannot be reached.
        """
        jax_processes = import_module("cornu.core.jax_processes")
        job = jax_processes.detected(self.coordinator, self.processes, self.process)
        if job is None:
            raise ValueError(
                "--hosts finds no SLURM, Open MPI or Kubernetes job around this process. In a job, start the command "
                "with srun or mpirun. By hand, start each process with --coordinator HOST:PORT (of process 0) "
                "--processes N --process I."
            )
        return jax_processes.join(job)


def begin(hosts: Hosts) -> int:
    """Join the other processes; returns a seed that all of them share. Only the first one prints, and reads input."""
    _end_with_parent()
    group = hosts.begin()
    read = builtins.input
    builtins.input = lambda prompt="", /: group.line_of_first(lambda: read(prompt))
    if group.index:
        _be_quiet()
    seed = group.agreed(secrets.randbits(32))
    _share_entropy(seed)
    return seed


def _share_entropy(seed: int) -> None:
    """Let numpy's generators without a seed draw the same numbers in all processes: they may make or split the data."""
    numpy_bits: Any = import_module("numpy.random.bit_generator")
    numpy_bits.randbits = random.Random(seed).getrandbits  # what they ask the system for


def _be_quiet() -> None:
    """Print nothing from now on but errors that end the program or a thread of it: see `be_heard`."""
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    sys.stderr = open(nowhere, "w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    warnings.showwarning = lambda *_, **__: None
    show = threading.excepthook

    def heard(given: Any) -> None:
        with contextlib.redirect_stderr(sys.__stderr__):
            show(given)

    threading.excepthook = heard


def be_heard() -> None:
    """Let this process print its errors, if it was quiet."""
    group = processes.group()
    if group is not None and group.index:
        sys.stderr = sys.__stderr__


# ---- on this host


def start_all(count: int, arguments: Sequence[str]) -> int:
    """Start all processes on this host, and return the exit code of the one that ended first, 0 if all end well.

    Args:
        count: How many.
        arguments: The command's own, to which the address is added.
    """
    address = f"127.0.0.1:{processes.free_port('127.0.0.1')}"
    begin = [sys.executable, "-m", "cornu", "run", "--coordinator", address, "--processes", str(count)]
    running = [
        subprocess.Popen(
            [*begin, "--process", str(index), *arguments],
            stdin=None if index == 0 else subprocess.DEVNULL,
            env=os.environ | {PARENT: str(os.getpid())},
        )
        for index in range(count)
    ]
    with _passing_signals(running):
        codes = _wait_for(running)
    return _of_all([code if code >= 0 else 128 - code for code in codes])


def _wait_for(running: Sequence[subprocess.Popen]) -> list[int]:
    """Return the exit codes. If one is an error, the others end by themselves; one that is stopped cannot."""
    end: float | None = None
    while None in (codes := [process.poll() for process in running]):
        if end is None and any(codes):
            end = time.monotonic() + ENDING
        if end is not None and time.monotonic() > end:
            for process in running:
                process.kill()
            return [process.wait() if code is None else code for process, code in zip(running, codes, strict=True)]
        time.sleep(0.05)
    return [code or 0 for code in codes]


def _end_with_parent() -> None:
    """End this process when the command that started it is gone: it was killed, and could not pass that on."""
    parent = os.environ.pop(PARENT, None)

    def watch() -> None:
        while os.getppid() == int(parent or 0):
            time.sleep(1)
        if processes.is_first():
            print("cornu: the command that started the processes has ended: so do they.", file=sys.__stderr__)
        os._exit(1)

    if parent is not None:
        threading.Thread(target=watch, name="cornu-parent", daemon=True).start()


def _of_all(codes: Sequence[int]) -> int:
    """Return the exit code that says most: of the process that ended first, since the others then end with 1.

    >>> _of_all([1, 3, 1]), _of_all([0, 1]), _of_all([0, 0])
    (3, 1, 0)
    """
    return next((code for code in codes if code > 1), max(codes))


@contextlib.contextmanager
def _passing_signals(running: Sequence[subprocess.Popen]) -> Iterator[None]:
    """Pass a signal to end on to the processes. Ctrl-C reaches them by itself."""

    def end(number: int, _: Any) -> None:
        for process in running:
            process.send_signal(number)

    before = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
