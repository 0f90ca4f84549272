"""``cornu predict MODEL FILE.npz``: a model's outputs for rows in a file, with one input or several."""

import argparse
import json
from typing import Any

import numpy as np

from cornu.cli.common import UserError, arrays_from, inputs_from

MOST_ROWS, MOST_VALUES = 10, 10  # printed at most


def predict(model: Any, options: argparse.Namespace) -> int:
    """Print the outputs for the files that `options` name and return the exit code."""
    others = [path for path in options.images if not path.endswith(".npz")]
    if others:
        raise UserError(f"give pictures or .npz files, not both: {others[0]!r} is not a .npz file.")
    files = []
    for path in options.images:
        found = model.predict(inputs_from(model, arrays_from(path), path), verbose=0)
        files.append({"file": path, "outputs": _by_name(model, found)})
    if options.json:
        lists = [
            {"file": one["file"], "outputs": {name: array.tolist() for name, array in one["outputs"].items()}}
            for one in files
        ]
        print(json.dumps({"model": options.model, "files": lists}))
        return 0
    for one in files:
        print("\n".join(_lines(one["file"], one["outputs"])))
    return 0


def _by_name(model: Any, found: Any) -> dict[str, np.ndarray]:
    if isinstance(found, dict):
        return found
    arrays = [*found] if isinstance(found, list | tuple) else [found]
    names = [*model.output_names] if model.outputs else [f"output_{number}" for number in range(len(arrays))]
    return dict(zip(names, arrays, strict=True))


def _lines(file: str, outputs: dict[str, np.ndarray]) -> list[str]:
    """Return a line for each of the first rows."""
    rows = len(next(iter(outputs.values())))
    lines = [f"{file}: {rows:,} rows"]
    for row in range(min(rows, MOST_ROWS)):
        said = [f"{name} {_values(array[row])}" for name, array in outputs.items()]
        lines.append(f"  {row:>3}  {'; '.join(said)}")
    if rows > MOST_ROWS:
        lines.append(f"  ... and {rows - MOST_ROWS:,} more: --json prints them all")
    return lines


def _values(array: np.ndarray) -> str:
    values = np.ravel(array)
    said = " ".join(f"{value:.4g}" for value in values[:MOST_VALUES])
    return said if len(values) <= MOST_VALUES else f"{said} ..."
