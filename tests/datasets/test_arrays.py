"""Pickles in data sets may rebuild arrays and do nothing else."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from cornu.datasets.arrays import ArrayUnpickler, load_npz


class Gadget:
    """Runs a command when unpickled by the ordinary unpickler."""

    def __reduce__(self):
        return os.system, ("echo unpickled",)


def npz_with(path, name, payload, header):
    """Write an .npz whose one member has an object array's header and `payload` as its pickle."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, header)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, stream.getvalue() + payload)


def test_lists_and_numbers_are_read(tmp_path):
    ragged = np.array([[1, 2], [3]], dtype=object)
    np.savez(tmp_path / "a.npz", x=ragged, y=np.arange(3), z=np.ones((2, 2), np.float32))
    arrays = load_npz(tmp_path / "a.npz")
    assert arrays["x"].tolist() == [[1, 2], [3]]
    assert arrays["y"].tolist() == [0, 1, 2]
    assert arrays["z"].dtype == np.float32


@pytest.mark.parametrize("payload", [Gadget(), [Gadget()], np.array([Gadget(), 1], dtype=object)], ids=type)
def test_a_pickled_call_is_refused(tmp_path, payload, capfd):
    header = {"descr": "|O", "fortran_order": False, "shape": (2,)}
    npz_with(tmp_path / "bad.npz", "x.npy", pickle.dumps(payload), header)
    with pytest.raises(pickle.UnpicklingError, match=r"system.*refused"):
        load_npz(tmp_path / "bad.npz")
    assert "unpickled" not in capfd.readouterr().out


@pytest.mark.parametrize(
    "name", ["builtins.eval", "builtins.getattr", "numpy.load", "numpy.fromfile", "numpy.ndarray.tofile"]
)
def test_every_other_name_is_refused(name):
    module, _, attribute = name.rpartition(".")
    payload = f"c{module}\n{attribute}\n.".encode()
    with pytest.raises(pickle.UnpicklingError, match=attribute):
        ArrayUnpickler(io.BytesIO(payload)).load()


def test_something_else_than_an_array_is_refused(tmp_path):
    header = {"descr": "|O", "fortran_order": False, "shape": ()}
    npz_with(tmp_path / "bad.npz", "x.npy", pickle.dumps({"a": 1}), header)
    with pytest.raises(pickle.UnpicklingError, match="dict instead of an array"):
        load_npz(tmp_path / "bad.npz")
