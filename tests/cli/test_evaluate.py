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
        ("text.npz", "no file of numpy"),
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
