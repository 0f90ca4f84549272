"""Weights in safetensors files: both ways with the `safetensors` package, refusals in words, hostile headers."""

import json
import tracemalloc

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

import cornu
from cornu import layers


def model_of(*sizes):
    return cornu.Sequential([cornu.Input((4,)), *[layers.Dense(size, name=f"d{i}") for i, size in enumerate(sizes)]])


def write(path, header, values=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + values)
    return path


def entry(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def test_weights_round_trip_whatever_the_layers_are_called(build, tmp_path):
    model, again = build(cornu), build(cornu)
    model.save_weights(tmp_path / "w.safetensors")
    again.load_weights(tmp_path / "w.safetensors")
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]


def test_the_package_reads_what_cornu_writes(tmp_path):
    model = model_of(3, 2)
    model.save_weights(tmp_path / "w.safetensors")
    found = safetensors.numpy.load_file(tmp_path / "w.safetensors")
    names = ["layers/dense/kernel", "layers/dense/bias", "layers/dense_1/kernel", "layers/dense_1/bias"]
    assert sorted(found) == sorted(names)
    for name, value in zip(names, model.get_weights(), strict=True):
        np.testing.assert_array_equal(found[name], value)
    with safetensors.safe_open(tmp_path / "w.safetensors", "numpy") as file:
        assert file.metadata()["format"] == "keras"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ml_dtypes.bfloat16])
def test_cornu_reads_what_the_package_writes(tmp_path, dtype):
    model = model_of(3)
    kernel, bias = np.arange(12).reshape(4, 3).astype(dtype), np.ones(3, dtype)
    safetensors.numpy.save_file(
        {"layers/dense/kernel": kernel, "layers/dense/bias": bias}, tmp_path / "any.name", {"from": "elsewhere"}
    )
    model.load_weights(tmp_path / "any.name")
    np.testing.assert_array_equal(model.get_weights()[0], kernel.astype("float32"))
    assert model.weights[0].dtype == "float32"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_weights_of_short_types_stay_as_they_are(tmp_path, dtype):
    def small():
        return cornu.Sequential([cornu.Input((4,)), layers.Dense(3, dtype=dtype)])

    model, again = small(), small()
    model.save_weights(tmp_path / "w.safetensors")
    assert safetensors.numpy.load_file(tmp_path / "w.safetensors")["layers/dense/kernel"].dtype == dtype
    again.load_weights(tmp_path / "w.safetensors")
    np.testing.assert_array_equal(model.get_weights()[0], again.get_weights()[0])


class Strange(layers.Layer):
    """Two weights of one name, one without any dimension, and whole numbers."""

    def build(self, input_shape):
        self.one = self.add_weight(shape=(), name="scale")
        self.two = self.add_weight(shape=(2,), name="scale")
        self.count = self.add_weight(shape=(2,), dtype="int32", trainable=False, name="count")

    def call(self, inputs):
        return inputs * self.one


class Choosing(layers.Layer):
    """A layer that says itself what a file keeps."""

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(2, 2), name="kernel")

    def call(self, inputs):
        return inputs

    def save_own_variables(self, store):
        store["turned"] = self.kernel.numpy().T

    def load_own_variables(self, store):
        self.kernel.assign(store["turned"].T)


@pytest.mark.parametrize("cls", [Strange, Choosing])
def test_layers_of_ones_own(tmp_path, cls):
    model, again = (cornu.Sequential([cornu.Input((4,)), cls(), layers.Dense(2)]) for _ in range(2))
    model.save_weights(tmp_path / "w.safetensors")
    again.load_weights(tmp_path / "w.safetensors")
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_file_that_does_not_fit(tmp_path):
    path = tmp_path / "w.safetensors"
    model_of(3, 2).save_weights(path)
    with pytest.raises(ValueError, match=r"has no weight 'layers/dense_2/kernel', 'layers/dense_2/bias'"):
        model_of(3, 2, 5).load_weights(path)
    with pytest.raises(ValueError, match=r"has weights of a layer 'layers/dense_1/\w+', which the model does not have"):
        model_of(3).load_weights(path)
    wider = model_of(3, 7)
    before = wider.get_weights()
    with pytest.raises(
        ValueError, match=r"dense_1/kernel' has a weight 'kernel' of shape \(3, 7\); the file's is \(3, 2"
    ):
        wider.load_weights(path)
    assert all(np.array_equal(a, b) for a, b in zip(before, wider.get_weights(), strict=True))
    with pytest.warns(UserWarning, match="Left unchanged"):
        wider.load_weights(path, skip_mismatch=True)
    assert not np.array_equal(before[0], wider.get_weights()[0])
    with pytest.raises(ValueError, match="by_name works for files in Keras 2"):
        wider.load_weights(path, by_name=True)
    with pytest.raises(ValueError, match="has weights only"):
        cornu.models.load_model(path)


def test_whole_numbers_for_floats_are_refused(tmp_path):
    values = {"layers/dense/kernel": np.ones((4, 3), "int32"), "layers/dense/bias": np.ones(3, "float32")}
    safetensors.numpy.save_file(values, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match="of dtype float32; the file's is int32"):
        model_of(3).load_weights(tmp_path / "w.safetensors")


HUGE = 1 << 62
HOSTILE = {
    "overlap": ({"a": entry(), "b": entry()}, b"1234", "overlaps"),
    "hole": ({"a": entry(), "b": entry(offsets=(8, 12))}, b"1" * 12, "gap"),
    "bytes after the last": ({"a": entry()}, b"1" * 8, "belong to no array"),
    "beyond the end": ({"a": entry(shape=(4,), offsets=(0, 16))}, b"1234", "is at bytes 0 to 16 of 4"),
    "huge shape": ({"a": entry(shape=(HUGE, HUGE, HUGE))}, b"1234", "needs"),
    "huge shape and offsets": ({"a": entry(shape=(HUGE,), offsets=(0, 4 * HUGE))}, b"1234", "refused"),
    "zero times huge": ({"a": entry(shape=(0, HUGE), offsets=(0, 4))}, b"1234", "needs 0 bytes"),
    "negative": ({"a": entry(shape=(-1, -1))}, b"1234", "refused"),
    "negative offset": ({"a": entry(offsets=(-4, 0))}, b"1234", "refused"),
    "turned offsets": ({"a": entry(offsets=(4, 0))}, b"1234", "is at bytes 4 to 0"),
    "many axes": ({"a": entry(shape=(1,) * 100)}, b"1234", "refused"),
    "floats": ({"a": entry(shape=(1.0,))}, b"1234", "refused"),
    "truth values": ({"a": entry(shape=(True,))}, b"1234", "refused"),
    "unknown type": ({"a": entry(dtype="O")}, b"1234", "has dtype 'O'"),
    "list as type": ({"a": entry(dtype=["F32"])}, b"1234", "has dtype"),
    "missing key": ({"a": {"dtype": "F32", "shape": [1]}}, b"1234", "not described"),
    "further key": ({"a": entry() | {"path": "/etc"}}, b"1234", "not described"),
    "no entry": ({"a": 7}, b"1234", "not described"),
    "metadata of numbers": ({"__metadata__": {"a": 1}, "a": entry()}, b"1234", "not strings"),
    "metadata of another kind": ({"__metadata__": ["a"], "a": entry()}, b"1234", "not strings"),
    "key twice": (b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{}}', b"1234", "given twice"),
    "no JSON": (b"{ nothing }", b"", "cannot be read as JSON"),
    "a list": (b"[]", b"", "begins with"),
    "no UTF-8": (b'{"\xff": 1}', b"", "cannot be read as JSON"),
    "deep": (b'{"a":' * 100_000, b"", "cannot be read as JSON"),
    "long number": (b'{"a":' + b"9" * 10_000 + b"}", b"", "cannot be read as JSON"),
    "infinity": (b'{"a":{"dtype":"F32","shape":[Infinity],"data_offsets":[0,4]}}', b"1234", "refused"),
    "other weights": ({"x": entry()}, b"1234", "has no weight"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_headers_are_refused(tmp_path, name):
    header, values, match = HOSTILE[name]
    path = write(tmp_path / "bad.safetensors", header, values)
    model = model_of(3)
    before = model.get_weights()
    tracemalloc.start()
    with pytest.raises(ValueError, match=match):
        model.load_weights(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 24
    tracemalloc.stop()
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("length", [0, 1, 3, 1 << 20, (1 << 64) - 1])
def test_wrong_lengths_of_the_header(tmp_path, length):
    path = write(tmp_path / "bad.safetensors", {"a": entry()}, b"1234", length)
    with pytest.raises(ValueError, match=r"safetensors|JSON"):
        model_of(3).load_weights(path)


def test_a_huge_header_is_not_read(tmp_path):
    path = tmp_path / "bad.safetensors"
    with path.open("wb") as file:
        file.write((1 << 30).to_bytes(8, "little") + b"{")
        file.truncate((1 << 30) + 100)  # a sparse file
    with pytest.raises(ValueError, match="more than the limit of 16,777,216"):
        model_of(3).load_weights(path)


@pytest.mark.parametrize("size", [0, 7, 8, 9, 50, 200])
def test_files_that_were_cut(tmp_path, size):
    path = tmp_path / "w.safetensors"
    model_of(3).save_weights(path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"safetensors|refused"):
        model_of(3).load_weights(path)


def test_random_changes_never_crash(tmp_path):
    """A changed byte gives other values, or a ValueError in words."""
    path = tmp_path / "w.safetensors"
    model = model_of(3)
    model.save_weights(path)
    good, random = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        changed = bytearray(good)
        for position in random.integers(0, len(good), 2):
            changed[position] = random.integers(256)
        path.write_bytes(changed)
        try:
            model.load_weights(path)
        except ValueError:
            refused += 1
    assert 100 < refused < 300
