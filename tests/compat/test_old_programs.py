"""Programs in the manner of every era of Keras run unchanged through ``cornu run``, and what they assert holds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "programs"
PROGRAMS = sorted(path.name for path in FOLDER.glob("*.*") if not path.name.startswith("data_"))
DATA_PROGRAMS = sorted(path.name for path in FOLDER.glob("data_*"))  # texts, tables and folders
GROUPS = 12
# What is asked is whether programs run and what they mean, so the compiler need not try hard.
ENVIRONMENT = os.environ | {"XLA_FLAGS": "--xla_backend_optimization_level=0", "JAX_PLATFORMS": "cpu"}


def outcomes(programs, folder):
    """Run programs one after another in one process; return their outcomes by name."""
    command = [sys.executable, Path(__file__).with_name("run_programs.py"), *programs]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=folder, env=ENVIRONMENT)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(programs), done.stderr
    return {Path(one["program"]).name: one for one in found}


@pytest.mark.parametrize("group", range(GROUPS))
def test_programs_run_and_mean_what_they_meant(group, tmp_path):
    found = outcomes([FOLDER / name for name in PROGRAMS[group::GROUPS]], tmp_path)
    failed = {name: one["output"][-2000:] for name, one in found.items() if one["status"] != 0}
    assert not failed, "\n\n".join(f"{name}:\n{output}" for name, output in failed.items())


def test_programs_with_texts_and_tables(tmp_path):
    found = outcomes([FOLDER / name for name in DATA_PROGRAMS], tmp_path)
    failed = {name: one["output"][-2000:] for name, one in found.items() if one["status"] != 0}
    assert not failed, "\n\n".join(f"{name}:\n{output}" for name, output in failed.items())


def test_a_program_that_means_something_else_fails(tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from keras.layers import Convolution2D\nassert Convolution2D(4, 3, 3).kernel_size == (5, 5)\n")
    one = outcomes([wrong], tmp_path)["wrong.py"]
    assert one["status"] == 1
    assert "AssertionError" in one["output"]


@pytest.mark.parametrize("name", [*PROGRAMS, *DATA_PROGRAMS])
def test_each_program_says_its_era_and_asserts_a_meaning(name):
    text = (FOLDER / name).read_text()
    assert "assert " in text
    assert name.endswith((".ipynb", ".md")) or text.startswith("# ")
