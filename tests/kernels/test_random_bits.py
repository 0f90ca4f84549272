"""The hash behind dropout and noise: shares, moments, independence between elements, keys, rows and columns."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu.core.variable import Seed
from cornu.kernels import random_bits


def signs(shape, seed, steps):
    """Return -1 and 1 of probability one half, as (steps, elements)."""
    keys = Seed(seed)
    masks = [np.asarray(random_bits.keep_mask(keys.next(), 0.5, shape)) for _ in range(steps)]
    return 2.0 * np.stack(masks).reshape(steps, -1) - 1


def scaled_correlations(vectors):
    """Return the products of all pairs of rows, each of variance 1 where rows are independent."""
    products = vectors @ vectors.T / np.sqrt(vectors.shape[1])
    return products[np.triu_indices(len(vectors), 1)]


@pytest.mark.parametrize("rate", [0.0, 1e-6, 0.1, 0.25, 0.5, 0.9, 1 - 1e-12])
def test_the_share_of_kept_elements(rate):
    keep = random_bits.keep_mask(Seed(2).next(), rate, (1000, 1000))
    expected = random_bits.keep_probability(rate)
    assert abs(expected - (1 - rate)) < 2**-31
    deviation = np.sqrt(expected * (1 - expected) / keep.size)
    assert abs(float(np.mean(np.asarray(keep))) - expected) <= 4.5 * deviation


def test_all_bytes_are_evenly_spread():
    bits = np.concatenate([np.asarray(random_bits.bits(Seed(seed).next(), (100_000,))) for seed in range(10)])
    scores = []
    for shift in (0, 8, 16, 24):
        counts = np.bincount(bits >> shift & 255, minlength=256)
        expected = len(bits) / 256
        scores.append((((counts - expected) ** 2 / expected).sum() - 255) / np.sqrt(2 * 255))
    assert max(map(abs, scores)) < 4.5, scores


def test_steps_rows_and_columns_are_independent():
    masks = signs((64, 128), 5, 128)
    rows = masks.reshape(128, 64, 128).transpose(1, 0, 2).reshape(64, -1)
    columns = masks.reshape(-1, 128).T
    for vectors in (masks, rows, columns):
        products = scaled_correlations(vectors)
        assert abs(products).max() < 5
        assert abs(products.std() - 1) < 0.08


@pytest.mark.parametrize("lag", [1, 2, 3, 64, 128, 1000])
def test_neighbours_are_independent(lag):
    row = signs((200_000,), 9, 1)[0]
    assert abs((row[lag:] * row[:-lag]).sum()) < 4.5 * np.sqrt(len(row) - lag)


def test_keys_that_differ_in_one_bit_give_unrelated_masks():
    base = np.array([1, 2, 3, 4], np.uint32)
    keys = [base] + [
        base ^ np.eye(4, dtype=np.uint32)[word] * np.uint32(1 << bit) for word in range(4) for bit in (0, 9, 31)
    ]
    masks = np.stack(
        [
            2.0 * np.asarray(random_bits.keep_mask(jax.random.wrap_key_data(k, impl="rbg"), 0.5, (4096,))) - 1
            for k in keys
        ]
    )
    assert abs(scaled_correlations(masks)).max() < 4.5


def test_an_element_depends_on_its_place_only_so_that_shapes_may_be_flattened():
    key = Seed(1).next()
    flat = random_bits.bits(key, (24,))
    np.testing.assert_array_equal(random_bits.bits(key, (2, 3, 4)).ravel(), flat)
    assert random_bits.bits(key, ()).shape == ()


def test_other_kinds_of_keys_work():
    assert random_bits.bits(jax.random.key(0), (3,)).shape == (3,)


def test_replicas_under_vmap_draw_what_each_would_draw_alone():
    keys = jax.random.split(jax.random.wrap_key_data(np.arange(4, dtype=np.uint32), impl="rbg"), 3)
    together = jax.vmap(lambda key: random_bits.bits(key, (5,)))(keys)
    for key, row in zip(keys, together, strict=True):
        np.testing.assert_array_equal(random_bits.bits(key, (5,)), row)


def test_normal_numbers_have_their_moments():
    numbers = np.asarray(random_bits.normal(Seed(4).next(), (1000, 1000)), "float64")
    root = np.sqrt(numbers.size)
    assert abs(numbers.mean()) * root < 4.5
    assert abs((numbers**2).mean() - 1) * root < 4.5 * np.sqrt(2)
    assert abs((numbers**3).mean()) * root < 4.5 * np.sqrt(15)
    assert abs((numbers**4).mean() - 3) * root < 4.5 * np.sqrt(96)
    assert np.isfinite(numbers).all()
    assert random_bits.normal(Seed(4).next(), (3,), "bfloat16").dtype == jnp.bfloat16


def test_uniform_numbers_stay_inside():
    numbers = np.asarray(random_bits.uniform(Seed(4).next(), (1_000_000,)), "float64")
    assert 0 < numbers.min() < 1e-5 < 1 - 1e-5 < numbers.max() < 1
    assert abs(numbers.mean() - 0.5) < 4.5 * np.sqrt(1 / 12e6)


def test_dropout_keeps_the_expectation_and_passes_gradients_where_it_kept():
    key, inputs = Seed(6).next(), jnp.ones((500, 200))
    outputs = random_bits.dropout(inputs, key, 0.3)
    gradient = jax.grad(lambda x: random_bits.dropout(x, key, 0.3).sum())(inputs)
    np.testing.assert_array_equal(gradient, outputs)
    assert set(np.unique(outputs).tolist()) == {0.0, float(np.float32(1 / 0.7))}
    assert abs(float(outputs.mean()) - 1) < 4.5 * np.sqrt(0.3 / 0.7 / inputs.size)


def test_the_ends_of_the_rate():
    inputs = jnp.ones((3, 4))
    assert random_bits.dropout(inputs, Seed(1).next(), 0.0) is inputs
    np.testing.assert_array_equal(random_bits.dropout(inputs, Seed(1).next(), 1.0), jnp.zeros((3, 4)))
    assert np.isfinite(jax.grad(lambda x: random_bits.dropout(x, Seed(1).next(), 1.0).sum())(inputs)).all()


def test_noise_shape_shares_decisions():
    outputs = np.asarray(random_bits.dropout(jnp.ones((4, 10, 64)), Seed(3).next(), 0.5, (None, 1, 64)))
    np.testing.assert_array_equal(outputs, np.broadcast_to(outputs[:, :1], outputs.shape))
    assert not np.array_equal(outputs[0], outputs[1])
    for wrong in ((None, 1), (4, 5, 64), (None, 1, 1, 64)):
        with pytest.raises(ValueError, match="does not fit inputs of shape"):
            random_bits.dropout(jnp.ones((4, 10, 64)), Seed(3).next(), 0.5, wrong)
