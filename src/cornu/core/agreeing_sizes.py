"""Sizes for the unknown axes of several tensors that must agree with each other, or with sizes that are known.

``x + y`` of shapes (None, 3) and (10, 3) needs 10 for the unknown axis; ``x @ y`` of (None, None) and (4, 5) needs 4.
Where sizes that differ from all others do not fit, these are tried, with as few axes bound to known sizes as will do:
an axis bound without need would look like one of a known size.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from cornu.core.probes import Pair, Probes

MOST_TRIES = 40  # each is a trace; a call that no sizes fit fails after so many

Slot = tuple[int, int]  # number of a tensor, and its axis
Shapes = Sequence[Sequence[int | None]]


class Sizes(NamedTuple):
    """Two sizes for each unknown axis: what differs between the two traces depends on an unknown size."""

    first: dict[Slot, int]
    second: dict[Slot, int]


def agreeing_sizes(shapes: Shapes, probes: Probes, fits: Callable[[dict], bool]) -> Sizes | None:
    """Return two sizes for each unknown axis with which a call works, or None if none were found.

    Args:
        shapes: The tensors' shapes; None is unknown.
        probes: Where sizes without meaning come from.
        fits: Tells whether the call works with some sizes, ``(tensor, axis) -> size``.

    >>> pair = agreeing_sizes([(None, 3), (10, 3)], Probes([0], [3, 10]), lambda sizes: sizes[0, 0] == 10)
    >>> pair.first
    {(0, 0): 10}
    """
    for base, bound in itertools.islice(_plans(shapes, probes), MOST_TRIES):
        if fits(base.first | bound):
            for slot in list(bound) if len(bound) > 1 else []:
                fewer = {other: size for other, size in bound.items() if other != slot}
                bound = fewer if fits(base.first | fewer) else bound
            return Sizes(base.first | bound, base.second | bound)
    return None


def _plans(shapes: Shapes, probes: Probes) -> Iterator[tuple[Sizes, dict[Slot, int]]]:
    """Yield sizes for all unknown axes, and those of them that are bound to known sizes, the likeliest first."""
    by_axis, from_the_end, equal = _bases(shapes, probes)
    slots = list(by_axis.first)
    choices = {slot: _known_sizes(shapes, slot) for slot in slots}
    bases = [from_the_end, equal]
    if len(set(map(len, shapes))) > 1:
        yield from_the_end, {}
        bases.append(by_axis)
    for slot in slots:
        for size in choices[slot]:
            yield from ((base, {slot: size}) for base in bases)
    for base, from_end in ((from_the_end, True), (by_axis, False)):
        yield base, _aligned(shapes, slots, from_end)
    for i, one in enumerate(slots):
        for other in slots[i + 1 :]:
            for size in choices[one]:
                yield from ((equal, {one: size, other: second}) for second in choices[other])


def _bases(shapes: Shapes, probes: Probes) -> tuple[Sizes, Sizes, Sizes]:
    """Return sizes that are the same for axes of the same number, counted from the front; from the end; for all."""
    rank = max(map(len, shapes))
    slots = [(number, axis) for number, shape in enumerate(shapes) for axis, size in enumerate(shape) if size is None]
    of_axes = Probes(range(rank), probes.known, probes.bounds)
    distinct, equal = next(of_axes.pairs()), probes.equal()

    def sizes(pair: Pair, axis_of: Callable[[Slot], int]) -> Sizes:
        return Sizes(*({slot: found[axis_of(slot)] for slot in slots} for found in pair))

    return (
        sizes(distinct, lambda slot: slot[1]),
        sizes(distinct, lambda slot: slot[1] + rank - len(shapes[slot[0]])),
        sizes(equal, lambda slot: slot[1]),
    )


def _known_sizes(shapes: Shapes, slot: Slot) -> list[int]:
    """Return the sizes that an axis may have to take: those of the other tensors."""
    number, _ = slot
    known = [size for other, shape in enumerate(shapes) if other != number for size in shape if size is not None]
    return list(dict.fromkeys(known))


def _aligned(shapes: Shapes, slots: Sequence[Slot], from_end: bool) -> dict[Slot, int]:
    """Return the known sizes, other than 1, of the axes in the same place of other tensors."""
    found = {}
    for number, axis in slots:
        place = axis - len(shapes[number]) if from_end else axis
        for shape in shapes:
            if -len(shape) <= place < len(shape) and shape[place] not in (None, 1):
                found[number, axis] = shape[place]
    return found  # type: ignore[return-value]
