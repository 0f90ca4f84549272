"""The page docs/guides/own-pictures.md is true: its commands and its program run on drawn shapes."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cornu.cli.main import main
from cornu.cli.shapes import draw_shapes

PAGE = Path(__file__).resolve().parents[1] / "docs" / "guides" / "own-pictures.md"
TEXT = PAGE.read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image")
    monkeypatch.chdir(tmp_path)
    draw_shapes("photos", each=8)
    image.new("RGB", (30, 20), "red").save("photo.jpg")


def test_commands_end_well(photos, capsys):
    commands = [shlex.split(line)[1:] for block in blocks("sh") for line in block.splitlines()]
    assert [command[0] for command in commands] == ["train", "predict"]
    for command in commands:
        assert main([*command, *(["--epochs", "1", "--size", "16"] if command[0] == "train" else [])]) == 0
    assert {path.name for path in Path().iterdir()} >= {"photos.keras", "photos.html"}
    assert re.search(r"photo\.jpg: (circle|square|triangle)", capsys.readouterr().out)


def test_program_runs(photos, tmp_path):
    (block,) = blocks("python")
    (tmp_path / "block.py").write_text(block.replace("epochs=10", "epochs=1"), encoding="utf-8")
    run = subprocess.run([sys.executable, "block.py"], capture_output=True, text=True, cwd=tmp_path, timeout=240)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Using 20 files for training." in run.stdout
    assert (tmp_path / "mine.keras").exists()


def test_options_are_those_of_the_command(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    known = capsys.readouterr().out
    assert all(option in known for option in re.findall(r"--[a-z][a-z-]*", TEXT))


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", TEXT):
        assert (PAGE.parent / target).exists(), target
