"""What an error that nothing catches prints, in processes of their own."""

import os
import subprocess
import sys

import pytest

LAYER = """
import cornu as keras, numpy as np
class Wrong(keras.layers.Layer):
    def call(self, x):
        return keras.ops.matmul(x, np.ones((7, 2)))
model = keras.Sequential([Wrong()])
model.compile("sgd", "mse")
"""
FIT = LAYER + "model.fit(np.zeros((4, 3)), np.zeros((4, 2)))\n"
OPERATION = "import cornu, numpy as np\ncornu.ops.matmul(np.ones((3, 2)), np.ones((7, 2)))\n"
DOWNLOAD = "import cornu\ncornu.utils.get_file('a.txt', 'http://127.0.0.1:9/a.txt', cache_dir=r'{}')\n"


@pytest.fixture
def failed(tmp_path):
    """Run a program, and return what it prints on stderr."""

    def run(program, **environment):
        file = tmp_path / "program.py"
        file.write_text(program.format(tmp_path) if "{}" in program else program)
        done = subprocess.run(
            [sys.executable, str(file)], capture_output=True, text=True, env=os.environ | environment, timeout=100
        )
        assert done.returncode == 1
        return done.stderr

    return run


@pytest.mark.parametrize("program", [FIT, OPERATION, DOWNLOAD])
def test_only_the_users_lines_are_shown_and_the_message_is_last(failed, program):
    said = failed(program)
    files = [line for line in said.splitlines() if line.startswith("  File ")]
    assert len(files) == 1
    assert "program.py" in files[0]
    assert said.count("Traceback") == 1
    assert "JAX has removed" not in said
    assert "left out; keras.config.disable_traceback_filtering() shows them" in said.splitlines()[0]


def test_filtering_can_be_switched_off(failed):
    said = failed(FIT.replace("model.fit", "keras.config.disable_traceback_filtering()\nmodel.fit"))
    assert said.count("  File ") > 10
    assert "left out" not in said


def test_the_users_own_frames_below_those_of_cornu_stay(failed):
    said = failed(LAYER.replace("keras.ops.matmul(x, np.ones((7, 2)))", "x.no_such_thing") + FIT[len(LAYER) :])
    assert "in call" in said
    assert said.count("  File ") == 2


def test_errors_without_cornu_are_pythons_own(failed):
    said = failed("import cornu\nimport json\njson.loads('{')\n")
    assert "json/decoder.py" in said.replace("\\", "/")
    assert "left out" not in said


def test_errors_chained_in_the_program_stay(failed):
    said = failed(OPERATION.replace("cornu.ops", "try: 1 / 0\nexcept ZeroDivisionError: cornu.ops"))
    assert said.count("Traceback") == 2
    assert "ZeroDivisionError" in said


def test_a_hook_of_the_program_stays(failed):
    said = failed("import sys\nsys.excepthook = lambda *_: print('mine', file=sys.stderr)\n" + OPERATION)
    assert said == "mine\n"


@pytest.mark.parametrize("program", [FIT, OPERATION])
def test_a_device_that_is_not_there_is_said(failed, program):
    said = failed(program, JAX_PLATFORMS="tpu")
    assert "RuntimeError: JAX_PLATFORMS is 'tpu', but JAX finds no such device" in said
    assert "JAX_PLATFORMS=cpu" in said
