"""A local web page that shows training runs live."""

import os
import time
from pathlib import Path
from typing import Any

from cornu.callbacks.base import Callback
from cornu.callbacks.dashboard.run_files import RunFile, runs_folder
from cornu.callbacks.dashboard.server import PORT, Server
from cornu.callbacks.progress import say
from cornu.core.error_bars import deviation_of

TELLING = 0.5  # seconds between updates within an epoch


class Dashboard(Callback):
    """Shows training on a local web page: curves, learning rate, throughput, remaining time, and a stop button.

    Runs that share a `folder` are on one page: earlier ones and those of other processes too. The page stays up while a
    process with a dashboard on its port is running; ``cornu watch`` shows it at any time.

    Args:
        name: name of the run on the page; None uses the model's name.
        folder: folder of the run files; None uses one in the user's home.
        port: port of the page. If another dashboard already serves the same folder there, its page is used; if another
            program has the port, a free one is chosen.
        host: address to serve at. Other than the loopback address, it lets other machines see the page and stop runs.
        open_browser: open the page in a browser.
        token: ask for a token, which the printed address contains. It is always asked for if `host` is not the loopback
            address.

    >>> dashboard = Dashboard(name="first try")
    """

    only_reports = True

    per_batch = False

    def __init__(
        self,
        name: str | None = None,
        folder: Any = None,
        port: int = PORT,
        host: str = "127.0.0.1",
        open_browser: bool = False,
        token: bool = False,
    ) -> None:
        self.token = token
        self.name, self.port, self.host, self.open_browser = name, port, host, open_browser
        self.folder = runs_folder() if folder is None else Path(os.fspath(folder))
        self.server: Server | None = None
        self.run: RunFile | None = None
        self._epoch = self._told = self._begun = 0.0

    @property
    def url(self) -> str | None:
        """The address of the page, or None before training has started."""
        return None if self.server is None else self.server.url

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.run = RunFile(self.folder, self.name or getattr(self.model, "name", None) or "model")
        if self.server is None:
            self.server = Server(self.folder, self.host, self.port, self.token)
            self.server.start()
            say(f"Watch the training at {self.server.url}")
            if self.open_browser:
                _open(self.server.url)
        known = {key: self.params.get(key) for key in ("epochs", "steps", "samples", "batch_size")}
        self.run.record("begin", name=self.run.name, parameters=self._parameters(), **known)
        self._begun = time.perf_counter()

    def _parameters(self) -> int | None:
        return self.model.count_params() if getattr(self.model, "built", False) else None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch = self._told = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        now = time.perf_counter()
        if self.run is None or now - self._told < TELLING:
            return
        self._told = now
        self.run.record("progress", step=batch + 1, logs=logs or {}, speed=self._speed(batch + 1, now))
        self._stop_if_asked()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.run is None or self.server is None:
            return
        steps = self.params.get("steps")
        rate = getattr(getattr(self.model, "optimizer", None), "learning_rate", None)
        speed = self._speed(steps, time.perf_counter()) if steps else None
        deviations = {name: by for name, value in (logs or {}).items() if (by := deviation_of(value))}
        told = {"epoch": epoch, "logs": logs or {}, "learning_rate": rate, "speed": speed}
        self.run.record("epoch", **told, **({"deviations": deviations} if deviations else {}))
        self._stop_if_asked()
        self.server.keep_alive()

    def _speed(self, steps: int, now: float) -> float:
        """Return rows (or steps, if the number of rows is unknown) per second in this epoch."""
        size = self.params.get("batch_size")
        rows = min(steps * size, self.params.get("samples") or steps * size) if size else steps
        return rows / max(now - self._epoch, 1e-9)

    def _stop_if_asked(self) -> None:
        if self.run is not None and self.run.stop_asked():
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.run is not None:
            self.run.record("end", seconds=time.perf_counter() - self._begun, stopped=self.run.stop_asked())
            self.run.close()


def _open(url: str) -> None:
    import webbrowser

    webbrowser.open(url)


__all__ = [
    "Dashboard",
]
