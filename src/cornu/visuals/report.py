"""The report of a trained model: one HTML file with everything in it, `model.report("report.html", x, y)`."""

import datetime
import itertools
from html import escape
from typing import Any

import jax
import numpy as np

from cornu.core import atomic_files
from cornu.core.error_bars import deviation_of
from cornu.data.batch import unpack
from cornu.data.convert import as_arrays, rows_in
from cornu.data.streams import is_indexed, is_stream
from cornu.visuals import findings, svg, tiles
from cornu.visuals.drawing import diagram
from cornu.visuals.graphs import Show
from cornu.visuals.measures import Measured, judged
from cornu.visuals.page import card, page, section, settings_table
from cornu.visuals.summary import format_bytes, summary_html

MOST_BATCHES = 400  # taken from a stream that may be infinite
UNDRAWN = ("learning_rate", "lr")


def write_report(
    model: Any, path: Any, x: Any = None, y: Any = None, history: Any = None, class_names: Any = None, title: Any = None
) -> None:
    """Write the report of a model (see `Model.report`)."""
    x, y = _rows(x, y)
    class_names = getattr(model, "class_names", None) if class_names is None else class_names
    sections, cards = [], []
    history = getattr(model, "history", None) if history is None else history
    logs = dict(getattr(history, "history", history) or {})
    if logs:
        sections.append(section("Training", _curves(logs, getattr(history, "epoch", None))))
    if x is not None:
        cards += [card(name, _score(value)) for name, value in _evaluated(model, x, y).items()]
        cards.append(card("rows examined", f"{rows_in(x):,}"))
        if y is not None:
            sections += _outputs(model, x, y, class_names)
    else:
        sections.append(
            "<p class='note'>This report has no test of the model: pass data, as in "
            "<code>model.report('report.html', x_test, y_test)</code>.</p>"
        )
    cards += _cards(model, history)
    sections += [*_architecture(model), section("Settings", _settings(model, history))]
    atomic_files.write_text(path, page(title or f"Model {model.name}", _subtitle(model), cards, sections))


def _rows(x: Any, y: Any) -> tuple[Any, Any]:
    """Return inputs and targets as arrays, those of a stream's batches concatenated."""
    if x is None:
        if y is not None:
            raise ValueError("There is y without x: pass both, report(path, x, y).")
        return None, None
    if not is_stream(x):
        return as_arrays(x, "x", text=True), None if y is None else as_arrays(y, "y")
    if y is not None:
        raise ValueError(f"x is a {type(x).__name__}, whose batches contain the targets: leave y out.")
    source = (x[i] for i in range(len(x))) if is_indexed(x) or not hasattr(x, "__iter__") else x
    batches = [unpack(batch) for batch in itertools.islice(source, MOST_BATCHES)]
    if not batches:
        raise ValueError(f"The {type(x).__name__} given to report has no batches.")
    put = lambda *parts: np.concatenate([np.asarray(part) for part in parts])  # noqa: E731
    inputs = jax.tree.map(put, *(batch.x for batch in batches))
    return inputs, None if batches[0].y is None else jax.tree.map(put, *(batch.y for batch in batches))


def _curves(logs: dict[str, Any], epochs: Any) -> str:
    """Return one chart per metric, with training and validation."""
    charts = []
    for name in [name for name in logs if not name.startswith("val_")]:
        values = [float(value) for value in logs[name] if np.ndim(value) == 0]
        numbers = [epoch + 1 for epoch in epochs or range(len(values))][: len(values)]
        if len(numbers) < len(values) or not values:
            continue
        curves = [svg.Curve("training", numbers, values, "train", [deviation_of(value) for value in logs[name]])]
        there_too = [value for value in logs.get(f"val_{name}", []) if np.ndim(value) == 0]
        held_out = [float(value) for value in there_too]
        if held_out:
            every = max(len(values) // len(held_out), 1)  # validation_freq
            there = numbers[every - 1 :: every][: len(held_out)]
            deviations = [deviation_of(value) for value in there_too[: len(there)]]
            curves.append(svg.Curve("validation", there, held_out[: len(there)], "held-out", deviations))
        words = f"{name} by epoch: from {svg.number(values[0])} to {svg.number(values[-1])}"
        chart = svg.line_chart(curves if name not in UNDRAWN else curves[:1], ("epoch", ""), words)
        charts.append(f"<figure><figcaption>{escape(name)}</figcaption>{chart}</figure>")
    return f'<div class="charts">{"".join(charts)}</div>'


def _evaluated(model: Any, x: Any, y: Any) -> dict[str, float]:
    """Return loss and metrics on the rows, if the model is compiled."""
    if y is None or not model.compiled:
        return {}
    return {
        name: value for name, value in model.evaluate(x, y, verbose=0, return_dict=True).items() if np.ndim(value) == 0
    }


def _score(value: float) -> str:
    """Return a value of loss or metrics, with its deviation if several replicas of the model have it."""
    words, deviation = svg.number(round(float(value), 4)), deviation_of(value)
    return f"{words} ± {svg.number(round(deviation, 4))}" if deviation else words


def _outputs(model: Any, x: Any, y: Any, class_names: Any) -> list[str]:
    """Return the sections that rate the model's outputs, one for each output."""
    outputs = model.predict(x, verbose=0)
    parts, named = _flat(outputs), _names(model, outputs)
    targets = _flat(y)
    if len(targets) != len(parts):
        raise ValueError(f"The model has {len(parts)} outputs {named}; y has {len(targets)} arrays.")
    pictures = findings.Pictures(_flat(x)[0], _first_shape(x))
    found = []
    for i, (name, output, target) in enumerate(zip(named, parts, targets, strict=True)):
        names = class_names.get(name) if isinstance(class_names, dict) else class_names
        judgement = judged(target, output, _loss_name(model, name, i))
        body = findings.describe(judgement, names, pictures)
        heading = "Errors" if isinstance(judgement, Measured) else "What it gets right and wrong"
        found.append(section(heading if len(parts) == 1 else f"Output {name}", body))
    return found


def _flat(structure: Any) -> list[Any]:
    if isinstance(structure, dict):
        return [structure[key] for key in sorted(structure)]
    return list(structure) if isinstance(structure, (list, tuple)) else [structure]


def _names(model: Any, outputs: Any) -> list[str]:
    if isinstance(outputs, dict):
        return sorted(outputs)
    names = list(getattr(model, "output_names", None) or [])
    count = len(_flat(outputs))
    return names if len(names) == count else [f"output_{i + 1}" for i in range(count)]


def _first_shape(x: Any) -> tuple[int, ...] | None:
    return tiles.picture_shape(tuple(_flat(x)[0].shape[1:]))


def _loss_name(model: Any, name: str, number: int) -> str:
    loss = getattr(model, "loss", None)
    if isinstance(loss, dict):
        loss = loss.get(name)
    elif isinstance(loss, (list, tuple)):
        loss = loss[number] if number < len(loss) else None
    if loss is None or isinstance(loss, str):
        return loss or ""
    return " ".join(str(getattr(loss, key)) for key in ("name", "__name__") if hasattr(loss, key)) + type(loss).__name__


def _cards(model: Any, history: Any) -> list[str]:
    found = [card("parameters", f"{model.count_params():,}") if model.built else ""]
    seconds = getattr(history, "seconds", None)
    if seconds:
        found.append(card("training", f"{_time(sum(seconds))}"))
        found.append(card("epochs", f"{len(seconds):,}"))
    return [one for one in found if one]


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s"
    return str(datetime.timedelta(seconds=round(seconds)))


def _architecture(model: Any) -> list[str]:
    if not model.layers:
        return []
    drawing = diagram(model, Show(shapes=True, activations=True, nested=True)).svg
    body = f'<div class="scroll">{drawing}</div>'
    if model.built:
        body += (
            f"<details><summary>Layers as a table</summary><div class='scroll'>{summary_html(model)}</div></details>"
        )
    found = [section("Architecture", body)]
    shape = _input_shape(model)
    name, pictures = tiles.first_weights(model.layers, tiles.picture_shape(shape) if shape else None)
    if pictures:
        size = 56 if len(pictures) > 1 else 420
        images = "".join(tiles.image_tag(one, f"weights {i}", size) for i, one in enumerate(pictures))
        note = (
            "Each picture shows the weights of one unit: red is positive, blue negative."
            if len(pictures) > 1
            else "Rows are inputs, columns are units: red is positive, blue negative."
        )
        found.append(section(f"Weights of the first layer, {name}", f"<p>{note}</p><div class='tiles'>{images}</div>"))
    return found


def _input_shape(model: Any) -> tuple[int, ...] | None:
    try:
        shape = model.input_shape
    except AttributeError:
        return None
    one = isinstance(shape, tuple) and all(size is None or isinstance(size, int) for size in shape)
    return tuple(shape[1:]) if one and None not in shape[1:] else None


def _settings(model: Any, history: Any) -> str:
    rows: dict[str, Any] = {}
    config = model.get_compile_config() or {}
    if model.optimizer is not None:
        rows["optimizer"] = type(model.optimizer).__name__
        rows |= {
            f"optimizer: {key}": value
            for key, value in model.optimizer.get_config().items()
            if key != "name" and value is not None
        }
    rows |= {key: _as_text(config[key]) for key in ("loss", "loss_weights", "metrics") if config.get(key) is not None}
    params = getattr(history, "params", None) or {}
    rows |= {f"fit: {key}": params[key] for key in ("epochs", "batch_size", "samples", "steps") if params.get(key)}
    if model.built:
        rows["size of the weights"] = format_bytes(sum(variable._value.nbytes for variable in model.variables))
    rows["dtype"] = getattr(model.dtype_policy, "name", "float32")
    return settings_table(rows)


def _as_text(value: Any) -> str:
    """Return a loss, metric, or list or dictionary of them as text."""
    if isinstance(value, (list, tuple)):
        return ", ".join(_as_text(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_as_text(one)}" for key, one in value.items())
    if isinstance(value, (int, float, str)):
        return str(value)
    return str(getattr(value, "name", None) or getattr(value, "__name__", None) or type(value).__name__)


def _subtitle(model: Any) -> str:
    now = datetime.datetime.now().astimezone()
    kind = type(model).__name__
    return f"{kind} of {len(model.layers)} layers, {now:%d %B %Y, %H:%M %Z}" if model.layers else f"{kind}, {now:%c}"
