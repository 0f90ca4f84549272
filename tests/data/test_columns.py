"""Which columns are inputs and targets."""

import pytest

from cornu.data.columns import ColumnRule, Columns, ModelNames, is_named

STACK = ModelNames((), needs_targets=True)
ONE = ModelNames(("image",), ("digit",), needs_targets=True)
TWO = ModelNames(("a", "b"), ("price",), several=True, needs_targets=True)
OUTPUTS = ModelNames(("x",), ("p", "q"), needs_targets=True)
CODE = ModelNames(None, needs_targets=True)
A_AND_B = {"a": "a", "b": "b"}


@pytest.mark.parametrize(
    ("model", "names", "y", "inputs", "targets"),
    [
        (STACK, ["label", "text"], None, "text", "label"),
        (STACK, ["x", "Y"], None, "x", "Y"),
        (STACK, ["text", "stars"], "stars", "text", "stars"),
        (STACK, ["picture"], "picture", "picture", "picture"),
        (ONE, ["text", "digit"], None, "text", "digit"),
        (ONE, ["image", "stars"], None, "image", "stars"),
        (ONE, ["image", "id", "label"], None, "image", "label"),
        (ONE, ["image", "id", "label", "digit"], None, "image", "digit"),
        (ONE, ["image", "id"], "image", "image", "image"),
        (TWO, ["b", "stars", "a"], None, A_AND_B, "stars"),
        (TWO, ["b", "id", "a", "price"], None, A_AND_B, "price"),
        (TWO, ["b", "id", "a", "target"], None, A_AND_B, "target"),
        (OUTPUTS, ["x", "p", "q", "label"], None, "x", {"p": "p", "q": "q"}),
        (OUTPUTS, ["x", "r", "s"], ["r", "s"], "x", ["r", "s"]),
        (OUTPUTS, ["x", "r", "s"], {"p": "s", "q": "r"}, "x", {"p": "s", "q": "r"}),
        (CODE, ["pixels", "labels"], None, "pixels", "labels"),
        (CODE, ["a", "b", "labels"], None, A_AND_B, "labels"),
        (ModelNames(), ["a", "b"], None, A_AND_B, None),
        (ModelNames(("a",)), ["a", "b", "c"], None, "a", None),
    ],
)
def test_fit_takes(model, names, y, inputs, targets):
    assert ColumnRule(model).columns(names, y) == Columns(inputs, targets)


@pytest.mark.parametrize(
    ("model", "names", "y", "words"),
    [
        (STACK, ["text", "stars"], None, r"'text', 'stars': their names.*the target\.\n.*fit\(data, y='stars'\), or"),
        (STACK, ["x"], None, r"only its inputs: 'x'\.\n.*fit\(data, y='x'\)"),
        (STACK, ["id", "x", "y"], None, r"any of 'id', 'x'\.\n.*name='id'\).*data\['id'\], data\['y'\]\."),
        (STACK, ["x", "y"], "yy", "no column 'yy': the columns are 'x', 'y'. Did you mean 'y'?"),
        (ONE, ["image", "label", "labels"], None, r"fit\(data, y='labels'\)"),
        (TWO, ["a", "price"], None, "inputs 'a', 'b'; there is no column 'b': the columns are 'a', 'price'"),
        (TWO, ["a", "b"], None, r"only its inputs: 'a', 'b'\."),
        (OUTPUTS, ["x", "p", "r"], None, r"target of each output\.\n.*y=\{'p': 'p', 'q': 'r'\}\)\.$"),
        (CODE, ["a", "b"], None, r"fit\(data, y='b'\)"),
    ],
)
def test_fit_refuses_what_the_names_do_not_say(model, names, y, words):
    with pytest.raises(ValueError, match=words):
        ColumnRule(model).columns(names, y)


@pytest.mark.parametrize(
    ("model", "names", "inputs"),
    [
        (STACK, ["text"], "text"),
        (STACK, ["text", "label"], "text"),
        (STACK, ["label"], "label"),
        (ONE, ["text", "digit"], "text"),
        (TWO, ["b", "id", "a"], A_AND_B),
        (CODE, ["a", "label", "b"], A_AND_B),
    ],
)
def test_predict_takes(model, names, inputs):
    assert ColumnRule(model, only_inputs=True).columns(names) == Columns(inputs)


def test_predict_refuses():
    with pytest.raises(ValueError, match=r"any of 'text', 'stars'\.\n.*pass the columns alone: data\['text'\]\."):
        ColumnRule(STACK, only_inputs=True).columns(["text", "stars"])


def test_what_fit_chose_counts_later():
    known = ColumnRule(STACK).columns(["text", "stars", "w"], "stars", "w")
    assert known == Columns("text", "stars", "w")
    assert ColumnRule(STACK, known=known).columns(["stars", "text", "id"]) == Columns("text", "stars")
    assert ColumnRule(STACK, True, known).columns(["id", "text"]) == Columns("text")
    assert ColumnRule(STACK, True, known).columns(["sentence", "label"]) == Columns("sentence")


def test_dictionaries_with_targets_are_divided_and_others_are_left():
    rule, both = ColumnRule(TWO), {"a": 1, "b": 2, "price": 3}
    assert rule.apply(both) == ({"a": 1, "b": 2}, 3, None)
    assert rule.apply(both, "a", "b") == ({"a": 1, "b": 2}, 1, 2)
    for given in ((both, 4), ([1, 2],), ({},), ({1: 2},)):
        assert rule.apply(*given)[0] is given[0]
    assert ColumnRule(ModelNames()).apply(both)[0] is both


def test_names_of_columns_are_not_data():
    assert is_named("label")
    assert is_named(["p", "q"], ["p", "q"])
    for data in (None, [], ["cat", "dog"], [1, 2]):
        assert not is_named(data, ["p", "q"])
