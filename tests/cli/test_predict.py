import json

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.cli.main import main


def test_digits_on_a_sheet_are_read(digits_model, photo, capsys):
    assert main(["predict", digits_model, photo, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    found = result["images"][0]["found"]
    assert sum(one["class"] == digit for one, digit in zip(found, "721041", strict=True)) >= 5
    assert all(0 < one["probability"] <= 1 and len(one["box"]) == 4 and len(one["top"]) == 3 for one in found)


def test_the_terminal_shows_digits_and_probabilities(digits_model, photo, capsys):
    assert main(["predict", digits_model, photo, "--show", "--top", "2"]) == 0
    out = capsys.readouterr().out
    assert f"{photo}: 7 " in out
    assert "%" in out
    assert out.count("else") == 6
    assert len(out.splitlines()) == 1 + 6 * 15


def test_an_empty_sheet_is_no_error(digits_model, tmp_path, capsys):
    image = pytest.importorskip("PIL.Image")
    image.new("L", (60, 60), 255).save(tmp_path / "empty.png")
    assert main(["predict", digits_model, str(tmp_path / "empty.png")]) == 0
    assert "no digit found" in capsys.readouterr().out


def test_classifiers_of_other_pictures(tmp_path, capsys):
    image = pytest.importorskip("PIL.Image")
    model = cornu.Sequential([layers.Input((8, 8, 3)), layers.Flatten(), layers.Dense(2, activation="softmax")])
    kernel = np.zeros((8, 8, 3, 2))
    kernel[..., 0, 0] = kernel[..., 2, 1] = 1
    model.set_weights([kernel.reshape(-1, 2), np.zeros(2)])
    model.save(tmp_path / "colours.keras")
    image.new("RGB", (40, 30), (10, 0, 250)).save(tmp_path / "blue.png")
    assert main(["predict", str(tmp_path / "colours.keras"), str(tmp_path / "blue.png"), "--classes", "red, blue"]) == 0
    assert "blue.png: blue" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["nothere.png"], "there is no picture"),
        (["broken.png"], "is not a readable picture"),
        (["photo", "--classes", "a,b"], "--classes has 2 names; the model has 10"),
    ],
)
def test_mistakes_are_one_line_and_code_2(given, words, digits_model, photo, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nxx")
    assert main(["predict", digits_model, *(photo if one == "photo" else one for one in given)]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert len(err.splitlines()) == 1


def test_what_is_no_model_is_said(photo, capsys):
    assert main(["predict", "nothere.keras", photo]) == 2
    assert main(["predict", photo, photo]) == 2
    err = capsys.readouterr().err
    assert "There is no file 'nothere.keras'" in err
    assert len(err.splitlines()) == 2
