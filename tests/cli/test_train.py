import json
import re

import numpy as np
import pytest

import cornu
from cornu.cli import train
from cornu.cli.main import main


def test_the_names_are_listed(capsys):
    assert main(["train"]) == 0
    out = capsys.readouterr().out
    for name in (
        "mnist-sigmoid",
        "mnist-relu",
        "mnist-mlp",
        "mnist-adam",
        "mnist-cnn",
        "addition-lstm",
        "tiny-transformer",
    ):
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


SMALL = {"addition_lstm": {"TRAINING": 600, "TEST": 100}, "tiny_transformer": {"MOST_WINDOWS": 100, "LENGTH": 20}}


@pytest.fixture
def few_rows(few_images, monkeypatch):
    """Give each example a small part of its data: images, sums, or the first sonnets."""

    def load_example(path):
        module = load(path)
        for name, value in SMALL.get(path.stem, {}).items():
            setattr(module, name, value)
        return module

    load = train.load_example
    monkeypatch.setattr(train, "load_example", load_example)


@pytest.mark.parametrize("name", train.find_examples())
def test_each_example_trains_and_saves(name, few_rows, tmp_path, capsys):
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
    assert "What it gets right and wrong" in out.with_suffix(".html").read_text(encoding="utf-8")


def test_replicas_have_an_accuracy_with_its_deviation(few_images, tmp_path, capsys):
    given = ["train", "mnist-mlp", "--epochs", "1", "--seed", "1", "--no-report", "--replicas", "2"]
    assert main([*given, "--out", str(tmp_path / "m.keras")]) == 0
    assert re.search(r"^2 replicas: accuracy \d+\.\d % ± \d+\.\d$", capsys.readouterr().out, re.M)
    assert main([*given, "--out", str(tmp_path / "n.keras"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["accuracy_deviation"] > 0
    assert result["loss_deviation"] > 0


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


def test_sums_are_shown_as_it_learns(few_rows, tmp_path, capsys):
    assert main(["train", "addition-lstm", "--epochs", "2", "--out", str(tmp_path / "m.keras"), "--no-report"]) == 0
    out = capsys.readouterr().out
    assert len(re.findall(r"^ +\d+\+\d+ += ", out, flags=re.MULTILINE)) == 2 * 5
    assert len(re.findall(r"^ +\d+\.\d% of 100 sums are right$", out, flags=re.MULTILINE)) == 2


def test_questions_and_answers_are_sums(few_rows):
    example = train.load_example(train.find_examples()["addition-lstm"])
    (x, y), (x_test, y_test) = example.load_data()
    assert (len(x), len(x_test)) == (600, 100)
    for question, answer in zip((*x, *x_test), (*y, *y_test), strict=True):
        first, second = example.as_text(question.argmax(axis=-1))[::-1].split("+")
        assert int(first) + int(second) == int(example.as_text(answer))
    assert len(np.unique(x.reshape(600, -1), axis=0)) == 600


def test_it_learns_to_write_from_ones_own_text(few_rows, tmp_path, capsys):
    path, out = tmp_path / "mine.txt", tmp_path / "m.keras"
    path.write_text("Über allen Gipfeln ist Ruh.\n" * 80, encoding="utf-8")
    command = ["train", "tiny-transformer", "--epochs", "2", "--out", str(out), "--no-report", "--text", str(path)]
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    start = [place for place, line in enumerate(lines) if line.endswith("Über allen Gipfeln ist Ruh.")]
    assert len(start) == 3  # after each epoch and at the end
    model = cornu.saving.load_model(out)  # has no custom objects
    assert model.output_shape == (None, 64, len(set(path.read_text(encoding="utf-8"))))
    example = train.load_example(train.find_examples()["tiny-transformer"])
    assert len(example.write(model, path.read_text(encoding="utf-8"), "ist", length=70)) == 73


def test_no_letter_sees_those_after_it(few_rows):
    example = train.load_example(train.find_examples()["tiny-transformer"])
    model = example.build_model()
    rows = np.random.default_rng(0).integers(0, 50, (2, 64))
    rows[1, :20] = rows[0, :20]
    first, second = model.predict(rows, verbose=0)
    np.testing.assert_allclose(first[:20], second[:20], atol=1e-5)
    assert abs(first[20:] - second[20:]).max() > 1e-3


def test_texts_that_it_cannot_learn_from_are_refused(tmp_path, capsys):
    path = tmp_path / "mine.txt"
    command = ["train", "tiny-transformer", "--text", str(path), "--out", str(tmp_path / "m.keras")]
    assert main(command) == 2
    assert f"cannot learn from {str(path)!r}: " in capsys.readouterr().err
    path.write_text("short")
    assert main(command) == 2
    assert "has 5 letters; at least 1,280 are needed" in capsys.readouterr().err
    path.write_bytes(b"\xff" * 2000)
    assert main(command) == 2
    assert "it is not UTF-8" in capsys.readouterr().err
    command[1] = "mnist-mlp"
    assert main(command) == 2
    assert "mnist-mlp does not learn from a text; leave --text out" in capsys.readouterr().err
