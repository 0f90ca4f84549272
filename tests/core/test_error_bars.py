"""Means with deviations are numbers like any other, and print with what is known of them."""

import copy
import json
import math
import pickle

import numpy as np
import pytest

from cornu.core.error_bars import ErrorBar, deviation_of, joined, value_in

VALUES = [0.971, 0.984, 0.979]


@pytest.fixture
def bar():
    return ErrorBar(VALUES)


def test_it_is_the_mean(bar):
    assert bar == pytest.approx(np.mean(VALUES))
    assert bar.deviation == pytest.approx(np.std(VALUES, ddof=1))
    assert math.sqrt(bar) == math.sqrt(np.mean(VALUES))
    assert "%.2f" % bar == "0.98"  # noqa: UP031 (what programs write)
    assert json.loads(json.dumps({"accuracy": bar})) == {"accuracy": float(bar)}
    assert sorted([bar, 0.5])[0] == 0.5


def test_it_prints_with_its_deviation(bar):
    assert str(bar) == repr(bar) == "0.9780 ± 0.0066"
    assert f"{bar:.3f}" == "0.978 ± 0.007"
    assert f"{bar:.1%}" == "97.8% ± 0.7%"
    assert str([bar]) == "[0.9780 ± 0.0066]"
    assert str(ErrorBar([1.0, math.nan])) == "nan"
    assert str(ErrorBar([1000.0, 1040.0])) == "1020 ± 28"


@pytest.mark.parametrize(
    "function",
    [
        lambda x: 100 * x, lambda x: x * 100, lambda x: 1 - x, lambda x: x - 1, lambda x: x / 3, lambda x: 2 / x,
        lambda x: x + 1.5, lambda x: x**2, lambda x: -x, lambda x: abs(x), lambda x: x * np.float32(2),
    ],
)  # fmt: skip
def test_arithmetic_applies_to_each_value(function, bar):
    found = function(bar)
    assert isinstance(found, ErrorBar)
    assert found.values == pytest.approx([function(value) for value in VALUES])


def test_two_bars_of_the_same_trainings_are_joined_by_training(bar):
    assert (bar + bar).values == pytest.approx([2 * value for value in VALUES])
    assert (bar - bar).deviation == 0
    assert round(bar, 1).values == (1.0, 1.0, 1.0)
    assert "abc"[round(bar)] == "b"


def test_copies_keep_the_values(bar):
    for found in (copy.deepcopy(bar), pickle.loads(pickle.dumps(bar))):
        assert (found.values, found.deviation) == (bar.values, bar.deviation)


def test_values_are_joined_and_found_again():
    assert joined([0.5, 0.5]) == 0.5
    assert not isinstance(joined([0.5, 0.5]), ErrorBar)
    arrays = joined([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    assert arrays.tolist() == [2.0, 3.0]
    assert value_in(arrays, 1).tolist() == [3.0, 4.0]
    assert value_in({"a": 1}, 0) == {"a": 1}
    assert deviation_of(joined([1.0, 3.0])) == pytest.approx(math.sqrt(2))
