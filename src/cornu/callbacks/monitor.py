"""The monitored value of a callback: how it is found in the logs, and which direction is better."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.callbacks.logs import Logs
from cornu.core.errors import unknown

# Prefixes of words in names: what is maximized, and what is minimized.
_LARGER = (
    "acc", "auc", "fmeasure", "precision", "recall", "f1", "fbeta", "iou", "io_u", "r2", "sensitivity",
    "specificity", "cosine_similarity", "true_positives", "true_negatives", "psnr", "ssim", "bleu", "dice",
)  # fmt: skip
_SMALLER = (
    "loss", "err", "entropy", "mse", "mae", "mape", "msle", "rmse", "squared", "absolute", "hinge", "logcosh",
    "divergence", "poisson", "perplexity", "false_positives", "false_negatives", "learning_rate", "lr", "proximity",
)  # fmt: skip


def comparison(monitor: str, mode: str, who: str) -> Callable:
    """Return ``numpy.less`` or ``numpy.greater``: which of two values of `monitor` is better.

    Args:
        monitor: name of the monitored value.
        mode: ``"min"``, ``"max"``, or ``"auto"``: by the name (names that end in "loss" are minimized; accuracy, AUC, F
            measure and the like are maximized). A name that fits neither is minimized, with a warning.
        who: name of the callback, for messages.

    Raises:
        ValueError: for other modes.

    >>> comparison("val_acc", "auto", "EarlyStopping").__name__
    'greater'
    """
    if mode not in ("auto", "min", "max"):
        raise unknown(f"mode of {who}", mode, ("auto", "min", "max"))
    if mode != "auto":
        return np.greater if mode == "max" else np.less
    name = monitor.removeprefix("val_")
    if name.endswith("loss"):
        return np.less
    if _has_word(name, _LARGER):
        return np.greater
    if not _has_word(name, _SMALLER):
        warnings.warn(
            f"{who} cannot tell from the name {monitor!r} whether larger is better, and assumes that smaller is: "
            "pass mode='max' or mode='min'.",
            stacklevel=4,
        )
    return np.less


def _has_word(name: str, words: tuple[str, ...]) -> bool:
    return any(f"_{name}".find(f"_{word}") >= 0 for word in words) or "acc" in name or "auc" in name


def value_of(monitor: str, logs: dict[str, Any] | None, params: dict[str, Any], who: str) -> float | None:
    """Return the value of `monitor` in the logs of an epoch, in either spelling (``acc``, ``accuracy``).

    Returns None, with a warning that lists the logs, if it is missing; without a warning if other epochs of the run
    have it (``validation_freq``). Raises ValueError if it is not a single number.
    """
    logs = Logs(logs or {})
    if monitor in logs:
        value = np.asarray(logs[monitor])
        if value.size != 1:
            raise ValueError(
                f"{who} watches {monitor!r}, whose value is an array of shape {value.shape}, not a number."
            )
        return float(value.reshape(()))
    if monitor not in Logs.fromkeys(params.get("metrics") or ()):
        names = ", ".join(map(str, logs)) or "nothing"
        advice = " Pass validation_data or validation_split to fit." if monitor.startswith("val_") else ""
        warnings.warn(f"{who} watches {monitor!r}, which is not among the logs: {names}.{advice}", stacklevel=3)
    return None
