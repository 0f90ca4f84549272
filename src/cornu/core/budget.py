"""A limit on the values that a config may ask for, checked before arrays are made."""

import math
from collections.abc import Sequence

from cornu.core import settings
from cornu.core.scope import scope

#: Layers and calls of layers that one config may have; the largest published models have about two thousand.
MOST_STEPS = 10_000

#: The most values per row, and axes, of a symbolic tensor: XLA ends the process for some larger ones, and numpy has no
#: more axes. In a model from a config, a tensor may have `PER_WEIGHT` times the values of the parameter budget.
MOST_VALUES, MOST_AXES, PER_WEIGHT = 1 << 40, 64, 4


class Budget:
    """The total number of values that variables from one config may have, and how many are left.

    `most` None is the library's limit (`cornu.config.set_parameter_budget`); `reason` explains any other.

    >>> budget = Budget(most=100)
    >>> budget.take("Layer 'dense'", "kernel", (4, 10)); budget.left
    60
    """

    #: Whether the initial values of the library's layers are not needed, since a file's weights replace all of them.
    replaces_values = False

    def __init__(self, most: int | None = None, reason: str = "") -> None:
        limit = settings.parameter_budget()
        self.limit = min(limit, MOST_VALUES // PER_WEIGHT)  # of the library, for the sizes of tensors
        self.most = limit if most is None else min(most, limit)
        self.reason = reason if most is not None and most < limit else ""
        self.left, self.steps = self.most, MOST_STEPS

    @classmethod
    def of_stored(cls, stored: int, where: str, has_own: bool) -> "Budget":
        """Return the budget of a model whose weights, of `stored` values, are in a file or folder (`where`).

        With custom classes (`has_own`), which may keep their values in other forms, only the library's limit applies.

        >>> Budget.of_stored(100, "file", has_own=False).most
        1000400
        """
        if has_own:
            return cls()
        budget = cls(4 * stored + 1_000_000, f", since the {where} has {stored:,}")
        budget.replaces_values = True
        return budget

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


def check_shape(shape: Sequence[int | None]) -> None:
    """Raise ValueError for a tensor that no computer can hold, or that is too large for a model from a config."""
    if len(shape) > MOST_AXES:
        raise ValueError(f"A tensor would have {len(shape):,} axes; at most {MOST_AXES} are possible.")
    size = math.prod(axis for axis in shape if axis is not None)
    if size > (most := MOST_VALUES if scope.budget is None else PER_WEIGHT * scope.budget.limit):
        advice = "" if scope.budget is None else (
            "\nIf this size is intended, raise the limit: cornu.config.set_parameter_budget(...), or "
            "CORNU_PARAMETER_BUDGET in the environment."
        )  # fmt: skip
        raise ValueError(
            f"A tensor would have the shape {tuple(shape)}: {size:,} values, more than the limit of {most:,}.{advice}"
        )


def step(number: int = 1) -> None:
    """Count layers or their calls, if a config is being read."""
    if scope.budget is not None:
        scope.budget.step(number)
