"""Sizes that stand for unknown axes while shapes are inferred by tracing.

A trace runs the user's Python once: a loop over time runs as often as the size says, and ``np.ones((T, T))`` is made.
So the sizes are small. They differ from axis to axis and from every known size, so that what comes out can be told
apart. What small or odd sizes do not fit (large windows, halved axes, axes that must be equal) is tried again.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

MOST_BOUND = 4096  # larger integers among the arguments say nothing about sizes
MOST_MULTIPLE = 2**20


class Pair(NamedTuple):
    """Two sizes for each unknown axis: what differs between the two traces depends on an unknown size."""

    first: dict[int, int]
    second: dict[int, int]


class Probes:
    """The sizes to try, one pair after the other, for the unknown `axes` of some tensors.

    `known` are the sizes that the trace knows: those of inputs and weights. `bounds` are integers among the call's
    arguments: ``x[:, :100]`` gives 100 where the axis is long enough.
    """

    def __init__(self, axes: Sequence[int], known: Iterable[int], bounds: Iterable[int] = ()) -> None:
        self.axes, self.known = list(axes), set(known)
        self.bounds = [bound for bound in bounds if 1 < bound <= MOST_BOUND]
        self.above = max(self.bounds, default=0) + 1

    @property
    def only_batch(self) -> bool:
        return self.axes == [0]

    def pairs(self) -> Iterator[Pair]:
        """Yield pairs of sizes: small and distinct; equal for all axes; large enough for deep stacks; very large.

        The batch is prime at first: no other size is a multiple of it by chance. Other axes have many divisors.
        """
        yield self._distinct(batch_step=1, step=12, start=24)
        yield self.equal()
        yield self._distinct(batch_step=48, step=480, start=480)
        multiple = math.lcm(5040, *self.bounds)
        yield self._equal(multiple if multiple <= MOST_MULTIPLE else 5040, 5040)

    def equal(self) -> Pair:
        """Return sizes that are equal for all axes."""
        return self._equal(12, 24)

    def large(self) -> dict[int, int]:
        """Return larger sizes, which tell a constant from what large strides made of two small sizes."""
        return self._distinct(batch_step=48, step=480, start=480).first

    def _distinct(self, batch_step: int, step: int, start: int) -> Pair:
        taken = set(self.known)
        sizes: tuple[dict[int, int], dict[int, int]] = ({}, {})
        above = self.above
        for found in sizes:
            for axis in self.axes:
                if axis == 0:
                    found[0] = _prime(max(37, above), taken) if batch_step == 1 else _free(batch_step, above, taken)
                else:
                    found[axis] = _free(step, max(start, above), taken)
                taken.add(found[axis])
            above = 2 * max(found.values())
        return Pair(*sizes)

    def _equal(self, step: int, start: int) -> Pair:
        first = _free(step, max(start, self.above), self.known)
        second = _free(step, 2 * first, self.known)
        return Pair(dict.fromkeys(self.axes, first), dict.fromkeys(self.axes, second))


def _free(step: int, start: int, taken: set[int]) -> int:
    """Return the first multiple of `step` from `start` on that is not taken."""
    size = -(-start // step) * step
    while size in taken:
        size += step
    return size


def _prime(start: int, taken: set[int]) -> int:
    """Return the first prime from `start` on of which no taken size is a multiple."""
    size = start
    while any(size % divisor == 0 for divisor in range(2, math.isqrt(size) + 1)) or any(n % size == 0 for n in taken):
        size += 1
    return size


def integers(structure: Any) -> Iterator[int]:
    """Yield the integers in nested lists, tuples, dictionaries and slices, without their signs."""
    if isinstance(structure, (int, np.integer)) and not isinstance(structure, bool):
        yield abs(int(structure))
    elif isinstance(structure, slice):
        yield from integers((structure.start, structure.stop, structure.step))
    elif isinstance(structure, (list, tuple)):
        for item in structure:
            yield from integers(item)
    elif isinstance(structure, dict):
        yield from integers(list(structure.values()))
