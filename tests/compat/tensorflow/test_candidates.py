"""Samplers of classes: what they draw, how often they say that they do, and a loss that learns with them.

Losses of given samples, and expected counts without repeated draws, are in `name_calls.txt`.
"""

import numpy as np
import pytest

from cornu.compat.tensorflow import candidates

PLACES = np.arange(6)[None]
LOG_UNIFORM = np.log((np.arange(6) + 2) / (np.arange(6) + 1)) / np.log(7)
SAMPLERS = {
    "uniform": (candidates.uniform_candidate_sampler, {}, np.full(6, 1 / 6)),
    "log uniform": (candidates.log_uniform_candidate_sampler, {}, LOG_UNIFORM),
    "unigram": (
        candidates.fixed_unigram_candidate_sampler,
        {"unigrams": [1, 2, 3, 4, 5], "num_reserved_ids": 1, "distortion": 0.5},
        np.sqrt(np.arange(6)) / np.sqrt(np.arange(6)).sum(),
    ),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_classes_are_drawn_as_often_as_expected(name):
    sampler, options, chances = SAMPLERS[name]
    sampled, true, expected = sampler(PLACES, 6, 20000, False, 6, seed=1, **options)
    np.testing.assert_allclose(np.bincount(sampled, minlength=6) / 20000, chances, atol=0.012)
    np.testing.assert_allclose(true[0], chances * 20000, rtol=1e-4)
    np.testing.assert_allclose(expected, true[0][sampled], rtol=1e-6)


@pytest.mark.parametrize("name", SAMPLERS)
def test_different_classes_are_those_met_first(name):
    sampler, options, chances = SAMPLERS[name]
    draws = np.random.default_rng(0)
    counts, says, first = np.zeros(6), np.zeros(6), np.zeros(6)
    for _ in range(1500):
        sampled, true, _ = (np.asarray(one) for one in sampler(PLACES, 6, 3, True, 6, seed=5, **options))
        assert len(set(sampled.tolist())) == 3
        counts[sampled] += 1 / 1500
        says += true[0] / 1500
        first[sampled[0]] += 1 / 1500
    met, tries = np.zeros(6), np.zeros(6)
    for _ in range(1500):
        line = draws.choice(6, 60, p=chances).tolist()
        different = list(dict.fromkeys(line))[:3]
        number = line.index(different[2]) + 1
        met[different] += 1 / 1500
        tries += (chances * 3 if number == 3 else 1 - (1 - chances) ** number) / 1500
    np.testing.assert_allclose(first, chances, atol=0.05)
    np.testing.assert_allclose(counts, met, atol=0.06)
    np.testing.assert_allclose(says, tries, atol=0.03)


def test_a_seed_repeats_the_draws_of_a_program_and_none_repeats_itself():
    from cornu.compat.tensorflow.random import set_seed

    def draws():
        set_seed(1)
        calls = [candidates.uniform_candidate_sampler([[0]], 1, 5, True, 1000, seed=3) for _ in range(3)]
        return [tuple(one.sampled_candidates.tolist()) for one in calls]

    assert draws() == draws()
    assert len(set(draws())) == 3


def test_many_classes_of_few():
    sampled = candidates.log_uniform_candidate_sampler([[0]], 1, 300, True, 300).sampled_candidates
    assert sorted(sampled.tolist()) == list(range(300))


def test_what_cannot_be_sampled_is_said():
    with pytest.raises(ValueError, match="no 7 different classes to sample of 6"):
        candidates.uniform_candidate_sampler([[0]], 1, 7, True, 6)
    with pytest.raises(ValueError, match=r"must have the shape \(batch, num_true=2\); got \(1, 1\)"):
        candidates.uniform_candidate_sampler([[0]], 2, 3, True, 6)
    with pytest.raises(ValueError, match=r"range_max=6 classes in one shard; got 2 classes"):
        candidates.fixed_unigram_candidate_sampler([[0]], 1, 3, True, 6, unigrams=[1, 2])


def test_numbers_of_a_file(tmp_path):
    (tmp_path / "words").write_text("the,3\ncat,1\n")
    found = candidates.fixed_unigram_candidate_sampler([[0], [1]], 1, 4, False, 2, str(tmp_path / "words"))
    np.testing.assert_allclose(found.true_expected_count, [[3], [1]])


@pytest.mark.parametrize("loss", [candidates.nce_loss, candidates.sampled_softmax_loss])
def test_a_table_learns_which_class_follows(loss):
    from cornu.compat.tensorflow.function import function
    from cornu.compat.tensorflow.tape import GradientTape
    from cornu.compat.tensorflow.variables import Variable

    table, weights, biases = (Variable(np.zeros(size, "float32") + 0.01) for size in ((30, 8), (30, 8), (30,)))
    table.assign(np.random.RandomState(0).normal(size=(30, 8)).astype("float32"))
    words = np.arange(30)

    @function
    def step():
        with GradientTape() as tape:
            rows = table.value[words]
            mean = loss(weights, biases, ((words + 1) % 30)[:, None], rows, num_sampled=8, num_classes=30).mean()
        for variable, gradient in zip(
            (table, weights, biases), tape.gradient(mean, [table, weights, biases]), strict=True
        ):
            variable.assign_sub(2 * gradient)

    for _ in range(150):
        step()
    scores = np.asarray(table) @ np.asarray(weights).T + np.asarray(biases)
    assert (scores.argmax(1) == (words + 1) % 30).mean() > 0.9
