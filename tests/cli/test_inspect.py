"""``cornu inspect``: what is said of each kind of file, by Cornu and by real Keras, and of hostile ones."""

import json
import subprocess
import sys

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.cli.main import main


def model(lib):
    inner = lib.Sequential([lib.Input((3,)), lib.layers.Dense(2, name="deep")], name="inner")
    found = lib.Sequential([lib.Input((4,)), lib.layers.Dense(3, name="first"), inner], name="outer")
    found.compile("adam", "mse", metrics=["mae"])
    found.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    return found


def inspect(capsys, path):
    assert main(["inspect", str(path)]) == 0
    return capsys.readouterr().out


def inspect_json(capsys, path):
    assert main(["inspect", "--json", str(path)]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("theirs", [False, True], ids=["Cornu", "Keras"])
def test_whole_models(theirs, real_keras, capsys, tmp_path):
    made = model(real_keras if theirs else cornu)
    made.save(tmp_path / "m.keras")
    found = inspect_json(capsys, tmp_path / "m.keras")
    assert found["format"] == "whole model (.keras, Keras 3)"
    by_cornu = f"Cornu {cornu.__version__}, Keras 3.15 format"
    assert found["written_by"] == ("Keras 3.15.1" if theirs else by_cornu)
    assert found["saved"][:2] == "20"
    assert found["bytes"] == (tmp_path / "m.keras").stat().st_size
    assert found["model"] == {"class": "Sequential", "name": "outer"}
    by_name = {layer["name"]: layer for layer in found["layers"]}
    assert by_name["first"]["weights"] == [[4, 3], [3]]
    assert by_name["first"]["input_shape"] == [None, 4]
    assert by_name["inner/deep"]["parameters"] == 8
    assert found["parameters"] == made.count_params() == 23
    assert found["optimizer"]["class"] == "Adam"
    assert found["optimizer"]["steps"] == 1
    assert found["loss"] == "mse"
    made.save(tmp_path / "m.h5")
    old = inspect_json(capsys, tmp_path / "m.h5")
    assert old["format"] == "whole model (HDF5, Keras 2's layout)"
    assert [layer["parameters"] for layer in old["layers"]] == [0, 15, 8]
    assert old["optimizer"]["class"].lower() == "adam"


def test_other_files(capsys, tmp_path):
    made = model(cornu)
    for name, form in (
        ("w.weights.h5", "weights only (HDF5, Keras 3's layout)"),
        ("w.h5", "weights only (HDF5, Keras 2's layout)"),
        ("w.safetensors", "weights only (safetensors)"),
    ):
        made.save_weights(tmp_path / name)
        found = inspect_json(capsys, tmp_path / name)
        assert (found["format"], found["parameters"], found["model"]) == (form, 23, None)
    (tmp_path / "m.json").write_text(made.to_json())
    found = inspect_json(capsys, tmp_path / "m.json")
    assert found["format"] == "architecture only (JSON)"
    assert found["parameters"] is None
    assert [layer["class"] for layer in found["layers"]] == ["InputLayer", "Dense", "Sequential", "InputLayer", "Dense"]


def test_what_is_printed(capsys, tmp_path):
    model(cornu).save(tmp_path / "m.keras")
    said = inspect(capsys, tmp_path / "m.keras")
    for words in (
        "whole model",
        "Keras 3.15 format",
        "Sequential 'outer'",
        "Adam(learning_rate=0.001",
        "mse",
        "4x3 3",
        "after 1 steps",
    ):
        assert words in said
    made = cornu.Sequential([cornu.Input((4,)), layers.Dense(2)])
    made.save(tmp_path / "plain.keras")
    assert "none: the model was not compiled" in inspect(capsys, tmp_path / "plain.keras")


def test_texts_out_of_the_file_do_not_steer_the_terminal(capsys, tmp_path):
    config = {
        "class_name": "Sequential\x1b[2J",
        "config": {"name": "a\nb\x07", "layers": [{"class_name": "\u202eX", "config": {}}]},
    }
    (tmp_path / "m.json").write_text(json.dumps(config))
    said = inspect(capsys, tmp_path / "m.json")
    assert all(character.isprintable() or character == "\n" for character in said)


def test_refused_files_give_one_line_and_an_exit_code(capsys, tmp_path):
    (tmp_path / "bad.keras").write_bytes(b"PK\x03\x04 nothing")
    assert main(["inspect", str(tmp_path / "bad.keras")]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("cornu: ")
    assert output.err.count("\n") == 1
    assert main(["inspect", str(tmp_path / "gone.h5")]) == 2
    assert "There is no file" in capsys.readouterr().err


def test_jax_is_not_loaded(tmp_path):
    model(cornu).save(tmp_path / "m.keras")
    program = (
        "import sys; from cornu.cli.main import main; main(['inspect', sys.argv[1]]); "
        "sys.exit(any(name.split('.')[0] == 'jax' for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "m.keras")], check=True, capture_output=True)
