import json

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.cli.main import main


def test_on_mnist_and_with_a_report(digits_model, tmp_path, capsys):
    report = tmp_path / "report.html"
    assert main(["evaluate", digits_model, "--json", "--report", str(report)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["rows"] == 10000
    assert 0.8 < result["accuracy"] < 1
    assert result["report"] == str(report)
    assert "Confusion matrix" in report.read_text(encoding="utf-8")


def linear(folder, compiled):
    model = cornu.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.set_weights([np.array([[1.0], [1.0]]), np.zeros(1)])
    if compiled:
        model.compile("sgd", "mse")
    model.save(folder / "linear.keras")
    return str(folder / "linear.keras")


@pytest.mark.parametrize("compiled", [True, False])
def test_on_a_file_of_arrays(compiled, tmp_path, capsys):
    np.savez(tmp_path / "d.npz", x=np.ones((5, 2)), y=np.full(5, 3.0))
    assert main(["evaluate", linear(tmp_path, compiled), "--data", str(tmp_path / "d.npz")]) == 0
    assert ("loss 1.0000" if compiled else "mae 1.0000") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("mnits", "Did you mean 'mnist'"),
        ("mnist", "the model takes inputs of shape (2,)"),
        ("none.npz", "there is no such file"),
        ("text.npz", "not a numpy .npz file"),
        ("other.npz", "has the arrays a; it needs x and y"),
    ],
)
def test_mistakes_are_one_line_and_code_2(data, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.npz").write_text("hello")
    np.savez(tmp_path / "other.npz", a=np.ones(2))
    assert main(["evaluate", linear(tmp_path, True), "--data", data]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert len(err.splitlines()) == 1


ROWS = {"a": np.ones((5, 2)), "b": np.full((5, 1), 2.0)}
TARGETS = {"total": np.full((5, 1), 3.0), "tenfold": np.full((5, 1), 20.0)}


def test_a_model_of_several_inputs_and_outputs(two_model, tmp_path, capsys):
    np.savez(tmp_path / "d.npz", **ROWS, **TARGETS)
    assert main(["evaluate", two_model, "--data", str(tmp_path / "d.npz"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["loss"]) == (5, 1.0)
    np.savez(tmp_path / "t.npz", a_test=np.ones((5, 2, 1)), b_test=np.full(5, 2.0), **TARGETS)
    assert main(["evaluate", two_model, "--data", str(tmp_path / "t.npz")]) == 0
    assert "5 rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arrays", "options", "words"),
    [
        (ROWS, [], "has the arrays a, b; it needs total, tenfold, one for each"),
        (TARGETS, [], "it needs a, b, one for each"),
        (ROWS | {"a": np.ones((5, 7))} | TARGETS, [], "input 'a' has shape (2,); the data has shape (7,)"),
        (ROWS | {"a": np.ones((4, 2))} | TARGETS, [], "differ in their number of rows: [4, 5]"),
        (ROWS | {"a": 3} | TARGETS, [], "is a single value"),
        (ROWS | TARGETS, ["--report", "r.html"], "--report supports only models with one input"),
        (None, [], "2 inputs: give a .npz file with an array for each, named a, b"),
    ],
)
def test_mistakes_with_several_are_one_line_and_code_2(two_model, arrays, options, words, tmp_path, capsys):
    data = "mnist"
    if arrays is not None:
        data = str(tmp_path / "d.npz")
        np.savez(data, **arrays)
    assert main(["evaluate", two_model, "--data", data, *options]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert len(err.splitlines()) == 1
