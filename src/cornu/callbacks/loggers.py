"""Callbacks that record logs, and the one made of functions."""

import csv
import io
import json
import urllib.parse
import urllib.request
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cornu.callbacks.base import Callback
from cornu.callbacks.logs import Logs
from cornu.core.atomic_files import append_text, write_text
from cornu.core.error_bars import ErrorBar, deviation_of
from cornu.core.errors import did_you_mean


class CSVLogger(Callback):
    """Writes the logs of each epoch as a row of a CSV file, after a header row.

    Args:
        filename: path of the file; missing folders are created.
        separator: separates the values.
        append: add rows to an existing file, in the order of its columns, instead of replacing it.

    Values that an epoch lacks are written as ``NA``; means over replicas have a column ``..._deviation`` too. Follows https://keras.io/api/callbacks/csv_logger/

    >>> logger = CSVLogger("training.csv", separator=";")
    """

    only_reports = True

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        self.filename, self.sep, self.append = Path(filename), separator, append
        self.keys: list[str] | None = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.filename.parent.mkdir(parents=True, exist_ok=True)
        self.keys = self._columns_of_file() if self.append else None
        if self.keys is None:
            write_text(self.filename, "")

    def _columns_of_file(self) -> list[str] | None:
        """Return the column names in the first line of the file, or None if there is none."""
        if not self.filename.exists():
            return None
        with self.filename.open(newline="", encoding="utf-8") as file:
            first = next(csv.reader(file, delimiter=self.sep), None)
        return first[1:] if first else None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = _with_deviations(logs or {})
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.sep, lineterminator="\n")
        if self.keys is None:
            self.keys = sorted({*logs, *(self.params.get("metrics") or ())})
            writer.writerow(["epoch", *self.keys])
        writer.writerow([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])
        append_text(self.filename, text.getvalue())

    def training_state(self) -> str:
        """Return the file's content, for a backup: later rows are written again after a restart."""
        with self.filename.open(newline="", encoding="utf-8") as file:
            return file.read()

    def restore_training_state(self, state: str) -> None:
        """Restore the file's content from a backup."""
        write_text(self.filename, state)


def _with_deviations(logs: dict[str, Any]) -> dict[str, Any]:
    """Return logs in which means over several replicas are plain numbers, with a number more for their deviation."""
    if not any(isinstance(value, ErrorBar) for value in logs.values()):
        return logs
    deviations = {f"{name}_deviation": deviation_of(value) for name, value in logs.items() if np.ndim(value) == 0}
    return Logs(
        {name: float(value) if isinstance(value, ErrorBar) else value for name, value in logs.items()} | deviations
    )


def _cell(value: Any) -> str:
    if isinstance(value, str) or np.ndim(value) == 0:
        return str(value)
    return f"[{', '.join(map(str, np.asarray(value).ravel().tolist()))}]"


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        on_epoch_begin, on_epoch_end: functions of the epoch number and the logs.
        on_train_begin, on_train_end: functions of the logs.
        on_train_batch_begin, on_train_batch_end: functions of the batch number and the logs; they make training
            return to Python after each batch.
        **kwargs: functions for other methods of `Callback`, by name.

    Raises:
        TypeError: if `Callback` has no method of that name.

    Follows https://keras.io/api/callbacks/lambda_callback/

    >>> printing = LambdaCallback(on_epoch_end=lambda epoch, logs: print("epoch", epoch, logs["loss"]))
    >>> printing.on_epoch_end(0, {"loss": 0.5})
    epoch 0 0.5
    """

    def __init__(
        self,
        on_epoch_begin: Callable | None = None,
        on_epoch_end: Callable | None = None,
        on_train_begin: Callable | None = None,
        on_train_end: Callable | None = None,
        on_train_batch_begin: Callable | None = None,
        on_train_batch_end: Callable | None = None,
        **kwargs: Callable,
    ) -> None:
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        methods = [name for name in dir(Callback) if name.startswith("on_")]
        for name, function in (given | kwargs).items():
            if name not in methods:
                raise TypeError(f"A callback has no method {name!r}.{did_you_mean(name, methods)}")
            if function is not None:
                setattr(self, name, function)


class RemoteMonitor(Callback):
    """Sends the logs of each epoch to a web server by POST, as JSON.

    A server that cannot be reached gives a warning and does not stop training.

    Args:
        root: address of the server.
        path: path on the server.
        field: name of the form field that holds the JSON.
        headers: extra HTTP headers.
        send_as_json: send the JSON as the body instead of a form field.

    Follows https://keras.io/api/callbacks/remote_monitor/

    >>> monitor = RemoteMonitor("http://localhost:9000", send_as_json=True)
    """

    only_reports = True

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        self.root, self.path, self.field = root, path, field
        self.headers, self.send_as_json = headers, send_as_json

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        values = {"epoch": epoch} | {name: np.asarray(value).tolist() for name, value in (logs or {}).items()}
        text, kind = json.dumps(values), "application/json"
        if not self.send_as_json:
            text, kind = urllib.parse.urlencode({self.field: text}), "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind} | (self.headers or {})
        try:
            request = urllib.request.Request(self.root + self.path, text.encode(), headers)
            urllib.request.urlopen(request, timeout=10).close()
        except (OSError, ValueError) as error:
            warnings.warn(f"RemoteMonitor could not reach {self.root}: {error}", stacklevel=2)


__all__ = [
    "CSVLogger",
    "LambdaCallback",
    "RemoteMonitor",
]
