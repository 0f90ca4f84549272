"""Initializers against real Keras: the same distributions, shapes, seeds and configs."""

import json

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.src.initializers.random_initializers import compute_fans

from cornu import initializers

SHAPES = [(400, 300), (3, 3, 40, 50), (20000,)]

RANDOM = [
    ("RandomNormal", {}),
    ("RandomNormal", {"mean": 1.0, "stddev": 0.2}),
    ("RandomUniform", {}),
    ("RandomUniform", {"minval": 0.0, "maxval": 3.0}),
    ("TruncatedNormal", {}),
    ("TruncatedNormal", {"mean": -1.0, "stddev": 0.5}),
    ("GlorotNormal", {}),
    ("GlorotUniform", {}),
    ("HeNormal", {}),
    ("HeUniform", {}),
    ("LecunNormal", {}),
    ("LecunUniform", {}),
    *(
        ("VarianceScaling", {"scale": 2.0, "mode": mode, "distribution": distribution})
        for mode in ("fan_in", "fan_out", "fan_avg")
        for distribution in ("truncated_normal", "untruncated_normal", "uniform")
    ),
]

NAMES = [
    "normal",
    "uniform",
    "zero",
    "one",
    "zeros",
    "ones",
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "orthogonal",
    "identity",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "variance_scaling",
    "HeUniform",
]


def distance(a, b):
    """Return the greatest distance between two empirical distribution functions (Kolmogorov and Smirnov)."""
    both = np.concatenate([a, b])
    shares = [np.searchsorted(np.sort(sample), both, "right") / sample.size for sample in (a, b)]
    return np.abs(shares[0] - shares[1]).max()


@pytest.mark.parametrize(("name", "options"), RANDOM)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_distribution_is_that_of_keras(name, options, shape):
    ours = getattr(initializers, name)(**options, seed=1)(shape).ravel()
    theirs = np.asarray(getattr(keras.initializers, name)(**options, seed=1)(shape)).ravel()
    assert ours.dtype == "float32"
    spread = theirs.std()
    assert abs(ours.mean() - theirs.mean()) < 6 * spread / np.sqrt(ours.size)
    assert abs(ours.std() / spread - 1) < 0.02
    assert abs(np.ptp(ours) / np.ptp(theirs) - 1) < 0.2
    # Two samples of one distribution are further apart than this once in some 10,000 times.
    assert distance(ours, theirs) < 2.3 * np.sqrt(2 / ours.size)


@pytest.mark.parametrize(
    "options", [{"input_axes": [0, 1], "output_axes": [2]}, {"input_axes": [1], "output_axes": [0, 2]}]
)
def test_the_axes_of_inputs_and_outputs_can_be_given(options):
    ours = initializers.GlorotUniform(seed=1, **options)((30, 20, 50))
    theirs = np.asarray(keras.initializers.GlorotUniform(seed=1, **options)((30, 20, 50)))
    assert abs(ours.max() / theirs.max() - 1) < 0.01


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (3, 3, 4, 8), (2, 2, 2, 30)], ids=str)
def test_orthogonal_matrices_are_orthogonal(shape):
    flat = initializers.Orthogonal(gain=2.0, seed=1)(shape).reshape(-1, shape[-1])
    product = flat @ flat.T if flat.shape[0] < flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "options", "shape"),
    [
        ("Zeros", {}, (2, 3)),
        ("Ones", {}, (2, 3)),
        ("Constant", {"value": 2.5}, (2, 3)),
        ("Identity", {"gain": 3.0}, (3, 3)),
        ("Identity", {}, (2, 4)),
    ],
)
@pytest.mark.parametrize("dtype", [None, "float16", "bfloat16", "int32"])
def test_fixed_values_are_those_of_keras(name, options, shape, dtype):
    ours = getattr(initializers, name)(**options)(shape, dtype=dtype)
    theirs = np.asarray(getattr(keras.initializers, name)(**options)(shape, dtype=dtype))
    theirs = theirs.astype("int32") if dtype == "int32" else theirs  # Keras makes identity matrices of floats only
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours.astype("float32"), theirs.astype("float32"))


@pytest.mark.parametrize(("name", "options"), [*RANDOM, ("Orthogonal", {})])
def test_a_seed_gives_the_same_values_on_every_call_and_none_gives_fresh_ones(name, options):
    cls = getattr(initializers, name)
    seeded, free = cls(**options, seed=3), cls(**options)
    np.testing.assert_array_equal(seeded((4, 5)), seeded((4, 5)))
    np.testing.assert_array_equal(seeded((4, 5)), cls(**options, seed=3)((4, 5)))
    assert np.any(free((4, 5)) != free((4, 5)))
    np.random.seed(10)
    first = free((4, 5))
    np.random.seed(10)
    np.testing.assert_array_equal(free((4, 5)), first)


@pytest.mark.parametrize(
    ("name", "options"),
    [*RANDOM, ("Orthogonal", {"gain": 2.0}), ("Zeros", {}), ("Constant", {"value": 3.0})],
)
def test_configs_are_those_of_keras(name, options):
    ours, theirs = getattr(initializers, name)(**options), getattr(keras.initializers, name)(**options)
    ours_config, theirs_config = initializers.serialize(ours), keras.initializers.serialize(theirs)
    assert ours_config["config"] == theirs_config["config"]
    assert json.loads(json.dumps(ours_config))["module"] == theirs_config["module"]
    assert initializers.deserialize(theirs_config).get_config() == ours.get_config()
    assert type(keras.initializers.deserialize(ours_config)).__name__ == type(theirs).__name__
    assert ours.clone().get_config() == ours.get_config()


@pytest.mark.parametrize("name", NAMES)
def test_names_are_those_of_keras(name):
    assert type(initializers.get(name)).__name__ == type(keras.initializers.get(name)).__name__


def test_a_config_of_keras_without_its_gain_is_read():
    theirs = keras.initializers.serialize(keras.initializers.Identity())
    np.testing.assert_array_equal(initializers.deserialize(theirs)((2, 2)), np.eye(2))
    assert initializers.serialize(initializers.Identity(gain=2.0))["config"] == {"gain": 2.0}


def test_get_takes_arrays_functions_and_none():
    np.testing.assert_array_equal(initializers.get(np.array([1.0, 2.0]))((2,)), [1.0, 2.0])
    assert initializers.get(None) is None
    assert not initializers.get("constant")((2,)).any()
    function = lambda shape, dtype=None: np.full(shape, 7)  # noqa: E731
    assert initializers.get(function) is function


def test_other_types_and_extra_keywords_are_taken():
    assert initializers.HeNormal()((3, 4), dtype="bfloat16").dtype.name == "bfloat16"
    assert initializers.Zeros()((3,), dtype="float32", layout=None).shape == (3,)
    whole = initializers.RandomUniform(0, 5, seed=1)((1000,), dtype="int32")
    assert whole.dtype == "int32"
    assert set(whole) == {0, 1, 2, 3, 4}
    assert initializers.Ones()(3).shape == (3,)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: initializers.get("glorot_unifrm"), "Did you mean 'glorot_uniform'"),
        (lambda: initializers.VarianceScaling(scale=0), "above 0"),
        (lambda: initializers.VarianceScaling(mode="fan"), "Did you mean 'fan"),
        (lambda: initializers.VarianceScaling(distribution="norml"), "Did you mean 'normal'"),
        (lambda: initializers.Identity()((3,)), "two axes"),
        (lambda: initializers.Orthogonal()((3,)), "at least two axes"),
        (lambda: initializers.Zeros()((None, 3)), "shape of integers"),
        (lambda: initializers.Constant(np.ones(3))((4, 2)), "shape"),
    ],
)
def test_anything_else_raises_a_clear_error(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@settings(max_examples=60, deadline=None)
@given(
    shape=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    scale=st.floats(0.01, 10),
    mode=st.sampled_from(["fan_in", "fan_out", "fan_avg"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_spread_follows_the_shape_as_keras_counts_it(shape, scale, mode, seed):
    """For any shape the limit is that of the number of inputs or outputs that Keras counts."""
    options = {"mode": mode, "distribution": "uniform", "seed": seed}
    values = np.asarray(initializers.VarianceScaling(scale=scale, **options)(shape))
    inputs, outputs = compute_fans(tuple(shape))
    fan = max(1, {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}[mode])
    limit = np.sqrt(3 * scale / fan)
    assert values.shape == tuple(shape)
    assert np.abs(values).max() <= limit * (1 + 1e-6)
    again = np.asarray(initializers.VarianceScaling(scale=4 * scale, **options)(shape))
    np.testing.assert_allclose(again, 2 * values, rtol=1e-5)
    if values.size >= 200:
        assert np.abs(values).max() > 0.9 * limit
        assert abs(values.mean()) < 7 * limit / np.sqrt(3 * values.size)
