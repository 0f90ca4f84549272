"""Measures of a model's predictions: confusion, precision and recall, calibration, errors."""

from typing import Any, NamedTuple

import numpy as np

BINS = 10


class Classified(NamedTuple):
    """Rows with one true class each: `true` (n,), `probabilities` (n, classes)."""

    true: np.ndarray
    probabilities: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """The most probable class of each row."""
        return self.probabilities.argmax(1)


class Tagged(NamedTuple):
    """Rows with any number of labels each: `true` and `probabilities` (n, labels)."""

    true: np.ndarray
    probabilities: np.ndarray


class Measured(NamedTuple):
    """Rows with numbers: `true` and `predicted` (n, numbers)."""

    true: np.ndarray
    predicted: np.ndarray


def judged(y: Any, outputs: Any, loss: str = "") -> Classified | Tagged | Measured:
    """Return targets and outputs by their kind: classes, labels, or numbers.

    `y` holds class numbers, one-hot rows, yes or no (0 and 1, or -1 and 1), rows of labels, or numbers; `outputs`
    probabilities, logits or numbers; `loss` is the name of the loss, which decides if the values are ambiguous.
    Axes between the rows and the classes (time steps, pixels) count as rows. Raises ValueError if shapes do not fit.
    """
    y, outputs = np.asarray(y), np.asarray(outputs, "float32")
    outputs = outputs[:, None] if outputs.ndim == 1 else outputs
    width = outputs.shape[-1]
    if y.shape == outputs.shape[:-1] or (y.shape == (*outputs.shape[:-1], 1) and width > 1):
        y = y.reshape(outputs.shape[:-1])[..., None]
    if y.shape[:-1] != outputs.shape[:-1] or y.shape[-1] not in (1, width):
        raise ValueError(f"The targets have shape {y.shape}, the model's outputs {outputs.shape}: they do not fit.")
    y, outputs = y.reshape(-1, y.shape[-1]), outputs.reshape(-1, width)
    y = y.astype("float64") if y.dtype == bool else y
    about_classes = any(word in loss.lower() for word in ("crossentropy", "hinge", "focal"))
    if width > 1 and y.shape[-1] == 1:
        return Classified(y[:, 0].astype("int64"), shares(outputs))
    two_values = bool(np.isin(y, (0, 1)).all() or np.isin(y, (-1, 1)).all())
    if width == 1:
        if not (about_classes or (two_values and not _is_measure(loss))) or not two_values:
            return Measured(y.astype("float64"), outputs)
        yes = _chances(outputs, signed=bool((y < 0).any()))[:, 0]
        return Classified((y[:, 0] > 0).astype("int64"), np.stack([1 - yes, yes], 1))
    one_hot = two_values and bool(np.allclose((y > 0).sum(1), 1))
    if one_hot and (about_classes or _looks_like_shares(outputs) or not _is_measure(loss)):
        return Classified(y.argmax(1), shares(outputs))
    if about_classes and "binary" not in loss.lower() and bool(np.allclose(y.sum(1), 1, atol=1e-3)):
        return Classified(y.argmax(1), shares(outputs))  # smoothed labels
    if two_values and (about_classes or not _is_measure(loss)):
        return Tagged((y > 0).astype("int64"), _chances(outputs, signed=bool((y < 0).any())))
    return Measured(y.astype("float64"), outputs)


def _is_measure(loss: str) -> bool:
    """Return whether a loss is for regression."""
    return any(word in loss.lower() for word in ("squared", "absolute", "mse", "mae", "huber", "cosh", "poisson"))


def _looks_like_shares(outputs: np.ndarray) -> bool:
    return bool(outputs.min(initial=0) >= -1e-3 and np.allclose(outputs.sum(1), 1, atol=1e-2))


def shares(outputs: np.ndarray) -> np.ndarray:
    """Return rows that sum to 1: as they are, scaled (sigmoids), or from logits by softmax."""
    if outputs.min(initial=0) >= -1e-3 and outputs.max(initial=0) <= 1 + 1e-3:
        clipped = outputs.clip(0, 1)
        return clipped / np.maximum(clipped.sum(1, keepdims=True), 1e-9)
    powers = np.exp(outputs - outputs.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def _chances(outputs: np.ndarray, signed: bool) -> np.ndarray:
    """Return probabilities of yes: from -1 to 1, from 0 to 1, or from logits."""
    low, high = outputs.min(initial=0), outputs.max(initial=0)
    if signed:
        return ((outputs + 1) / 2).clip(0, 1)
    if low >= -1e-3 and high <= 1 + 1e-3:
        return outputs.clip(0, 1)
    return 1 / (1 + np.exp(-outputs.clip(-60, 60)))


def confusion(true: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Return how often each class (row) was predicted as each (column).

    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    known = (true >= 0) & (true < classes)
    return np.bincount(true[known] * classes + predicted[known], minlength=classes**2).reshape(classes, classes)


class Scores(NamedTuple):
    """Precision, recall, F1 and number of rows of each class; NaN if the divisor is 0."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    rows: np.ndarray


def scores(counts: np.ndarray) -> Scores:
    """Return the scores of each class from a confusion matrix."""
    right = np.diag(counts).astype("float64")
    return scores_of(right, counts.sum(0), counts.sum(1))


def scores_of(right: np.ndarray, predicted: np.ndarray, rows: np.ndarray) -> Scores:
    """Return scores from the numbers of true positives, predicted positives and actual positives."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return Scores(right / predicted, right / rows, 2 * right / (predicted + rows), rows)


class Calibration(NamedTuple):
    """By bins of the confidence: its mean, the accuracy, the number of rows; and the expected error."""

    confidence: np.ndarray
    accuracy: np.ndarray
    rows: np.ndarray
    error: float


def calibration(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> Calibration:
    """Compare confidence with accuracy, in equal bins from 0 to 1.

    The error is their mean absolute difference, weighted by rows (ECE; Naeini, Cooper and Hauskrecht, 2015).

    >>> calibration(np.array([0.9, 0.9]), np.array([True, False])).error
    0.4
    """
    place = np.minimum((confidence * bins).astype("int64"), bins - 1)
    rows = np.bincount(place, minlength=bins)
    filled = rows > 0
    sure = np.bincount(place, confidence.astype("float64"), bins)[filled] / rows[filled]
    good = np.bincount(place, right.astype("float64"), bins)[filled] / rows[filled]
    error = float((rows[filled] * abs(sure - good)).sum() / max(int(rows.sum()), 1))
    return Calibration(sure, good, rows[filled], round(error, 6))


def worst(found: Classified, most: int) -> np.ndarray:
    """Return the indices of the wrong rows, the most confident first."""
    wrong = np.flatnonzero(found.predicted != found.true)
    sure = found.probabilities.max(1)[wrong]
    return wrong[np.argsort(-sure, kind="stable")][:most]


class Fit(NamedTuple):
    """Regression errors: mean absolute error, root mean squared error, fraction of variance explained."""

    mae: float
    rmse: float
    r2: float


def fit_of(true: np.ndarray, predicted: np.ndarray) -> Fit:
    """Return the regression errors of predictions.

    >>> fit_of(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    Fit(mae=0.0, rmse=0.0, r2=1.0)
    """
    errors = predicted - true
    spread = float(((true - true.mean()) ** 2).sum())
    r2 = 1 - float((errors**2).sum()) / spread if spread else float("nan")
    return Fit(float(abs(errors).mean()), float(np.sqrt((errors**2).mean())), r2)
