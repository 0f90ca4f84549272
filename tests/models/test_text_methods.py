"""Models whose own code calls layers for strings: they train on texts, and those layers run before the program."""

import copy
import itertools
import pickle
import threading

import jax
import numpy as np
import pytest

import cornu
from cornu import layers, ops
from cornu.data.dataset import Dataset
from cornu.data.text_inputs import TextUseError

TEXTS = np.array(["a good film", "a bad film", "good good fun", "awful bad bad"] * 4, object)
KINDS = np.array(["old", "new", "new", "odd"] * 4, object)
LABELS = np.array([1, 0, 1, 0] * 4)
X = {"text": TEXTS, "kind": KINDS}
WORDS = ["a", "good", "bad", "film"]

# What Keras 3 on TensorFlow gives for `Reviews` and `OwnStep` with weights of `values`: SGD(0.5), batches of 4.
LOSSES = [0.583824, 0.461721, 0.354268]
VALIDATION_LOSSES = [0.505119, 0.392205, 0.294758]
PREDICTED = [0.776088, 0.337677, 0.703298, 0.149189]
OWN_LOSSES = [0.19643, 0.167127, 0.141045]
OWN_PREDICTED = [0.639009, 0.434063, 0.612055, 0.266164]


def vectorization():
    return layers.TextVectorization(vocabulary=WORDS, output_sequence_length=3)


@cornu.saving.register_keras_serializable("test")
class Reviews(cornu.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.words = vectorization()
        self.embed, self.mean = layers.Embedding(6, 4, mask_zero=True), layers.GlobalAveragePooling1D()
        self.kind = layers.StringLookup(vocabulary=["old", "new"], output_mode="one_hot")
        self.hash, self.embed_hash = layers.Hashing(5), layers.Embedding(5, 2)
        self.out = layers.Dense(1, activation="sigmoid")

    def call(self, x, training=False):
        hashed = self.embed_hash(self.hash(x["kind"]))
        parts = [self.mean(self.embed(self.words(x["text"]))), ops.cast(self.kind(x["kind"]), "float32"), hashed]
        return self.out(ops.concatenate(parts, -1))


class OwnStep(Reviews):
    def train_step(self, data):
        x, y = data

        def loss_of(values):
            for variable, value in zip(self.trainable_variables, values, strict=True):
                variable.assign(value)
            return ops.mean((ops.cast(y, "float32") - self(x, training=True)[:, 0]) ** 2)

        before = [variable.value for variable in self.trainable_variables]
        loss, gradients = jax.value_and_grad(loss_of)(before)
        for variable, value in zip(self.trainable_variables, before, strict=True):
            variable.assign(value)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}


def values(shape):
    return (np.sin(np.arange(np.prod(shape))) * 0.5).reshape(shape).astype("float32")


def compiled(model, x=X):
    model(x)
    model.set_weights([values(weight.shape) for weight in model.get_weights()])
    model.compile(cornu.optimizers.SGD(0.5), "binary_crossentropy", metrics=["accuracy"])
    return model


def batches():
    return Dataset.from_tensor_slices((X, LABELS)).batch(4)


def generator():
    while True:
        for start in range(0, 16, 4):
            rows = slice(start, start + 4)
            yield {name: column[rows] for name, column in X.items()}, LABELS[rows]


@pytest.mark.parametrize("data", [(X, LABELS), (batches(),), (generator(),)], ids=["arrays", "data set", "generator"])
def test_it_trains_as_with_tensorflow(data):
    model = compiled(Reviews())
    history = model.fit(
        *data, batch_size=4 if len(data) > 1 else None, epochs=3, verbose=0, shuffle=False,
        steps_per_epoch=4 if data[0] is not X else None, validation_data=batches(),
    ).history  # fmt: skip
    np.testing.assert_allclose(history["loss"], LOSSES, atol=1e-5)
    np.testing.assert_allclose(history["val_loss"], VALIDATION_LOSSES, atol=1e-5)
    np.testing.assert_allclose(model.predict(X, verbose=0)[:4, 0], PREDICTED, atol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(X), model(X), atol=1e-6)
    assert model.evaluate(X, LABELS, verbose=0)[0] == pytest.approx(VALIDATION_LOSSES[-1], abs=1e-5)


@pytest.mark.parametrize("eagerly", [False, True])
def test_a_custom_train_step_gets_texts(eagerly):
    model = compiled(OwnStep())
    model.run_eagerly = eagerly
    history = model.fit(batches(), epochs=3, verbose=0).history
    np.testing.assert_allclose(history["loss"], OWN_LOSSES, atol=1e-5)
    np.testing.assert_allclose(model.predict(X, verbose=0)[:4, 0], OWN_PREDICTED, atol=1e-5)


def test_single_batches_are_those_of_fit():
    model = compiled(Reviews())
    losses = [model.train_on_batch(x, y)[0] for x, y in itertools.islice(generator(), 4)]
    assert np.mean(losses) == pytest.approx(LOSSES[0], abs=1e-5)
    assert model.test_on_batch(X, LABELS)[0] == pytest.approx(VALIDATION_LOSSES[0], abs=1e-5)


def test_a_part_of_the_rows_is_held_out():
    model = compiled(Reviews())
    history = model.fit(X, LABELS, batch_size=4, verbose=0, validation_split=0.5, shuffle=False).history
    other = compiled(Reviews())
    first, second = ({name: column[rows] for name, column in X.items()} for rows in (slice(8), slice(8, 16)))
    expected = other.fit(
        first, LABELS[:8], batch_size=4, verbose=0, validation_data=(second, LABELS[8:]), shuffle=False
    )
    assert history == expected.history


class Counting(cornu.Model):
    """A model of one text each; `change` is done to texts first."""

    def __init__(self, change=lambda text: text, layer=None, **kwargs):
        super().__init__(**kwargs)
        self.change, self.words = change, layer or vectorization()
        self.dense = layers.Dense(1, activation="sigmoid", kernel_initializer="ones")
        self.traces = 0

    def call(self, text):
        self.traces += 1
        return self.dense(ops.cast(self.words(self.change(text)), "float32") / 10)


def test_texts_are_encoded_once_for_all_epochs():
    model = Counting()
    model.compile("sgd", "binary_crossentropy")
    calls, layer = [], model.words
    computed = layer.compute
    layer.compute = lambda texts: calls.append(len(texts)) or computed(texts)
    model.fit(TEXTS, LABELS, epochs=5, verbose=0, batch_size=4)
    assert calls.count(16) == 1
    assert max(calls) == 16
    traces = model.traces
    model.fit(TEXTS, LABELS, epochs=5, verbose=0, batch_size=4)
    assert model.traces == traces, "the program is compiled once"


CHANGES = {
    "indexing": (lambda text: text[:, 0], TEXTS[:, None]),
    "joined": (lambda text: text + " film", TEXTS),
    "reshaped": (lambda text: ops.reshape(text, (-1,)), TEXTS[:, None]),
    "in a list": (lambda text: text, TEXTS.tolist()),
    "of a fixed width": (lambda text: text, TEXTS.astype(str)),
    "as bytes": (lambda text: text, TEXTS.astype("S")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_texts_may_be_changed_first(name):
    change, x = CHANGES[name]
    model = Counting(change)
    model.compile("sgd", "binary_crossentropy")
    model.fit(x, LABELS, verbose=0)
    np.testing.assert_allclose(model.predict(x, verbose=0), model(np.array(x, object)), rtol=1e-5)


class Inner(layers.Layer):
    """A layer with weights, on texts."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.words, self.embed = vectorization(), layers.Embedding(6, 2)

    def call(self, text):
        return self.embed(self.words(text))


def functional():
    text, size = cornu.Input((1,), dtype="string", name="text"), cornu.Input((1,), name="size")
    joined = layers.concatenate([layers.Flatten()(Inner()(text)), size])
    return cornu.Model({"text": text, "size": size}, layers.Dense(1)(joined))


class Towers(cornu.Model):
    """Stacks of layers that begin with one for strings, one of them unbuilt, and a model with a graph."""

    def __init__(self):
        super().__init__()
        lookup = layers.StringLookup(vocabulary=["old", "new"])
        self.first = cornu.Sequential([lookup, layers.Embedding(3, 4)])
        text = cornu.Input((1,), dtype="string")
        self.second = cornu.Model(text, layers.Flatten()(layers.Embedding(6, 2)(vectorization()(text))))
        self.inner = cornu.Sequential([Inner(), layers.Flatten()])
        self.out = layers.Dense(1)

    def call(self, x):
        parts = self.first(x["kind"]), self.second(x["text"]), self.inner(x["text"])
        return self.out(ops.concatenate([*parts, x["size"]], -1))


@pytest.mark.parametrize("make", [functional, Towers])
def test_layers_and_models_on_texts_are_parts_of_others(make):
    model = make()
    model.compile("sgd", "mse")
    x = {"text": TEXTS, "size": np.ones((16, 1), "float32")} | ({"kind": KINDS} if make is Towers else {})
    before = model.predict(x, verbose=0)
    history = model.fit(x, LABELS, epochs=2, verbose=0, validation_split=0.25).history
    assert history["loss"][1] < history["loss"][0]
    assert len(history["val_loss"]) == 2
    after = model.predict(x, verbose=0)
    assert np.abs(after - before).max() > 1e-4
    np.testing.assert_allclose(after, model(x), atol=1e-5)


def test_a_stack_may_begin_with_a_layer_that_holds_one_for_strings():
    model = cornu.Sequential([Inner(), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(TEXTS, LABELS, verbose=0)
    np.testing.assert_allclose(model.predict(TEXTS, verbose=0), model(TEXTS), atol=1e-5)
    model.fit(Dataset.from_tensor_slices((TEXTS, LABELS)).batch(5), verbose=0)


def test_layers_may_be_made_in_build():
    class Late(cornu.Model):
        def build(self, input_shape):
            self.words, self.dense = vectorization(), layers.Dense(1)
            super().build(input_shape)

        def call(self, text):
            return self.dense(ops.cast(self.words(text), "float32"))

    model = Late()
    model.compile("sgd", "mse")
    model.fit(TEXTS, LABELS, verbose=0)
    assert model.predict(TEXTS, verbose=0).shape == (16, 1)


def test_lengths_may_differ_from_batch_to_batch():
    model = Counting(layer=layers.TextVectorization(vocabulary=WORDS))
    model.dense = lambda counts: ops.mean(counts, axis=-1, keepdims=True)
    model.compile("sgd", "mse")
    lengths = range(1, 5)
    found = model.evaluate(((np.array(["good " * n] * 4, object), np.zeros(4)) for n in lengths), verbose=0)
    assert found == pytest.approx(0.3**2, rel=1e-5)  # "good" is word 3


@cornu.saving.register_keras_serializable("test")
class Adapted(Reviews):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.words = layers.TextVectorization(max_tokens=6, output_sequence_length=3)


def copied_by_file(model, folder):
    model.save(folder / "model.keras")
    return cornu.models.load_model(folder / "model.keras")


COPIES = {
    "a file": copied_by_file,
    "a pickle": lambda model, _: pickle.loads(pickle.dumps(model)),
    "a copy": lambda model, _: copy.deepcopy(model),
}


@pytest.mark.parametrize("way", COPIES)
def test_copies_have_weights_and_vocabularies(way, tmp_path):
    model = Adapted()
    model.words.adapt(TEXTS)
    model.compile("sgd", "mse")
    model.fit(X, LABELS, verbose=0)
    twin = COPIES[way](model, tmp_path)
    np.testing.assert_array_equal(twin.predict(X, verbose=0), model.predict(X, verbose=0))
    assert (
        twin.fit(X, LABELS, verbose=0, shuffle=False).history == model.fit(X, LABELS, verbose=0, shuffle=False).history
    )


def test_several_threads_predict():
    model = compiled(Reviews())
    found = {}

    def work(rows):
        found[rows] = model.predict({name: column[:rows] for name, column in X.items()}, verbose=0)

    threads = [threading.Thread(target=work, args=(rows,)) for rows in (3, 5, 9, 16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for rows, outputs in found.items():
        np.testing.assert_allclose(outputs, model(X)[:rows], atol=1e-6)


def test_other_words_are_taken_up():
    model = Counting()
    before = model.predict(TEXTS, verbose=0)
    model.words.set_vocabulary(["bad", "a"])
    changed = model.predict(TEXTS, verbose=0)
    assert np.abs(changed - before).max() > 0
    np.testing.assert_allclose(changed, model(TEXTS), rtol=1e-5)


class Computed(Counting):
    def call(self, text):
        number = ops.argmax(self.dense(ops.cast(self.words(text), "float32")), -1)
        return layers.HashedCrossing(5)((text, number))


class Numbers(Counting):
    def call(self, text):
        return self.dense(text)


class Texts(Counting):
    def call(self, text):
        return layers.StringLookup(vocabulary=WORDS, invert=True)(self.words(text))


REFUSED = {
    "numbers that the model computes": (Computed(), TextUseError, "together with numbers that the model computes"),
    "numbers wanted": (Numbers(), TypeError, r"Dense\) takes numbers; its input is text"),
    "texts made of numbers": (Texts(), TypeError, r"StringLookup\) makes text of numbers"),
    "a loop": (Counting(lambda text: [one.upper() for one in text]), TextUseError, "computes with texts"),
    "one row": (Counting(lambda text: text[0]), TextUseError, r"getitem gives arrays of the shapes \(\) for 2 rows"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_compiled_is_refused(name):
    model, kind, message = REFUSED[name]
    model.compile("sgd", "mse")
    with pytest.raises(kind, match=message):
        model.fit(TEXTS, LABELS, verbose=0)


def test_a_model_without_layers_for_strings_refuses_texts():
    class Plain(cornu.Model):
        def call(self, x):
            return x

    with pytest.raises(TypeError, match=r"x contains text.*\n.*keras\.Input"):
        Plain().predict(TEXTS, verbose=0)
