import numpy as np
import pytest

import cornu as keras
from cornu import layers
from cornu.serve.limits import RequestError
from cornu.serve.served_model import MOST_SHAPES, ServedModel
from counting import noted


def test_any_number_of_rows_equals_predict_and_compiles_nothing(digits_model):
    served = ServedModel("digits", digits_model, sizes=(1, 4, 16))
    with noted() as before:
        served.warm_up()
    assert before
    images = np.random.default_rng(0).random((40, 28, 28)).astype("float32")
    expected = digits_model.predict(images, verbose=0)
    with noted() as found:
        for rows in (1, 2, 3, 4, 5, 15, 16, 17, 39, 40):
            outputs = served.compute([images[:rows]])
            np.testing.assert_allclose(outputs[0], expected[:rows], rtol=1e-4, atol=1e-6)
    assert not found
    assert set(served.seconds) == {1, 4, 16}
    assert served.expected_seconds(4) == served.seconds[4]
    assert served.expected_seconds(17) == float("inf")


def test_rows_are_cut_where_several_batches_are_quicker_than_one_that_is_filled_up(digits_model):
    served = ServedModel("digits", digits_model, sizes=(1, 4, 16))
    assert served.size_for(6) == 16  # nothing is known yet
    served.seconds = {1: 1.0, 4: 2.0, 16: 7.0}
    assert [served.size_for(rows) for rows in (1, 2, 4, 8, 12, 13, 16, 40)] == [1, 4, 4, 4, 4, 16, 16, 16]
    assert served.expected_seconds(8) == 4
    images = np.random.default_rng(0).random((9, 28, 28)).astype("float32")
    expected = digits_model.predict(images, verbose=0)
    np.testing.assert_allclose(served.compute([images])[0], expected, rtol=1e-4, atol=1e-6)
    assert set(served.seconds) == {1, 4, 16}


def test_a_model_called_with_a_dictionary():
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    model = keras.Model({"first": a, "second": b}, {"sum": a + b, "difference": a - b})
    served = ServedModel("m", model)
    assert [tensor.name for tensor in served.inputs] == ["first", "second"]
    assert [tensor.name for tensor in served.outputs] == ["difference", "sum"]
    difference, total = served.compute([np.full((1, 2), 5, "float32"), np.ones((1, 2), "float32")])
    assert difference.tolist() == [[4, 4]]
    assert total.tolist() == [[6, 6]]


def test_inputs_of_any_length_compile_a_limited_number_of_programs():
    model = keras.Sequential([keras.Input((None, 2)), layers.GlobalAveragePooling1D()])
    served = ServedModel("m", model, sizes=(2,))
    served.warm_up()
    assert not served.fixed
    for length in range(1, MOST_SHAPES + 1):
        array = np.ones((1, length, 2), "float32")
        assert served.admit([array]) == ((length, 2),)
    assert served.admit([array])
    np.testing.assert_allclose(served.compute([array])[0], [[1, 1]])
    with pytest.raises(RequestError, match="accepts no more"):
        served.admit([np.ones((1, 99, 2), "float32")])


def test_a_model_without_known_inputs_is_refused():
    with pytest.raises(ValueError, match="no known inputs"):
        ServedModel("m", keras.Sequential([layers.Dense(2)]))
