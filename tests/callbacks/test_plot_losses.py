"""Curves while a model trains: lines for a terminal, figures for notebooks and files."""

import io
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.callbacks import PlotLosses
from cornu.callbacks.plot_losses import sparkline

pytest.importorskip("matplotlib")
X, Y = np.linspace(0, 1, 96, dtype="float32").reshape(32, 3), np.ones((32, 1), "float32")


def train(callback, **options):
    model = cornu.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model.fit(X, Y, verbose=0, callbacks=[callback], **options).history


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_file_is_drawn_when_training_ends(tmp_path, capsys, suffix):
    path = tmp_path / f"curves.{suffix}"
    train(PlotLosses(path), epochs=3, validation_split=0.25)
    beginnings = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    assert path.read_bytes().startswith(beginnings[suffix])
    if suffix == "svg":
        ElementTree.fromstring(path.read_bytes())
    assert f"Curves saved to {path}" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [path]


def test_the_figure_holds_the_history(capsys):
    callback = PlotLosses()
    history = train(callback, epochs=4, validation_split=0.25)
    charts = callback.figure().axes
    assert [chart.get_title() for chart in charts] == ["loss", "mae"]
    for chart, name in zip(charts, ("loss", "mae"), strict=True):
        lines = {line.get_label(): line for line in chart.get_lines()}
        np.testing.assert_allclose(lines["training"].get_ydata(), history[name])
        np.testing.assert_allclose(lines["validation"].get_ydata(), history[f"val_{name}"])
        assert list(lines["training"].get_xdata()) == [1, 2, 3, 4]


def test_a_pipe_gets_the_lines_once(capsys):
    train(PlotLosses(metrics=["loss"]), epochs=5)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("loss  ")
    assert "->" in line
    assert "\x1b" not in line


def test_a_terminal_gets_them_after_each_epoch(monkeypatch, capsys):
    monkeypatch.setattr("cornu.callbacks.plot_losses.is_live", lambda stream: True)
    train(PlotLosses(metrics=["loss"], every=2), epochs=5)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_validation_now_and_then_is_drawn_where_it_is_known(capsys):
    callback = PlotLosses(metrics=["loss"])
    history = train(callback, epochs=4, validation_split=0.25, validation_freq=2)
    _, line = callback.lines()
    assert "nan" not in line
    assert "?" not in line
    (curve,) = [one for one in callback.figure().axes[0].get_lines() if one.get_label() == "validation"]
    assert list(curve.get_xdata()) == [2, 4]
    np.testing.assert_allclose(curve.get_ydata(), history["val_loss"])


def test_a_loss_that_is_no_number_is_shown_as_such(capsys):
    callback = PlotLosses()
    for epoch, loss in enumerate((1.0, float("nan"))):
        callback.on_epoch_end(epoch, {"loss": loss})
    assert callback.lines()[0].endswith("1.0000 -> nan")


def test_a_line_has_the_characters_that_the_encoding_has(monkeypatch):
    assert sparkline([0, 7], 9) == "▁█"
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    assert sparkline([0, 7], 9) == "_@"
    assert sparkline([1, 1, float("inf")], 9) == "__?"
    assert sparkline(list(range(100)), 4) == sparkline([24, 49, 74, 99], 4)


def test_what_it_is_given_is_checked():
    with pytest.raises(ValueError, match="every must be a number of epochs"):
        PlotLosses(every=0)


def test_without_matplotlib_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    PlotLosses()
    with pytest.raises(ImportError, match=r"pip install 'cornu\[plot\]'"):
        PlotLosses(tmp_path / "curves.png")
