"""``tf.random``: shapes, dtypes and limits, and which calls repeat themselves."""

import jax
import numpy as np
import pytest

from cornu.compat.tensorflow import random
from cornu.compat.tensorflow.function import function


def test_dtypes_and_limits():
    numbers = random.uniform([200], minval=2, maxval=5, dtype="int32")
    assert numbers.dtype == "int32"
    assert set(numbers.tolist()) == {2, 3, 4}
    assert 0 <= random.uniform((100,)).min() <= random.uniform((100,)).max() < 1
    with pytest.raises(ValueError, match="Must specify maxval for the integer dtype int32"):
        random.uniform([2], dtype="int32")
    assert random.normal([2, 3], dtype="float16").dtype == "float16"
    assert np.abs(random.truncated_normal([500], mean=1.0, stddev=0.5) - 1).max() <= 1
    assert random.gamma([3], alpha=[1.0, 2.0]).shape == (3, 2)
    assert random.poisson([4], 3.0).shape == (4,)
    assert random.categorical([[0.0, 0.0, -99.0]], 50).max() <= 1
    assert random.multinomial([[0.0, 50.0]], 3).tolist() == [[1, 1, 1]]


def test_means_are_those_of_the_distributions():
    random.set_seed(5)
    assert abs(float(random.gamma([4000], 3.0, beta=2.0).mean()) - 1.5) < 0.1
    assert abs(float(random.poisson([4000], 2.5).mean()) - 2.5) < 0.15
    assert abs(float(random.stateless_binomial([4000], [1, 2], 10.0, 0.3).mean()) - 3) < 0.15


def test_shuffle_keeps_rows_and_texts():
    assert sorted(random.shuffle(np.arange(9)).tolist()) == list(range(9))
    texts = random.shuffle(["a", "b", "c"])
    assert sorted(texts.numpy().tolist()) == [b"a", b"b", b"c"]


@pytest.mark.parametrize(
    "draw",
    [
        lambda seed: random.stateless_normal([3], seed),
        lambda seed: random.stateless_uniform([3], seed, 0, 1000, "int32"),
        lambda seed: random.stateless_truncated_normal([3], seed),
        lambda seed: random.stateless_gamma([3], seed, 2.0),
        lambda seed: random.stateless_poisson([3], seed, 50.0),
        lambda seed: random.stateless_split(seed, 3),
        lambda seed: random.stateless_fold_in(seed, 4),
        lambda seed: random.stateless_shuffle(np.arange(20), seed),
    ],
)
def test_stateless_numbers_depend_on_the_seed_alone(draw):
    np.testing.assert_array_equal(draw([1, 2]), draw((1, 2)))
    assert (np.asarray(draw([1, 2])) != np.asarray(draw([1, 3]))).any()
    np.testing.assert_array_equal(jax.jit(draw)(np.array([1, 2])), draw([1, 2]))


def test_generators_go_on_also_in_compiled_functions():
    one, other = random.Generator.from_seed(7), random.Generator.from_seed(7)
    draw = function(lambda: one.normal([2]))
    found = [draw(), draw()]
    np.testing.assert_array_equal(found[0], other.normal([2]))
    np.testing.assert_array_equal(found[1], other.normal([2]))
    assert (np.asarray(found[0]) != np.asarray(found[1])).all()
    copy = random.Generator(copy_from=one)
    np.testing.assert_array_equal(copy.uniform([2]), one.uniform([2]))
    copy.reset_from_seed(7)
    np.testing.assert_array_equal(copy.normal([2]), found[0])
    first, second = copy.split(2)
    assert (np.asarray(first.normal([4])) != np.asarray(second.normal([4]))).any()
    assert copy.make_seeds(3).shape == (2, 3)
    assert copy.binomial([3], 10.0, 0.5).dtype == "int32"
    assert copy.uniform_full_int([3], "uint32").dtype == "uint32"


def test_the_global_generator_can_be_set():
    random.set_global_generator(random.Generator.from_seed(2))
    first = random.get_global_generator().normal([2])
    random.set_global_generator(random.Generator.from_seed(2))
    np.testing.assert_array_equal(random.get_global_generator().normal([2]), first)


def test_calls_with_one_seed_give_other_numbers_each_and_the_same_in_each_run():
    def draws():
        random.set_seed(3)
        return [float(random.uniform([], seed=1)) for _ in range(3)] + [float(random.uniform([], seed=2))]

    assert len(set(draws())) == 4
    assert draws() == draws()
