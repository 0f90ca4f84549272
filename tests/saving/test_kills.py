"""Real ``kill -9`` at random moments: the long form is ``scripts/kills 200``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
@pytest.mark.timeout(900)
def test_trainings_that_are_killed_end_as_if_they_had_not_been():
    command = [sys.executable, str(ROOT / "scripts" / "kills"), "5"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": "0"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the same; 5 kills" in done.stdout or "the same" in done.stdout.splitlines()[-1]
