"""``cornu inspect FILE``: the contents of a model file, without building the model."""

import json
import sys
from typing import Any

from cornu.core.errors import one_line
from cornu.saving.description import describe
from cornu.saving.files import existing

LONGEST = 60  # characters of a text from the file in one line


def command(file: str, as_json: bool) -> int:
    """Describe a file and return the exit code: 1 if it is rejected, 2 if there is none."""
    try:
        found = describe(existing(file))
    except FileNotFoundError as error:
        return _fail(error, 2)
    except (OSError, ValueError) as error:
        return _fail(error, 1)
    print(json.dumps(found, indent=2) if as_json else "\n".join(lines(found)))
    return 0


def _fail(error: Exception, code: int) -> int:
    print(f"cornu: {shown(str(error).replace(chr(10), ' '), 500)}", file=sys.stderr)
    return code


def shown(value: Any, longest: int = LONGEST) -> str:
    """Return text from a file for a terminal: one line, of bounded length, without control characters."""
    return one_line(value if isinstance(value, str) else json.dumps(value), longest)


def lines(found: dict[str, Any]) -> list[str]:
    """Return the result of `describe` as lines."""
    writer = found["written_by"] or "unknown"
    extra = [
        f"{name} {shown(found[key])}" for key, name in (("backend", "backend"), ("saved", "saved")) if found.get(key)
    ]
    head = {
        "file": f"{shown(found['file'], 200)}, {found['bytes']:,} bytes",
        "format": found["format"],
        "written by": ", ".join([shown(writer), *extra]),
    }
    if found["model"]:
        name = found["model"]["name"]
        head["model"] = shown(found["model"]["class"]) + (f" {shown(repr(name))}" if name else "")
    if found["parameters"] is not None:
        head["parameters"] = f"{found['parameters']:,}"
    head |= _compiled(found)
    width = max(map(len, head))
    return [*(f"{key:{width}}  {value}" for key, value in head.items()), "", *_table(found["layers"])]


def _compiled(found: dict[str, Any]) -> dict[str, str]:
    if "optimizer" not in found:
        return {}
    optimizer = found["optimizer"]
    if optimizer is None:
        return {"optimizer": "none: the model was not compiled"}
    settings = {key: value for key, value in optimizer["settings"].items() if value is not None and key != "name"}
    said = ", ".join(f"{shown(key)}={shown(value)}" for key, value in list(settings.items())[:12])
    steps = "" if optimizer["steps"] is None else f"; after {optimizer['steps']:,} steps"
    text = f"{shown(optimizer['class'] or 'unknown')}({said}){steps}; {optimizer['state_values']:,} values of state"
    return {"optimizer": text} | {
        key.replace("_", " "): _short(found[key]) for key in ("loss", "metrics") if key in found
    }


def _short(value: Any) -> str:
    """Return losses and metrics by their names."""
    if isinstance(value, dict) and "class_name" in value:
        return shown(value["config"] if value["class_name"] == "function" else value["class_name"])
    if isinstance(value, dict):
        return ", ".join(f"{shown(key)}: {_short(item)}" for key, item in list(value.items())[:12])
    if isinstance(value, list):
        return ", ".join(_short(item) for item in value[:12])
    return shown(value)


def _table(layers: list[dict[str, Any]]) -> list[str]:
    """Return a table of the layers; long names are cut."""
    rows = [("layer", "class", "input", "weights", "parameters")]
    for layer in layers:
        weights = "-" if layer["weights"] is None else " ".join("x".join(map(str, w)) or "1" for w in layer["weights"])
        number = "-" if layer["parameters"] is None else f"{layer['parameters']:,}"
        inputs = "" if layer["input_shape"] is None else _shape(layer["input_shape"])
        rows.append((shown(layer["name"]), shown(layer["class"] or ""), inputs, shown(weights), number))
    used = [column for column in range(4) if any(row[column] for row in rows[1:])]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return ["  ".join([*(f"{row[c]:{widths[c]}}" for c in used), f"{row[4]:>{widths[4]}}"]).rstrip() for row in rows]


def _shape(shape: Any) -> str:
    return shown(f"({', '.join('None' if size is None else shown(size) for size in shape)})")
