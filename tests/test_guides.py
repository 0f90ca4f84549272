"""The pages in docs/guides are true: their Python runs, their commands end well, their pictures are there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cornu.cli.main import main

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "guides"
GUIDES = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}


OWN_TEST = ("own-pictures",)  # pages with a test of their own


def blocks(language, guide="looking"):
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDES[guide], flags=re.MULTILINE | re.DOTALL)


BLOCKS = {
    f"{guide} {number}": block
    for guide in GUIDES
    if guide not in OWN_TEST
    for number, block in enumerate(blocks("python", guide), start=1)
}


@pytest.mark.parametrize("name", BLOCKS)
def test_python_block_runs(name, tmp_path):
    """Run a block with one epoch, and without what other programs on this machine could see or a network is for."""
    program = tmp_path / "block.py"
    block = re.sub(r"epochs=\d+", "epochs=1", BLOCKS[name]).replace('folder="runs"', 'folder="runs", port=0')
    block = block.replace('weights="imagenet"', "weights=None")
    program.write_text(block, encoding="utf-8")
    run = subprocess.run([sys.executable, program], capture_output=True, text=True, cwd=tmp_path, timeout=240)
    assert run.returncode == 0, run.stdout + run.stderr
    for name in re.findall(r'"([a-z.-]+\.(?:html|svg))"', block):
        assert (tmp_path / name).stat().st_size > 1000


def test_commands_end_well(tmp_path, monkeypatch, capsys):
    """Run the commands one after the other, with few images and one epoch."""
    from cornu.datasets import mnist

    (x, y), (x_test, y_test) = mnist.load_data()
    monkeypatch.setattr(mnist, "load_data", lambda: ((x[:2000], y[:2000]), (x_test[:200], y_test[:200])))
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("PIL")
    (tmp_path / "photo.jpg").write_bytes((FOLDER / "pictures" / "photo.jpg").read_bytes())
    commands = [shlex.split(line)[1:] for block in blocks("sh") for line in block.splitlines()]
    assert len(commands) == 6
    for command in commands:
        extra = ["--epochs", "2"] if command[0] == "train" else ["--lowest", "1e-4"] if command[0] == "find-lr" else []
        assert main([*command, *extra]) == 0, command
    written = {path.name for path in tmp_path.iterdir()}
    assert {"mnist-mlp.keras", "mnist-mlp.html", "report.html", "mnist-mlp.svg", "learning-rate.svg"} <= written
    assert "photo.jpg: " in capsys.readouterr().out


def test_pictures_and_links_are_there():
    text = "\n".join(GUIDES.values())
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (FOLDER / target).stat().st_size < 300_000, target
    pictures = list((FOLDER / "pictures").iterdir())
    assert sum(picture.stat().st_size for picture in pictures) < 1_500_000
    assert {f"pictures/{picture.name}" for picture in pictures} <= set(re.findall(r"!\[[^]]+\]\(([^)]+)\)", text))
