"""Finding a learning rate: it grows during training, and the loss shows which value is good."""

import math
from typing import Any

import numpy as np

from cornu.callbacks.base import Callback
from cornu.callbacks.schedule import rate_of
from cornu.core import atomic_files
from cornu.visuals import svg

SMOOTHING = 0.9  # decay rate of the moving average
TOO_MUCH = 4.0  # the loss has diverged at this multiple of the smallest loss


class LearningRateFinder(Callback):
    """Tries learning rates from `lowest` to `highest`, one per batch, and records the losses.

    Pass it to `fit`; after `steps` batches, or when the loss diverges, training stops, and weights and optimizer are
    restored. Then `rates` and `losses` hold the measurements, `suggestion` is the rate at which the smoothed loss fell
    fastest, and ``plot("rates.svg")`` draws the curve.

    Args:
        lowest: the first rate, above 0.
        highest: the last rate.
        steps: number of batches, at least 5.

    Raises:
        ValueError: if an argument is out of range.
        TypeError: if the optimizer has a schedule.

    Smith 2017, Cyclical learning rates, section 3.3, https://arxiv.org/abs/1506.01186

    >>> round(LearningRateFinder(lowest=1e-5, highest=1.0, steps=6).rate(4), 6)
    0.1
    """

    per_batch = True

    def __init__(self, lowest: float = 1e-6, highest: float = 10.0, steps: int = 100) -> None:
        if not 0 < lowest < highest < math.inf:
            raise ValueError(
                f"Learning rates must satisfy 0 < lowest < highest < infinity; got {lowest} and {highest}."
            )
        if steps < 5:
            raise ValueError(f"LearningRateFinder needs at least 5 steps; got {steps}.")
        self.lowest, self.highest, self.steps = lowest, highest, steps
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.smoothed: list[float] = []

    def rate(self, step: int) -> float:
        """Return the learning rate of a step; the rates grow exponentially."""
        return self.lowest * (self.highest / self.lowest) ** (step / (self.steps - 1))

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._rate = rate_of(self.model, "LearningRateFinder")
        self.rates, self.losses, self.smoothed = [], [], []
        self._kept = [(variable, np.array(variable.numpy())) for variable in self._variables()]
        self._mean = 0.0

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.model.optimizer.variables]

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._sum = 0.0

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        if len(self.rates) < self.steps:
            self.model.optimizer.learning_rate = self.rate(len(self.rates))

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self.model.stop_training:
            return
        total = float((logs or {})["loss"]) * (batch + 1)  # logs hold the mean since the start of the epoch
        loss, self._sum = total - self._sum, total
        self.rates.append(self.rate(len(self.rates)))
        self.losses.append(loss)
        self._mean = SMOOTHING * self._mean + (1 - SMOOTHING) * loss
        self.smoothed.append(self._mean / (1 - SMOOTHING ** len(self.losses)))
        ran_away = len(self.losses) > 5 and self.smoothed[-1] > TOO_MUCH * min(self.smoothed)
        if not math.isfinite(loss) or ran_away or len(self.losses) == self.steps:
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        for variable, value in self._kept:
            variable.assign(value)
        self.model.optimizer.learning_rate = self._rate
        del self._kept

    @property
    def suggestion(self) -> float | None:
        """The rate at which the smoothed loss fell fastest; None if it never fell."""
        curve = np.array([value for value in self.smoothed if math.isfinite(value)])
        if len(curve) < 5:
            return None
        apart = max(len(curve) // 10, 2)  # the first batches, and single ones, are noisy
        end = max(int(curve.argmin()) + 1, 2 * apart + 1)
        falls = curve[apart:end] - curve[: end - apart]
        steepest = int(falls[1:].argmin()) + 1 + apart // 2
        return self.rates[steepest] if falls.min() < 0 else None

    def plot(self, path: Any) -> None:
        """Write the curve of loss against learning rate to an SVG file."""
        atomic_files.write_text(path, svg.alone(self.chart()))

    def chart(self) -> str:
        """Return the curve as an SVG element for a web page."""
        shown = [i for i, loss in enumerate(self.smoothed) if math.isfinite(loss)]
        powers = [math.log10(self.rates[i]) for i in shown]
        values = [self.smoothed[i] for i in shown]
        top = max([*values[:1], 1.6 * min(values, default=0.0)])  # a diverged loss would flatten the rest
        lowest = svg.limits(values)[0]
        axes = svg.Axes(svg.limits(powers), (lowest, top), ("learning rate", "loss (smoothed)"), (640, 360))
        parts = [svg.curve(svg.Curve("loss", powers, [min(value, top) for value in values], "train"), axes)]
        if self.suggestion is not None:
            x, bottom = axes.at(math.log10(self.suggestion), axes.y[0])
            _, high = axes.at(0, axes.y[1])
            parts.append(f'<path class="ideal" d="M{x:.1f} {bottom:.1f}V{high:.1f}"/>')
            parts.append(svg.text("axis", x + 5, high + 12, f"{self.suggestion:.2g}", "start"))
        return axes.chart(parts, "Loss by learning rate", x_words=lambda power: f"1e{power:.0f}", whole_x=True)


__all__ = [
    "LearningRateFinder",
]
