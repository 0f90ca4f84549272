"""Merging layers and functions against real Keras: values, gradients, shapes, masks, errors."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cornu.layers as layers
from contract.compare import assert_like_keras
from cornu.core.scope import get_mask, set_mask

ELEMENTWISE = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"]


def arrays(*shapes):
    return [np.random.default_rng(i).standard_normal(shape).astype("float32") for i, shape in enumerate(shapes)]


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize(
    "shapes", [[(2, 3), (2, 3)], [(2, 3, 4), (2, 4)], [(2, 1, 4), (2, 3, 1)], [(2, 3, 4, 5), (2, 5)]]
)
def test_elementwise_merges_are_keras_layers(name, shapes):
    assert_like_keras(getattr(layers, name)(), getattr(keras.layers, name)(), arrays(*shapes))


@pytest.mark.parametrize("name", ["Add", "Multiply", "Average", "Maximum", "Minimum"])
def test_merges_of_three_and_of_one(name):
    for shapes in ([(2, 3)] * 3, [(2, 3)]):
        assert_like_keras(getattr(layers, name)(), getattr(keras.layers, name)(), arrays(*shapes))


@pytest.mark.parametrize(
    ("axis", "shapes"),
    [
        (-1, [(2, 3), (2, 4)]),
        (1, [(2, 3, 4), (2, 5, 4), (2, 1, 4)]),
        (2, [(2, 3, 4), (2, 3, 2)]),
        (-2, [(2, 3, 4)] * 2),
    ],
)
def test_concatenate_is_keras_layer(axis, shapes):
    assert_like_keras(layers.Concatenate(axis), keras.layers.Concatenate(axis), arrays(*shapes))


DOTS = [
    (1, [(2, 3), (2, 3)]),
    (-1, [(2, 3), (2, 3)]),
    ((1, 2), [(2, 3, 5), (2, 10, 3)]),
    ((2, 1), [(2, 3, 5), (2, 5)]),
    ((1, 2), [(2, 5), (2, 3, 5)]),
    (2, [(2, 3, 5), (2, 4, 5)]),
    ((-1, -2), [(2, 3, 4, 5), (2, 5, 6)]),
    ((2, 3), [(2, 3, 4, 5), (2, 6, 7, 4)]),
]


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize(("axes", "shapes"), DOTS)
def test_dot_is_keras_layer(axes, shapes, normalize):
    # Keras infers shapes wrongly where an axis is counted from the end.
    counted_from_front = min(np.ravel(axes)) >= 0
    ours, theirs = (module.Dot(axes, normalize=normalize) for module in (layers, keras.layers))
    assert_like_keras(ours, theirs, arrays(*shapes), shapes=counted_from_front)


def test_normalised_dot_of_nothing_is_nothing():
    zeros = [np.zeros((2, 3), "float32")] * 2
    np.testing.assert_array_equal(layers.Dot(1, normalize=True)(zeros), np.zeros((2, 1)))


def masked(array, mask):
    """Return a copy of `array` that carries `mask`, for Cornu and for Keras."""
    ours, theirs = layers.Identity()(array + 0), keras.ops.convert_to_tensor(array + 0)
    if mask is not None:
        set_mask(ours, np.asarray(mask))
        theirs._keras_mask = keras.ops.convert_to_tensor(mask)
    return ours, theirs


MASKS = [
    ([[True, False, False]], [[True, True, False]]),
    (None, [[True, True, False]]),
    ([[False, True, False]], None),
]


@pytest.mark.parametrize("name", [*ELEMENTWISE, "Concatenate"])
@pytest.mark.parametrize("masks", MASKS)
def test_masked_merges_are_keras_layers(name, masks):
    pairs = [masked(array, mask) for array, mask in zip(arrays((1, 3, 4), (1, 3, 4)), masks, strict=True)]
    ours = getattr(layers, name)()([pair[0] for pair in pairs])
    theirs = getattr(keras.layers, name)()([pair[1] for pair in pairs])
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    expected = getattr(theirs, "_keras_mask", None)
    assert (get_mask(ours) is None) == (expected is None)
    if expected is not None:
        np.testing.assert_array_equal(get_mask(ours), expected)


@pytest.mark.parametrize("name", ["Maximum", "Multiply"])
def test_masked_merges_of_three_are_keras_layers(name):
    masks = ([[True, False, False]], [[True, True, False]], [[False, True, False]])
    pairs = [masked(array, mask) for array, mask in zip(arrays(*[(1, 3, 4)] * 3), masks, strict=True)]
    ours = getattr(layers, name)()([pair[0] for pair in pairs])
    theirs = getattr(keras.layers, name)()([pair[1] for pair in pairs])
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_concatenate_along_time_joins_masks():
    pairs = [masked(a, m) for a, m in zip(arrays((1, 3, 4), (1, 3, 4)), MASKS[1], strict=True)]
    ours = layers.Concatenate(1)([pair[0] for pair in pairs])
    theirs = keras.layers.Concatenate(1)([pair[1] for pair in pairs])
    np.testing.assert_array_equal(get_mask(ours), theirs._keras_mask)


def test_dot_has_no_mask():
    first, second = (masked(array, [[True, False, True]])[0] for array in arrays((1, 3, 4), (1, 3, 4)))
    assert get_mask(layers.Dot(2)([first, second])) is None


@pytest.mark.parametrize("name", [*ELEMENTWISE, "Concatenate"])
def test_functions_are_their_layers(name):
    inputs = arrays((2, 3), (2, 3))
    np.testing.assert_array_equal(getattr(layers, name.lower())(inputs), getattr(layers, name)()(inputs))
    symbolic = [layers.Input((3,)), layers.Input((3,))]
    assert getattr(layers, name.lower())(symbolic, name="merged").node.operation.name == "merged"


def test_the_function_dot():
    np.testing.assert_allclose(
        layers.dot(arrays((2, 3), (2, 3)), axes=1, normalize=True),
        keras.layers.dot(arrays((2, 3), (2, 3)), axes=1, normalize=True),
        rtol=1e-5,
    )


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([1, 3]), st.sampled_from([1, 2])), min_size=1, max_size=4))
def test_sums_spread_like_numpys(sizes):
    inputs = arrays(*[(5, *size) for size in sizes])
    np.testing.assert_allclose(layers.Add()(inputs), sum(inputs[1:], inputs[0]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.Add()(arrays((2, 3))[0]), "takes a list of tensors"),
        (lambda: layers.Add()([layers.Input((3,)), layers.Input((4,))]), r"their sizes differ \(\[3, 4\]\)"),
        (lambda: layers.Add()(arrays((2, 3), (4, 3))), "different batch sizes"),
        (lambda: layers.Subtract()(arrays(*[(2, 3)] * 3)), "Subtract takes two inputs; got 3"),
        (lambda: layers.Concatenate()(arrays((2, 3, 4), (2, 5, 4))), "equal in all other axes"),
        (lambda: layers.Concatenate(3)(arrays((2, 3), (2, 3))), "axis 3 is not among the 2 axes"),
        (lambda: layers.Concatenate()(arrays((2, 3), (2, 3, 4))), "equal in all other axes"),
        (lambda: layers.Dot(1)(arrays((2, 3), (2, 4))), "to have the same size"),
        (lambda: layers.Dot(0)(arrays((2, 3), (2, 3))), "is the batch axis or does not exist"),
        (lambda: layers.Dot((1, 3))(arrays((2, 3), (2, 3))), "is the batch axis or does not exist"),
        (lambda: layers.Dot("a"), "`axes` must be an axis"),
        (lambda: layers.Dot((1, 2, 3)), "`axes` must be an axis"),
        (lambda: layers.Dot(1)(arrays(*[(2, 3)] * 3)), "Dot takes two inputs; got 3"),
    ],
)
def test_errors_are_clear(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_dot_of_tiny_vectors_is_their_cosine():
    tiny, ones = np.full((1, 4), 1e-7, "float32"), np.ones((1, 4), "float32")
    np.testing.assert_allclose(layers.Dot(1, normalize=True)([ones, tiny]), [[1.0]], rtol=1e-5)
