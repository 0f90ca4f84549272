"""Programs with tapes, functions and variables give what TensorFlow gives: `tape_cases.json` has its results."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "tape_cases.json").read_text())["cases"]
PROGRAM = """
import json, sys, traceback
import cornu
cornu.install_as_keras()
import tensorflow as tf
import tape_cases
found = {}
for name, case in tape_cases.CASES.items():
    try:
        found[name] = tape_cases.plain(case(tf))
    except Exception:
        found[name] = {"error": traceback.format_exc()}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def results():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=240, cwd=HERE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", EXPECTED)
def test_a_case_gives_what_tensorflow_gives(results, name):
    found, expected = results[name], EXPECTED[name]
    assert not isinstance(found, dict) or "error" not in found, found["error"]
    same(found, expected, name)


def same(found, expected, place):
    """Assert that two structures of numbers, texts and None are equal."""
    if isinstance(expected, list):
        assert isinstance(found, list), place
        assert len(found) == len(expected), place
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            same(one, other, f"{place}[{number}]")
    elif isinstance(expected, dict):
        assert list(found) == list(expected), place
        for key, value in expected.items():
            same(found[key], value, f"{place}[{key}]")
    elif isinstance(expected, float):
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-6, err_msg=place)
    else:
        assert found == expected, place
