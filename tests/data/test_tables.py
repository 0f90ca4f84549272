"""Data sets of Hugging Face train as the same arrays do."""

import itertools

import numpy as np
import pytest
from tests.data.hugging_face import Splits, Stream, Table

import cornu
from cornu import layers
from cornu.data import tables
from cornu.data.columns import ColumnRule, ModelNames

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(150, 3)).astype("float32"), rng.normal(size=150).astype("float32")
TEXTS = ["a b", "c", "b b a"] * 50


def stack():
    cornu.utils.set_random_seed(1)
    model = cornu.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def of_texts():
    cornu.utils.set_random_seed(1)
    vectorize = layers.TextVectorization(vocabulary=["a", "b"], output_sequence_length=3)
    model = cornu.Sequential([vectorize, layers.Embedding(4, 2), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def trained(model, *data, **options):
    return model.fit(*data, epochs=2, verbose=0, **options).history


@pytest.fixture
def large(monkeypatch):
    monkeypatch.setattr(tables, "KEPT_BYTES", 0)


@pytest.mark.parametrize("kind", [None, "numpy", "torch", "pandas"])
@pytest.mark.parametrize("options", [{}, {"batch_size": 8, "shuffle": False}, {"validation_split": 0.2}])
def test_a_small_one_trains_exactly_as_arrays(kind, options):
    table = Table(kind, x=X.tolist(), y=Y.tolist())
    assert trained(stack(), table, **options) == trained(stack(), X, Y, **options)


def test_evaluate_predict_and_single_batches():
    table, model = Table(x=X, label=Y), stack()
    assert model.evaluate(table, verbose=0) == model.evaluate(X, Y, verbose=0)
    np.testing.assert_array_equal(model.predict(table, verbose=0), model.predict(X, verbose=0))
    assert stack().train_on_batch({"x": X, "label": Y}) == stack().train_on_batch(X, Y)
    np.testing.assert_array_equal(model.predict_on_batch({"x": X, "label": Y}), model.predict_on_batch(X))


def test_columns_by_name():
    table = Table(x=X, stars=Y, weight=np.abs(Y))
    named = trained(stack(), table, y="stars", sample_weight="weight", validation_data=table)
    expected = trained(stack(), X, Y, sample_weight=np.abs(Y), validation_data=(X, Y))
    assert named == expected
    beside = trained(stack(), Table(x=X), Y, sample_weight=np.abs(Y), validation_data=(Table(x=X), Y))
    assert beside == expected
    model = stack()
    trained(model, Table(x=X, stars=Y), y="stars")
    assert model.predict(table, verbose=0).shape == (150, 1)  # as `fit` chose
    with pytest.raises(ValueError, match=r"names do not say which is the target.*\n.*y='stars'"):
        trained(stack(), Table(x=X, stars=Y))


def test_a_large_one_is_read_batch_by_batch(large):
    table = Table(x=X, y=Y)
    ordered = {"shuffle": False, "batch_size": 40}
    np.testing.assert_allclose(trained(stack(), table, **ordered)["loss"], trained(stack(), X, Y, **ordered)["loss"])
    assert all(len(range(150)[rows]) <= 64 for rows in table.reads)
    table.reads.clear()
    trained(stack(), table, batch_size=40)
    orders = [rows for rows in table.reads if isinstance(rows, list)]
    assert [sorted(itertools.chain(*orders[at : at + 4])) for at in (0, 4)] == [list(range(150))] * 2
    assert orders[:4] != orders[4:]
    split = trained(stack(), table, batch_size=40, validation_split=0.2)
    held_out = stack()
    assert len(split["val_loss"]) == 2
    assert held_out.fit(table.select(range(120)), validation_data=table.select(range(120, 150)), batch_size=40,
                        verbose=0).history["val_loss"] == split["val_loss"][:1]  # fmt: skip
    with pytest.raises(ValueError, match="targets and sample weights have to be columns"):
        trained(stack(), Table(x=X), Y)


def test_a_function_of_the_users_makes_rows_each_epoch():
    calls = []

    def augmented(rows):
        calls.append(len(rows["x"]))
        return {"x": np.asarray(rows["x"]) + np.random.rand(), "label": rows["y"]}

    trained(stack(), Table(x=X, y=Y).with_transform(augmented), batch_size=50)
    assert calls.count(50) == 6


def test_a_stream_is_read_in_batches():
    ordered = {"shuffle": False, "batch_size": 40}
    stream = Stream(Table(x=X.tolist(), y=Y.tolist()))
    history = trained(stack(), stream, validation_data=stream, **ordered)
    expected = trained(stack(), X, Y, validation_data=(X, Y), **ordered)
    for name in expected:
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-5)
    assert stack().predict(stream, verbose=0).shape == (150, 1)
    with pytest.raises(ValueError, match="validation_split cannot cut a Stream"):
        trained(stack(), stream, validation_split=0.1)


@pytest.mark.parametrize("form", [lambda table: table, Stream])
def test_texts_and_pictures(form):
    data = form(Table(text=TEXTS, label=Y.tolist()))
    ordered = {"shuffle": False}
    expected = trained(of_texts(), np.array(TEXTS), Y, **ordered)["loss"]
    np.testing.assert_allclose(trained(of_texts(), data, **ordered)["loss"], expected, rtol=1e-5)
    Image = pytest.importorskip("PIL.Image")
    pictures = rng.integers(0, 255, (20, 4, 4, 3), "uint8")
    data = form(Table(image=list(map(Image.fromarray, pictures)), label=[0, 1] * 10))
    model = cornu.Sequential([layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(2)])
    found, expected = model.predict(data, verbose=0), model.predict(pictures, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["a"] * 99 + [None], "Column 'text' has None in row 99"),
        ([[1.0, 2.0]] * 70 + [[1.0]], r"'text' differ in shape: \(2,\) in row 64, \(1,\) in row 70\.\nPad them"),
        ([[1.0, 2.0]] * 64 + [[1.0]] * 9, r"'text' differ in shape: \(2,\) in row 0, \(1,\) in row 64\.\nPad them"),
        ([np.zeros((2, 2), "uint8"), np.zeros((2, 3), "uint8")], r"\(2, 2\) in row 0, \(2, 3\) in row 1\.\nResize"),
    ],
)
def test_values_that_do_not_fit_are_told_with_column_and_row(values, words):
    with pytest.raises(ValueError, match=words):
        trained(of_texts(), Table(text=values, label=Y[: len(values)].tolist()))


def test_several_data_sets_and_empty_ones_are_refused():
    with pytest.raises(TypeError, match=r"data sets 'train', 'test': pass one of them, x\['train'\]"):
        trained(stack(), Splits(train=Table(x=X, y=Y), test=Table(x=X, y=Y)))
    with pytest.raises(ValueError, match="columns 'x', 'y' has 0 rows"):
        trained(stack(), Table(x=X[:0], y=Y[:0]))


def test_nested_columns_and_chosen_ones():
    nested = Table("numpy", ["pair", "label"], pair=[{"a": 1.0, "b": [2.0]}] * 4, label=[1.0] * 4, text=["a"] * 4)
    batch = tables.opened(nested, None, None, ColumnRule(ModelNames()), None)[0]
    assert batch["a"].tolist() == [1.0] * 4
    assert batch["b"].tolist() == [[2.0]] * 4


def test_layers_learn_from_the_column_that_is_no_target():
    for form in (lambda table: table, Stream):
        layer, expected = layers.Normalization(), layers.Normalization()
        layer.adapt(form(Table(x=X, label=Y)))
        expected.adapt(X)
        np.testing.assert_allclose(layer.mean, expected.mean, rtol=1e-5)
        words = layers.StringLookup()
        words.adapt(form(Table(text=TEXTS, label=Y)))
        assert set(words.get_vocabulary()) == {"[UNK]", *TEXTS}
    with pytest.raises(ValueError, match=r"the data set has 'a', 'b'\.\n.*select_columns\('a'\)"):
        layers.Normalization().adapt(Table(a=X, b=Y))
    with pytest.raises(TypeError, match=r"'train': pass one, data\['train'\]"):
        layers.Normalization().adapt(Splits(train=Table(a=X)))


def test_a_feature_space_learns_from_columns():
    features = {"size": "float_normalized", "town": "string_categorical"}
    spaces = [cornu.utils.FeatureSpace(features=features, output_mode="concat") for _ in range(2)]
    columns = {"size": Y, "town": TEXTS}
    for space, data in zip(spaces, (Table(**columns, label=Y), columns), strict=True):
        space.adapt(data)
    one = {"size": [1.0], "town": ["c"]}
    np.testing.assert_allclose(spaces[0](one), spaces[1](one), rtol=1e-5)
