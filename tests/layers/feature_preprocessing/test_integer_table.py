"""A table from integers to integers answers as a dictionary."""

import numpy as np
import pytest

from cornu.layers.feature_preprocessing.integer_table import IntegerTable


def keys_of(random, kind, size):
    if kind == "consecutive":
        return np.arange(-3, size - 3)
    if kind == "far apart":
        return np.arange(size) << 40
    return np.unique(random.integers(-(2**63), 2**63 - 1, size))


@pytest.mark.parametrize("kind", ["consecutive", "far apart", "random"])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 17, 1000, 5000])
def test_any_integers(kind, size):
    random = np.random.default_rng(size)
    keys = random.permutation(keys_of(random, kind, size))
    values = random.integers(0, 2**40, len(keys))
    table = IntegerTable(keys, values, -5)
    others = [-(2**63), 2**63 - 1, 0, -1, 1, *random.integers(-(2**63), 2**63 - 1, 500), *(keys[:9] + 1)]
    asked = random.permutation(np.concatenate([keys, keys, np.array(others)]))
    known = dict(zip(keys.tolist(), values.tolist(), strict=True))
    np.testing.assert_array_equal(table.of(asked), [known.get(key, -5) for key in asked.tolist()])
    np.testing.assert_array_equal(table.of(asked[:6].reshape(2, 3)), table.of(asked[:6]).reshape(2, 3))
    assert table.of(np.zeros((0, 2), int)).shape == (0, 2)
    np.testing.assert_array_equal(table.of(asked.view("uint64")), table.of(asked))
