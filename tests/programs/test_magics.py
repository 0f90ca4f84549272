import pytest

from cornu.programs import magics


@pytest.mark.parametrize(
    ("cell", "plain"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("!pip install keras\nx = 1", "pass\nx = 1"),
        ("pip install keras", "pass"),
        ("if x:\n    !ls \\\n   -l\ny = 1", "if x:\n    pass\n\ny = 1"),
        ("%time model.fit(x)", "model.fit(x)"),
        ("%timeit -n 10 f(x)", "f(x)"),
        ("%%time\nx = 1", "pass\nx = 1"),
        ("%%bash\nls\npwd", "\n\n"),
        ("files = !ls", "files = []"),
        ("x = %time f(3)", "x = f(3)"),
        ("model.fit?\nx?? \n?x", "pass\npass\npass"),
        ("x = ('%d'\n% y)", "x = ('%d'\n% y)"),
        ("s = '''\n%matplotlib inline\n!ls\n'''", "s = '''\n%matplotlib inline\n!ls\n'''"),
        ("x = 5 \\\n% 3", "x = 5 \\\n% 3"),
        ("a != b", "a != b"),
    ],
)
def test_magics_become_python_with_the_same_lines(cell, plain):
    assert magics.without_magics(cell)[0] == plain


def test_what_is_skipped_is_said_with_its_line():
    _, notes = magics.without_magics("x = 1\n%matplotlib inline\n%time x = 2\n!pip install a", first_line=10)
    assert notes == ["line 11: '%matplotlib inline' skipped", "line 13: '!pip install a' skipped"]


def test_pylab_imports_what_it_did():
    names = {}
    exec(magics.without_magics("%pylab inline")[0].partition("; import matplotlib")[0], names)
    assert names["np"].pi > 3
    assert "from numpy import *" in magics.without_magics("%pylab inline")[0]


def test_interpreter_sessions():
    assert (
        magics.without_prompts(">>> x = 1\n>>> def f():\n...     return x\n...\n>>> f()\n1")
        == "x = 1\ndef f():\n    return x\n\nf()\n"
    )


def test_pasted_characters():
    assert magics.has_pasted_characters("x\u00a0=\u00a01")
    assert not magics.has_pasted_characters("x = '\u00a0'  # \u00a0")
    assert magics.without_pasted_characters("\ufeffx\u00a0=\u200b\u30001") == "x = 1"
    assert magics.with_plain_quotes("\u201ca\u201d + \u2018b\u2019") == "\"a\" + 'b'"


def test_the_shell_of_an_exported_notebook_does_nothing():
    assert magics.Shell().magic("matplotlib inline") is None
    assert magics.Shell().run_line_magic("matplotlib", "inline") is None
