import json
import random
import sys
import types

import numpy as np
import pytest

import cornu
from cornu.data.dataset import Dataset
from cornu.utils import split_dataset
from utils import split_cases as known

ANSWERS = json.loads(known.ANSWERS.read_text(encoding="utf-8"))
ERRORS = {"TypeError": TypeError, "ValueError": ValueError}


@pytest.mark.parametrize("name", known.size_cases())
def test_sizes(name):
    left, right = known.size_cases()[name]
    expected = ANSWERS[name]
    if isinstance(expected, str):
        with pytest.raises(ERRORS[expected]):
            split_dataset(known.ROWS, left, right)
    else:
        assert [[int(row) for row in part] for part in split_dataset(known.ROWS, left, right)] == expected


@pytest.mark.parametrize("name", known.data_cases(Dataset))
def test_samples_and_their_order_are_those_of_keras(name):
    data, arguments = known.data_cases(Dataset)[name]
    found = split_dataset(data, **arguments)
    assert [[known.plain(element) for element in part.as_numpy_iterator()] for part in found] == ANSWERS[name]


def test_the_order_follows_the_seed_of_the_program_and_leaves_it_alone():
    def order():
        cornu.utils.set_random_seed(3)
        return [int(row) for row in split_dataset(np.arange(50), 0.5, shuffle=True)[0]]

    assert order() == order() != list(range(25))
    random.seed(1)
    before = random.getstate()
    split_dataset(np.arange(50), 0.5, shuffle=True, seed=1)
    assert random.getstate() == before


def test_parts_train_a_model():
    x, y = np.random.default_rng(0).normal(size=(40, 3)), np.zeros(40)
    train, validation = split_dataset((x, y), left_size=0.75, shuffle=True, seed=1)
    model = cornu.Sequential([cornu.layers.Dense(1)])
    model.compile("adam", "mse")
    assert (len(train), len(validation)) == (30, 10)
    model.fit(train.batch(8), validation_data=validation.batch(8), verbose=0)


def test_texts_and_arrays_of_jax():
    texts = Dataset(lambda: iter(["a", "longer", "b"]))
    left, right = split_dataset(texts, 2)
    assert [str(text) for text in left] == ["a", "longer"]
    assert [str(text) for text in right] == ["b"]
    left, _ = split_dataset(cornu.ops.arange(4), 0.5)
    assert [int(row) for row in left] == [0, 1]


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ([1, 2, 3], ValueError, "number 0 is a int"),
        ([], ValueError, "at least one sample"),
        (np.zeros((0, 2)), ValueError, "at least one sample"),
        ([np.zeros(3), np.zeros(4)], ValueError, "arrays of one length; got 3, 4"),
        ({"a": np.zeros(3)}, TypeError, "got a dict"),
        (np.float32(3), TypeError, "got a float32"),
        (iter([1]), TypeError, "expects an array, a list"),
        (Dataset.range(3).repeat(), ValueError, "endless"),
        (Dataset.range(0), ValueError, "at least one sample"),
        (Dataset.from_generator(lambda: iter([np.zeros(2), np.zeros(3)])), ValueError, "samples of one shape"),
    ],
)
def test_other_data(data, error, message):
    with pytest.raises(error, match=message):
        split_dataset(data, left_size=0.5)


def test_without_torch_the_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModuleNotFoundError, match="pip install torch"):
        split_dataset(known.ROWS, 0.5, preferred_backend="torch")
    with pytest.raises(ValueError, match="preferred_backend must be one of"):
        split_dataset(known.ROWS, 0.5, preferred_backend="theano")


def test_data_sets_of_torch_become_ours_if_wished():
    kind = type("Dataset", (), {"__module__": "torch.utils.data.dataset"})
    data = type("Mine", (kind,), {"__len__": lambda _: 6, "__getitem__": lambda _, row: (np.full(2, row), row % 2)})()
    left, right = split_dataset(data, right_size=2, preferred_backend="jax")
    assert [(x.tolist(), int(y)) for x, y in right] == [([4, 4], 0), ([5, 5], 1)]
    assert len(left) == 4


def test_a_data_set_of_torch_gives_subsets():
    torch = pytest.importorskip("torch")
    assert isinstance(torch, types.ModuleType)
    data = torch.utils.data.TensorDataset(torch.arange(10))
    left, right = split_dataset(data, left_size=0.3)
    assert [int(x) for (x,) in left] == [0, 1, 2]
    expected = torch.utils.data.random_split(data, [3, 7], generator=torch.Generator().manual_seed(5))
    found = split_dataset(data, left_size=3, shuffle=True, seed=5)
    assert [list(part.indices) for part in found] == [list(part.indices) for part in expected]
    ((x, y),) = list(split_dataset((np.arange(4), np.ones(4)), left_size=1, preferred_backend="torch")[0])
    assert (int(x), float(y)) == (0, 1.0)
    assert right.dataset is data
