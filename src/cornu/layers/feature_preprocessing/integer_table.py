"""A table from integers to integers that looks up whole arrays."""

import secrets

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2 ** 64 divided by the golden ratio: spreads consecutive integers
HALF = np.uint64(32)


class IntegerTable:
    """Values by integers of 64 bits, `otherwise` for all others; `keys` has each integer once.

    A hash table with linear probing: each key is at its place or behind it, and an empty place ends the search. Keys
    sorted by their places are in the table in this order, so it is filled at once. Bisection of a sorted array takes
    several times as long as a look-up.

    >>> IntegerTable(np.array([7, -1]), np.array([0, 1]), 9).of(np.array([-1, 7, 8])).tolist()
    [1, 0, 9]
    """

    def __init__(self, keys: np.ndarray, values: np.ndarray, otherwise: int) -> None:
        keys = keys.astype("int64", copy=False).view("uint64")
        bits = (2 * len(keys) + 15).bit_length()
        self.otherwise = otherwise
        self._factor = np.uint64(secrets.randbits(64) | 1)  # so that nobody can choose keys that share a place
        self._shift = np.uint64(64 - bits)
        places = self._places(keys)
        order, numbers = np.argsort(places), np.arange(len(keys))
        slots = numbers + np.maximum.accumulate(places[order] - numbers)  # each behind the one before
        size = max(1 << bits, int(slots.max(initial=0)) + 1) + 1  # the last place is empty
        self._empty = _missing(keys)
        self._keys, self._values = np.full(size, self._empty), np.full(size, otherwise, "int64")
        self._keys[slots], self._values[slots] = keys[order], values[order]

    def _places(self, keys: np.ndarray) -> np.ndarray:
        mixed = keys * GOLDEN
        mixed ^= mixed >> HALF
        mixed *= self._factor
        mixed >>= self._shift
        return mixed.view("int64")

    def of(self, integers: np.ndarray) -> np.ndarray:
        """Return the values of an array of integers, in its shape."""
        keys = integers.ravel().astype("int64", copy=False).view("uint64")
        places = self._places(keys)
        found = self._values[places]
        left = np.flatnonzero(self._keys[places] != keys)
        while len(left):
            here = places[left]
            taken = self._keys[here] != self._empty
            found[left[~taken]] = self.otherwise
            left, here = left[taken], here[taken] + 1
            places[left], found[left] = here, self._values[here]
            left = left[self._keys[here] != keys[left]]
        return found.reshape(integers.shape)


def _missing(keys: np.ndarray) -> np.uint64:
    """Return the smallest integer that is not among the keys."""
    is_there = np.zeros(len(keys) + 1, bool)
    is_there[keys[keys < len(is_there)].view("int64")] = True
    return np.uint64(is_there.argmin())
