"""New seeds come from numpy's global generator, so that a program that seeds numpy is reproducible.

Keras 2 drew its seeds from ``numpy.random`` as well; ``np.random.seed(10)`` at the start of an old program therefore
fixes initial weights, shuffles and dropout.
"""

import contextlib
import random
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

#: Seed of single calls -> how often it was used since the program, or `set_random_seed`, began.
_uses: Counter[int] = Counter()


#: The last seed that `set_random_seed` got.
_program_seed: int | None = None
#: How many seeds have been drawn from numpy's generator, in all and before the last `set_random_seed`.
_drawn = _drawn_before = 0


def program_seed() -> int | None:
    """Return the seed that the program has set for everything, or None."""
    return _program_seed


def seeds_drawn() -> int:
    """Return how many seeds `fresh_seed` has drawn."""
    return _drawn


def seeds_drawn_before() -> int:
    """Return how many of them were drawn before the last `set_random_seed`."""
    return _drawn_before


def skip_seeds(count: int) -> None:
    """Draw so many seeds that nobody uses."""
    for _ in range(count):
        fresh_seed()


@contextlib.contextmanager
def uncounted() -> Iterator[None]:
    """Inside a ``with`` block, seeds that are drawn are not counted."""
    global _drawn
    before = _drawn
    try:
        yield
    finally:
        _drawn = before


def state_of(seed: int) -> Any:
    """Return the state of numpy's global generator after ``set_random_seed(seed)``."""
    return np.random.RandomState(int(seed) % 2**32).get_state()


@contextlib.contextmanager
def drawing_from(state: Any) -> Iterator[list]:
    """Inside a ``with`` block, numpy's global generator begins at a state; its last one is put into the list given."""
    before, after = np.random.get_state(), list[Any]()
    np.random.set_state(state)
    try:
        yield after
    finally:
        after.append(np.random.get_state())
        np.random.set_state(before)


def fresh_seed() -> int:
    """Return a seed of 64 bits, drawn from numpy's global generator."""
    global _drawn
    _drawn += 1
    return int.from_bytes(np.random.bytes(8), "little")


def sequence_of_call(seed: int) -> np.random.SeedSequence:
    """Return the words for one more call with `seed`: others for each call, the same in each run of a program."""
    use = _uses[seed]
    _uses[seed] += 1
    return np.random.SeedSequence(abs(seed), spawn_key=(use,) if use else ())


def set_random_seed(seed: int) -> None:
    """Seed Python's ``random``, numpy, and with numpy all of Cornu.

    Raises TypeError if `seed` is not an integer. Follows ``keras.utils.set_random_seed``.

    >>> set_random_seed(1)
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"set_random_seed expects an integer, for example set_random_seed(1); got {seed!r}.")
    global _program_seed, _drawn_before
    _program_seed, _drawn_before = int(seed), _drawn
    random.seed(int(seed))
    np.random.seed(int(seed) % 2**32)
    _uses.clear()


def random_states() -> dict[str, Any]:
    """Return the states of the global generators of Python, numpy and (if loaded) torch, and the uses of seeds."""
    states = {"python": random.getstate(), "numpy": np.random.get_state(), "uses of seeds": dict(_uses)}
    if "torch" in sys.modules:
        states["torch"] = sys.modules["torch"].get_rng_state().numpy().copy()
    return states


def random_marks() -> tuple:
    """Return a value that changes whenever the global generators advance, or a call with a seed moves on."""
    state: Any = np.random.get_state()
    return random.getstate(), state[1].tobytes(), state[2:], _uses.total()


def set_random_states(states: dict[str, Any]) -> None:
    """Restore the global generators from what `random_states` returned."""
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])
    if "uses of seeds" in states:  # checkpoints of earlier versions have none
        _uses.clear()
        _uses.update(states["uses of seeds"])
    if "torch" in states and "torch" in sys.modules:
        torch = sys.modules["torch"]
        torch.set_rng_state(torch.from_numpy(states["torch"].copy()))
