"""``cornu train --images FOLDER``: a classifier of the pictures in a folder with a subfolder for each class."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import cornu as keras
from cornu.cli import picture_models, picture_parts, shapes
from cornu.cli.common import UserError
from cornu.cli.picture_variation import PictureVariation

#: The folder of drawn shapes that is made if none is given.
SHAPES = "shapes"
_MOST_NAMES = 8


def name_of(options: argparse.Namespace) -> str:
    """Return the name of what is trained: that of the folder."""
    return Path(os.path.abspath(options.images or SHAPES)).name or "pictures"


def train(options: argparse.Namespace, out: Path, report: Path | None, callbacks: Sequence[Any]) -> dict[str, Any]:
    """Train, evaluate on the pictures that are held out, and save; return the results.

    Raises UserError for folders and bases that cannot be used.
    """
    seed = 0 if options.seed is None else options.seed
    keras.utils.set_random_seed(seed)
    parts = picture_parts.parts_of(_folder(options.images), options.held_out, seed)
    base = None if options.base is None else picture_models.base_of(options.base, options.pixels, options.weights)
    side = options.size or (base and base.side) or picture_parts.sensible_side(parts.training.paths)
    if base is not None and base.side not in (None, side):
        raise UserError(f"the base takes pictures of {base.side} x {base.side} pixels: leave --size out.")
    training, test = (picture_parts.read(files, side) for files in (parts.training, parts.test))
    _say_parts(parts, training, test, side)
    names = parts.class_names
    model = (
        picture_models.network(side, names, len(training.x))
        if base is None
        else picture_models.on_base(base, side, names)
    )
    batch_size = options.batch_size or int(np.clip(len(training.x) // 16, 8, 32))
    seen, most = (10_000, 80) if base is None else (3000, 40)  # pictures, epochs
    epochs = options.epochs or int(np.clip(seen // len(training.x), 10, most))
    varied = PictureVariation(not options.no_mirror, not options.no_variation, seed=seed)
    trained = keras.Sequential([keras.Input((side, side, 3)), varied, model], name=out.stem)
    _compile(trained, epochs * -(-len(training.x) // batch_size))
    model.summary()
    for callback in callbacks:
        if hasattr(callback, "part"):
            callback.part = model
    history = trained.fit(
        training.x, training.y, batch_size, epochs, validation_data=(test.x, test.y), callbacks=list(callbacks)
    )
    _compile(model, 1)
    x = test.x.astype("float32")
    loss, accuracy = model.evaluate(x, test.y, verbose=0)
    right = round(accuracy * len(test.y))
    print(f"test loss {loss:.4f}, test accuracy {accuracy:.4f}: {right} of {len(test.y)} held-out pictures are right")
    model.save(out)
    if report:
        model.report(str(report), x, test.y, history=history, title=f"Pictures in {name_of(options)}")
    counts = {"pictures": len(training.x), "held_out": len(test.x), "size": side}
    return {"loss": loss, "accuracy": accuracy, "classes": names, **counts}


def _compile(model: Any, steps: int) -> None:
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps) if steps > 1 else 1e-3
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])


def _folder(given: str) -> str:
    """Return the folder to train on; without one, drawn shapes are written to `SHAPES`."""
    if given:
        return given
    if not Path(SHAPES).exists():
        shapes.draw_shapes(SHAPES)
        print(f"No folder was given: {len(shapes.CLASSES)} kinds of drawn shapes are in {Path(SHAPES).resolve()}")
    return SHAPES


def _say_parts(parts: picture_parts.Parts, training: Any, test: Any, side: int) -> None:
    names = parts.class_names
    counts = np.bincount(training.y, minlength=len(names))
    shown = [f"{name} {count}" for name, count in zip(names, counts, strict=True)][:_MOST_NAMES]
    rest = f", and {len(names) - _MOST_NAMES} more classes" if len(names) > _MOST_NAMES else ""
    held = f"the folder {parts.held_out}" if parts.held_out else "some of each class"
    print(f"{len(training.x):,} pictures train: {', '.join(shown)}{rest}")
    print(f"{len(test.x):,} are held out ({held}); all are resized to {side} x {side} pixels")
