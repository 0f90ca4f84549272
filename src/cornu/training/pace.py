"""How many steps one compiled call runs: one where a callback wants every batch, else about a tick's worth of time."""

import time


class Pace:
    """Chooses block lengths from measured speed, so that a block lasts about `tick` seconds."""

    def __init__(self, every_batch: bool = False, tick: float = 0.25, first: int = 4) -> None:
        self.every_batch, self.tick = every_batch, tick
        self._length = 1 if every_batch else first
        self._steps_from: int | None = None
        self._since = 0.0
        self._warm = False

    def begin(self, step: int) -> None:
        """Note that a block begins at `step`; the block before it, if finished, tells the speed."""
        now = time.perf_counter()
        if not self.every_batch and self._steps_from is not None and step > self._steps_from:
            elapsed = max(now - self._since, 1e-6)
            if self._warm:  # the first block's time is mostly compilation
                wanted = self.tick * (step - self._steps_from) / elapsed
                self._length = int(max(1, min(wanted, 4 * self._length + 16)))
            self._warm = True
        self._steps_from, self._since = step, now

    def block(self) -> int:
        """Return the number of steps for the next block."""
        return self._length
