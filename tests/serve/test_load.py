"""A short form of `scripts/load`: hostile clients beside honest ones, and a stop in the middle, in both lanes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

LOAD = Path(__file__).resolve().parents[2] / "scripts" / "load"
FEW = ["--seconds", "2", "--clients", "4", "--idle", "40", "--slow", "5", "--unfinished", "4", "--documents", "1"]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="memory is measured by Linux's /proc")
@pytest.mark.parametrize("lane", [[], ["--slow-lane"]])
def test_hostile_clients_do_not_keep_others_from_being_served(digits_file, lane):
    command = [sys.executable, str(LOAD), str(digits_file), *FEW, "--untimed", *lane]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    answered = re.match(r"(\d+) requests answered, 0 failed", done.stdout)
    assert answered, done.stdout
    assert int(answered[1]) > 0
