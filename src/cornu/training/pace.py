"""How many steps one compiled call runs: one if a callback needs every batch, otherwise those of about one tick."""

import time

#: Each call of a compiled program begins with fresh memory, whose pages the system clears at their first touch: for a
#: convolutional network's steps a fifth of their time. So long steps, too, go several at a time.
TOGETHER = 8
MOST_ROUNDS = 4  # so many times as long may blocks last


class Pace:
    """Chooses block lengths from measured speed, so that blocks last about `tick` seconds.

    Blocks of at most 8 steps may last up to `longest` seconds, which delays Ctrl-C and the progress bar by that much.
    Both times are for one of `rounds` that a block makes, of replicas that follow each other, up to four.
    """

    def __init__(
        self, every_batch: bool = False, tick: float = 0.25, longest: float = 1.0, first: int = 4, rounds: int = 1
    ) -> None:
        longer = min(rounds, MOST_ROUNDS)
        self.every_batch, self.tick, self.longest = every_batch, tick * longer, longest * longer
        self._length = 1 if every_batch else first
        self._steps_from: int | None = None
        self._since = 0.0
        self._warm = False

    def begin(self, step: int) -> None:
        """Note that a block starts at `step`; the previous block, if finished, determines the speed."""
        now = time.perf_counter()
        if not self.every_batch and self._steps_from is not None and step > self._steps_from:
            elapsed = max(now - self._since, 1e-6)
            if self._warm:  # the first block's time is mostly compilation
                self._length = self.decide((step - self._steps_from) / elapsed)
            self._warm = True
        self._steps_from, self._since = step, now

    def decide(self, speed: float) -> int:
        """Return the length of the next block for a speed in steps per second.

        A length depends on the speeds given so far and on nothing else. Hosts that train together have to run the same
        blocks: they will if they give the same speed here, such as that of the slowest.
        """
        wanted = max(self.tick * speed, min(TOGETHER, self.longest * speed))
        return int(max(1, min(wanted, 4 * self._length + 16)))

    def block(self) -> int:
        """Return the number of steps for the next block."""
        return self._length
