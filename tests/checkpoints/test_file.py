"""Checkpoint files that were forged, checksum included: refused in words, and nothing of the program is touched."""

import json

import ml_dtypes
import numpy as np
import pytest

from cornu import callbacks
from cornu.checkpoints.file import Checkpoint, Generations, read_checkpoint, write_checkpoint
from cornu.checkpoints.fit_backup import settings_of
from cornu.checkpoints.plain_data import NotPlainError, Packer, Unpacker, restore_random
from saving.mutations import sealed


def forged(path, arrays, data=b"", content=None):
    head = json.dumps({"content": content or {"number": 1}, "arrays": arrays}).encode()
    path.write_bytes(sealed(b"cornu checkpoint 1\n", head, data))
    return path


def test_arrays_of_all_types_come_back(tmp_path):
    types = ("float32", ">i2", "bool", "complex64", "U3", "S2", "M8[ns]", ml_dtypes.bfloat16, ml_dtypes.float8_e5m2)
    arrays = [np.zeros((2, 3)).astype(kind) for kind in types] + [np.zeros((0, 4)), np.float32(3)]
    write_checkpoint(tmp_path / "file", Checkpoint({"number": 1}, [np.asarray(array) for array in arrays]))
    for found, array in zip(read_checkpoint(tmp_path / "file").arrays, arrays, strict=True):
        assert (found.dtype, found.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    "arrays",
    [
        [["|O", [1]]],
        [["O", [1]]],
        [["<f4,<f4", [1]]],
        [["finfo", [1]]],
        [[{"names": []}, [1]]],
        [["<f4", [-1]]],
        [["<f4", [1.5]]],
        [["<f4", [True]]],
        [["<f4", 3]],
        ["<f4"],
        [["<f4", [1 << 40]]],
        [["<f4", [2, 1 << 62]]],
        [["<f4", [1]]],
        [],
        3,
    ],
)
def test_what_is_no_array_or_has_another_size_is_refused(tmp_path, arrays):
    with pytest.raises(ValueError, match=r"file' (has|holds|claims)"):
        read_checkpoint(forged(tmp_path / "file", arrays, b"\0" * 8))


@pytest.mark.parametrize("number", [None, "5", 1.5, True, []])
def test_a_checkpoint_without_a_number_is_left_aside(tmp_path, number):
    forged(tmp_path / "checkpoint-0", [], content={"number": number})
    found, complaints = Generations(tmp_path).newest()
    assert found is None
    assert "its number is" in complaints[0]


@pytest.mark.parametrize("place", [-1, 625, 10**8, 2.0, None])
def test_states_of_generators_that_lead_outside_of_their_memory_are_refused(place):
    """Numpy takes a place of 10**8, and ends the process when it draws."""
    state = np.random.get_state(legacy=False)
    legacy = ["MT19937", state["state"]["key"], place, 0, 0.0]
    packer = Packer()
    packed = packer.pack({"python": None, "numpy": tuple(legacy)})
    with pytest.raises(ValueError, match="random generator is invalid"):
        restore_random(Unpacker(packer.arrays), packed)
    for kind, change in ((np.random.MT19937, {"state": {"key": state["state"]["key"], "pos": place}}),
                         (np.random.Philox, {"buffer_pos": place})):  # fmt: skip
        generator = np.random.Generator(kind(1))
        packer = Packer()
        packed = {"$": "Generator", "state": packer.pack(dict(generator.bit_generator.state) | change)}
        with pytest.raises(ValueError, match="random generator is invalid"):
            Unpacker(packer.arrays).unpack(packed, generator)
        assert 0 <= generator.random() < 1


@pytest.mark.parametrize("kind", ["_init__", "eval", "array ", None, 3, float("inf")])
def test_other_kinds_of_data_are_refused(kind):
    with pytest.raises(ValueError, match="no kind of data"):
        Unpacker([]).unpack({"$": kind})


@pytest.mark.parametrize(
    "named", [["os", "stat_result"], ["cornu", "layers"], ["scipy", "stats"], ["gone", "x"], ["builtins", "tuple"]]
)
def test_named_tuples_alone_are_made_and_nothing_is_imported_for_them(named):
    with pytest.raises(NotPlainError):
        Unpacker([]).unpack({"$": "tuple", "items": [1], "class": named})


def test_a_checkpoint_changes_no_method_and_no_generators_kind():
    class Mine(callbacks.Callback):
        def __init__(self):
            self.dice, self.count = np.random.RandomState(1), 0

    mine = Mine()
    dice = mine.dice
    Unpacker([]).set_attributes(mine, {"on_epoch_end": "text", "dice": "text", "count": 3})
    assert callable(mine.on_epoch_end)
    assert (mine.dice, mine.count) == (dice, 3)


def test_names_of_files_are_the_programs(tmp_path):
    for callback, name in (
        (callbacks.ModelCheckpoint("a.keras"), "filepath"),
        (callbacks.CSVLogger("a.csv"), "filename"),
        (callbacks.TensorBoard("logs"), "log_dir"),
    ):
        assert name in settings_of(callback)
    assert "best" not in settings_of(callbacks.ModelCheckpoint("a.keras"))
