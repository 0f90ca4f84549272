import json

import numpy as np

import cornu
from cornu import layers
from cornu.cli.main import main


def test_for_a_model_and_data_of_ones_own(tmp_path, capsys):
    model = cornu.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.keras")
    x = np.random.default_rng(0).normal(size=(200, 3))
    np.savez(tmp_path / "d.npz", x=x, y=x.sum(1))
    given = [
        "find-lr",
        str(tmp_path / "m.keras"),
        "--data",
        str(tmp_path / "d.npz"),
        "--batch-size",
        "8",
        "--lowest",
        "1e-4",
    ]
    assert main([*given, "--steps", "40", "--out", str(tmp_path / "r.svg"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert 1e-4 < found["suggestion"] < 1
    assert len(found["rates"]) == len(found["losses"])
    assert (tmp_path / "r.svg").read_text(encoding="utf-8").startswith("<svg")


def test_mistakes_are_one_line_and_code_2(tmp_path, capsys):
    assert main(["find-lr", "mnist-mpl"]) == 2
    assert "Did you mean 'mnist-mlp'?" in capsys.readouterr().err
    assert main(["find-lr", "mnist-mlp", "--out", "a.png"]) == 2
    assert "--out a.svg" in capsys.readouterr().err
    assert main(["find-lr", "mnist-mlp", "--lowest", "1", "--highest", "0.1"]) == 2
    assert main(["find-lr", "mnist-mlp", "--data", "mnist"]) == 2
    model = cornu.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.save(tmp_path / "m.keras")
    assert main(["find-lr", str(tmp_path / "m.keras")]) == 2
    err = capsys.readouterr().err
    assert "saved without optimizer and loss" in err
    assert len(err.splitlines()) == 3


def test_for_a_model_of_several_inputs_and_outputs(two_model, tmp_path, capsys):
    rng = np.random.default_rng(0)
    rows = {"a": rng.normal(size=(60, 2)), "b": rng.normal(size=(60, 1))}
    np.savez(tmp_path / "d.npz", **rows, total=rows["a"][:, :1] * 3, tenfold=rows["b"] * 2)
    given = ["find-lr", two_model, "--data", str(tmp_path / "d.npz"), "--batch-size", "8", "--steps", "20", "--json"]
    assert main([*given, "--lowest", "1e-4", "--highest", "1", "--out", str(tmp_path / "r.svg")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert 1e-4 < found["suggestion"] < 1
    assert main(["find-lr", two_model]) == 2
    assert "give a .npz file with an array for each, named a, b" in capsys.readouterr().err
    np.savez(tmp_path / "d.npz", **rows)
    assert main([*given, "--out", str(tmp_path / "r.svg")]) == 2
    assert "has the arrays a, b; it needs total, tenfold, one for each" in capsys.readouterr().err
