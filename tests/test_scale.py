"""docs/scale.md is true: its programs run, with each of its commands, and print what it says."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from cornu import distribution
from cornu.cli import devices
from cornu.cli.main import main

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "scale.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
COMMANDS, TOGETHER, *_ = (text for language, text in BLOCKS if language == "sh")
PROGRAM, LARGE, REPLICAS = (text for language, text in BLOCKS if language == "python")
HERE = [line.partition("#")[0].strip() for line in TOGETHER.splitlines() if not line.startswith("srun")]


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What each command of the page, and its program for a large model, print: all run at once."""
    folder = tmp_path_factory.mktemp("scale")
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    (folder / "large.py").write_text(LARGE, encoding="utf-8")
    commands = [*COMMANDS.splitlines(), "cornu run large.py"]
    processes = {
        command: subprocess.Popen(
            [sys.executable, "-m", *command.replace("run", "run --seed 1").split()],
            cwd=folder, env=os.environ | {"KERAS_BACKEND": "jax"}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for command in commands
    }  # fmt: skip
    found = {command: process.communicate(timeout=600) for command, process in processes.items()}
    assert not any(process.returncode for process in processes.values()), found
    return found


@pytest.mark.parametrize("command", COMMANDS.splitlines()[1:3])
def test_commands_print_the_scores_of_one_device(command, printed):
    scores = printed[COMMANDS.splitlines()[0]][0].splitlines()[0]
    assert printed[command][0].splitlines()[0] == scores


def test_commands_say_where_the_program_runs(printed):
    all_devices, four, split, kept = (printed[command] for command in COMMANDS.splitlines())
    assert "training runs on one device, cpu:0: --devices N takes N" in all_devices[1]
    assert "batches are split over 4 devices, cpu:0 to cpu:3" in four[1]
    assert "batches, variables and the optimizer's state are split over 4 devices" in split[1]
    assert "[2048, 2048, 2048, 2048]" in four[0]
    assert "[2048, 2048, 2048, 2048]" in kept[0]
    assert "[512, 512, 512, 512]" in split[0]


@pytest.fixture(scope="module")
def printed_together(tmp_path_factory):
    """What each command for several processes prints; the two of one address run at once."""
    folder = tmp_path_factory.mktemp("together")
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    running = {}
    for command in HERE:
        given = command.replace("9876", port).replace("cornu run", f"{sys.executable} -m cornu run --seed 1").split()
        if shutil.which(given[0]):
            running[command] = subprocess.Popen(
                given, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
    found = {command: process.communicate(timeout=600) for command, process in running.items()}
    assert not any(process.returncode for process in running.values()), found
    return found


@pytest.mark.parametrize("command", HERE)
def test_processes_print_the_scores_of_one(command, printed, printed_together):
    if command not in printed_together:
        pytest.skip(f"{command.split()[0]} is not installed")
    output, errors = printed_together[command]
    if command.endswith("--process 1 program.py"):
        assert (output, errors) == ("", "")
        return
    assert output.splitlines()[0] == printed[COMMANDS.splitlines()[0]][0].splitlines()[0]
    assert "batches are split over 2 devices of 2 processes" in errors


def test_a_large_model_is_split(printed):
    held = eval(printed["cornu run large.py"][0])
    assert len(held) == 4
    assert len(set(held.values())) == 1
    whole = 3 * 4 * (1000 * 64 + 4 * 64 * 64 + 2 * 64 * 256 + 64 * 1000)  # kernels, and two slots for each
    assert whole / 4 < held[0] < whole * 0.62


def test_devices_that_are_not_there_are_an_error():
    assert len(jax.devices()) == 1  # starts JAX: else there would be nine
    devices.begin("9", False, print)
    try:
        with pytest.raises(ValueError, match=r"--devices 9: there are 1, cpu:0\. Take fewer, or all\."):
            distribution.distribution()
    finally:
        devices.end()
    assert distribution.distribution() is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--devices", "none"], "--devices: expected an integer of at least 1, got 'none'"),
        (["--shard-state"], "--shard-state needs --devices"),
    ],
)
def test_wrong_options_are_refused(options, message, capsys):
    with pytest.raises(SystemExit) as error:
        main(["run", *options, "program.py"])
    assert error.value.code == 2
    assert message in capsys.readouterr().err


def test_replicas_print_means_and_predict(tmp_path):
    (tmp_path / "replicas.py").write_text(REPLICAS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "cornu", "run", "replicas.py"], cwd=tmp_path, text=True, capture_output=True, timeout=600
    )
    loss, shapes = done.stdout.splitlines()
    assert re.fullmatch(r"\S+ ± \S+ [0-3]", loss), done.stderr
    assert shapes == "(3, 1) (4, 3, 1)"
    assert (tmp_path / "best.keras").exists()
