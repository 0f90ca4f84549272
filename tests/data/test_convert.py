import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import cornu
from cornu.data.convert import as_arrays, rows_in, to_array


class Tensor:
    """What a torch tensor looks like from outside: no numpy array until it is detached and on the host."""

    def __init__(self, values):
        self.values, self.ready = values, False
        self.shape, self.dtype = values.shape, "torch.float32"

    def detach(self):
        return self

    def cpu(self):
        self.ready = True
        return self

    def numpy(self):
        assert self.ready
        return self.values


FRAME = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.0, 2.0]})


@pytest.mark.parametrize(
    ("given", "dtype", "values"),
    [
        (np.array([[1.0, 2.0]]), "float32", [[1, 2]]),
        (np.array([1, 2], "uint8"), "uint8", [1, 2]),
        (np.array([1, 2], "float16"), "float16", [1, 2]),
        (np.array([True, False]), "bool", [True, False]),
        (np.array([[1, 2.5], [3, 4]], object), "float32", [[1, 2.5], [3, 4]]),
        (jnp.array([1.0, 2.0]), "float32", [1, 2]),
        ([1, 2, 3], "int64", [1, 2, 3]),
        ([[1.0, 2.0], [3, 4]], "float32", [[1, 2], [3, 4]]),
        (((1.0, 2.0), (3, 4)), "float32", [[1, 2], [3, 4]]),
        ([np.float32(1), np.float32(2)], "float32", [1, 2]),
        (range(3), "int64", [0, 1, 2]),
        (FRAME, "float32", [[1, 0.5], [2, 1], [3, 2]]),
        (FRAME["a"], "int64", [1, 2, 3]),
        (pd.DataFrame({"a": [1.5, 2], "b": [True, False]}), "float32", [[1.5, 1], [2, 0]]),
        (pd.Series([np.ones(2), np.zeros(2)]), "float32", [[1, 1], [0, 0]]),
        (Tensor(np.ones((2, 1))), "float32", [[1], [1]]),
    ],
)
def test_arrays_of_any_library_become_arrays_of_numbers(given, dtype, values):
    array = as_arrays(given, "x")
    assert array.dtype.name == dtype
    np.testing.assert_array_equal(array, values)


def test_torch_tensors_that_need_gradients():
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(as_arrays(torch.ones(2, 3, requires_grad=True), "x"), np.ones((2, 3)))


def test_arrays_as_they_should_be_are_not_copied():
    array = np.ones((3, 2), "float32")
    assert as_arrays(array, "x") is array


def test_structures_keep_their_form():
    one, two = np.ones((2, 1)), [[1.0], [2.0]]
    assert isinstance(as_arrays([one, two], "x"), list)
    assert isinstance(as_arrays((one, two), "x"), tuple)
    named = as_arrays({"a": one, "b": two}, "x")
    assert {name: array.shape for name, array in named.items()} == {"a": (2, 1), "b": (2, 1)}
    assert as_arrays(None, "x") is None


def test_the_number_of_inputs_decides_what_a_list_of_lists_is():
    given = [[1.0, 2.0], [3.0, 4.0]]
    assert as_arrays(given, "x", inputs=1).shape == (2, 2)
    assert [array.shape for array in as_arrays(given, "x", inputs=2)] == [(2,), (2,)]
    assert as_arrays([np.ones((5, 3))], "x", inputs=1).shape == (5, 3)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ([[1, 2], [3]], ValueError, "x is a list whose rows differ in length: pad them"),
        (["a", "b"], TypeError, "x contains text; a model needs numbers"),
        (np.array([b"a"]), TypeError, "x contains bytes"),
        (np.zeros(2, [("a", int)]), TypeError, "x contains structured records"),
        (pd.DataFrame({"a": [1, 2], "b": ["up", "down"]}), TypeError, "columns: 'b' .one value is 'up'"),
        (np.array([np.zeros(2), np.zeros(3)], object), TypeError, "pad rows of different length"),
        (print, TypeError, "not data: call it"),
        ({"a": ["x"]}, TypeError, r"x\['a'\] contains text"),
        (np.array(["2020-01-01"], "datetime64[D]"), TypeError, r"x contains dates.*\n.*dayofyear"),
        (
            pd.DataFrame({"d": pd.date_range("2020", periods=2), "x": [1, 2]}),
            TypeError,
            r"contains dates .one.*\n.*day",
        ),
        ([np.zeros(2), np.array(["x"])], TypeError, r"x\[1\] contains text"),
    ],
)
def test_what_is_no_array_of_numbers_is_rejected_with_a_clear_error(given, error, words):
    with pytest.raises(error, match=words):
        as_arrays(given, "x")


def test_labels_of_text_get_advice_of_their_own():
    for y in (["a", "b"], np.array(["a", "b"], object), pd.Series(["a", "b"]).astype("category")):
        with pytest.raises(TypeError, match=r"y contains text.*\n.*numpy\.unique\(y, return_inverse=True\)"):
            as_arrays(y, "y")


def test_sparse_matrices_are_rejected_with_a_clear_error():
    class Sparse:
        def toarray(self):
            return np.eye(3)

    with pytest.raises(TypeError, match=r"Pass x.toarray\(\)"):
        as_arrays(Sparse(), "x")


@pytest.mark.parametrize(
    ("structures", "words"),
    [
        ((np.zeros((3, 2)), np.zeros(4)), "x has 3, y has 4"),
        (({"a": np.zeros(3), "b": np.zeros(2)},), r"x\['a'\] has 3, x\['b'\] has 2"),
        ((np.zeros(3), [np.zeros(3), np.zeros(2)]), r"y\[0\] has 3, y\[1\] has 2"),
        ((np.zeros(3), None, np.zeros(2)), "sample_weight has 2"),
        ((np.zeros((0, 3)),), "There is no data: the arrays have 0 rows"),
        (({},), "There is no data"),
        ((np.float32(1),), "x is a single number"),
    ],
)
def test_rows_that_do_not_match_are_named(structures, words):
    with pytest.raises(ValueError, match=words):
        rows_in(*structures)


@pytest.mark.parametrize("kind", [object, "category", "string"])
def test_a_column_of_text_is_named(kind):
    frame = pd.DataFrame({"age": [1.0, 2.0], "town": pd.Series(["Paris", "Rome"], dtype=kind)})
    with pytest.raises(TypeError, match=r"x has text in 1 of its columns: 'town' \(one value is 'Paris'\)"):
        to_array(frame, "x")


def test_numbers_in_columns_of_objects_are_taken():
    frame = pd.DataFrame({"a": pd.Series([1, 2], dtype=object), "b": [0.5, 1.5]})
    np.testing.assert_array_equal(to_array(frame, "x"), [[1, 0.5], [2, 1.5]])


def test_columns_are_those_of_the_frame_that_the_model_learned_from():
    frames = pytest.importorskip("pandas")
    frame = frames.DataFrame({"b": [1.0, 2.0], "a": [3.0, 4.0], "c": [0.0, 1.0]})
    model = cornu.Sequential([cornu.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(frame, np.ones(2), verbose=0, validation_data=(frame, np.ones(2)))
    expected = model.predict(frame.to_numpy(), verbose=0)
    for same in (frame, frame.rename(columns={"c": "d"}), frames.DataFrame(frame.to_numpy())):
        np.testing.assert_array_equal(model.predict(same, verbose=0), expected)
    with pytest.raises(ValueError, match=r"in another order: column 0 is 'a', not 'b'.\nPass the same columns"):
        model.predict(frame[["a", "b", "c"]], verbose=0)
    with pytest.raises(ValueError, match=r"3 columns .'b', 'a', 'c'.; this one has no column 'c'"):
        model.evaluate(frame[["b", "a"]], np.ones(2), verbose=0)
    with pytest.raises(ValueError, match="this one has 4"):
        model.predict_on_batch(frame.assign(d=1.0))
    model.fit(frame[["a", "b", "c"]], np.ones(2), verbose=0)
    model.predict(frame[["a", "b", "c"]], verbose=0)
    model.fit(frame.to_numpy(), np.ones(2), verbose=0)
    model.predict(frame, verbose=0)


def test_missing_values_in_frames_are_named():
    frames = pytest.importorskip("pandas")
    model = cornu.Sequential([cornu.layers.Dense(1)])
    model.compile("sgd", "mse")
    for missing in (np.nan, None):
        for kind in ("float64", object):
            frame = frames.DataFrame({"a": [1.0, missing, 3.0], "b": [1.0, 2.0, 3.0]}).astype(kind)
            with pytest.raises(ValueError, match=r"x contains 1 values that are NaN .*first in row 1"):
                model.fit(frame, np.ones(3), verbose=0)
    with pytest.raises(ValueError, match=r"y contains 1 values that are NaN .*first in row 0"):
        model.fit(np.ones((3, 2)), frames.Series([None, 1.0, 2.0]), verbose=0)
