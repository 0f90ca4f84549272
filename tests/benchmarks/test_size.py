"""`scripts/size`: how large the source is, and what a commit changed."""

import doctest
import subprocess

import pytest
from benchmarks.size import Size

import test_structure
from benchmarks import size

ONE = '''"""About the file."""

import os  # a comment


class Thing:
    """About the class."""

    def first(self):
        """About the method:

        two lines and a blank one.
        """
        return os.sep

    @property
    def second(self):

        def inner():
            return 1

        # a comment of its own
        return inner()
'''


def test_examples():
    result = doctest.testmod(size)
    assert result.attempted > 0
    assert result.failed == 0


def test_a_file():
    assert size.size_of([ONE]) == Size(files=1, lines=9, functions=3, median=2, most=4, longest=4)


def test_nine_in_ten():
    lengths = [1] * 8 + [5, 30]
    texts = ["def f(): " + "\n\n    # no code\n".join(["\n    x = 1"] * (n - 1) or ["x = 1"]) + "\n" for n in lengths]
    found = size.size_of(texts)
    assert (found.functions, found.median, found.most, found.longest) == (10, 1, 5, 30)


def test_lines_are_counted_as_the_limits_are():
    for name, path in test_structure.MODULES.items():
        assert size.code_lines(path.read_text(encoding="utf-8")) == test_structure.lines_of(name)
    longest = size.by_folder(size.files_now())["all"].longest
    assert longest <= test_structure.FUNCTION_LIMIT


def test_folders():
    found = size.by_folder({"a/b.py": "x = 1\n", "a/c/d.py": "x = 1\n\ny = 2\n", "e.py": "x = 1\n"})
    assert {name: (one.files, one.lines) for name, one in found.items()} == {".": (1, 1), "a": (2, 3), "all": (3, 4)}


def test_the_change_since_a_commit(tmp_path):
    package = tmp_path / size.PACKAGE
    (package / "old").mkdir(parents=True)
    (package / "core").mkdir()
    (package / "old" / "one.py").write_text("x = 1\n", encoding="utf-8")
    (package / "core" / "two.py").write_text("x = 1\n", encoding="utf-8")
    person = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "."], [*person, "commit", "-qm", "One"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, capture_output=True)
    (package / "old" / "one.py").unlink()
    (package / "core" / "two.py").write_text("def f():\n    return 1\n\n\nx = f()\n", encoding="utf-8")

    before, now = (size.by_folder(files) for files in (size.files_at("HEAD", tmp_path), size.files_now(tmp_path)))
    words = [line.split() for line in size.table(now, before).splitlines()]
    assert words[0] == ["folder", *size.HEADS]
    assert words[1][:5] == ["core", "1", "3", "(+2)", "1"]
    assert words[2][:5] == ["old", "0", "(-1)", "0", "(-1)"]
    assert words[3][:5] == ["all", "1", "(-1)", "3", "(+1)"]

    with pytest.raises(ValueError, match="not a valid object name"):
        size.files_at("no-such-commit", tmp_path)


def test_without_a_commit_there_is_no_change():
    sizes = size.by_folder({"core/one.py": ONE})
    assert "(" not in size.table(sizes)
