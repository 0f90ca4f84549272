"""The single entry point for data: whatever a user passes becomes `ArrayBatches` or `StreamBatches`."""

from typing import Any

import jax
import numpy as np

from cornu.core import settings
from cornu.core.tables import is_table
from cornu.core.text import is_text
from cornu.data.arrays import ArrayBatches, OrderedBatches, check_batch_size
from cornu.data.batch import Batch, unpack
from cornu.data.columns import ColumnRule, ModelNames, is_named
from cornu.data.convert import Converter, as_arrays, as_inputs, rows_in
from cornu.data.rows import Draws, in_one
from cornu.data.streams import StreamBatches, is_stream
from cornu.data.tables import opened
from cornu.data.weights import with_class_weight

Batches = ArrayBatches | StreamBatches


def array_batch(
    x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, convert: Converter = as_inputs
) -> Batch:
    """Return arrays passed to `fit` as one `Batch` of all rows, checked and converted."""
    x, y = convert(x), as_arrays(y, "y")
    weights = as_arrays(sample_weight, "sample_weight")
    rows_in(x, y, weights)
    return Batch(x, y, with_class_weight(y, weights, class_weight))


def as_batches(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    shuffle: bool | str = False,
    class_weight: Any = None,
    steps: int | None = None,
    convert: Converter = as_inputs,
    only_inputs: bool = False,
    rule: ColumnRule | None = None,
) -> Batches:
    """Return the batches of anything that `fit`, `evaluate` and `predict` accept, or of a `Batch` of arrays.

    Args:
        x, y, sample_weight: arrays, or a stream of batches as `x` alone; of data with columns, names of columns.
        batch_size: rows per batch of arrays; None means 32.
        shuffle: True, False or ``"batch"``.
        class_weight: weights by class; see `with_class_weight`.
        steps: batches per epoch of a stream.
        convert: makes arrays of the inputs.
        only_inputs: drop the targets in a stream's batches.
        rule: chooses the columns of data that have some.

    Raises:
        ValueError: if arguments contradict each other, such as `y` passed along with a generator.
    """
    if batch_size is not None:
        check_batch_size(batch_size)
    if x is None:
        raise ValueError("There is no data: x is None.")
    if isinstance(x, Batch):  # converted already, except texts
        inputs = convert(x.x) if any(map(is_text, jax.tree.leaves(x.x))) else x.x
        weights = with_class_weight(x.y, x.sample_weight, class_weight)
        return ArrayBatches(Batch(inputs, x.y, weights), batch_size, shuffle)
    rule = ColumnRule(ModelNames(), only_inputs) if rule is None else rule
    if is_table(x):
        x, y, sample_weight = opened(x, y, sample_weight, rule, batch_size, shuffle)
    if not is_stream(x):
        x, y, sample_weight = rule.apply(x, y, sample_weight)
        return ArrayBatches(array_batch(x, y, sample_weight, class_weight, convert), batch_size, shuffle)
    kind = type(x).__name__
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None and not is_named(value):
            raise ValueError(f"x is a {kind}, whose batches contain {name}: do not pass {name} as well.")
    if steps is None and (found := _resident(x, convert, class_weight, only_inputs)) is not None:
        return found
    choose = rule.in_batches(y, sample_weight)
    return StreamBatches(x, steps, shuffle, class_weight, convert, only_inputs, choose)


def _resident(x: Any, convert: Converter, class_weight: Any, only_inputs: bool) -> Batches | None:
    """Return a data set as arrays, if it is batches of all rows of some: then whole epochs are one program's work."""
    found = getattr(x, "batched_rows", None)
    if found is None or (only_inputs and (not found.rows.in_order or found.drops_remainder)):
        return None
    rows, size = found.rows, found.size
    count = found.total - found.total % size if found.drops_remainder else found.total
    if count < 1 or not rows.permutes:
        return None
    arrays = rows.computed()
    if arrays is None:
        return None
    given = unpack(arrays)
    batch = Batch(convert(given.x)) if only_inputs else array_batch(*given[:3], class_weight, convert)
    order = None if rows.in_order else lambda: in_one(rows.order(Draws()))
    return OrderedBatches(batch, size, order, count, x)


def step_limit(batches: Batches, steps: int | None) -> int | None:
    """Return the number of steps after which to stop, or None to run the whole epoch."""
    most = settings.max_steps_per_epoch()
    if most is not None:
        steps = min(steps or batches.steps or most, most)
    if steps is None or (batches.resident and steps == batches.steps):
        return None
    return steps


def as_flat_list(batches: Any) -> list[Any]:
    """Return inputs, targets and sample weights in one list: a callback's ``validation_data`` in Keras 1 and 2."""
    batch = batches.batch
    weights = np.ones(batches.rows, "float32") if batch.sample_weight is None else batch.sample_weight
    return [*jax.tree.leaves(batch.x), *jax.tree.leaves(batch.y), *jax.tree.leaves(weights)]
