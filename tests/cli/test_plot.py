import json
import shutil
import xml.etree.ElementTree as ElementTree

import pytest

from cornu.cli.main import main


def test_svg_needs_no_other_program(digits_model, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    assert main(["plot", digits_model, "--rankdir", "LR"]) == 0
    assert ElementTree.parse(tmp_path / "digits.svg").getroot().tag.endswith("svg")
    assert "Drawn in digits.svg" in capsys.readouterr().out
    assert main(["plot", digits_model, "--out", "a.png"]) == 2
    assert "apt install graphviz" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_other_formats_by_graphviz(digits_model, tmp_path, capfd):
    assert main(["plot", digits_model, "--out", str(tmp_path / "a.png"), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["drawing"].endswith("a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert main(["plot", digits_model, "--out", str(tmp_path / "a.xyz")]) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
