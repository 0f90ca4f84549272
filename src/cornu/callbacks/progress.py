"""Progress: a bar on a real terminal or in a notebook, plain lines anywhere else."""

import contextlib
import html
import os
import shutil
import sys
import time
from collections.abc import Iterator
from typing import Any, TextIO

import numpy as np

from cornu.callbacks.base import Callback
from cornu.core.error_bars import deviation_of
from cornu.core.errors import one_line
from cornu.visuals.streams import can_write, in_notebook, printable

REFRESH = 0.1  # seconds between redraws of the bar
LONGEST_NAME = 200  # characters of a name that are shown
SEPARATOR = " - "
SHORTEST_BAR = 5
HEARTBEAT = 60.0  # seconds between lines in a long epoch without a bar
_NOTEBOOK_STYLE = (
    "margin:0;white-space:pre-wrap;word-break:normal;font-family:monospace;font-size:var(--jp-code-font-size,13px)"
)


def is_live(stream: TextIO) -> bool:
    """Return whether lines can be overwritten: a real terminal that is not "dumb", or a notebook."""
    if in_notebook(stream):
        return True
    try:
        return stream.isatty() and os.environ.get("TERM") != "dumb"
    except (AttributeError, ValueError):
        return False


class _Line:
    """The line of messages: how many characters of an unfinished bar are before the cursor, and who speaks."""

    drawn = 0
    speaker = ""


def say(message: str) -> None:
    """Print a message on its own line, overwriting an unfinished bar, in characters that the output supports.

    The bar is drawn again below it on the next update.
    """
    cleared = f"\r{' ' * _Line.drawn}\r" if _Line.drawn else ""
    print(cleared + printable(sys.stdout, _Line.speaker + message), flush=True)
    _Line.drawn = 0


@contextlib.contextmanager
def speaking(speaker: str) -> Iterator[None]:
    """Inside a ``with`` block, messages begin with who says them.

    >>> with speaking("Replica 2: "):
    ...     say("stopped")
    Replica 2: stopped
    """
    before, _Line.speaker = _Line.speaker, speaker
    try:
        yield
    finally:
        _Line.speaker = before


def format_value(name: str, value: Any) -> str:
    """Return ``name: value`` with four decimals, or in scientific notation for small values.

    >>> format_value("loss", 0.25), format_value("lr", 1e-5)
    ('loss: 0.2500', 'lr: 1.0000e-05')
    """
    name = one_line(name, LONGEST_NAME)
    try:
        number = float(np.mean(value))
    except (TypeError, ValueError):
        return f"{name}: {one_line(str(value))}"
    spec, deviation = ".4f" if abs(number) > 1e-3 else ".4e", deviation_of(value)
    return f"{name}: {number:{spec}} ± {deviation:{spec}}" if deviation else f"{name}: {number:{spec}}"


def format_left(seconds: float) -> str:
    """Return the remaining time in a suitable unit.

    >>> format_left(3725), format_left(75), format_left(3.9)
    ('1:02:05', '1:15', '3s')
    """
    if seconds > 3600:
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}" if seconds > 60 else f"{int(seconds)}s"


def format_pace(seconds: float) -> str:
    """Return the time per step in a suitable unit.

    >>> format_pace(2.0), format_pace(0.0213), format_pace(5e-5)
    ('2s', '21ms', '50us')
    """
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


class Progbar:
    """A progress bar; call `update` with the number of completed steps and the values to show.

    If the output is not a terminal, only the last line is written.

    Args:
        target: total number of steps; None if unknown.
        width: length of the bar in characters.
        verbose: 0 (silent), 1 (bar) or 2 (one line at the end).
        interval: seconds between drawings.
        stateful_metrics: names whose values are shown as they are, not averaged over steps.
        stateless_metrics: instead of `stateful_metrics`: the names to average.
        unit_name: what is counted.

    Raises:
        ValueError: if both kinds of names are passed.

    Follows https://keras.io/api/utils/python_utils/#progbar-class

    >>> bar = Progbar(2, verbose=2)
    >>> bar.update(1, [("loss", 2.0)])
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Any = None,
        stateless_metrics: Any = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics and stateless_metrics:
            raise ValueError(
                "Progbar accepts stateful_metrics or stateless_metrics, not both: other metrics are of the other kind."
            )
        self.target, self.width, self.verbose = target, width, verbose
        self.interval, self.unit_name = max(interval, REFRESH), unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._sums: dict[str, list[float]] = {}
        self._seen = self._drawn = 0
        self._start = time.perf_counter()
        self._last, self._beat = 0.0, self._start
        self._first: tuple[int, float] | None = None  # the steps done at the first update, and its time
        self._live = is_live(sys.stdout)
        self._place: Any = None  # the notebook's display of the bar

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Show that `current` steps are done.

        Args:
            current: number of completed steps.
            values: a list of (name, value).
            finalize: whether this is the last update; None: if `current` has reached `target`.
        """
        finalize = self.target is not None and current >= self.target if finalize is None else finalize
        self._take(current, values or [])
        now = time.perf_counter()
        self._first = self._first or (current, now)
        if self.verbose == 1 and self._live:
            if finalize or now - self._last >= self.interval:
                self._draw(self._parts(current, now, finalize), finalize)
                self._last = now
        elif self.verbose and finalize:
            print(printable(sys.stdout, fitted(self._plain_parts(current, now), columns())), flush=True)
        elif self.verbose == 1 and now - self._beat >= HEARTBEAT:
            print(printable(sys.stdout, SEPARATOR.join(self._plain_parts(current, now))), flush=True)
            self._beat = now

    def add(self, n: int, values: Any = None) -> None:
        """Show that `n` more steps are done."""
        self.update(self._seen + n, values)

    def _take(self, current: int, values: Any) -> None:
        for name, value in values:
            if self._is_stateful(name) or np.ndim(value) > 0 or isinstance(value, str):
                self._sums[name] = [value, 1]
            else:
                total, count = self._sums.get(name, [0.0, 0])
                weight = max(current - self._seen, 1)
                self._sums[name] = [total + value * weight, count + weight]
        self._seen = current

    def _is_stateful(self, name: str) -> bool:
        if self.stateless_metrics is not None:
            return name not in self.stateless_metrics
        return name in self.stateful_metrics

    def _values(self) -> list[str]:
        means = ((name, total if count == 1 else total / count) for name, (total, count) in self._sums.items())
        return [format_value(name, mean) for name, mean in means]

    def _seconds_per_step(self, current: int, now: float) -> float:
        """Return the seconds per step, without those up to the first update if possible: they include compilation."""
        steps, since = self._first or (0, self._start)
        if 0 < steps <= current / 2:
            return (now - since) / (current - steps)
        return (now - self._start) / current if current else 0.0

    def _pace(self, current: int, now: float) -> str:
        return f"{format_pace(self._seconds_per_step(current, now))}/{self.unit_name}"

    def _parts(self, current: int, now: float, finalize: bool) -> list[str]:
        """Return the line with its bar, in Keras's format: the remaining time, and at the end the total time."""
        spent = f"{now - self._start:.0f}s"
        pace, values = self._pace(current, now), self._values()
        if not self.target:
            head = f"{current:7d}/Unknown"
        else:
            if not finalize:
                spent = format_left(self._seconds_per_step(current, now) * (self.target - current))
            others = len(SEPARATOR.join([f"{self._count(current)}   {spent} {pace}", *values]))
            width = self._bar_width(others)
            full, empty = bar_characters(sys.stdout)
            done = width if finalize else int(width * min(current / self.target, 1))
            head = f"{self._count(current)} {full * done}{empty * (width - done)}"
        return [f"{head} {spent} {pace}", *values]

    def _bar_width(self, others: int) -> int:
        """Return the length of the bar: shorter if the line with `others` is wider than a terminal."""
        most = columns()
        return self.width if most is None else max(min(self.width, most - 1 - others), min(self.width, SHORTEST_BAR))

    def _count(self, current: int) -> str:
        return f"{current:{len(str(self.target))}d}/{self.target or 'Unknown'}"

    def _plain_parts(self, current: int, now: float) -> list[str]:
        spent = f"{now - self._start:.0f}s"
        return [self._count(current).strip(), spent, self._pace(current, now), *self._values()]

    def _draw(self, parts: list[str], finalize: bool) -> None:
        """Overwrite the bar; until it is finished, text beyond the width of the terminal is cut off."""
        if in_notebook(sys.stdout):
            self._show_in_notebook(SEPARATOR.join(parts))
            return
        parts, most = [printable(sys.stdout, part) for part in parts], columns()
        line = fitted(parts, most) if finalize else SEPARATOR.join(parts)[: None if most is None else most - 1]
        first, *rest = line.split("\n")
        room = len(first) + self._drawn if most is None else most - 1  # the terminal may be narrower than it was
        padding = " " * max(min(self._drawn, room) - len(first), 0)
        sys.stdout.write("\n".join([f"\r{first}{padding}", *rest]) + ("\n" if finalize else ""))
        sys.stdout.flush()
        self._drawn = len(line)
        _Line.drawn = 0 if finalize else len(line)

    def _show_in_notebook(self, line: str) -> None:
        """Update one output area under the cell, so that the notebook keeps only the last line."""
        from IPython import display

        shown = {"text/plain": line, "text/html": f'<pre style="{_NOTEBOOK_STYLE}">{html.escape(line)}</pre>'}
        if self._place is None:
            self._place = display.display(shown, raw=True, display_id=True)
        else:
            self._place.update(shown, raw=True)


def columns() -> int | None:
    """Return the width of the terminal now; None if the output is not a terminal."""
    try:
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    except (AttributeError, ValueError):
        return None


def fitted(parts: list[str], most: int | None) -> str:
    """Return the parts of a line, in several lines if they are wider than a terminal of `most` columns.

    >>> print(fitted(["10/10", "2s", "loss: 0.5000", "accuracy: 0.9000"], 30))
    10/10 - 2s - loss: 0.5000
        accuracy: 0.9000
    """
    if most is None:
        return SEPARATOR.join(parts)
    lines = parts[:1]
    for part in parts[1:]:
        if len(lines[-1]) + len(SEPARATOR) + len(part) < most:
            lines[-1] += SEPARATOR + part
        else:
            lines.append(f"    {part}")
    return "\n".join(lines)


def bar_characters(stream: TextIO) -> tuple[str, str]:
    """Return the characters for the done and remaining parts of a bar, which the stream's encoding supports."""
    return ("━", " ") if can_write(stream, "━") else ("=", ".")


class ProgbarLogger(Callback):
    """Shows the progress of `fit`, `evaluate` and `predict`: a bar (``verbose=1``) or a line per epoch (``verbose=2``).

    Args:
        count_mode: kept for Keras's signature; steps are counted.
        stateful_metrics: kept for Keras's signature; logs are shown as they are.

    Follows https://keras.io/api/callbacks/

    >>> progress = ProgbarLogger()
    """

    only_reports = True
    per_batch = False
    validation_rows: int | None = None  # number of rows that the run validates on, if known

    def __init__(self, count_mode: str = "steps", stateful_metrics: Any = None) -> None:
        self.count_mode, self.stateful_metrics = count_mode, stateful_metrics
        self.bar: Progbar | None = None
        self.fitting = False
        self._seen_steps: int | None = None

    @property
    def verbose(self) -> int:
        verbose = self.params.get("verbose", 1)
        return 1 if verbose in ("auto", True) else int(verbose or 0)

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.fitting = True
        rows = self.params.get("samples")
        if self.verbose and rows and self.validation_rows:
            print(f"Train on {rows} samples, validate on {self.validation_rows} samples", flush=True)

    def on_train_end(self, logs: dict | None = None) -> None:
        self.fitting = False

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if self.verbose and self.params.get("epochs", 2) > 1:
            print(f"Epoch {epoch + 1}/{self.params.get('epochs')}", flush=True)
        self._start()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._finish(logs)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._show(batch, logs)

    def on_test_begin(self, logs: dict | None = None) -> None:
        if not self.fitting:
            self._start()

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if not self.fitting:
            self._show(batch, logs)

    def on_test_end(self, logs: dict | None = None) -> None:
        if not self.fitting:
            self._finish(logs)

    def on_predict_begin(self, logs: dict | None = None) -> None:
        self._start()

    def on_predict_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._show(batch, None)

    def on_predict_end(self, logs: dict | None = None) -> None:
        self._finish(None)

    def _start(self) -> None:
        self.bar = Progbar(self.params.get("steps") or self._seen_steps, verbose=self.verbose)
        self._step = 0

    def _show(self, batch: int, logs: dict | None) -> None:
        self._step = batch + 1
        if self.bar is not None:
            self.bar.stateful_metrics.update(logs or {})
            self.bar.update(self._step, list((logs or {}).items()), finalize=False)

    def _finish(self, logs: dict | None) -> None:
        if self.bar is not None:
            self._step = self._step or self.bar.target or 1
            self._seen_steps = self._step
            self.bar.target = self._step
            self.bar.stateful_metrics.update(logs or {})
            self.bar.update(self._step, list((logs or {}).items()), finalize=True)
            self.bar = None


__all__ = [
    "ProgbarLogger",
]
