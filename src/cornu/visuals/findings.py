"""The part of a report that rates predictions: for classes, labels, and numbers."""

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from cornu.visuals import measures, svg, tiles

MOST_CLASSES, MOST_MISTAKES, MOST_NUMBERS, MOST_POINTS = 30, 24, 4, 1500


class Pictures(NamedTuple):
    """The inputs, and their shape as pictures if they can be shown so."""

    rows: Any
    shape: tuple[int, ...] | None


def describe(found: Any, names: Sequence[str] | None, pictures: Pictures) -> str:
    """Return the result of `measures.judged` as HTML; `names` are those of the classes, labels or numbers."""
    if isinstance(found, measures.Classified):
        return _classes(found, _named(names, found.probabilities.shape[1], found.true), pictures)
    if isinstance(found, measures.Tagged):
        return _labels(found, _named(names, found.true.shape[1], None))
    return _numbers(found, _named(names, found.true.shape[1], None))


def _named(names: Sequence[str] | None, count: int, true: np.ndarray | None) -> list[str]:
    if true is not None and true.size and (true.max() >= count or true.min() < 0):
        known = f"there are {count} classes, 0 to {count - 1}"
        raise ValueError(f"A target has class {true.max() if true.max() >= count else true.min()}; {known}.")
    if names is None:
        return [str(i) for i in range(count)]
    if len(names) != count:
        raise ValueError(f"class_names has {len(names)} names; the model's output has {count} numbers.")
    return [str(name) for name in names]


# ---- classes


def _classes(found: measures.Classified, names: list[str], pictures: Pictures) -> str:
    counts = measures.confusion(found.true, found.predicted, len(names))
    accuracy = np.trace(counts) / max(counts.sum(), 1)
    confidence = found.probabilities.max(1)
    parts = [f"<p>{accuracy:.2%} of {counts.sum():,} are right; {_mixed_up(counts, names)}</p>"]
    parts.append('<div class="charts">')
    if len(names) <= MOST_CLASSES:
        parts.append(_figure("Confusion matrix", svg.matrix(counts, names, "Confusion matrix"), "matrix"))
    else:
        parts.append(_figure("Most often mixed up", _pairs(counts, names)))
    parts.append(_figure("Precision and recall by class", _score_table(measures.scores(counts), names)))
    parts.append(_figure("Calibration", _calibration(confidence, found.predicted == found.true)))
    parts.append("</div>")
    return "".join(parts) + _mistakes(found, names, pictures)


def _figure(title: str, body: str, kind: str = "") -> str:
    return f'<figure class="{kind}"><figcaption>{title}</figcaption>{body}</figure>'


def _worst_pairs(counts: np.ndarray) -> list[tuple[int, int, int]]:
    """Return true class, predicted class and number of the mistakes, the most frequent first."""
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:20]
    pairs = [(int(i // len(counts)), int(i % len(counts))) for i in order]
    return [(i, j, int(wrong[i, j])) for i, j in pairs if wrong[i, j]]


def _mixed_up(counts: np.ndarray, names: list[str]) -> str:
    pairs = _worst_pairs(counts)
    if not pairs:
        return "there is no mistake."
    true, predicted, count = pairs[0]
    return f"most often {escape(names[true])} is taken for {escape(names[predicted])} ({count:,} times)."


def _pairs(counts: np.ndarray, names: list[str]) -> str:
    rows = [(svg.short(names[i], 30), svg.short(names[j], 30), f"{count:,}") for i, j, count in _worst_pairs(counts)]
    return _table(("true", "predicted", "times"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    titles = "".join(f"<th>{title}</th>" for title in head)
    return f'<div class="scroll"><table><thead><tr>{titles}</tr></thead><tbody>{cells}</tbody></table></div>'


def _score_table(scores: measures.Scores, names: list[str], kind: str = "class", most: int = 200) -> str:
    order = np.arange(len(names))
    if len(names) > most:
        order = np.argsort(np.nan_to_num(scores.f1), kind="stable")[:most]
    rows = [
        (
            svg.short(names[i], 30),
            _bar(scores.precision[i]),
            _bar(scores.recall[i]),
            _share(scores.f1[i]),
            f"{int(scores.rows[i]):,}",
        )
        for i in order
    ]
    there = scores.rows > 0
    if there.any() and len(names) > 1:
        means = [float(np.nan_to_num(one[there]).mean()) for one in scores[:3]]
        rows.append(("<b>mean</b>", _bar(means[0]), _bar(means[1]), _share(means[2]), f"{int(scores.rows.sum()):,}"))
    return _table((kind, "precision", "recall", "F1", "rows"), rows)


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.1%}"


def _bar(value: float) -> str:
    """Return a fraction as a number with a bar behind it."""
    width = 0 if np.isnan(value) else value * 100
    return f'<span class="share" style="--share:{width:.1f}%">{_share(value)}</span>'


def _calibration(confidence: np.ndarray, right: np.ndarray) -> str:
    found = measures.calibration(confidence, right)
    axes = svg.Axes((0.0, 1.0), (0.0, 1.0), ("confidence", "accuracy"), (380, 300))
    (x1, y1), (x2, y2) = axes.at(0, 0), axes.at(1, 1)
    points = [axes.at(x, y) for x, y in zip(found.confidence.tolist(), found.accuracy.tolist(), strict=True)]
    largest = max(found.rows.max(initial=1), 1)
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    parts = [f'<path class="ideal" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/><path class="curve train" d="M{line}"/>']
    for (x, y), rows in zip(points, found.rows.tolist(), strict=True):
        size = 2.5 + 5 * (rows / largest) ** 0.5
        words = f"<title>{rows:,} rows</title>"
        parts.append(f'<circle class="dot train" cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}">{words}</circle>')
    note = f"Expected calibration error {found.error:.2%}. On the dashed line, accuracy equals confidence."
    return axes.chart(parts, f"Calibration curve: expected error {found.error:.2%}") + f'<p class="small">{note}</p>'


def _mistakes(found: measures.Classified, names: list[str], pictures: Pictures) -> str:
    wrong = measures.worst(found, MOST_MISTAKES)
    if not len(wrong):
        return ""
    per_row = len(found.true) == len(pictures.rows)  # not if every time step is a row
    if per_row and pictures.shape is not None:
        body = "".join(_mistaken_picture(found, names, pictures, row) for row in wrong.tolist())
        body = f"<div class='mistakes'>{body}</div>"
    else:
        head = ("row", "is", "taken for", "how sure", *(["input"] if per_row else []))
        body = _table(
            head,
            [
                _mistaken_row(found, names, pictures if per_row else None, row)
                for row in wrong[: MOST_MISTAKES // 2].tolist()
            ],
        )
    return f"<h3>The most confident mistakes</h3>{body}"


def _mistaken_picture(found: measures.Classified, names: list[str], pictures: Pictures, row: int) -> str:
    true, predicted = int(found.true[row]), int(found.predicted[row])
    words = escape(f"row {row}: {names[true]} taken for {names[predicted]}")
    pixels: Any = tiles.as_picture(pictures.rows[row], pictures.shape)
    return (
        f'<figure class="mistake" title="{words}">{tiles.image_tag(pixels, words, 84)}<figcaption>'
        f"{svg.short(names[predicted], 18)} ({found.probabilities[row, predicted]:.0%})"
        f"<br><span>is {svg.short(names[true], 18)}</span></figcaption></figure>"
    )


def _mistaken_row(found: measures.Classified, names: list[str], pictures: Pictures | None, row: int) -> list[str]:
    true, predicted = int(found.true[row]), int(found.predicted[row])
    cells = [f"{row:,}", svg.short(names[true], 30), f"<b>{svg.short(names[predicted], 30)}</b>"]
    cells.append(f"{found.probabilities[row, predicted]:.1%}")
    if pictures is not None:
        cells.append(f'<span class="values">{escape(_values(pictures.rows[row]))}</span>')
    return cells


def _values(row: Any, most: int = 8) -> str:
    flat = np.asarray(row).ravel()
    text = ", ".join(svg.number(float(value)) if flat.dtype.kind in "fiub" else str(value) for value in flat[:most])
    return text + (", …" if len(flat) > most else "")


# ---- labels


def _labels(found: measures.Tagged, names: list[str]) -> str:
    chosen = found.probabilities >= 0.5
    right = (chosen & (found.true == 1)).sum(0).astype("float64")
    scores = measures.scores_of(right, chosen.sum(0), found.true.sum(0))
    exact = (chosen == found.true).all(1).mean() if len(chosen) else 0.0
    sure = np.where(chosen, found.probabilities, 1 - found.probabilities).ravel()
    parts = [
        f"<p>Any number of labels per row: {(chosen == found.true).mean():.2%} of all labels are right, "
        f"{exact:.2%} of the rows in every label.</p><div class='charts'>",
        _figure("Precision and recall by label", _score_table(scores, names, "label")),
        _figure("Calibration", _calibration(sure, (chosen == found.true).ravel())),
    ]
    return "".join(parts) + "</div>"


# ---- numbers


def _numbers(found: measures.Measured, names: list[str]) -> str:
    parts = []
    columns = range(min(found.true.shape[1], MOST_NUMBERS))
    for i in columns:
        true, predicted = found.true[:, i], found.predicted[:, i].astype("float64")
        name = "" if found.true.shape[1] == 1 else f" of {escape(names[i])}"
        parts.append(_one_number(true, predicted, name))
    if found.true.shape[1] > MOST_NUMBERS:
        fit = measures.fit_of(found.true, found.predicted.astype("float64"))
        parts.insert(0, f"<p>All {found.true.shape[1]:,} numbers together: {_fit_words(fit)}</p>")
    return "".join(parts)


def _fit_words(fit: measures.Fit) -> str:
    explained = f"; {fit.r2:.1%} of the variance is explained (R²)"
    if fit.r2 < 0:
        explained = f"; always predicting the mean of the true values would be better (R² = {fit.r2:.2f})"
    explained = "" if np.isnan(fit.r2) else explained
    return f"mean absolute error {svg.number(fit.mae)}, root mean squared error {svg.number(fit.rmse)}{explained}."


def _one_number(true: np.ndarray, predicted: np.ndarray, name: str) -> str:
    fit = _fit_words(measures.fit_of(true, predicted))
    words = f"<p>{f'Numbers{name}: {fit}' if name else fit[0].upper() + fit[1:]}</p>"
    step = max(-(-len(true) // MOST_POINTS), 1)
    low, high = svg.limits(true, predicted)
    errors = predicted - true
    finite = errors[np.isfinite(errors)]
    heights, edges = np.histogram(finite, bins=30) if finite.size else (np.zeros(1), np.array([0.0, 1.0]))
    x, y = true[::step], predicted[::step]
    least, most = svg.limits(predicted)
    charts = [
        _figure(
            f"Predicted against true{name}",
            svg.scatter(x, y, ("true", "predicted"), "Predicted against true", ((low, low), (high, high))),
        ),
        _figure(f"Residuals{name}", svg.bars(edges, heights, ("predicted - true", "rows"), "Histogram of residuals")),
        _figure(
            f"Residuals by prediction{name}",
            svg.scatter(y, errors[::step], ("predicted", "predicted - true"), "Residuals", ((least, 0), (most, 0))),
        ),
    ]
    return f'{words}<div class="charts">{"".join(charts)}</div>'
