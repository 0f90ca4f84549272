"""The hyperparameters of a run for TensorBoard's HPARAMS page (``plugin_data.proto`` of that plugin)."""

import time
from typing import Any

import numpy as np

from cornu.callbacks.tensorboard.event_file import plugin_data
from cornu.core.records import double, field, whole

SUCCESS = 1


def started(values: dict[str, Any]) -> bytes:
    """Return a summary value that holds the hyperparameters of a run: numbers, booleans or strings."""
    entries = b"".join(field(1, field(1, key.encode()) + field(2, _value(value))) for key, value in values.items())
    return _session("_hparams_/session_start_info", field(3, entries + double(5, time.time())))


def ended(status: int = SUCCESS) -> bytes:
    """Return a summary value that holds the final status of a run."""
    return _session("_hparams_/session_end_info", field(4, whole(1, status) + double(2, time.time())))


def _session(tag: str, content: bytes) -> bytes:
    return plugin_data(tag, "hparams", whole(1, 0) + content)


def _value(value: Any) -> bytes:
    if isinstance(value, (bool, np.bool_)):
        return whole(4, int(value))
    if not isinstance(value, str) and np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iuf":
        return double(2, float(value))
    return field(3, str(value).encode())


def hyperparameters(model: Any, params: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a run: epochs, batch size, optimizer, learning rate, loss, number of parameters."""
    found = {name: params[name] for name in ("epochs", "batch_size") if params.get(name)}
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        found["optimizer"] = type(optimizer).__name__
        found["learning_rate"] = float(np.asarray(optimizer.learning_rate))
    loss = _loss_name(getattr(model, "loss", None))
    if loss:
        found["loss"] = loss
    if getattr(model, "built", False):
        found["parameters"] = model.count_params()
    return found


def _loss_name(loss: Any) -> str:
    if isinstance(loss, dict):
        return ", ".join(f"{key}: {_loss_name(one)}" for key, one in loss.items())
    if isinstance(loss, (list, tuple)):
        return ", ".join(map(_loss_name, loss))
    return loss if isinstance(loss, str) else getattr(loss, "__name__", None) or getattr(loss, "name", None) or ""
