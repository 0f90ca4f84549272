"""Arithmetic and formatting of figures."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence


def median(values: Sequence[float]) -> float:
    """Return the median.

    >>> median([3.0, 1.0, 2.0, 10.0])
    2.5
    """
    return statistics.median(values)


def spread(values: Sequence[float]) -> float:
    """Return half the interquartile range as a fraction of the median; 0 for a single value.

    >>> spread([9.0, 10.0, 11.0])
    0.05
    """
    if len(values) < 2:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / 2 / median(values)


def fastest(medians: dict[str, float], but: Sequence[str] = ("cornu",)) -> str:
    """Return the name of the smallest figure, excluding `but`.

    >>> fastest({"cornu": 1.0, "torch": 3.0, "jax": 2.0})
    'jax'
    """
    return min((name for name in medians if name not in but), key=medians.__getitem__)


def agree(losses: dict[str, list[float]]) -> bool:
    """Tell whether peers compute the same thing: their median losses differ by no more than the seed explains.

    `losses` has each peer's loss for the same few seeds. The tolerance is twice the widest range of any one peer plus
    1% of the loss, since the range over a few seeds may be small by chance.

    >>> agree({"a": [0.50, 0.52, 0.51], "b": [0.53, 0.51, 0.52]})
    True
    >>> agree({"a": [0.50, 0.51, 0.52], "b": [0.90, 0.91, 0.92]})
    False
    """
    medians = [median(values) for values in losses.values()]
    allowed = 2 * max(max(values) - min(values) for values in losses.values()) + 0.01 * median(medians)
    return all(value == value for value in medians) and max(medians) - min(medians) <= allowed


def short(value: float) -> str:
    """Return a figure with three significant digits and no exponent.

    >>> short(1234.5), short(0.01234), short(2.0), short(99.96), short(0.0)
    ('1,234', '0.0123', '2.00', '100', '0')
    """
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    if abs(rounded) >= 100:
        return f"{value:,.0f}"
    digits = max(0, 2 - int(f"{rounded:e}".partition("e")[2]))
    return f"{rounded:.{digits}f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table.

    >>> print(table(["a", "b"], [["1", "2"]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "|" + "|".join(line) + "|" if line[0] == "---" else "| " + " | ".join(line) + " |" for line in lines
    )
