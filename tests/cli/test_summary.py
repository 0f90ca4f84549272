import json

from cornu.cli.main import main


def test_text_and_json(digits_model, capsys):
    assert main(["summary", digits_model, "--show-trainable", "--line-length", "90"]) == 0
    out = capsys.readouterr().out
    assert "Total params: 25,450" in out
    assert "Trainable" in out
    assert main(["summary", digits_model, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [layer["class"] for layer in found["layers"]] == ["Dense", "Dense"]
    assert found["params"] == {"total": 25450, "trainable": 25450, "non_trainable": 0}
