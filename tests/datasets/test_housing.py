"""The two tables of house prices: rows, order and split as real Keras gives them."""

import importlib

import numpy as np
import pytest

from cornu.datasets import boston_housing, california_housing

MODULES = {"boston_housing": boston_housing, "california_housing": california_housing}


@pytest.fixture
def files(tmp_path, monkeypatch, real_keras):
    random = np.random.default_rng(5)
    for name, columns in (("boston_housing", 13), ("california_housing", 8)):
        np.savez(tmp_path / f"{name}.npz", x=random.normal(size=(700, columns)), y=random.normal(size=700))
        theirs = importlib.import_module(f"keras.src.datasets.{name}")
        monkeypatch.setattr(theirs, "get_file", lambda path, **_: str(tmp_path / path))
        monkeypatch.setattr(f"cornu.datasets.{name}.fetch", lambda path, **_: tmp_path / path)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("boston_housing", {}),
        ("boston_housing", {"test_split": 0.33, "seed": 2}),
        ("boston_housing", {"test_split": 0}),
        ("california_housing", {}),
        ("california_housing", {"version": "small", "test_split": 0.1}),
    ],
)
def test_equals_keras(files, real_keras, name, arguments):
    ours = MODULES[name].load_data(**arguments)
    theirs = getattr(real_keras.datasets, name).load_data(**arguments)
    for part, their_part in zip(ours, theirs, strict=True):
        for array, their_array in zip(part, their_part, strict=True):
            assert array.dtype == their_array.dtype
            assert np.array_equal(array, their_array)


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
@pytest.mark.parametrize("test_split", [-0.1, 1, 1.5])
def test_a_wrong_split_is_refused_before_any_download(no_network, module, test_split):
    with pytest.raises(ValueError, match=f"test_split must be .*got {test_split}"):
        module.load_data(test_split=test_split)


def test_a_wrong_version_is_refused(no_network):
    with pytest.raises(ValueError, match=r"'smal'.*Did you mean 'small'"):
        california_housing.load_data(version="smal")
