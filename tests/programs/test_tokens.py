import pytest

from cornu.programs.tokens import logical_line_end, scan

TEXTS = [
    "x = 'a\\'b' # it's\n",
    'f("""a\n"b" """, 0x1F, 1.5e-3) \\\n + 2\n',
    "`x` <> $y ? \u00a0\n",
    "'unclosed\nx",
    "'''unclosed\n",
    "ur'a' rb'b'",
]


@pytest.mark.parametrize("text", TEXTS)
def test_tokens_joined_give_the_text_back(text):
    assert "".join(token.text for token in scan(text)) == text


def test_kinds():
    kinds = [(token.kind, token.text) for token in scan("if x<>0777:  # no\n")]
    assert kinds[:4] == [("name", "if"), ("space", " "), ("name", "x"), ("op", "<>")]
    assert kinds[4:] == [("number", "0777"), ("op", ":"), ("space", "  "), ("comment", "# no"), ("newline", "\n")]


def test_a_logical_line_goes_over_brackets_strings_and_backslashes():
    text = "x = f(1,\n  '''a\n)''') + \\\n 2\ny = 3\n"
    assert text[logical_line_end(text, 0) :] == "y = 3\n"
