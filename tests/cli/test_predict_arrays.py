import json

import numpy as np
import pytest

from cornu.cli.main import main


def test_rows_for_several_inputs(two_model, tmp_path, capsys):
    file = str(tmp_path / "rows.npz")
    np.savez(file, a=np.ones((12, 2)), b=np.arange(12.0))
    assert main(["predict", two_model, file, "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)["files"]
    assert found["file"] == file
    assert found["outputs"] == {
        "total": [[2.0 + i] for i in range(12)],
        "tenfold": [[10.0 * i] for i in range(12)],
    }
    assert main(["predict", two_model, file]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{file}: 12 rows"
    assert lines[3] == "    2  total 4; tenfold 20"
    assert lines[-1] == "  ... and 2 more: --json prints them all"


def test_rows_for_one_input(digits_model, tmp_path, capsys):
    file = str(tmp_path / "x.npz")
    np.savez(file, x=np.zeros((2, 28, 28)))
    assert main(["predict", digits_model, file, file]) == 0
    out = capsys.readouterr().out
    assert out.count("2 rows") == 2
    assert len(out.splitlines()) == 6


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["rows.npz"], "has the arrays a; it needs a, b, one for each"),
        (["none.npz"], "there is no such file"),
        (["bad.npz"], "not a numpy .npz file"),
        (["single.npz"], "not a numpy .npz file"),
        (["rows.npz", "photo.png"], "not both"),
        (["photo.png"], "no picture"),
    ],
)
def test_mistakes_are_one_line_and_code_2(two_model, given, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("rows.npz", a=np.ones((2, 2)))
    with open("single.npz", "wb") as file:
        np.save(file, np.ones(3))
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 and no more")
    assert main(["predict", two_model, *given]) == 2
    err = capsys.readouterr().err
    assert words in err or "2 inputs" in err
    assert len(err.splitlines()) == 1
