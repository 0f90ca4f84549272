"""Symbolic tensors: shapes inferred by tracing, functions that become nodes, words where a value is asked for."""

import jax.numpy as jnp
import numpy as np
import pytest

from cornu import layers
from cornu.core.graph import SymbolicTensor, infer, op, sorted_nodes
from cornu.core.scope import changed
from cornu.layers import Dense, Input
from cornu.models import Model


@op
def halves(x):
    """Cut the batch into pairs."""
    return jnp.reshape(x, (x.shape[0] // 2, 2, *x.shape[1:]))


@pytest.mark.parametrize(
    ("shape", "function", "expected"),
    [
        ((None, 4), lambda x: x * 2, (None, 4)),
        ((None, 4), lambda x: x.sum(), ()),
        ((None, 4), lambda x: x.reshape(-1), (None,)),
        ((None, 4), lambda x: x @ x.T, (None, None)),
        ((None, 55440), lambda x: x, (None, 55440)),
        ((None, 3), lambda x: jnp.ones((5, 3)) + x[:1], (5, 3)),
        ((None, None, 3), lambda x: x[:, ::2], (None, None, 3)),
        ((None, None, 3), lambda x: x.mean(axis=1), (None, 3)),
        ((7, 3), lambda x: x.T, (3, 7)),
        ((None, 6), halves, (None, 2, 6)),
    ],
)
def test_unknown_axes_are_found_by_tracing(shape, function, expected):
    assert tuple(infer(function, (SymbolicTensor(shape),), {}).shape) == expected


def test_operators_and_functions_add_nodes():
    x = Input((4,))
    y = (2 - x[:, :2]) ** 2 / (1 + x[:, 2:])
    model = Model(x, y)
    data = np.random.default_rng(0).uniform(size=(3, 4)).astype("float32")
    np.testing.assert_allclose(model.predict(data, verbose=0), (2 - data[:, :2]) ** 2 / (1 + data[:, 2:]), rtol=1e-5)


def test_a_running_step_knows_the_values_of_its_symbolic_tensors():
    x = Input((2,))
    y = x * 3
    with changed(values={id(x): jnp.ones((1, 2))}):
        assert (y + 1).tolist() == [[4, 4]]
    assert isinstance(y + 1, SymbolicTensor)


@pytest.mark.parametrize("use", [bool, len, np.asarray, list])
def test_asking_for_a_value_raises_a_clear_error(use):
    with pytest.raises(TypeError, match="no values yet"):
        use(Input((3,)))


def test_outputs_must_depend_on_the_inputs():
    x, other = Input((2,)), Input((2,), name="other")
    with pytest.raises(ValueError, match="other"):
        Model(x, Dense(1)(x + other))
    assert len(sorted_nodes([x + other], [x, other])) == 1


@pytest.mark.parametrize("structure", [list, dict], ids=["list", "dictionary"])
def test_a_graph_does_not_see_what_the_caller_adds_to_its_list_later(structure):
    start = Input((4,))
    tensors, y = [start], start
    for _ in range(3):  # as a DenseNet is written
        y = Dense(2)(y)
        tensors.append(y)
        y = layers.concatenate(tensors if structure is list else list(dict(enumerate(tensors)).values()))
    assert Model(start, y).predict(np.ones((2, 4)), verbose=0).shape == (2, 10)
    outputs = structure([("a", y)]) if structure is dict else [y, y]
    model = Model(start, outputs)
    outputs.clear()
    assert len(model.outputs) == len(model.output_names)


def test_a_symbolic_tensor_takes_keras_s_arguments(real_keras):
    for tensor_class in (SymbolicTensor, real_keras.KerasTensor):
        tensor = tensor_class((2, 3), dtype="float32", sparse=False, ragged=False, record_history=True, name="x")
        assert (tensor.shape, tensor.dtype, tensor.sparse, tensor.ragged, tensor.name) == (
            (2, 3), "float32", False, False, "x",
        )  # fmt: skip
    assert Input((2,)).sparse is False
    with pytest.raises(ValueError, match=r"sparse=True.*dense"):
        SymbolicTensor((2, 3), sparse=True)
