"""What an editor sees of a program: names, types and mistakes, as pyright (Pylance) and mypy find them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cornu

pytestmark = pytest.mark.old_spellings  # the .pyi files have them

SOURCE = Path(cornu.__file__).parents[1]
FOLDER = Path(__file__).parent / "type_checking"
PROGRAMS = {path.stem: path for path in sorted(FOLDER.glob("*.py"))}
STUBS = sorted(Path(cornu.__file__).parent.rglob("*.pyi"))
ROOT = Path(__file__).resolve().parents[1]
INSTALLED = SOURCE.name == "site-packages"  # a folder whose files mypy does not take for sources
MYPY_LINE = re.compile(r"^(.+?):(\d+): (error|note): (.*)$", re.MULTILINE)


def run(*command, folder):
    """Run a checker in a folder without settings of ours; it finds Cornu where installed packages are."""
    environment = os.environ | ({} if INSTALLED else {"PYTHONPATH": str(SOURCE)})
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=280
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def found_by_pyright(paths, folder):
    """Return what pyright says: file, line, kind and words."""
    (folder / "pyrightconfig.json").write_text("{}", encoding="utf-8")  # else it looks for one in the folders above
    said = run("pyright", "--outputjson", "--pythonpath", sys.executable, *paths, folder=folder)
    return [
        (Path(one["file"]), one["range"]["start"]["line"] + 1, one["severity"], one["message"])
        for one in json.loads(said)["generalDiagnostics"]
    ]


def found_by_mypy(paths, folder):
    said = run("mypy", "--cache-dir", str(folder), *paths, folder=folder)
    return [(Path(path), int(line), kind, words) for path, line, kind, words in MYPY_LINE.findall(said)]


def marked(program, mark):
    """Return what stands behind a mark in the lines of a program that have it."""
    lines = PROGRAMS[program].read_text(encoding="utf-8").splitlines()
    return {number: line.partition(mark)[2] for number, line in enumerate(lines, 1) if mark in line}


@pytest.mark.parametrize("checker", ["pyright", "mypy"])
def test_types_are_known_and_mistakes_found(checker, tmp_path):
    """One run of each checker over all programs and our .pyi files: it reads JAX and numpy only once."""
    pytest.importorskip(checker)
    check = {"pyright": found_by_pyright, "mypy": found_by_mypy}[checker]
    stubs = [] if checker == "mypy" and INSTALLED else STUBS
    found = check([*map(str, PROGRAMS.values()), *map(str, stubs)], tmp_path)
    errors = {(path.name, line): words for path, line, kind, words in found if kind == "error"}
    assert set(errors) == {("mistakes.py", line) for line in marked("mistakes", ")  # wrong")}, errors

    revealed = {line: re.search(r'is "(.*)"', words)[1] for path, line, _, words in found if path == PROGRAMS["known"]}
    for line, expected in marked("known", ")  # ").items():
        plain = re.sub(r"[\w.]+\.(?=\w)", "", revealed[line])  # mypy names the modules too
        plain = re.sub(r"^def \(.*\) -> (\w+)$", r"type[\1]", plain)
        assert plain == expected, f"known.py, line {line}"


def test_the_stubs_are_what_the_script_writes():
    done = subprocess.run([sys.executable, ROOT / "scripts" / "stubs", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
