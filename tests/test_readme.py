"""README.md is true: its Python runs, its commands are the ones that CI runs, its links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
LONG = re.compile(r"epochs=\d+")


def test_there_are_blocks():
    assert len(BLOCKS) >= 2


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[1][:30])
def test_python_block_runs(block, tmp_path):
    """Run each block in an interpreter of its own, with one epoch where it trains."""
    program = tmp_path / "block.py"
    program.write_text(LONG.sub("epochs=1", block), encoding="utf-8")
    run = subprocess.run([sys.executable, program], capture_output=True, text=True, cwd=tmp_path, timeout=240)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("name", ["train", "tests"])
def test_commands_are_marked(name):
    """`.ci/run` takes the command for the tests from behind its mark."""
    assert re.search(rf"^<!-- command: {name} -->\n```sh\npip install .*\n```$", README, flags=re.MULTILINE)


def test_ci_runs_what_the_readme_says():
    assert "<!-- command: tests -->" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_chinese_readme_is_the_same_page():
    """Code blocks, links, marks and headings follow each other alike in both languages."""
    chinese = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
    for pattern in (r"^```.*?^```$", r"^<!-- [^>]* -->$", r"^#+(?= )"):
        found = [re.findall(pattern, text, flags=re.MULTILINE | re.DOTALL) for text in (README, chinese)]
        assert found[0] == found[1], pattern
    links = [set(re.findall(r"\]\(([^)]+)\)", text)) - {"README.md", "README.zh-CN.md"} for text in (README, chinese)]
    assert links[0] == links[1]
    spoken = [set(re.findall(r"`([^`\n]+)`", text)) for text in (README, chinese)]
    assert spoken[0] == spoken[1]


@pytest.mark.parametrize(
    "page", ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/design/README.md"]
)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text(encoding="utf-8")):
        assert ((ROOT / page).parent / target).exists(), target


def test_contributing_is_short():
    assert len((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()) < 60


@pytest.mark.parametrize("name", ["check", "test"])
def test_scripts_are_short(name):
    assert len((ROOT / "scripts" / name).read_text(encoding="utf-8").splitlines()) < 20
