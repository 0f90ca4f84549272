"""Callbacks that write down how training goes, and the one made from functions."""

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
from cornu.core.atomic_files import append_text, write_text
from cornu.core.errors import did_you_mean


class CSVLogger(Callback):
    """Writes the logs of each epoch as a row of a CSV file, with a line of names first.

    `filename` is the file, in a folder that is made if need be, `separator` stands between values. With `append` rows
    are added to a file that is there, in the order of its columns; otherwise it is replaced. Values that an epoch lacks
    are written as ``NA``. Follows https://keras.io/api/callbacks/csv_logger/

    >>> logger = CSVLogger("training.csv", separator=";")
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        self.filename, self.sep, self.append = Path(filename), separator, append
        self.keys: list[str] | None = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.filename.parent.mkdir(parents=True, exist_ok=True)
        self.keys = self._columns_of_file() if self.append else None
        if self.keys is None:
            write_text(self.filename, "")

    def _columns_of_file(self) -> list[str] | None:
        """Return the names in the first line of the file, or None where there is none."""
        if not self.filename.exists():
            return None
        with self.filename.open(newline="", encoding="utf-8") as file:
            first = next(csv.reader(file, delimiter=self.sep), None)
        return first[1:] if first else None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.sep, lineterminator="\n")
        if self.keys is None:
            self.keys = sorted({*logs, *(self.params.get("metrics") or ())})
            writer.writerow(["epoch", *self.keys])
        writer.writerow([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])
        append_text(self.filename, text.getvalue())

    def training_state(self) -> str:
        """Return the file's content, for a backup: rows after it are written again."""
        with self.filename.open(newline="", encoding="utf-8") as file:
            return file.read()

    def restore_training_state(self, state: str) -> None:
        """Let the file have the content that it had at the backup."""
        write_text(self.filename, state)


def _cell(value: Any) -> str:
    if isinstance(value, str) or np.ndim(value) == 0:
        return str(value)
    return f"[{', '.join(map(str, np.asarray(value).ravel().tolist()))}]"


class LambdaCallback(Callback):
    """A callback made of functions, given by the names of the methods that they replace.

    Functions of epochs and batches are called with the number and the logs, the others with the logs. A function for
    batches makes training return to Python after each batch. Raises TypeError for a name that no callback has.
    Follows https://keras.io/api/callbacks/lambda_callback/

    >>> shout = LambdaCallback(on_epoch_end=lambda epoch, logs: print("epoch", epoch, logs["loss"]))
    >>> shout.on_epoch_end(0, {"loss": 0.5})
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
    """Sends the logs of each epoch to a web server by POST.

    They go to ``root + path`` as JSON: in the form field `field`, or with `send_as_json` as the body. `headers` are
    sent too. A server that cannot be reached gives a warning and does not stop training.
    Follows https://keras.io/api/callbacks/remote_monitor/
    """

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
