"""The input and output of a training program: arrays only."""

from typing import NamedTuple

import jax


class TrainState(NamedTuple):
    """The arrays that a step changes, in the order of the learner's variables."""

    params: tuple[jax.Array, ...]  # trainable weights
    others: tuple[jax.Array, ...]  # moving averages, random keys, frozen weights
    slots: tuple[jax.Array, ...]  # the optimizer's variables, learning rate included
    totals: tuple[jax.Array, ...]  # running sums of metrics
