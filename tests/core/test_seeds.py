"""The global random generators."""

import pytest

from cornu.core import seeds


def test_the_generator_of_torch_goes_on_where_it_was():
    torch = pytest.importorskip("torch")
    states = seeds.random_states()
    drawn = torch.rand(3)
    seeds.set_random_states(states)
    assert (torch.rand(3) == drawn).all()
