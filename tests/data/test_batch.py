import numpy as np
import pytest

from cornu.data.batch import Batch, unpack

x, y, w = np.zeros((2, 1)), np.ones(2), np.full(2, 0.5)


@pytest.mark.parametrize("kind", [tuple, list])
def test_one_to_three_parts(kind):
    assert unpack(kind([x])) == Batch(x)
    assert unpack(kind([x, y])) == Batch(x, y)
    assert unpack(kind([x, y, w])) == Batch(x, y, w)


def test_arrays_and_dictionaries_are_inputs():
    assert unpack(x).x is x
    assert unpack({"a": x}) == Batch({"a": x})
    made = Batch(x, y)
    assert unpack(made) is made


@pytest.mark.parametrize("parts", [(), (x, y, w, w)])
def test_other_numbers_of_parts_are_refused(parts):
    with pytest.raises(ValueError, match=f"got a tuple of {len(parts)} parts"):
        unpack(parts)
