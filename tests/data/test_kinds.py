"""Every kind of data that `fit` takes trains as the same numbers in numpy arrays do."""

import collections.abc
import resource
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from tests.data.hugging_face import Column, Table

import cornu
from cornu import layers
from cornu.utils import PyDataset

X = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
Y = np.random.default_rng(1).normal(size=(20, 1)).astype("float32")


def trained(x, y=None, **options):
    """Return the losses of two unshuffled epochs in batches of 8, and what the model then predicts for `X`."""
    cornu.utils.set_random_seed(1)
    model = cornu.Sequential([layers.Input((3,)), layers.Dense(2, activation="tanh"), layers.Dense(1)])
    model.compile(cornu.optimizers.Adam(0.05), "mse")
    size = {"batch_size": 8} if y is not None else {}
    history = model.fit(x, y, epochs=2, shuffle=False, verbose=0, **size, **options)
    return [*history.history["loss"], *np.ravel(model.predict(X, verbose=0))]


@pytest.fixture(scope="module")
def expected():
    return trained(X, Y)


class Rows(PyDataset):
    """Batches of eight rows; module-level, so that other processes can read it."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return X[8 * index : 8 * index + 8], Y[8 * index : 8 * index + 8]


class LikeTensor:
    """A tensor of TensorFlow from outside."""

    def __init__(self, values):
        self._values, self.shape, self.dtype = values, values.shape, "<dtype: 'float32'>"

    def numpy(self):
        return self._values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self._values, dtype)


class LikeDataset:
    """A `tf.data.Dataset` from outside: iterated anew each epoch, of unknown length, batches of tensors."""

    def __iter__(self):
        return ((LikeTensor(X[i : i + 8]), LikeTensor(Y[i : i + 8])) for i in range(0, 20, 8))


def endless():
    while True:
        for index in range(3):
            yield Rows()[index]


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X.tolist(), Y.tolist()),
        (jnp.asarray(X), jnp.asarray(Y)),
        (np.asfortranarray(X), Y.astype("float64")),
        (X[::-1][::-1], Y),
        (pd.DataFrame(X, columns=["a", "b", "c"]), pd.Series(Y[:, 0])),
        (pd.DataFrame(X), pd.DataFrame(Y)),
        (LikeTensor(X), LikeTensor(Y)),
    ],
    ids=["lists", "jax", "fortran", "negative strides", "frame and series", "frames", "tensors"],
)
def test_arrays(expected, x, y):
    np.testing.assert_allclose(trained(x, y), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("x", "options"),
    [
        (lambda: Rows(), {}),
        (lambda: Rows(workers=3), {}),
        (lambda: Rows(workers=2, use_multiprocessing=True, max_queue_size=2), {}),
        (lambda: LikeDataset(), {}),
        (endless, {"steps_per_epoch": 3}),
    ],
    ids=["PyDataset", "threads", "processes", "tf.data", "generator"],
)
def test_streams(expected, x, options):
    np.testing.assert_allclose(trained(x(), **options), expected, rtol=1e-5, atol=1e-6)


def test_torch_tensors_and_loaders(expected):
    torch = pytest.importorskip("torch")
    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=8)
    for given in ((x, y), (x.clone().requires_grad_(), y), (loader, None)):
        np.testing.assert_allclose(trained(*given), expected, rtol=1e-5, atol=1e-6)
    half = trained(x.to(torch.bfloat16), y)
    np.testing.assert_allclose(half, expected, atol=0.05)


def test_torch_batches_of_dictionaries():
    torch = pytest.importorskip("torch")

    class Named(torch.utils.data.Dataset):
        def __len__(self):
            return 20

        def __getitem__(self, index):
            return {"left": X[index], "right": X[index, :2]}, {"sum": Y[index]}

    def model():
        cornu.utils.set_random_seed(1)
        left, right = layers.Input((3,), name="left"), layers.Input((2,), name="right")
        out = layers.Dense(1, name="sum")(layers.Concatenate()([left, right]))
        built = cornu.Model({"left": left, "right": right}, {"sum": out})
        built.compile("sgd", {"sum": "mse"})
        return built

    loader = torch.utils.data.DataLoader(Named(), batch_size=8)
    one = model().fit(loader, verbose=0, epochs=2).history["loss"]
    arrays = {"left": X, "right": X[:, :2]}, {"sum": Y}
    other = model().fit(*arrays, batch_size=8, verbose=0, epochs=2, shuffle=False).history["loss"]
    np.testing.assert_allclose(one, other, rtol=1e-5)


def test_columns_of_a_frame_are_inputs_by_name():
    frame = pd.DataFrame({"age": [1.0, 2.0, 3.0, 4.0], "size": [2.0, 1.0, 0.0, 1.0]})
    inputs = {name: layers.Input((1,), name=name) for name in frame}
    model = cornu.Model(inputs, layers.Dense(1)(layers.Concatenate()(list(inputs.values()))))
    model.compile("sgd", "mse")
    history = model.fit(dict(frame), frame["age"], epochs=2, verbose=0)
    assert history.history["loss"][1] < history.history["loss"][0]


LARGE = """
import resource, sys
import numpy as np
import cornu
from cornu import layers

model = cornu.Sequential([layers.Input((25_000,)), layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.zeros((8, 25_000), "float32"), np.zeros(8), verbose=0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
x = np.memmap(sys.argv[1], "float32", "r", shape=(20_000, 25_000))  # 2 GB
model.fit(x, np.zeros(20_000), batch_size=100, shuffle=True, steps_per_epoch=20, verbose=0)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(not hasattr(resource, "RUSAGE_SELF") or sys.platform != "linux", reason="counts kilobytes")
def test_memory_stays_far_below_the_size_of_a_mapped_file(tmp_path):
    with open(tmp_path / "x.bin", "wb") as file:
        file.truncate(20_000 * 25_000 * 4)
    command = [sys.executable, "-c", LARGE, tmp_path / "x.bin"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 700, "megabytes"


@pytest.mark.parametrize("form", [np.asarray, jnp.asarray, np.ndarray.tolist])
def test_columns_of_a_data_set(expected, form):
    table = Table(x=form(X), y=form(Y))
    np.testing.assert_allclose(trained(table["x"], table["y"]), expected, rtol=1e-5, atol=1e-6)


def test_columns_by_name_and_of_texts():
    left, text = layers.Input((3,), name="left"), layers.Input((1,), name="text", dtype="string")
    found = layers.concatenate([left, layers.StringLookup(vocabulary=["a"], output_mode="one_hot")(text)])
    model = cornu.Model([left, text], found)
    source = {"left": X, "text": ["a", "b"] * 10}
    columns = {name: Column(source, name) for name in source}
    expected = model.predict([X, np.array(source["text"])], verbose=0)
    for given in (columns, [*columns.values()]):
        np.testing.assert_array_equal(model.predict(given, verbose=0), expected)


class Dictionaries:
    """A torch DataLoader of rows that are dictionaries of columns."""

    def __iter__(self):
        return ({"x": X[i : i + 8], "id": np.arange(i, i + len(X[i : i + 8])), "y": Y[i : i + 8]} for i in (0, 8, 16))

    def __len__(self):
        return 3


def test_batches_that_are_dictionaries_of_columns(expected):
    cornu.utils.set_random_seed(1)
    x = layers.Input((3,), name="x")
    model = cornu.Model(x, layers.Dense(1)(layers.Dense(2, activation="tanh")(x)))
    model.compile(cornu.optimizers.Adam(0.05), "mse")
    losses = model.fit(Dictionaries(), epochs=2, verbose=0).history["loss"]
    np.testing.assert_allclose(losses, expected[:2], rtol=1e-5)
    np.testing.assert_allclose(model.predict(Dictionaries(), verbose=0).ravel(), expected[2:], rtol=1e-5, atol=1e-6)
    assert model.evaluate(Dictionaries(), verbose=0) == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-5)
    assert model.fit(Dictionaries(), y="id", sample_weight="y", verbose=0).history["loss"]
    with pytest.raises(ValueError, match="There is no column 'z': the columns are 'x', 'id', 'y'"):
        model.fit(Dictionaries(), y="z", verbose=0)
    with pytest.raises(ValueError, match=r"'z' is to be the name of a column.*\n.*Yield \(x, y\)"):
        model.fit(Rows(), y="z", verbose=0)
    with pytest.raises(ValueError, match=r"y='z' names a column, .*; x is a ndarray"):
        model.fit(X, y="z", verbose=0)


def test_rows_that_are_dictionaries_are_refused_with_advice():
    rows = ({"x": 1.0, "y": 2.0} for _ in range(4))
    with pytest.raises(ValueError, match=r"generator yields single samples.*\n.*batch\(32\)"):
        trained(rows)


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
@pytest.mark.parametrize("form", [list, pd.Series, lambda texts: np.array(texts, object)])
@pytest.mark.parametrize("stream", [False, True])
def test_missing_texts_are_told_with_column_and_row(missing, form, stream):
    size, town = layers.Input((1,), name="size"), layers.Input((1,), name="town", dtype="string")
    found = layers.concatenate([size, layers.StringLookup(vocabulary=["a"], output_mode="one_hot")(town)])
    model = cornu.Model([size, town], layers.Dense(1)(found))
    model.compile("sgd", "mse")
    x, y = {"size": np.ones(4), "town": form(["a", "b", missing, "a"])}, np.ones(4)
    with pytest.raises(TypeError, match=r"x\['town'\] has .* in row 2, where there should be a string\.\nReplace"):
        model.fit(*([iter([(x, y)])] if stream else [x, y]), verbose=0)


def test_frames_for_models_with_a_list_of_inputs():
    inputs = [layers.Input((1,), name="a"), layers.Input((1,), name="b")]
    model = cornu.Model(inputs, layers.Subtract()(inputs))
    frame = pd.DataFrame({"b": [1.0, 2.0], "c": [7.0, 7.0], "a": [5.0, 5.0]})
    assert model.predict(frame, verbose=0).ravel().tolist() == [4.0, 3.0]
    with pytest.raises(ValueError, match=r"inputs .*'a', 'b'.*no column 'a'"):
        model.predict(frame[["b"]], verbose=0)


def test_single_samples_are_refused_with_advice():
    with pytest.raises(ValueError, match=r"generator yields single samples.*\n.*batch\(32\)"):
        trained((x, y[0]) for x, y in zip(X, Y, strict=True))


class MapDataset(collections.abc.Sequence):
    """A data set of Grain: a sequence of batches."""

    def __len__(self):
        return 3

    def __getitem__(self, number):
        if isinstance(number, slice):
            return MapDataset()
        rows = slice(8 * (number % 3), 8 * (number % 3) + 8)
        return X[rows], Y[rows]

    def __iter__(self):
        return (self[number] for number in range(3))


def test_data_sets_of_grain(expected):
    np.testing.assert_allclose(trained(MapDataset()), expected, rtol=1e-5, atol=1e-6)
    assert trained(MapDataset(), validation_data=MapDataset())[2:] == pytest.approx(expected[2:], rel=1e-5)
