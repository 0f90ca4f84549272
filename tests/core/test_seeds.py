"""The global random generators."""

import pytest

from cornu.core import seeds


def test_the_generator_of_torch_goes_on_where_it_was():
    torch = pytest.importorskip("torch")
    states = seeds.random_states()
    drawn = torch.rand(3)
    seeds.set_random_states(states)
    assert (torch.rand(3) == drawn).all()


def test_calls_with_a_seed_go_on_where_they_were():
    seeds.set_random_seed(1)
    words = [seeds.sequence_of_call(5).generate_state(1) for _ in range(2)]
    states, marks = seeds.random_states(), seeds.random_marks()
    words += [seeds.sequence_of_call(5).generate_state(1) for _ in range(2)]
    assert seeds.random_marks() != marks
    assert len({int(word[0]) for word in words}) == 4
    seeds.set_random_states(states)
    assert seeds.random_marks() == marks
    assert seeds.sequence_of_call(5).generate_state(1) == words[2]
    states.pop("uses of seeds")  # as in a checkpoint of an earlier version
    seeds.set_random_states(states)
    assert seeds.sequence_of_call(5).generate_state(1) == words[3]
