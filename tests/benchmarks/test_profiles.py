"""Where the time goes, as a table."""

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import profiles


def test_examples():
    result = doctest.testmod(profiles)
    assert result.attempted > 0
    assert result.failed == 0


def test_operations_of_a_step():
    text = profiles.profile_steps("small", 4, 50)
    assert "small, batch of 128: " in text
    assert "`dot" in text


def test_parts_of_a_program(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(
        "import numpy as np, keras\n"
        "model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])\n"
        "model.compile('sgd', 'mse')\n"
        "model.fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0)\n"
    )
    command = [
        sys.executable,
        "-m",
        "benchmarks.profiles",
        str(path),
    ]  # the program's Keras is Cornu in all of a process
    root = Path(profiles.__file__).parents[1]
    lines = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.splitlines()
    seconds = {cells[1].strip(): float(cells[2]) for cells in (line.split("|") for line in lines[4:])}
    assert seconds["tracing"] > 0
    assert seconds["waiting for steps"] > 0
    assert sum(seconds.values()) == pytest.approx(float(lines[0].split()[1]), rel=0.05)
