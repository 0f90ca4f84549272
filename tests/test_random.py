"""`cornu.random` draws from the right distributions, the same for the same seed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu import random


@pytest.mark.parametrize(
    ("draw", "mean", "deviation"),
    [
        (lambda seed: random.normal((5000,), 1.0, 2.0, seed=seed), 1, 2),
        (lambda seed: random.uniform((5000,), -1.0, 3.0, seed=seed), 1, 4 / 12**0.5),
        (lambda seed: random.truncated_normal((5000,), seed=seed), 0, 0.88),
        (lambda seed: random.randint((5000,), 0, 10, seed=seed), 4.5, 2.87),
        (lambda seed: random.uniform((5000,), 0, 10, dtype="int32", seed=seed), 4.5, 2.87),
        (lambda seed: random.gamma((5000,), 4.0, seed=seed), 4, 2),
        (lambda seed: random.beta((5000,), 2.0, 2.0, seed=seed), 0.5, 0.2236),
        (lambda seed: random.binomial((5000,), 10.0, 0.3, seed=seed), 3, 1.449),
        (lambda seed: random.categorical(np.log([[0.2, 0.3, 0.5]]), 5000, seed=seed), 1.3, 0.781),
        (lambda seed: random.dropout(np.ones(5000, "float32"), 0.25, seed=seed), 1, 0.577),
    ],
)
def test_distributions(draw, mean, deviation):
    drawn = np.asarray(draw(3))
    np.testing.assert_allclose([drawn.mean(), drawn.std()], [mean, deviation], atol=0.12)
    np.testing.assert_array_equal(drawn, draw(3))
    assert not np.array_equal(draw(None), draw(None))


def test_shuffle():
    x = np.arange(20)
    assert sorted(random.shuffle(x, seed=1).tolist()) == x.tolist()
    assert random.shuffle(x, seed=1).tolist() != x.tolist()


def test_seed_generator_moves_on_and_keeps_its_config():
    seeds = random.SeedGenerator(7)
    first = random.normal((3,), seed=seeds)
    assert not np.array_equal(first, random.normal((3,), seed=seeds))
    again = random.SeedGenerator.from_config(seeds.get_config())
    np.testing.assert_array_equal(first, random.normal((3,), seed=again))
    assert random.normal((3,), seed=again.next()).shape == (3,)


def test_inside_a_compiled_function_numbers_stay_as_they_were_compiled():
    """Without a step that carries the ambient seed, nothing may leak out of the trace."""
    draw = jax.jit(lambda: random.normal((2,)))
    np.testing.assert_array_equal(draw(), draw())
    assert jnp.isfinite(random.normal((2,))).all()
