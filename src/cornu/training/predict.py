"""Prediction over many rows: blocks of whole batches in one compiled loop, the rest padded to a few fixed shapes."""

from typing import Any

import jax
import numpy as np

from cornu.data.arrays import ArrayBatches
from cornu.data.batches import Batches
from cornu.data.convert import map_arrays
from cornu.training.program import Predictor

# Whole batches that one compiled call runs at most; powers of two below it are compiled as they are needed.
MOST_STEPS = 256


def predict(
    predictor: Predictor, batches: Batches, callbacks: Any, steps: int | None = None, together: int | None = None
) -> Any:
    """Return the outputs for all rows as numpy arrays, telling the `callbacks` which steps are done.

    `together` is the number of rows to compute at once, where that may be more than a batch: a power of two times it.
    """
    callbacks.on_predict_begin()
    watcher = callbacks.for_batches("predict")
    if isinstance(batches, ArrayBatches) and batches.resident and steps is None and not watcher.every_batch:
        outputs = _resident(predictor, batches, watcher, together or batches.batch_size)
    else:
        outputs = _streamed(predictor, batches, watcher, steps)
    callbacks.on_predict_end()
    if len(outputs) == 1:
        return outputs[0]
    return jax.tree.map(lambda *parts: np.concatenate(parts), *outputs)


def _resident(predictor: Predictor, batches: Any, watcher: Any, together: int) -> list[Any]:
    """Run 256, 128, ... whole batches at a time, then the rows that are left."""
    outputs: list[Any] = []
    size = batches.batch_size
    whole = batches.rows // size
    step = 0
    while step < whole:
        count = min(MOST_STEPS, 1 << ((whole - step).bit_length() - 1))
        rows = slice(step * size, (step + count) * size)
        watcher.on_batch_begin(step)
        x = map_arrays(lambda array, rows=rows: array[rows], batches.batch.x)
        merged = min(count, together // size)
        outputs.append(predictor.on_many(x, count // merged, size * merged))
        step += count
        watcher.on_batch_end(step - 1, {})
    if whole * size < batches.rows:
        rest = map_arrays(lambda array: array[whole * size :], batches.batch.x)
        outputs.append(predictor.on_padded(rest))
        watcher.on_batch_end(whole, {})
    return outputs


def _streamed(predictor: Predictor, batches: Batches, watcher: Any, steps: int | None) -> list[Any]:
    outputs: list[Any] = []
    for step, batch in enumerate(batches.stream()):
        if steps is not None and step >= steps:
            break
        watcher.on_batch_begin(step)
        outputs.append(predictor.on_padded(batch.x))
        watcher.on_batch_end(step, {"outputs": outputs[-1]})
    if not outputs:
        raise ValueError("There is no data to predict for: the stream gave no batch.")
    return outputs
