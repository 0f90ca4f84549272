"""The arithmetic of the benchmark, and its tables."""

import doctest

import pytest
from benchmarks.peers import tasks

from benchmarks import figures, machine


@pytest.mark.parametrize("module", [figures, tasks], ids=["figures", "tasks"])
def test_examples(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def test_a_figure_has_three_digits():
    written = [figures.short(value) for value in (0.000123456, 0.0999999, 1.0, 9.996, 99.94, 999.6, 12345.6, -2.5)]
    assert written == ["0.000123", "0.100", "1.00", "10.0", "99.9", "1,000", "12,346", "-2.50"]


def test_the_spread_does_not_see_a_single_outlier():
    assert figures.spread([10.0] * 9 + [100.0]) == 0
    assert figures.spread([5.0]) == 0


def test_losses_that_are_no_numbers_do_not_agree():
    assert not figures.agree({"a": [0.5, 0.5], "b": [float("nan"), float("nan")]})


def test_a_loss_beyond_the_seeds_spread_does_not_agree():
    assert figures.agree({"a": [0.50, 0.52], "b": [0.54, 0.54]})
    assert not figures.agree({"a": [0.50, 0.52], "b": [0.58, 0.58]})


def test_operations_of_a_step_by_hand():
    # 784 x 128: forward and the kernel's gradient; 128 x 128 and 128 x 10: the input's gradient as well.
    assert tasks.step_operations(tasks.task("seed0"), 100) == 2 * 100 * (2 * 784 * 128 + 3 * 128 * 128 + 3 * 128 * 10)
    cnn = tasks.step_operations(tasks.task("seed4"), 1)
    assert cnn == 2 * (2 * 26 * 26 * 9 * 32 + 3 * 24 * 24 * 9 * 32 * 64 + 3 * 9216 * 128 + 3 * 128 * 10)


def test_the_tutorials_models_have_their_known_sizes():
    sizes = {name: tasks.parameters(tasks.task(name)) for name in ("seed0", "seed1", "seed2", "seed3", "seed4")}
    assert sizes == {"seed0": 118282, "seed1": 669706, "seed2": 535818, "seed3": 203530, "seed4": 1199882}


def test_the_machine_is_described():
    assert "cores" in machine.describe()
    assert machine.load() >= 0
