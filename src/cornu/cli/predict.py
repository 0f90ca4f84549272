"""``cornu predict MODEL IMAGE...``: what a trained model sees in images, such as digits on a sheet of paper."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from cornu.cli import predict_arrays
from cornu.cli.common import SIDE, UserError, fitted, input_shape, model_from, refused
from cornu.preprocessing.digits import digits_of
from cornu.preprocessing.pictures import largest_pixel, opened, shrunk
from cornu.visuals.measures import shares

MOST_PIXELS = 100_000_000  # of one picture: a small file may decompress to any size
BAR = 20


def command(options: argparse.Namespace) -> int:
    """Classify the pictures that `options` name and return the exit code."""
    try:
        model = model_from(options.model)
        if any(path.endswith(".npz") for path in options.images):
            return predict_arrays.predict(model, options)
        results = [_seen(model, path, options) for path in options.images]
    except (UserError, ValueError, TypeError, OSError, ImportError) as error:
        return refused(error)
    if options.json:
        for result in results:
            for one in result["found"]:
                one.pop("image")
        print(json.dumps({"model": options.model, "images": results}))
        return 0
    for result in results:
        _show(result, options.show)
    return 0


def _seen(model: Any, path: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return a model's predictions for a picture: boxes, classes and probabilities."""
    shape = input_shape(model)
    picture = _opened(path)
    if shape is None or int(np.prod(shape)) == SIDE * SIDE:
        boxes, images = digits_of(np.asarray(picture), separate=not options.one)
    else:
        images = _resized(picture, shape)
        boxes = np.array([[0, 0, *picture.size]])
    if not len(images):
        return {"image": path, "found": []}
    outputs = model.predict(fitted(model, images) * largest_pixel(model), verbose=0)
    if not isinstance(outputs, np.ndarray) or outputs.ndim != 2:
        raise UserError("the model is not an image classifier: its output is not a row of probabilities per picture.")
    probabilities = shares(outputs) if outputs.shape[1] > 1 else np.hstack([1 - outputs, outputs])
    names = _names(options.classes, model.class_names, probabilities.shape[1])
    rows = zip(boxes.tolist(), images, probabilities, strict=True)
    return {"image": path, "found": [_entry(box, image, row, names, options.top) for box, image, row in rows]}


def _entry(box: list, image: np.ndarray, row: np.ndarray, names: list[str], top: int) -> dict[str, Any]:
    best = np.argsort(-row, kind="stable")[:top]
    classes = [{"class": names[i], "probability": round(float(row[i]), 6)} for i in best]
    return {
        "box": box,
        "class": names[best[0]],
        "probability": classes[0]["probability"],
        "top": classes,
        "image": image,
    }


def _opened(path: str) -> Any:
    """Return a picture upright, in RGB or grey."""
    if not Path(path).is_file():
        raise UserError(f"there is no picture {path!r}.")
    try:
        picture = opened(path, 4, upright=True)
    except ValueError as error:
        raise UserError(f"{path!r} is not a readable picture (PNG, JPEG, ...).") from error
    if picture.size[0] * picture.size[1] > MOST_PIXELS:
        raise UserError(f"the picture {path!r} has {picture.size[0]} x {picture.size[1]} pixels: too many.")
    return picture


def _resized(picture: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return the whole picture in the model's input size, with values from 0 to 1."""
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 3)):
        raise UserError(f"the model takes inputs of shape {shape}, which are not pictures.")
    grey = len(shape) == 2 or shape[2] == 1
    small = shrunk(picture, shape[:2], 1 if grey else 3)
    return (small.astype("float32") / 255).reshape(1, *shape)


def _names(given: str | None, known: list[str] | None, count: int) -> list[str]:
    if given is None:
        return known if known and len(known) == count else [str(i) for i in range(count)]
    names = [name.strip() for name in given.split(",")]
    if len(names) != count:
        raise UserError(f"--classes has {len(names)} names; the model has {count} classes.")
    return names


def _show(result: dict[str, Any], pictures: bool) -> None:
    found = result["found"]
    if not found:
        print(f"{result['image']}: no digit found; the picture shows no ink on a plain background")
        return
    words = " ".join(one["class"] for one in found)
    print(f"{result['image']}: {words}")
    full = _encodable("█", "#")
    for one in found:
        left, top, right, bottom = one["box"]
        others = ", ".join(f"{other['class']} {other['probability']:.1%}" for other in one["top"][1:])
        bar = full * round(one["probability"] * BAR)
        place = f"at {left},{top} to {right},{bottom}"
        print(
            f"  {one['class']:>3} {one['probability']:7.2%} {bar:{BAR}}  {place}{'; else ' + others if others else ''}"
        )
        if pictures and one["image"].ndim == 2:
            print("\n".join(f"      {line}" for line in drawn(one["image"])))


def drawn(image: np.ndarray) -> list[str]:
    """Return a small picture as lines of text, two rows of pixels in each."""
    both, upper, lower = (_encodable(sign, plain) for sign, plain in (("█", "#"), ("▀", "'"), ("▄", ".")))
    signs = {(True, True): both, (True, False): upper, (False, True): lower, (False, False): " "}
    dark = image > 0.4
    return [
        "".join(signs[bool(a), bool(b)] for a, b in zip(*pair, strict=True))
        for pair in zip(dark[::2], dark[1::2], strict=False)
    ]


def _encodable(sign: str, plain: str) -> str:
    try:
        sign.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return plain
    return sign
