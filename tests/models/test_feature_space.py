"""`FeatureSpace` gives what Keras gives on TensorFlow, and files go both ways: see `feature_space_cases.py`."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest

import cornu
from cornu import layers
from cornu.data.dataset import Dataset
from cornu.utils import FeatureSpace
from models import feature_space_cases as cases

with zipfile.ZipFile(cases.FILE) as archive:
    THEIRS = json.loads(archive.read("answers.json"))
    FILES = {name: archive.read(f"{name}.keras") for name in THEIRS}


@pytest.fixture(scope="module")
def ours():
    return cases.answers(cornu)


def assert_same(one, other):
    for part, reference in zip(one, other, strict=True):
        assert list(part) == list(reference)
        for name, value in reference.items():
            np.testing.assert_allclose(part[name], value, rtol=2e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("name", THEIRS)
def test_outputs(name, ours):
    assert_same(ours[0][name], THEIRS[name])


@pytest.mark.parametrize("name", THEIRS)
def test_files(name, ours, tmp_path):
    ours[1][name].save(tmp_path / "ours.keras")
    (tmp_path / "theirs.keras").write_bytes(FILES[name])
    for file in ("ours", "theirs"):
        assert_same(cases.outputs(cornu.models.load_model(tmp_path / f"{file}.keras")), THEIRS[name])


@pytest.mark.parametrize("name", ["by name", "other kinds"])
def test_models(name, ours, tmp_path):
    space = ours[1][name]
    seen = {column: cases.SEEN[column][:, None] for column in space.features}
    model = cornu.Model(space.get_inputs(), layers.Dense(1)(space.get_encoded_features()))
    expected = np.asarray(model.layers[-1](space(seen)))
    np.testing.assert_allclose(model.predict(seen, verbose=0), expected, rtol=1e-5, atol=1e-6)
    model.compile("sgd", "mse")
    model.fit(seen, np.zeros((2, 1)), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = cornu.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(seen, verbose=0), model.predict(seen, verbose=0), rtol=1e-6)


SOURCES = {
    "data frame": lambda: pd.DataFrame(cases.DATA),
    "lists": lambda: {name: values.tolist() for name, values in cases.DATA.items()},
    "rows": lambda: Dataset.from_tensor_slices(cases.DATA),
    "batches": lambda: Dataset.from_tensor_slices(cases.DATA).batch(32),
    "list of batches": lambda: [{name: values[i::3] for name, values in cases.DATA.items()} for i in range(3)],
}


@pytest.mark.parametrize("source", SOURCES)
def test_data_to_adapt_to(source):
    space = next(cases.spaces(cornu))[1]
    space.adapt(SOURCES[source]())
    assert_same(cases.outputs(space), THEIRS["by name"])


def test_columns_of_a_data_set():
    space = next(cases.spaces(cornu))[1]
    space.adapt(cases.DATA)
    seen = {column: cases.SEEN[column] for column in space.features}
    batch = next(iter(Dataset.from_tensor_slices(seen).batch(2).map(space)))
    np.testing.assert_allclose(np.asarray(batch), THEIRS["by name"][0][""], rtol=2e-5, atol=1e-6)


def test_what_is_missing_or_wrong():
    space = FeatureSpace({"age": "float_normalized", "city": "string_hashed"}, name="space")
    data = {"age": [1.0, 2.0], "city": ["a", "b"]}
    with pytest.raises(ValueError, match=r"'space' has to learn from data first: call adapt"):
        space(data)
    with pytest.raises(ValueError, match=r"needs the column 'city'; the data have 'age', 'sity'. Did you mean 'sity'"):
        space.adapt({"age": [1.0], "sity": ["a"]})
    with pytest.raises(TypeError, match="reads once per column; got generator"):
        space.adapt(batch for batch in [data])
    with pytest.raises(TypeError, match="takes dictionaries of columns; got int"):
        space.adapt([1, 2])
    space.adapt(data)
    with pytest.raises(ValueError, match="called on a dictionary of columns; got list"):
        space([1.0])
    with pytest.raises(ValueError, match="there is none"):
        FeatureSpace({})
    with pytest.raises(ValueError, match=r"kind of the feature 'age': 'flaot'. Did you mean 'float'"):
        FeatureSpace({"age": "flaot"})
    with pytest.raises(ValueError, match=r"has no feature 'ages'. Did you mean 'age'"):
        FeatureSpace({"age": "float"}, crosses=[("age", "ages")])
    with pytest.raises(ValueError, match=r"cannot join 'city' to the other features: it has the dtype"):
        FeatureSpace({"city": FeatureSpace.string_hashed(3, output_mode="int")}).get_inputs()
    with pytest.raises(ValueError, match="output_mode='one_hot', which is for integers"):
        FeatureSpace({"age": FeatureSpace.feature("float32", layers.Rescaling(2.0), "one_hot")}).get_inputs()


def test_it_learns_again():
    space = FeatureSpace({"city": "string_categorical"})
    space.adapt({"city": ["a"]})
    assert space({"city": ["a"]}).tolist() == [[0.0, 1.0]]
    space.adapt({"city": ["a", "b"]})
    assert space({"city": "a"}).tolist() == [0.0, 0.0, 1.0]


def test_columns_that_are_traced_or_not_give_the_same_also_after_it_learns_again():
    data = {"age": np.arange(8.0), "kind": np.array(["a", "b"] * 4), "code": np.arange(8) % 3}
    space = FeatureSpace(
        {"age": "float_normalized", "kind": "string_categorical", "code": "integer_categorical"},
        crosses=[("kind", "code")],
        crossing_dim=8,
    )
    space.adapt(data)
    for _ in range(2):
        whole = space(data)
        model = cornu.Model(space.get_inputs(), space.get_encoded_features())
        np.testing.assert_allclose(model.predict(data, verbose=0), whole, rtol=1e-6)
        for rows in (slice(0, 3), slice(3, 8)):
            np.testing.assert_allclose(space({name: one[rows] for name, one in data.items()}), whole[rows], rtol=1e-6)
        batches = Dataset.from_tensor_slices(data).batch(3).map(space, num_parallel_calls=2)
        np.testing.assert_allclose(np.concatenate(list(batches)), whole, rtol=1e-6)
        data["age"], data["kind"] = data["age"] ** 2, np.array(["a", "c"] * 4)
        space.adapt(data)
        np.testing.assert_allclose(np.asarray(space(data))[:, 0].mean(), 0, atol=1e-6)


def test_numbers_alone_are_encoded_by_one_program(monkeypatch):
    space = FeatureSpace({"age": "float_normalized", "size": "float_rescaled"})
    data = {"age": np.arange(8.0), "size": np.arange(8)}
    space.adapt(data)
    expected = np.asarray(space(data))
    monkeypatch.setattr(FeatureSpace, "_encoded", None)  # nothing is encoded layer by layer
    np.testing.assert_array_equal(space(data), expected)
    assert np.asarray(space({name: one[3] for name, one in data.items()})).tolist() == expected[3].tolist()


def test_missing_numbers_are_named_and_objects_that_are_numbers_taken():
    space = FeatureSpace({"age": "float_normalized", "code": "integer_categorical"})
    numbers = {"age": np.array([1.0, 3.0], object), "code": np.array([2**40, 7], object)}
    space.adapt(numbers)
    expected = space({name: np.array(column.tolist()) for name, column in numbers.items()})
    np.testing.assert_array_equal(space(numbers), expected)
    assert np.asarray(expected)[:, 1:].sum() == 2  # integers beyond 32 bits are known
    for bad in (None, "x"):
        data = numbers | {"age": np.array([1.0, bad], object)}
        with pytest.raises(TypeError, match=rf"numbers in the column 'age'; row 1 is {bad!r}"):
            space(data)
        with pytest.raises(TypeError, match=rf"numbers in the column 'age'; row 1 is {bad!r}"):
            space.adapt(data)
    kinds = FeatureSpace({"kind": "string_categorical"})
    kinds.adapt({"kind": ["a", "b"]})
    with pytest.raises(TypeError, match="takes strings; row 1 of its input is None"):
        kinds({"kind": np.array(["a", None], object)})
