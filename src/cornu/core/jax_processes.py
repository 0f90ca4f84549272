"""What Cornu takes from JAX, beyond its documented interface, for several processes: how they find and join each other.

``tests/core/test_jax_processes.py`` checks it against the installed JAX; see `core.jax_internals`.
"""

import atexit
import contextlib
import functools
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
from jax._src import distributed
from jax._src.clusters import ClusterEnv
from jax.experimental import multihost_utils
from jaxlib import _jax

from cornu.core import coordinator, processes
from cornu.core.errors import first_line, one_line

JOINING = 300  # seconds to wait for the others


class Job(NamedTuple):
    """What a process has to know to join the others.

    `local_devices` are the numbers of the GPUs that are this process's, None for all of its host.
    """

    address: str
    processes: int
    process: int
    local_devices: list[int] | None = None

    @property
    def host(self) -> str:
        """The coordinator's host."""
        return self.address.rpartition(":")[0]

    @property
    def port(self) -> str:
        """The coordinator's port."""
        return self.address.rpartition(":")[2]


def detected(address: str | None = None, count: int | None = None, index: int | None = None) -> Job | None:
    """Return the job that SLURM, Open MPI, Kubernetes or a TPU pod runs this process in; None if there is none.

    What is given stands.
    """
    found: Any = ClusterEnv.auto_detect_unset_distributed_params(
        address, count, index, None, None, JOINING
    )  # 0.8 to 0.12
    return None if None in found[:3] else Job(*found)


def join(job: Job) -> processes.Group:
    """Join the processes of a job, before anything is computed.

    Raises:
        RuntimeError: JAX has started its devices, this process has joined already, or the others cannot be reached.
        ValueError: The job makes no sense.
    """
    check(job)
    state: Any = distributed.global_state  # 0.8 to 0.12
    if state.client is not None or processes.group() is not None:
        raise RuntimeError("This process has joined others already: distribution.initialize() is called once.")
    if job.local_devices:
        names = ",".join(map(str, job.local_devices))
        for option in ("jax_cuda_visible_devices", "jax_rocm_visible_devices"):
            jax.config.update(option, names)
    service, line = _served(job) if job.process == 0 else (None, "")
    state.coordinator_address, state.num_processes, state.process_id = job.address, job.processes, job.process
    try:
        state.client = _jax.get_distributed_runtime_client(
            job.address, job.process, init_timeout=JOINING, heartbeat_timeout=coordinator.DAY, use_compression=True,
            shutdown_on_destruction=False,
        )  # fmt: skip
        state.client.connect()
        if line:
            state.client.key_value_set(processes.LINE, line)
        group = processes.Group(state.client, job.process, job.processes, multihost_utils.broadcast_one_to_all)
        group.listen(job.host)
    except Exception as error:  # the class differs with JAX
        state.client = None
        if service is not None:
            _end(service)
        raise RuntimeError(
            f"Process {job.process} of {job.processes} cannot join the others at {job.address}: {_reason(error)}.\n"
            "Are all of them started, with one --coordinator, and can that port be reached from each host?"
        ) from None
    processes.join(group)
    atexit.register(_at_exit, group, service)
    _tell_address(job.host)
    with _quiet():  # Gloo prints when the processes first meet
        multihost_utils.sync_global_devices("cornu: joined")
    return group


def check(job: Job) -> None:
    """Raise ValueError if a job makes no sense."""
    if not job.host or not job.port.isdigit():
        raise ValueError(f"The coordinator's address must be HOST:PORT, that of process 0; got {job.address!r}.")
    if job.processes < 1 or not 0 <= job.process < job.processes:
        raise ValueError(
            f"There is no process {job.process} of {job.processes}: the numbers of {job.processes} processes "
            f"are 0 to {job.processes - 1}."
        )


def _reason(error: Exception) -> str:
    text = str(error)
    if "DEADLINE" in text or "timed out" in text.lower():
        return f"not all of them came within {JOINING} seconds"
    return one_line(text)


def _served(job: Job) -> tuple[Any, str]:
    """Start the coordination service; returns its process, and the port where it watches: see `core.coordinator`."""
    process = subprocess.Popen(
        [sys.executable, "-P", str(Path(coordinator.__file__)), job.port, str(job.processes)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = process.stdout.readline().strip()
    if not said.startswith("ready "):
        _end(process)
        raise RuntimeError(f"Process 0 cannot listen at port {job.port}: {said or 'the coordinator ended'}.")
    return process, said.removeprefix("ready ")


def _tell_address(coordinator_host: str) -> None:
    """Tell Gloo this host's address, which it asks for by the host's name, where that name has none."""
    try:
        socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:  # sends nothing
            probe.connect((coordinator_host, 9))
            own = probe.getsockname()[0]
        make: Any = _jax.make_gloo_tcp_collectives  # 0.8 to 0.12
        _jax.make_gloo_tcp_collectives = functools.partial(make, hostname=own)


def _end(process: subprocess.Popen) -> None:
    process.kill()
    process.communicate()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what libraries in C++ print from the standard output."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _at_exit(group: processes.Group, service: Any) -> None:
    """End with the others. JAX would wait for those that have ended already, and end this process with a dump."""
    error = getattr(sys, "last_value", None)
    if error is not None:
        group.fail(first_line(error))
    well = group.leave()
    sys.stdout.flush()
    sys.stderr.flush()
    if not well:
        os._exit(group.exit_code)
    state: Any = distributed.global_state
    state.client, client = None, state.client
    client.shutdown()
    group.hang_up()
    if service is not None:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            service.communicate(timeout=5)
