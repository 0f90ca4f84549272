"""The five tutorials, unchanged but for one epoch, through `cornu run`; their full length is `scripts/tutorials`."""

import os
import re
import subprocess
import sys

import pytest

# Without the last program's images cut, its epoch would take half a minute.
FEW_IMAGES = """
import sys
from cornu.datasets import mnist
load = mnist.load_data
def load_few():
    (x, y), (x_test, y_test) = load()
    return (x[:1280], y[:1280]), (x_test[:500], y_test[:500])
mnist.load_data = load_few
from cornu.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def run(shared, tmp_path):
    def run(name, *options, few_images=False):
        text = (shared / "programs" / name).read_text(encoding="utf-8")
        text, epochs = re.subn(r"((?i:n_)?(?i:epochs) ?= ?)1[02]\b", r"\g<1>1", text)
        assert epochs == 1
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        start = ["-c", FEW_IMAGES] if few_images else ["-m", "cornu"]
        environment = {key: value for key, value in os.environ.items() if key not in ("MPLBACKEND", "DISPLAY")}
        command = [sys.executable, "-W", "error", *start, "run", *options, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=280)
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    return run


def figure(pattern, output):
    return float(re.findall(pattern + r"\s*([\d.]+)", output)[-1])


def test_seed0_sigmoid(run):
    output, errors = run("seed0_book_mlp.py")
    for count in ("100,480", "16,512", "1,290", "118,282"):
        assert count in output
    first_epoch = re.search(r"accuracy: ([\d.]+)", output)
    assert 0.10 < float(first_epoch[1]) < 0.15
    assert 0.1 < figure("\n accuracy:", output) < 0.6
    assert "cornu:" not in errors


def test_seed1_notebook(run):
    output, errors = run("seed1_blog_mlp.ipy")
    assert "cornu: line 5: '%matplotlib inline' skipped" in errors
    for count in ("401,920", "262,656", "5,130", "669,706"):
        assert count in output
    params = next(line for line in output.split("\n") if line.startswith("{"))
    assert {"batch_size", "do_validation", "epochs", "metrics", "samples", "steps", "verbose"} <= set(
        re.findall(r"'(\w+)':", params)
    )
    assert "Label of testing sample 7" in output
    assert "Network prediction: 7" in output


def test_seed2_livelossplot_and_drawing(run, tmp_path):
    pytest.importorskip("livelossplot")
    output, errors = run("seed2_kdnuggets_mlp.py", "--figures", str(tmp_path / "figures"))
    for count in ("401,920", "131,328", "2,570", "535,818"):
        assert count in output
    assert figure("Test accuracy:", output) > 0.94
    assert list((tmp_path / "figures").glob("*.png"))
    assert "figure saved in" in errors


def test_seed3_is_repeatable_and_says_how_it_splits(run):
    first, _ = run("seed3_notebook_mlp.py")
    second, _ = run("seed3_notebook_mlp.py")
    accuracy = r"val_acc(?:uracy)?:"
    assert figure(accuracy, first) == figure(accuracy, second)
    assert figure(accuracy, first) > 0.9
    assert "48000" in first
    assert "12000" in first


def test_seed4_convolutions(run):
    output, _ = run("seed4_cnn.py", few_images=True)
    assert "(1280, 28, 28, 1)" in output
    assert figure("Test accuracy:", output) > 0.3


def test_a_document_that_leaves_lines_out_ends_at_the_line_that_needs_them(shared, tmp_path):
    (path,) = (shared / "seeds").glob("001_*.txt")
    done = subprocess.run(
        [sys.executable, "-m", "cornu", "run", str(path)], capture_output=True, text=True, cwd=tmp_path, timeout=200
    )
    assert done.returncode == 1
    assert ", line 123, in <module>\n    pred" in done.stderr.replace("\u00a0", " ")
    assert "NameError: name 'X_test_0' is not defined" in done.stderr
