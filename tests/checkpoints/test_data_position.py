"""How far data has been read, as a backup keeps it."""

from types import SimpleNamespace

import numpy as np

from cornu.checkpoints.data_position import Reading
from cornu.checkpoints.plain_data import Packer
from cornu.data.batches import as_batches


def reading(unpadded):
    batches = as_batches(np.zeros((4, 5)), np.zeros((4, 1)))
    batches.pad = SimpleNamespace(unpadded=set(unpadded))
    return Reading(batches)


def test_the_lengths_that_are_not_padded_go_on():
    packed = reading([(12,), (5,)]).pack(Packer(), inside_epoch=False)
    assert packed["unpadded"] == [[5], [12]]
    after = reading([])
    after.restore(packed, None)
    assert after.batches.pad.unpadded == {(5,), (12,)}


def test_backups_from_before_that_are_read():
    after = reading([])
    packed = after.pack(Packer(), inside_epoch=False)
    del packed["unpadded"]
    after.restore(packed, None)
    assert after.batches.pad.unpadded == set()
