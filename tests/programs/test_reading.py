import ast

import pytest

from cornu.programs.reading import read_program


def read(tmp_path, text, name="a.py"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_program(path)


def test_a_plain_program_is_left_as_it_is(tmp_path):
    text = "x = '\u00a0\u201c'  # %matplotlib\nprint(x)\n"
    program = read(tmp_path, text)
    assert program.cells[0].text == text
    assert program.notes == []


def test_pasted_spaces_are_plain_everywhere_once_they_break_the_program(tmp_path):
    program = read(tmp_path, "x\u00a0=\u00a01\nprint('a\u00a0b')\n")
    assert program.cells[0].text == "x = 1\nprint('a b')\n"
    assert "non-breaking" in program.notes[0]


def test_python2_is_said(tmp_path):
    program = read(tmp_path, "print 'a'\nfor i in xrange(3): print i,\n")
    assert program.notes == ["translated from Python 2: print statements"]
    ast.parse(program.cells[0].text)


def test_curly_quotes_only_where_they_break(tmp_path):
    assert read(tmp_path, "x = \u2018a\u2019\n").cells[0].text == "x = 'a'\n"


def test_lines_of_the_file_are_kept_for_tracebacks(tmp_path):
    program = read(tmp_path, "%matplotlib inline\nprint 'a'\n", "a.ipy")
    assert program.lines[str(tmp_path / "a.ipy")] == ["%matplotlib inline\n", "print 'a'\n"]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfx = 1\r\ny = 2\r\n",
        b"x = 1\ry = 2\r",
        b"# -*- coding: latin-1 -*-\nx = '\xe9'",
        b"x = '\xe9\xff'",
        b"# coding: nonsense\nx = 1",
    ],
)
def test_encodings_and_line_breaks(tmp_path, content):
    ast.parse(read(tmp_path, content).cells[0].text)


def test_a_text_file_is_what_its_content_says(tmp_path):
    assert len(read(tmp_path, "```\nimport a\n```\n```python\nb()\n```\n", "a.txt").cells) == 2
    assert read(tmp_path, "In [1]:\nx\n", "b.txt").cells[0].shows_value
    assert read(tmp_path, "x = 1\n", "c.txt").cells[0].text == "x = 1\n"


@pytest.mark.parametrize(
    ("name", "text"), [("a.md", "# only prose\n"), ("a.md", "```bash\nls\n```\n"), ("a.ipynb", '{"cells": []}')]
)
def test_no_code_is_said(tmp_path, name, text):
    with pytest.raises(ValueError, match="no Python code"):
        read(tmp_path, text, name)


def test_prose_and_other_files_are_said_to_be_no_program(tmp_path):
    with pytest.raises(ValueError, match=r"no Python code that can run. In a document"):
        read(tmp_path, "Just some prose about Keras.\n\nMore prose, here.\n", "notes.txt")
    assert read(tmp_path, "import keras\nx = (1,\n", "slip.txt").cells, "Python says what is wrong"
    (tmp_path / "model.py").write_bytes(b"\x89PNG\0\0\r\n")
    with pytest.raises(ValueError, match="is not a text file"):
        read_program(tmp_path / "model.py")
    (tmp_path / "windows.py").write_bytes("x = 'ä'\n".encode("utf-16"))
    assert read_program(tmp_path / "windows.py").cells[0].text == "x = 'ä'\n"


def test_what_cannot_be_repaired_is_left_for_python_to_refuse(tmp_path):
    program = read(tmp_path, "x = 1\nif x\n    y\n")
    with pytest.raises(SyntaxError):
        ast.parse(program.cells[0].text)


def test_a_broken_block_marked_python_is_run_and_fails_there(tmp_path):
    program = read(tmp_path, "```python\nx = 1\n```\n\n```python\nmodel.fit(x,\n```\n", "a.md")
    assert [cell.first_line for cell in program.cells] == [2, 6]


SEEDS = [("000", 1, 1, 0), ("001", 8, 3, 2), ("002", 7, 4, 0), ("003", 12, 1, 0), ("004", 1, 0, 0)]


@pytest.mark.parametrize(("number", "cells", "skipped", "repairs"), SEEDS)
def test_the_five_documents(shared, number, cells, skipped, repairs):
    (path,) = (shared / "seeds").glob(f"{number}_*.txt")
    program = read_program(path)
    assert len(program.cells) == cells
    assert sum("not run" in note for note in program.notes) == skipped
    assert len(program.notes) == skipped + repairs
    for cell in program.cells:
        ast.parse(cell.text)
        first = next(line for line in cell.text.split("\n") if line.strip())
        line = cell.first_line + cell.text.split("\n").index(first)
        assert program.lines[str(path)][line - 1].replace("\u00a0", " ").rstrip("\n") == first


def test_the_programs_are_the_code_of_the_documents(shared):
    """The code found in a document is, but for what the document leaves out, the code taken out of it by hand."""
    for number, name in [
        ("000", "seed0_book_mlp.py"),
        ("002", "seed2_kdnuggets_mlp.py"),
        ("003", "seed3_notebook_mlp.py"),
    ]:
        (path,) = (shared / "seeds").glob(f"{number}_*.txt")
        found = "\n".join(cell.text for cell in read_program(path).cells)
        by_hand = read_program(shared / "programs" / name).cells[0].text
        assert ast.dump(ast.parse(found)) == ast.dump(ast.parse(by_hand))
