import numpy as np
import pytest

from cornu.serve.limits import RequestError
from cornu.serve.tensors import Tensor, array_of, check_rows, fitted


def test_values_take_the_type_and_shape_of_the_input():
    found = fitted(array_of([[1, 2.5]], Tensor("x", (2,), "float32")), Tensor("x", (2,), "float32"))
    assert found.dtype == "float32"
    assert fitted(np.ones((4, 2, 1)), Tensor("x", (2,), "float32")).shape == (4, 2)
    assert fitted(np.ones((4, 2)), Tensor("x", (2, 1), "float32")).shape == (4, 2, 1)
    assert fitted(np.ones(4), Tensor("x", (1,), "int8")).tolist() == [[1]] * 4
    assert fitted(np.ones((4, 9)), Tensor("x", (None,), "bool")).all()
    assert fitted(np.ones(3), Tensor("x", (), "float64")).shape == (3,)
    assert Tensor("x", (), "float16").datatype == "FP16"


@pytest.mark.parametrize(
    ("values", "tensor", "said"),
    [
        ([[1, 2], [3]], Tensor("x", (2,), "float32"), "differ in length"),
        ([["1", "2"]], Tensor("x", (2,), "float32"), "not all numbers"),
        ([[None, 2]], Tensor("x", (2,), "float32"), "not all numbers"),
        ([[{}, 2]], Tensor("x", (2,), "float32"), "not all numbers"),
        ([[10**30, 2]], Tensor("x", (2,), "int64"), "not all numbers"),
        ([[1e300, 2]], Tensor("x", (2,), "float32"), "too large for FP32"),
        ([[float("nan"), 2]], Tensor("x", (2,), "float32"), "contain NaN"),
        ([[float("nan"), 2]], Tensor("x", (2,), "int32"), "integers"),
        ([[-1, 2]], Tensor("x", (2,), "uint8"), "fit into UINT8"),
        ([[2, 1]], Tensor("x", (2,), "bool"), "true or false"),
        ([[]], Tensor("x", (None,), "float32"), "no values"),
        (5, Tensor("x", (), "float32"), "expected [rows]"),
        ([[[1]]], Tensor("x", (2, None, 3), "float32"), "expected [rows, 2, any, 3]"),
    ],
)
def test_a_mismatch_raises_a_clear_error(values, tensor, said):
    with pytest.raises(RequestError, match="x") as caught:
        fitted(array_of(values, tensor), tensor)
    assert caught.value.status == 422
    assert said in caught.value.message


def test_rows_are_alike_and_not_too_many():
    check_rows([np.ones((3, 2)), np.ones(3)], 3)
    with pytest.raises(RequestError) as caught:
        check_rows([np.ones((3, 2)), np.ones(2)], 3)
    assert caught.value.status == 422
    with pytest.raises(RequestError) as caught:
        check_rows([np.ones((4, 2))], 3)
    assert caught.value.status == 413
