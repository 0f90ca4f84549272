"""A table from integers to integers that looks up whole arrays."""

import secrets

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2 ** 64 divided by the golden ratio: spreads consecutive integers
HALF = np.uint64(32)


class IntegerTable:
    """Values by integers of 64 bits, `otherwise` for all others; `keys` has each integer once.

    A hash table with linear probing whose steps are taken for all integers of an array together. Bisection of a sorted
    array takes several times as long.

    >>> IntegerTable(np.array([7, -1]), np.array([0, 1]), 9).of(np.array([-1, 7, 8])).tolist()
    [1, 0, 9]
    """

    def __init__(self, keys: np.ndarray, values: np.ndarray, otherwise: int) -> None:
        keys = keys.astype("int64", copy=False).view("uint64")
        bits = (4 * len(keys) + 15).bit_length()
        self.otherwise = otherwise
        self._factor = np.uint64(secrets.randbits(64) | 1)  # so that nobody can choose keys that share a place
        self._shift, self._last = np.uint64(64 - bits), (1 << bits) - 1
        self._empty = np.setdiff1d(np.arange(len(keys) + 1, dtype="uint64"), keys)[0]
        self._keys = np.full(1 << bits, self._empty)
        self._values = np.full(1 << bits, otherwise, "int64")
        places = self._places(keys)
        left = np.arange(len(keys))
        while len(left):
            tried = left[self._keys[places[left]] == self._empty]
            self._keys[places[tried]] = keys[tried]
            placed = self._keys[places[left]] == keys[left]  # of those that tried the same place, one is in it
            self._values[places[left[placed]]] = values[left[placed]]
            left = left[~placed]
            places[left] = (places[left] + 1) & self._last

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
            left, here = left[taken], (here[taken] + 1) & self._last
            places[left], found[left] = here, self._values[here]
            left = left[self._keys[here] != keys[left]]
        return found.reshape(integers.shape)
