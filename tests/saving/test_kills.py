"""Real ``kill -9`` at random moments: the long form is ``scripts/kills 200``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("options", [["5"], ["2", "--processes", "3"]], ids=["alone", "together"])
def test_trainings_that_are_killed_end_as_if_they_had_not_been(options):
    command = [sys.executable, str(ROOT / "scripts" / "kills"), *options]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": "0"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the same" in done.stdout.splitlines()[-1]
