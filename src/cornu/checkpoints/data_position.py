"""How far data has been read, and how to continue from there.

Arrays: the row indices of the current epoch. Streams (generators, datasets, files): the state of the random generators
when the stream was opened, and how many batches were taken since; those are drawn again and discarded.
"""

from typing import Any, NamedTuple

import numpy as np

from cornu.checkpoints.plain_data import Packer, Unpacker, Watched, restore_random
from cornu.core.seeds import random_states
from cornu.training.program import opened

MOST = 1 << 25  # bytes: larger attributes of a dataset are its data, which does not change


class Origin(NamedTuple):
    """What was recorded when a stream was opened."""

    packed: dict[str, Any]
    arrays: list[np.ndarray]


class Reading:
    """The batches of training or validation, tracked from the beginning of `fit`."""

    def __init__(self, batches: Any) -> None:
        self.batches = batches
        self.source = Watched(getattr(batches, "source", None), most=MOST)
        self.is_iterator = not batches.restarts
        batches.remember = self._origin

    def _origin(self) -> Origin:
        packer = Packer()
        packed = {"random": packer.pack(random_states()), "source": self.source.changes(packer)}
        return Origin(packed, packer.arrays)

    def pack(self, packer: Packer, inside_epoch: bool) -> dict[str, Any]:
        """Return the position as plain data."""
        batches, stream = self.batches, self.batches.current
        found = {"openings": batches.openings, "consumed": batches.consumed, "source": self.source.changes(packer)}
        if batches.pad is not None:
            found["unpadded"] = [list(lengths) for lengths in sorted(batches.pad.unpadded)]
        if stream is not None and stream.origin is not None:
            found |= {"taken": stream.taken, "origin": packer.adopt(*stream.origin)}
        elif inside_epoch and batches.last_order is not None:
            found["order"] = packer.pack(batches.last_order)
        return found

    def restore(self, packed: dict[str, Any], unpacker: Unpacker) -> None:
        """Continue from a position."""
        batches = self.batches
        if batches.pad is not None:
            batches.pad.unpadded.update(map(tuple, packed.get("unpadded", ())))
        if "order" in packed:
            batches.last_order = _checked_order(unpacker.unpack(packed["order"]), batches)
        batches.openings = packed["openings"]
        if self.is_iterator:
            if packed["openings"]:
                self._advance(packed["consumed"] + packed.get("taken", 0), None)
        elif "origin" in packed:
            restore_random(unpacker, packed["origin"]["random"])
            self._restore_source(packed["origin"]["source"], unpacker)
            if packed["openings"] > 1:
                self._forget_example()
            origin = Packer()
            adopted = origin.adopt(packed["origin"], unpacker.arrays)
            self._advance(packed["taken"], Origin(adopted, origin.arrays))
        elif packed["openings"]:
            self._forget_example()
        self._restore_source(packed["source"], unpacker)

    def _advance(self, count: int, origin: Origin | None) -> None:
        """Open the stream and skip `count` batches; sources that draw from the global generators are not read ahead."""
        self.batches.consumed = 0
        self.batches.reopened = opened(self.batches, origin or self._origin(), count, ahead=not self.batches.draws)
        self.batches.current = self.batches.reopened

    def _restore_source(self, attributes: dict[str, Any], unpacker: Unpacker) -> None:
        if attributes:
            unpacker.set_attributes(self.batches.source, attributes)

    def _forget_example(self) -> None:
        if hasattr(self.batches, "forget_example"):
            self.batches.forget_example()


def _checked_order(order: Any, batches: Any) -> np.ndarray:
    """Return the row indices of an epoch, each at most once; ValueError if they do not fit the data."""
    fits = np.shape(order) == (batches.rows,) and order.dtype == np.int32
    if not fits or order.min() < 0 or order.max() >= batches.available or len(np.unique(order)) != len(order):
        raise ValueError(f"The checkpoint's order of rows is not one of {batches.rows} rows.")
    return order
