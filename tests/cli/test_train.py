import json

import numpy as np
import pytest

import cornu
from cornu.cli import train
from cornu.cli.main import main


def test_the_names_are_listed(capsys):
    assert main(["train"]) == 0
    out = capsys.readouterr().out
    for name in ("mnist-sigmoid", "mnist-relu", "mnist-mlp", "mnist-adam", "mnist-cnn"):
        assert name in out
    main(["train", "--json"])
    assert {"name", "description"} == set(json.loads(capsys.readouterr().out)[0])


def test_an_unknown_name_gets_the_nearest(capsys):
    assert main(["train", "mnist-mpl"]) == 2
    assert "Did you mean 'mnist-mlp'?" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_said_before_training(capsys, tmp_path):
    assert main(["train", "mnist-mlp", "--out", str(tmp_path / "no" / "a.keras")]) == 2
    assert "there is no folder" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--epochs=0", "--epochs=x", "--batch-size=-1"])
def test_numbers_are_checked(option, capsys):
    with pytest.raises(SystemExit):
        main(["train", "mnist-mlp", option])
    assert "integer" in capsys.readouterr().err


@pytest.mark.parametrize("name", train.find_examples())
def test_each_example_trains_and_saves(name, few_images, tmp_path, capsys):
    out = tmp_path / "model.keras"
    assert main(["train", name, "--epochs", "1", "--seed", "1", "--out", str(out), "--json"]) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert result["name"] == name
    assert 0 <= result["accuracy"] <= 1
    assert np.isfinite(result["loss"])
    assert result["model"] == str(out.resolve())
    assert out.stat().st_size > 10_000
    assert "Total params" in captured.err
    assert result["report"] == str(out.with_suffix(".html").resolve())
    assert "Confusion matrix" in out.with_suffix(".html").read_text(encoding="utf-8")


def test_a_report_goes_where_it_is_wanted_or_nowhere(few_images, tmp_path, capsys):
    given = ["train", "mnist-adam", "--epochs", "1", "--out", str(tmp_path / "m.keras")]
    assert main([*given, "--no-report"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["m.keras"]
    given.append("--overwrite")
    assert main([*given, "--report", str(tmp_path / "page.html")]) == 0
    assert "The report is in" in capsys.readouterr().out
    assert (tmp_path / "page.html").exists()
    assert main([*given, "--report", str(tmp_path / "no" / "page.html")]) == 2


def test_the_examples_use_todays_spelling():
    for path in train.find_examples().values():
        text = path.read_text()
        assert "import cornu as keras" in text
        for old in ("lr=", "nb_epoch", "input_shape=", "np_utils"):
            assert old not in text


def test_a_model_is_not_overwritten_without_being_asked(few_images, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist-adam.keras").write_bytes(b"better")
    assert main(["train", "mnist-adam", "--out", "mnist-adam.keras"]) == 2
    assert "exists. Replace it with --overwrite" in capsys.readouterr().err
    assert main(["train", "mnist-adam", "--epochs", "1", "--no-report"]) == 0
    assert "this model will be mnist-adam-2.keras" in capsys.readouterr().err
    assert (tmp_path / "mnist-adam.keras").read_bytes() == b"better"
    assert main(["train", "mnist-adam", "--epochs", "1", "--no-report", "--overwrite"]) == 0
    assert (tmp_path / "mnist-adam.keras").read_bytes() != b"better"


def test_ctrl_c_keeps_the_model_of_the_epochs_that_ended(few_images, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cornu.Model, "evaluate", raise_interrupt)
    assert main(["train", "mnist-adam", "--epochs", "1", "--out", str(tmp_path / "m.keras")]) == 130
    assert "interrupted; the model of 1 epoch is in" in capsys.readouterr().err
    assert cornu.saving.load_model(tmp_path / "m.keras").built


def raise_interrupt(*_, **__):
    raise KeyboardInterrupt
