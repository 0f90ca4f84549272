import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.compare import assert_like_keras
from cornu import layers

SHAPES = {1: (2, 7, 3), 2: (2, 6, 7, 3), 3: (2, 4, 5, 4, 2)}
GRID = [
    {"padding": "same"},
    {"strides": 1},
    {"strides": 3, "padding": "same", "data_format": "channels_first"},
]


def normal(shape):
    return np.random.default_rng(1).standard_normal(shape).astype("float32")


def both(name, *args, **kwargs):
    return getattr(layers, name)(*args, **kwargs), getattr(keras.layers, name)(*args, **kwargs)


def first(shape, arguments):
    return (shape[0], shape[-1], *shape[1:-1]) if arguments.get("data_format") == "channels_first" else shape


@pytest.mark.parametrize("rank", SHAPES)
@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize("arguments", GRID)
def test_pooling_equals_keras(kind, rank, arguments):
    ours, theirs = both(f"{kind}Pooling{rank}D", 2, **arguments)
    assert_like_keras(ours, theirs, normal(first(SHAPES[rank], arguments)))


@pytest.mark.parametrize("rank", SHAPES)
@pytest.mark.parametrize("kind", ["GlobalMax", "GlobalAverage"])
@pytest.mark.parametrize("arguments", [{"keepdims": True}, {"data_format": "channels_first"}])
def test_global_pooling_equals_keras(kind, rank, arguments):
    ours, theirs = both(f"{kind}Pooling{rank}D", **arguments)
    assert_like_keras(ours, theirs, normal(first(SHAPES[rank], arguments)))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_mask_leaves_steps_out_of_the_mean(data_format):
    mask = np.array([[True, True, False], [True, False, False]])
    shape = (2, 3, 4) if data_format == "channels_last" else (2, 4, 3)
    ours, theirs = both("GlobalAveragePooling1D", data_format=data_format)
    assert_like_keras(ours, theirs, normal(shape), mask=mask)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["MaxPooling2D", "AveragePooling2D"]),
    st.tuples(st.integers(4, 9), st.integers(4, 9)),
    st.integers(1, 4),
    st.one_of(st.none(), st.integers(1, 5)),
    st.sampled_from(["valid", "same"]),
)
def test_inferred_shapes_equal_keras(name, space, pool_size, strides, padding):
    ours, theirs = both(name, pool_size, strides, padding)
    shape = (None, *space, 3)
    assert tuple(ours.compute_output_shape(shape)) == tuple(theirs.compute_output_shape(shape))


def test_whole_numbers_have_a_maximum():
    pixels = np.arange(16, dtype="int32").reshape(1, 4, 4, 1)
    np.testing.assert_array_equal(layers.MaxPooling2D()(pixels).ravel(), [5, 7, 13, 15])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.MaxPooling2D(0), "`pool_size` must be an integer of at least 1"),
        (lambda: layers.MaxPooling2D(2, strides=(1, 2, 3)), "`strides`"),
        (lambda: layers.MaxPooling2D(padding="causal"), "padding of MaxPooling2D"),
        (lambda: layers.MaxPooling2D()(np.ones((2, 4, 4))), "expects an input with 4 axes"),
        (lambda: layers.MaxPooling2D(5)(np.ones((2, 4, 4, 1))), "would return an empty output"),
        (lambda: layers.AdaptiveMaxPooling2D((1, 2, 3)), "`output_size`"),
    ],
)
def test_a_mismatch_raises_a_clear_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()
