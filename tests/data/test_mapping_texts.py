"""Functions of rows with texts are compiled behind the layers that they call on them."""

import jax
import numpy as np
import pytest

import cornu
from cornu import layers, ops
from cornu.data import mapping
from cornu.data.dataset import Dataset

TEXTS = np.array([["red", "a green", "blue sky", ""][i % 4] + f" thing {i % 5}" for i in range(150)])
WORDS = np.array(["red", "green", "", "?"] * 37 + ["red", "red"])
LABELS = np.arange(150)
NUMBERS = np.random.default_rng(0).random((150, 2)).astype("float32")

vectors = layers.TextVectorization(vocabulary=["red", "thing", "sky"], output_sequence_length=3)
open_vectors = layers.TextVectorization(vocabulary=["red", "thing", "sky"])
counts = layers.TextVectorization(vocabulary=["red", "thing", "sky"], output_mode="count")
lookup = layers.StringLookup(vocabulary=["red", "green"])
one_hot = layers.StringLookup(vocabulary=["red", "green"], output_mode="one_hot")
hashed = layers.Hashing(7)
whole = layers.StringLookup(vocabulary=["red", "green", "", "?"], num_oov_indices=0)


def branching(text, word, label, numbers):
    return (label, numbers) if text == "red thing 0" else (label + 1, numbers)


COMPILED = {
    "vectors": lambda text, word, label, numbers: (vectors(text), label * 2),
    "by keyword": lambda text, word, label, numbers: vectors(inputs=text),
    "several": lambda text, word, label, numbers: {"a": vectors(text), "b": lookup(word) + hashed(word), "c": numbers},
    "again": lambda text, word, label, numbers: ops.concatenate(
        [vectors(text), vectors(text), ops.cast(label, "int64")[None]]
    ),
    "counts": lambda text, word, label, numbers: counts(text) * numbers[0],
    "unused": lambda text, word, label, numbers: label + 1,
    "no other": lambda text, word, label, numbers: whole(word),
}
AS_THEY_ARE = {
    "open length": lambda text, word, label, numbers: open_vectors(text)[:1],
    "other form": lambda text, word, label, numbers: one_hot(word),
    "passed on": lambda text, word, label, numbers: (text, vectors(text)),
    "compared": branching,
    "in a form": lambda text, word, label, numbers: (label, np.int64(len(f"{text}"))),
    "looked up": lambda text, word, label, numbers: {"red": 1}.get(word, 0) + label,
    "a list": lambda text, word, label, numbers: vectors([text]),
}


def mapped(function, texts, words):
    return Dataset.from_tensor_slices((texts, words, LABELS, NUMBERS)).map(function)


@pytest.mark.parametrize("kind", ["U", "O"])
@pytest.mark.parametrize("name", [*COMPILED, *AS_THEY_ARE])
def test_rows_are_those_of_the_function(name, kind, monkeypatch):
    function = (COMPILED | AS_THEY_ARE)[name]
    data = mapped(function, TEXTS.astype(kind), WORDS.astype(kind))
    found = list(data.as_numpy_iterator())
    monkeypatch.setattr(mapping.MapFunction, "_program", lambda *_, **__: None)
    expected = list(mapped(function, TEXTS.astype(kind), WORDS.astype(kind)).as_numpy_iterator())
    assert len(found) == len(expected) == 150
    for one, other in zip(found, expected, strict=True):
        assert jax.tree.structure(one) == jax.tree.structure(other)
        for ours, theirs in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
            np.testing.assert_array_equal(ours, theirs)
            assert np.asarray(ours).dtype.kind == np.asarray(theirs).dtype.kind


@pytest.mark.parametrize("name", [*COMPILED, *AS_THEY_ARE])
def test_which_are_compiled(name):
    function = mapping.MapFunction((COMPILED | AS_THEY_ARE)[name])
    block = (TEXTS[:64], WORDS[:64], LABELS[:64], NUMBERS[:64])
    assert function.compiles_rows(block) == (name in COMPILED)
    assert not function.is_pure  # the layers may learn something else


def test_a_function_prints_once_and_its_errors_are_its_own(capsys):
    def function(text, word, label, numbers):
        print("traced")
        return vectors(text)

    list(mapped(function, TEXTS, WORDS))
    assert capsys.readouterr().out == "traced\n"
    with pytest.raises(ValueError, match=r"num_oov_indices=0, so all inputs must be in its vocabulary.*: 'blue'"):
        list(mapped(lambda text, word, label, numbers: whole(word), TEXTS, np.array([*WORDS[:-1], "blue"])))


def test_layers_that_learn_again_give_what_they_know():
    layer = layers.StringLookup()
    layer.adapt(["red", "red", "green"])
    data = Dataset.from_tensor_slices((WORDS, LABELS)).map(lambda word, label: layer(word)).batch(50)
    assert next(iter(data)).tolist()[:4] == [1, 2, 0, 0]
    layer.adapt(["?", "?", "green"])
    assert next(iter(data)).tolist()[:4] == [0, 2, 0, 1]


def test_a_model_trains_on_them():
    data = mapped(lambda text, word, label, numbers: (vectors(text), numbers), TEXTS, WORDS).shuffle(50).batch(16)
    model = cornu.Sequential([layers.Embedding(5, 3), layers.GlobalAveragePooling1D(), layers.Dense(2)])
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(data, epochs=2, verbose=0).history["loss"]).all()
