"""How a process finds the others: by what SLURM and Open MPI tell it, or by hand; JAX has what joining needs."""

import subprocess
import sys
from pathlib import Path

import jax
import pytest
from jax._src import distributed
from jaxlib import _jax

from cornu.core import coordinator, jax_processes
from cornu.core.jax_processes import Job, detected

SLURM = {"SLURM_JOB_ID": "77", "SLURM_STEP_NODELIST": "node[07-09]", "SLURM_NTASKS": "6", "SLURM_PROCID": "4"}
OPEN_MPI = {"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_LOCAL_RANK": "1"}


def test_a_slurm_job_is_found(monkeypatch):
    for name, value in (SLURM | {"SLURM_LOCALID": "1"}).items():
        monkeypatch.setenv(name, value)
    job = detected()
    assert (job.processes, job.process, job.local_devices) == (6, 4, [1])
    assert job.address.startswith("node07:")
    assert detected("other:12", 3, 1)[:3] == ("other:12", 3, 1)


def test_an_open_mpi_job_is_found(monkeypatch):
    for name, value in (OPEN_MPI | {"OMPI_MCA_orte_hnp_uri": "1531576320.0;tcp://10.96.0.1,10.148.0.1:34911"}).items():
        monkeypatch.setenv(name, value)
    job = detected()
    assert (job.processes, job.process, job.local_devices) == (4, 2, [1])
    assert job.address.startswith("10.96.0.1:")


def test_without_a_job_there_is_none():
    assert detected() is None
    assert detected("host:1", 2) is None
    assert detected("host:1", 2, 1) == Job("host:1", 2, 1)


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (Job("host", 2, 0), "must be HOST:PORT"),
        (Job("host:port", 2, 0), "must be HOST:PORT"),
        (Job("host:1", 2, 2), "no process 2 of 2"),
        (Job("host:1", 2, -1), "no process -1 of 2"),
    ],
)
def test_jobs_that_make_no_sense_are_errors(job, message):
    with pytest.raises(ValueError, match=message):
        jax_processes.join(job)


def test_a_port_that_is_taken_is_an_error():
    with coordinator.socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RuntimeError, match=rf"cannot listen at port {port}: .*use"):
            jax_processes.join(Job(f"127.0.0.1:{port}", 2, 0))


def test_jax_has_what_joining_needs():
    here = f"in JAX {jax.__version__} it is different: add its form to core/jax_processes.py"
    assert {"client", "coordinator_address", "num_processes", "process_id"} <= {*dir(distributed.global_state)}, here
    for name in ("key_value_set", "key_value_delete", "key_value_dir_get", "blocking_key_value_get", "shutdown"):
        assert hasattr(_jax.DistributedRuntimeClient, name), here
    assert "heartbeat_timeout" in str(_jax.get_distributed_runtime_client.__doc__), here
    assert "heartbeat_timeout" in str(_jax.get_distributed_runtime_service.__doc__), here


def test_the_coordinator_tells_who_has_gone_and_ends_with_the_others():
    with coordinator.socket.create_server(("", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-P", Path(coordinator.__file__), str(port), "2"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    ready, line_port = process.stdout.readline().split()
    assert ready == "ready"
    lines = [coordinator.socket.create_connection(("127.0.0.1", int(line_port)), 10) for _ in range(3)]
    for index, line in enumerate(lines):
        line.sendall(f"{index}\n".encode())
        line.settimeout(20)
    lines[1].close()
    assert lines[0].recv(10) == lines[2].recv(10) == b"1\n"
    process.stdin.close()
    assert process.poll() is None
    lines[0].close()
    assert lines[2].recv(10) == b"0\n"
    lines[2].close()
    assert process.wait(20) == 0
    process.stdout.close()
