"""`cornu run` as a user meets it: in a process of its own. No program here imports Keras, so each takes a blink."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest


@pytest.fixture
def run(tmp_path):
    def run(text, *arguments, name="program.py", options=(), environment=()):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        env = {
            key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")
        }
        command = [sys.executable, "-W", "error", "-m", "cornu", "run", *options, str(path), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=env | dict(environment), timeout=120
        )

    return run


def test_a_program_sees_what_python_would_show_it(run, tmp_path):
    (tmp_path / "beside.py").write_text("x = 'beside'\n")
    done = run(
        "import sys, json, beside\n"
        "class A: pass\n"
        "import pickle; pickle.loads(pickle.dumps(A()))\n"
        "print(json.dumps([__name__, __file__, sys.argv, sys.path[0], beside.x]))\n",
        "--epochs",
        "3",
    )
    path = str(tmp_path / "program.py")
    assert json.loads(done.stdout) == ["__main__", path, [path, "--epochs", "3"], str(tmp_path), "beside"]
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "code"), [("import sys; sys.exit(7)", 7), ("raise SystemExit", 0), ("exit('bye')", 1), ("1 / 0", 1)]
)
def test_exit_codes(run, text, code):
    assert run(text).returncode == code


def test_a_traceback_shows_the_users_lines_and_leaves_jax_out(run):
    text = "import jax.numpy as jnp\n\ndef f(x):\n    return jnp.dot(x, jnp.ones(3))\n\nf(jnp.ones(4))\n"
    done = run(text)
    frames = [line for line in done.stderr.split("\n") if line.startswith("  File ")]
    assert [frame.split(", ", 1)[1] for frame in frames] == ["line 6, in <module>", "line 4, in f"]
    assert "return jnp.dot(x, jnp.ones(3))" in done.stderr
    assert "lines inside Cornu and jax left out; cornu run --traceback shows them" in done.stderr
    assert run(text, options=["--traceback"]).stderr.count("  File ") > 4


def test_line_numbers_of_a_document_are_the_documents(run):
    done = run("# a\n\n```python\nx = 1\n```\n\ntext\n\n```python\nprint(x)\nprint(missing)\n```\n", name="a.md")
    assert done.stdout == "1\n"
    assert 'a.md", line 11, in <module>\n    print(missing)' in done.stderr
    assert done.returncode == 1


def test_a_syntax_error_names_the_documents_line(run):
    done = run("```python\nprint(1)\n```\n\n```python\nx = f(1,\n```\n", name="a.md")
    assert done.stdout == "1\n"
    assert 'a.md", line 6' in done.stderr
    assert "SyntaxError" in done.stderr


def test_python2_magics_and_pasted_spaces_run_and_are_said(run):
    done = run(
        "%matplotlib inline\n!pip install nothing\nx\u00a0= 3\nfor i in xrange(2): print i, x / 2\n", name="a.ipy"
    )
    assert done.stdout == "0 1\n1 1\n"
    assert [line for line in done.stderr.split("\n") if line] == [
        "cornu: spaces pasted from a page (non-breaking, zero width) read as plain ones",
        "cornu: line 1: '%matplotlib inline' skipped",
        "cornu: line 2: '!pip install nothing' skipped",
        "cornu: translated from Python 2: print statements",
    ]


def test_a_notebook_shows_last_values_and_counts_lines_by_cell(run):
    cells = [
        ["%matplotlib inline\n", "x = 3\n", "x + 1"],
        ["x;"],
        ["get_ipython().magic('time')\n", "None"],
        ["\n", "x / 0"],
    ]
    done = run(json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}), name="a.ipynb")
    assert done.stdout == "4\n"
    assert "cornu: cell 1, line 1: '%matplotlib inline' skipped" in done.stderr
    assert 'a.ipynb, cell 4", line 2, in <module>\n    x / 0' in done.stderr


def test_figures_without_a_display_neither_block_nor_warn(run, tmp_path):
    text = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nprint(plt.get_fignums())\nplt.figure()\n"
    done = run(text)
    assert done.stdout == "[]\n"
    assert done.stderr == "cornu: 2 figures drawn and not shown: there is no display (--figures DIR saves them)\n"
    done = run(text, options=["--figures", str(tmp_path / "figures")])
    assert done.stderr == f"cornu: 2 figures saved in {tmp_path / 'figures'}\n"
    assert [path.name for path in sorted((tmp_path / "figures").iterdir())] == ["figure-01.png", "figure-02.png"]


def test_a_missing_package_comes_with_its_pip_command(run):
    assert (
        "cornu: the program needs a package that is not installed: pip install no_such_package\n"
        in run("import no_such_package.inner").stderr
    )


def test_what_builds_on_tensorflow_and_input_that_is_missing_are_said(run):
    assert "needs TensorFlow itself" in run("import tensorflow_hub as hub\n").stderr
    assert "cornu: the program asks for input" in run("input('epochs? ')\n").stderr


def test_seed_makes_numpy_repeatable(run):
    text = "import numpy, random\nprint(numpy.random.rand(), random.random())\n"
    assert run(text, options=["--seed", "3"]).stdout == run(text, options=["--seed", "3"]).stdout


def test_ctrl_c_ends_with_130_and_names_the_line(tmp_path):
    path = tmp_path / "program.py"
    path.write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    command = [sys.executable, "-m", "cornu", "run", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "cornu: interrupted at line 3\n")


def test_what_cannot_be_read_is_said(run, tmp_path):
    run("x = 1\n", name="mnist.py")
    command = [sys.executable, "-m", "cornu", "run", "mnits.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "cornu: cannot read 'mnits.py': No such file or directory. Did you mean 'mnist.py'?\n"
    assert "a.md has no Python code that can run. In a document" in run("# prose\n", name="a.md").stderr
