"""The examples as notebooks run in a real Jupyter kernel, and show what a notebook shows."""

import base64
import os
import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "examples" / "notebooks").glob("*.ipynb"))
pytestmark = pytest.mark.timeout(600)  # a kernel starts, imports matplotlib and compiles
nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
SHORT = """
epochs, batch_size = 2, 100
x_train, y_train, x_test, y_test = x_train[:1000], y_train[:1000], x_test[:500], y_test[:500]
"""


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def executed(request):
    """Give a notebook after its cells have run, on a slice of the data."""
    notebook = nbformat.read(request.param, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells), "notebooks are kept without outputs"
    (settings,) = [cell for cell in notebook.cells if cell.source.startswith("epochs, batch_size = ")]
    settings.source = SHORT
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    nbclient.NotebookClient(notebook, timeout=480, startup_timeout=240, kernel_name="python3").execute(env=environment)
    return notebook


def cell(notebook, beginning):
    return next(one for one in notebook.cells if beginning in one.source)


def text(outputs):
    return "".join(output.get("text", "") for output in outputs if output.output_type == "stream")


def test_each_example_has_one():
    assert {path.stem for path in NOTEBOOKS} == {path.stem for path in NOTEBOOKS[0].parents[1].glob("*.py")}


def test_summary_progress_and_evaluation_are_shown(executed):
    (summary,) = [one.data for one in cell(executed, "model.summary()").outputs if "data" in one]
    assert summary["text/plain"].startswith("Model: ")
    assert "\x1b" not in summary["text/plain"]
    assert "<table" in summary["text/html"]
    training = cell(executed, "model.fit(")
    assert "Epoch 2/2" in text(training.outputs)
    bars = [one.data for one in training.outputs if "━" in one.get("data", {}).get("text/html", "")]
    lines = text(training.outputs).splitlines() if "verbose=2" in training.source else [b["text/plain"] for b in bars]
    end = r"(\d+)/\1 .*- loss: [\d.e-]+ .*- val_accuracy: [\d.e-]+( - learning_rate: [\d.e-]+)?$"
    ends = [line for line in lines if re.match(end, line)]
    assert len(ends) == 2  # what was drawn over is not kept
    assert len(bars) == (0 if "verbose=2" in training.source else 2)
    assert not any("\r" in one.get("text", "") for one in training.outputs)
    evaluated = text(cell(executed, "model.evaluate(").outputs)
    assert re.search(r"[\d.]+% of the (test images are recognised|letters are right)", evaluated)


def test_curves_are_pictures(executed):
    pictures = [
        output["data"]["image/png"]
        for one in executed.cells
        for output in one.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    assert pictures
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)
    if "PlotLosses" in cell(executed, "model.fit(").source:
        shown = [one for one in cell(executed, "model.fit(").outputs if "image/png" in one.get("data", {})]
        assert len(shown) == 1  # drawn anew in place of the one before


def test_nothing_is_written_to_stderr(executed):
    told = [one.text for cell in executed.cells for one in cell.get("outputs", ()) if one.get("name") == "stderr"]
    assert not told
