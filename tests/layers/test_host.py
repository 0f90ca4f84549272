"""Layers that compute with numpy."""

import jax
import numpy as np
import pytest

import cornu
from cornu.core.text import as_text
from cornu.data.dataset import Dataset
from cornu.layers.host import HostLayer


class Lengths(HostLayer):
    """How many characters texts, or numbers written out, have."""

    output_dtype = "int32"

    def call(self, inputs):
        return np.array([len(str(one)) for one in inputs.ravel()], np.int32).reshape(inputs.shape)

    def compute_output_shape(self, input_shape):
        return input_shape


@pytest.mark.parametrize(
    "texts",
    [
        ["a", "café"],
        ("a", "café"),
        [b"a", "café".encode()],
        ["a", "café".encode()],
        np.array(["a", "café"]),
        np.array(["a", "café"], object),
        np.array([b"a", "café".encode()]),
    ],
    ids=lambda texts: type(texts).__name__,
)
def test_text_of_all_kinds(texts):
    found = Lengths()(texts)
    assert isinstance(found, jax.Array)
    assert found.tolist() == [1, 4]


def test_a_single_text_and_a_column_of_a_data_frame():
    pandas = pytest.importorskip("pandas")
    assert int(Lengths()("abc")) == 3
    assert Lengths()(pandas.DataFrame({"text": ["a", "bc"]})["text"]).tolist() == [1, 2]


def test_structures_keep_their_form():
    class Joined(HostLayer):
        output_dtype = "string"

        def call(self, inputs):
            first, second = inputs["a"] if isinstance(inputs, dict) else inputs
            return np.char.add(first.astype(str), second.astype(str))

        def compute_output_shape(self, input_shape):
            return input_shape[0]

    assert Joined()((np.array(["a"]), np.array([3]))).tolist() == ["a3"]
    assert Joined()({"a": [np.array(["a"]), np.array([3])]}).tolist() == ["a3"]


def test_a_program_calls_the_layer_back():
    found = jax.jit(lambda x: Lengths()(x) * 2)(np.arange(8, 12))
    assert found.tolist() == [2, 2, 4, 4]


def test_symbolic_calls_know_shape_and_dtype():
    found = Lengths()(cornu.Input((1,), dtype="string"))
    assert (tuple(found.shape), found.dtype) == ((None, 1), "int32")


def test_rows_of_different_length_are_refused():
    with pytest.raises(ValueError, match="rows differ in length"):
        Lengths()([["a"], ["b", "c"]])


def test_bytes_that_are_not_utf_8_are_replaced():
    assert as_text(np.array([b"\xff", "é".encode()], object)).tolist() == ["\ufffd", "é"]


def test_operations_make_tensors_of_text():
    assert cornu.ops.convert_to_tensor(["a", "b"]).tolist() == ["a", "b"]
    assert cornu.ops.convert_to_tensor("a").tolist() == "a"
    assert cornu.ops.convert_to_tensor(np.array([b"a"])).tolist() == ["a"]


def test_maps_of_data_sets_call_the_layer_itself():
    numbers = Dataset.from_tensor_slices(np.array([8, 9, 10, 11]))
    layer = Lengths()
    assert [int(one) for one in numbers.map(layer)] == [1, 1, 2, 2]
    assert [np.asarray(one).tolist() for one in numbers.batch(2).map(lambda x: layer(x) * 2)] == [[2, 2], [4, 4]]
