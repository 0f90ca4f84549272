"""The names that programs ask of ``tf`` give what TensorFlow gives: `name_cases.json` has its results."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
EXPECTED = dict(json.loads((HERE / "name_cases.json").read_text(encoding="utf-8")))
PROGRAM = """
import json, warnings
warnings.simplefilter("error")
import cornu
cornu.install_as_keras()
import tensorflow as tf
import name_cases
print(json.dumps(name_cases.results(tf)))
"""


@pytest.fixture(scope="module")
def found():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=280, cwd=HERE)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("call", EXPECTED)
def test_a_call_gives_what_tensorflow_gives(found, call):
    assert_alike(found[call], EXPECTED[call])


def assert_alike(found, expected):
    """Assert that two results are equal, floats nearly."""
    if isinstance(expected, dict) and "values" in expected:
        assert isinstance(found, dict), found
        assert (found["shape"], found["dtype"]) == (expected["shape"], expected["dtype"])
        np.testing.assert_allclose(found["values"], expected["values"], rtol=2e-3, atol=2e-4)
    elif isinstance(expected, list):
        assert isinstance(found, list), found
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_alike(one, other)
    else:
        assert found == expected
