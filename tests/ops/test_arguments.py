"""Arguments of all kinds give what Keras gives: dtypes, keyword names, options by position, lists, odd values."""

import ml_dtypes
import numpy as np
import pytest

from cornu import Input, KerasTensor, Model, ops

RANDOM = np.random.RandomState(3)
FLOATS = RANDOM.normal(size=(2, 3)).astype("float32")
BYTES = RANDOM.randint(0, 256, (6, 6, 3)).astype("uint8")
SMALL = RANDOM.randint(-128, 128, (3, 3)).astype("int8")
ROWS = np.arange(6).reshape(3, 2)
MEAN, VARIANCE = np.array([0.5, 2], "float32"), np.array([1, 3], "float32")
CHANNELS_FIRST = np.arange(32, dtype="float32").reshape(1, 8, 2, 2)
BFLOAT16 = np.array([-2, -0.25, 3], ml_dtypes.bfloat16)

VALUES = [
    ("saturate_cast", (SMALL, "uint8"), {}),
    ("saturate_cast", (BYTES, "int8"), {}),
    ("saturate_cast", (np.array([300.5, -7, np.inf, -np.inf], "float32"), "uint8"), {}),
    ("saturate_cast", (np.array([7e4, -7e4], "float32"), "float16"), {}),
    ("saturate_cast", (SMALL, "bool"), {}),
    ("saturate_cast", (np.array([True, False]), "int8"), {}),
    ("nan_to_num", ([np.nan, np.inf], 5.0), {}),
    ("nan_to_num", ([np.nan, np.inf, -np.inf], 5.0, 6.0, 7.0), {}),
    ("nan_to_num", ([np.nan, -np.inf],), {"neginf": -1.0}),
    ("multi_hot", (np.abs(FLOATS) * 2, 4), {}),
    ("multi_hot", (np.array([[True, False]]), 4), {}),
    ("one_hot", (np.array([2, 0], "uint8"), 3), {}),
    ("image.resize", (BYTES, (3, 3)), {}),
    ("image.resize", (BYTES, (9, 7), "bicubic"), {}),
    ("image.resize", (SMALL[..., None], (2, 5)), {}),
    ("bincount", (BYTES[0, 0],), {}),
    ("bincount", (np.array([1, 4, 1], "uint8"),), {"minlength": 7}),
    ("bincount", (np.array([True, False, True]),), {}),
    ("depth_to_space", (CHANNELS_FIRST, 2, "channels_first"), {}),
    ("space_to_depth", (CHANNELS_FIRST, 2), {"data_format": "channels_first"}),
    ("moments", (ROWS, [0]), {}),
    ("moments", (SMALL, [0, 1]), {"keepdims": True}),
    ("moments", (ROWS > 2, [1]), {}),
    ("moments", (FLOATS.astype("float16"), [1]), {}),
    *[("batch_normalization", (ROWS.astype(t), MEAN, VARIANCE, -1), {}) for t in ("float16", "int32", "int8", "bool")],
    ("batch_normalization", (ROWS.astype("float16"), MEAN.astype("float16"), VARIANCE.astype("float16"), -1), {}),
    ("soft_shrink", (BFLOAT16,), {}),
    ("hard_shrink", (BFLOAT16,), {}),
    ("threshold", (BFLOAT16, 0.5, 1.0), {}),
    ("matmul", (SMALL, SMALL), {}),
    ("matmul", (SMALL, SMALL.astype("int32")), {}),
    ("matmul", (BYTES[0].astype("int8"), SMALL), {}),
    ("einsum", ("ij,jk->ik", SMALL, SMALL), {}),
    ("conv", (SMALL[None, ..., None], SMALL[:2, :2, None, None]), {}),
    ("conv", (SMALL[None, ..., None] // 9, SMALL[:2, :2, None, None].astype("int32")), {"padding": "same"}),
    ("cast", (FLOATS, "float8_e4m3fn"), {}),
    ("take_along_axis", (FLOATS, np.array([3, 0, 5])), {}),
    ("linspace", (0.0, 1.0, 3, True, False, "float16"), {}),
    ("logspace", (0, 2, 3, True, 2), {}),
    ("geomspace", (1.0, 8.0, 4, True, "float16"), {}),
    *[(name, (FLOATS, 1, True), {}) for name in ("sum", "mean", "std", "var", "max", "min", "amax", "amin", "prod")],
    *[(name, (FLOATS, 0, True), {}) for name in ("all", "any", "argmax", "argmin", "ptp", "median", "logsumexp")],
    *[(f"nan{name}", (FLOATS, 0, True), {}) for name in ("sum", "mean", "std", "var", "max", "min", "prod", "argmax")],
    ("prod", (FLOATS, None, False, "float16"), {}),
    ("max", (FLOATS, None, False, 9.0), {}),
    ("quantile", (FLOATS, 0.4, 1, "linear", True), {}),
    ("nanpercentile", (FLOATS, 40, 1, "linear", True), {}),
    ("clip", (), {"x": FLOATS, "x_min": -0.5, "x_max": 0.5}),
    ("take", (), {"x": FLOATS, "indices": [2, 0], "axis": 1}),
    ("where", (), {"condition": FLOATS > 0, "x1": FLOATS, "x2": 0.0}),
    ("where", (FLOATS > 0,), {"x2": 0.0, "x1": FLOATS}),
    ("stack", (), {"x": [FLOATS, FLOATS], "axis": 1}),
    ("concatenate", (), {"xs": [FLOATS, FLOATS], "axis": 1}),
    ("searchsorted", (), {"sorted_sequence": [1, 3, 5], "values": [2, 5], "side": "right"}),
    ("tile", (FLOATS,), {"repeats": (2, 1)}),
    ("reshape", (FLOATS,), {"newshape": (3, 2)}),
    ("rot90", (), {"array": FLOATS, "k": 3}),
    ("nanpercentile", (), {"x": FLOATS, "q": [30, 60]}),
    ("unravel_index", (), {"indices": [1, 4], "shape": (2, 3)}),
    ("matmul", (), {"x1": FLOATS, "x2": FLOATS.T}),
    ("cond", (True, lambda: 1.0, lambda: 2.0), {}),
]


def names(cases):
    return [f"{case[0]}-{number}" for number, case in enumerate(cases)]


def function(namespace, name):
    for part in name.split("."):
        namespace = getattr(namespace, part)
    return namespace


def arrays(structure, convert):
    """Return arguments with lists as arrays, which Keras needs at places."""
    return {key: convert(value) if isinstance(value, list) else value for key, value in structure.items()}


@pytest.mark.parametrize(("name", "args", "kwargs"), VALUES, ids=names(VALUES))
def test_values_and_dtypes_equal_keras(real_keras, name, args, kwargs):
    is_list_of_arrays = name in ("stack", "concatenate")
    convert = (lambda value: value) if is_list_of_arrays else np.asarray
    theirs = function(real_keras.ops, name)(*args, **arrays(kwargs, convert))
    ours = function(ops, name)(*args, **kwargs)
    for one, other in zip(*([x] if hasattr(x, "dtype") else x for x in (ours, theirs)), strict=True):
        assert str(one.dtype) == str(other.dtype)
        tolerance = {"float16": 1e-3, "bfloat16": 8e-3}.get(
            str(other.dtype), 1e-6
        )  # processors round half precision apart
        np.testing.assert_allclose(np.asarray(one, "float32"), np.asarray(other, "float32"), rtol=tolerance, atol=1e-6)


def test_data_in_floats_serves_as_indices():
    """`Input()` is of floats, and so are its values; Keras takes them in a graph and stops when it runs."""
    places = np.array([1.0, 0.0], "float32")
    assert ops.one_hot(places, 2).tolist() == [[0, 1], [1, 0]]
    assert ops.take(FLOATS, places, axis=0).tolist() == FLOATS[[1, 0]].tolist()
    assert ops.scatter(places[:, None], [5, 6], (2,)).tolist() == [6, 5]
    assert ops.segment_sum([1, 2], places, num_segments=2).tolist() == [2, 1]
    x = Input((2,))
    model = Model(x, ops.take(np.array([4.0, 7.0], "float32"), x))
    assert model(places[None]).tolist() == [[7, 4]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: ops.nonzero(x), "nonzero: the size of the result depends on values"),
        (lambda x: ops.where(x > 0), "nonzero: the size"),
        (lambda x: ops.unique(x), "unique: .*\n.*size="),
        (lambda x: ops.segment_sum(x, x[:, 0], num_segments=None), "segment_sum: .*\n.*num_segments="),
        (lambda x: ops.bincount(ops.cast(x, "int32")), "bincount: .*\n.*minlength="),
    ],
)
def test_results_whose_size_depends_on_values_are_refused_in_a_graph(call, words):
    with pytest.raises(ValueError, match=words):
        call(KerasTensor((2, 3)))


def test_sizes_that_are_passed_are_taken_in_a_graph():
    x = KerasTensor((4,), dtype="int32")
    assert ops.bincount(x, minlength=5).shape == (5,)
    assert ops.unique(x, size=3).shape == (3,)


def test_pairs_of_symbolic_tensors():
    parts = (KerasTensor((None, 6, 5)), KerasTensor((None, 6, 5)))
    assert ops.istft(parts, 8, 4, 8, length=15).shape == (None, 15)


@pytest.mark.parametrize("name", ["sum", "nanmax", "nanmean", "count_nonzero", "all", "median"])
def test_axes_may_be_a_list(name):
    x = FLOATS[None]
    expected = getattr(np, name)(x, axis=(0, -1))
    np.testing.assert_allclose(getattr(ops, name)(x, axis=[0, -1]), expected, rtol=1e-6)
    np.testing.assert_allclose(getattr(ops, name)(x, [0, -1]), expected, rtol=1e-6)
