"""A limit on the values that a config may ask for, checked before arrays are made."""

import math
from collections.abc import Sequence

from cornu.core import settings
from cornu.core.scope import scope

#: Layers and calls of layers that one config may have; the largest published models have about two thousand.
MOST_STEPS = 10_000


class Budget:
    """The total number of values that variables from one config may have, and how many are left.

    `most` None is the library's limit (`cornu.config.set_parameter_budget`); `reason` explains any other.

    >>> budget = Budget(most=100)
    >>> budget.take("Layer 'dense'", "kernel", (4, 10)); budget.left
    60
    """

    def __init__(self, most: int | None = None, reason: str = "") -> None:
        limit = settings.parameter_budget()
        self.most = limit if most is None else min(most, limit)
        self.reason = reason if most is not None and most < limit else ""
        self.left, self.steps = self.most, MOST_STEPS

    def take(self, owner: str, name: str | None, shape: Sequence[int]) -> None:
        """Count a variable of `shape`; ValueError with `owner`, size and limit if it is too large."""
        size = math.prod(int(axis) for axis in shape)
        if size > self.left:
            taken = self.most - self.left
            raise ValueError(
                f"{owner} asks for {name or 'a weight'!r} of shape {tuple(shape)}: {size:,} values. The config may ask "
                f"for {self.most:,} in all{self.reason}; {taken:,} are taken.\nIf this size is intended, "
                "raise the limit: cornu.config.set_parameter_budget(...), or CORNU_PARAMETER_BUDGET in the environment."
            )
        self.left -= max(size, 0)

    def step(self, number: int = 1) -> None:
        """Count layers, or calls of layers, of a config; ValueError if there are too many."""
        self.steps -= number
        if self.steps < 0:
            raise ValueError(f"The config has more than {MOST_STEPS:,} layers and calls of layers: refused.")


def take(owner: str, name: str | None, shape: Sequence[int]) -> None:
    """Count a variable, if a config is being read."""
    if scope.budget is not None:
        scope.budget.take(owner, name, shape)


def step(number: int = 1) -> None:
    """Count layers or their calls, if a config is being read."""
    if scope.budget is not None:
        scope.budget.step(number)
