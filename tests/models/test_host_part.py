"""Models that take text: the graph is cut where strings end."""

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.data.dataset import Dataset
from cornu.layers.host import HostLayer

TEXTS = np.array([f"{'red' if i % 3 else 'a green'} thing {i % 5}" for i in range(32)])
NUMBERS = np.random.default_rng(0).random((32, 2)).astype("float32")
LABELS = (np.arange(32) % 3 == 0).astype("int32")


def ids(text):
    return [sum(map(ord, word)) % 20 for word in text.split()]


@cornu.saving.register_keras_serializable("test")
class Words(HostLayer):
    """The first words of texts as numbers, filled up with 0; of all words if `size` is None."""

    output_dtype = "int32"

    def __init__(self, size=4, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.calls = 0

    def call(self, inputs):
        self.calls += 1
        rows = [ids(str(text)) for text in inputs.reshape(-1)]
        size = self.size or max(map(len, rows))
        return np.array([(row + [0] * size)[:size] for row in rows], np.int32)

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.size


def classifier(*first, **options):
    body = [layers.Embedding(20, 4), layers.Flatten(), layers.Dense(2, activation="softmax")]
    model = cornu.Sequential([*first, Words(), *body], **options)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def numbers_only(model):
    """Return the same model behind its first layer."""
    words = next(layer for layer in model.layers if isinstance(layer, Words))
    behind = cornu.Model(words.output, model.output)
    behind.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return behind


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("form", ["array", "column", "objects", "list", "bytes"])
def test_a_stack_of_layers_trains_on_text_as_on_the_numbers_of_its_words(declared, form):
    forms = {
        "array": TEXTS,
        "column": TEXTS[:, None],
        "objects": TEXTS.astype(object),
        "list": TEXTS.tolist(),
        "bytes": np.char.encode(TEXTS),
    }
    cornu.utils.set_random_seed(1)
    model = classifier(*([cornu.Input((1,), dtype="string")] if declared else []))
    found = model.fit(forms[form], LABELS, epochs=2, verbose=0, validation_split=0.25)
    cornu.utils.set_random_seed(1)
    other = classifier(cornu.Input((1,), dtype="string"))
    expected = numbers_only(other).fit(Words()(TEXTS), LABELS, epochs=2, verbose=0, validation_split=0.25)
    for name, values in expected.history.items():
        np.testing.assert_allclose(found.history[name], values, rtol=1e-5)
    assert next(layer for layer in model.layers if isinstance(layer, Words)).calls == 1  # not in each epoch


def test_all_ways_to_compute_agree():
    model = classifier(cornu.Input((1,), dtype="string"))
    expected = model.predict(TEXTS, verbose=0)
    for found in (model(TEXTS), model(TEXTS[:, None], training=False), model.predict_on_batch(TEXTS.tolist())):
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    source = Dataset.from_tensor_slices(TEXTS).batch(5)
    np.testing.assert_allclose(model.predict(source, verbose=0), expected, rtol=1e-5)
    objects = Dataset.from_generator(lambda: (TEXTS[start : start + 5].astype(object) for start in range(0, 32, 5)))
    np.testing.assert_allclose(model.predict(objects, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(next(iter(objects))), expected[:5], rtol=1e-5)
    assert model.evaluate(TEXTS, LABELS, verbose=0) == pytest.approx(
        model.evaluate(Dataset.from_tensor_slices((TEXTS, LABELS)).batch(8), verbose=0), rel=1e-5
    )
    assert model.test_on_batch(TEXTS, LABELS) == pytest.approx(model.evaluate(TEXTS, LABELS, verbose=0), rel=1e-5)
    model.train_on_batch(TEXTS, LABELS)
    assert np.asarray(model.predict(["a green thing"], verbose=0)).shape == (1, 2)


def mixed():
    text, size = cornu.Input((1,), dtype="string", name="text"), cornu.Input((2,), name="size")
    joined = layers.Concatenate()([layers.Flatten()(layers.Embedding(20, 4)(Words()(text))), layers.Dense(3)(size)])
    return text, size, layers.Dense(2, activation="softmax")(joined)


@pytest.mark.parametrize("form", [dict, list])
def test_text_beside_numbers(form):
    text, size, output = mixed()
    inputs = {"text": text, "size": size} if form is dict else [text, size]
    data = {"text": TEXTS, "size": NUMBERS} if form is dict else [TEXTS, NUMBERS]
    model = cornu.Model(inputs, output)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(data, LABELS, epochs=1, verbose=0)
    np.testing.assert_allclose(model.predict(data, verbose=0), model(data), rtol=1e-5)
    if form is dict:
        model.fit(Dataset.from_tensor_slices((data, LABELS)).batch(8), verbose=0)
    with pytest.raises(ValueError, match=r"'text'.*missing|takes 2 inputs"):
        model.predict({"size": NUMBERS} if form is dict else [TEXTS])
    with pytest.raises(TypeError, match=r"takes text .*got numbers"):
        model.predict({**data, "text": np.ones((32, 1))} if form is dict else [np.ones((32, 1)), NUMBERS])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_data_frame_is_taken_by_the_names_of_its_columns(library):
    frames = pytest.importorskip(library)
    word, size = cornu.Input((1,), dtype="string", name="word"), cornu.Input((1,), name="size")
    joined = layers.Concatenate()([layers.Dense(2)(Words(1)(word)), size])
    model = cornu.Model({"word": word, "size": size}, layers.Dense(1)(joined))
    model.compile("sgd", "mse")
    frame = frames.DataFrame({"size": NUMBERS[:, 0], "other": NUMBERS[:, 1], "word": TEXTS.tolist()})
    expected = model.predict({"word": TEXTS, "size": NUMBERS[:, :1]}, verbose=0)
    np.testing.assert_allclose(model.predict(frame, verbose=0), expected, rtol=1e-5)
    model.fit(frame, NUMBERS[:, 0], verbose=0, validation_split=0.25)
    model.evaluate(frame, frame["size"], verbose=0)
    with pytest.raises(ValueError, match="the data frame has no column 'word'"):
        model.predict(frame[["size"]])


def test_models_inside_take_text_and_train():
    inner = classifier(cornu.Input((1,), dtype="string"))
    text = cornu.Input((1,), dtype="string")
    model = cornu.Model(text, layers.Dense(2, activation="softmax")(inner(text)))
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = inner.get_weights()
    model.fit(TEXTS, LABELS, verbose=0)
    assert all(np.abs(old - new).max() > 0 for old, new in zip(before, inner.get_weights(), strict=True))
    np.testing.assert_allclose(model.predict(TEXTS, verbose=0), model(TEXTS), rtol=1e-5)
    outer = cornu.Sequential([cornu.Input((1,), dtype="string"), model, layers.Activation("softmax")])
    np.testing.assert_allclose(outer.predict(TEXTS, verbose=0), outer(TEXTS), rtol=1e-5)


def test_a_trained_model_gets_a_layer_for_text_in_front():
    model = numbers_only(classifier(cornu.Input((1,), dtype="string")))
    whole = cornu.Sequential([cornu.Input((1,), dtype="string"), Words(), model])
    np.testing.assert_allclose(whole.predict(TEXTS, verbose=0), model.predict(Words()(TEXTS), verbose=0), rtol=1e-5)


def test_files_keep_models_that_take_text(tmp_path):
    text, size, output = mixed()
    model = cornu.Model([text, size], output)
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        back = cornu.models.load_model(tmp_path / name)
        expected = model.predict([TEXTS, NUMBERS], verbose=0)
        np.testing.assert_array_equal(back.predict([TEXTS, NUMBERS], verbose=0), expected)


def test_lengths_that_vary_share_programs():
    model = cornu.Sequential(
        [cornu.Input((1,), dtype="string"), Words(None), layers.Embedding(20, 4, mask_zero=True), layers.LSTM(3)]
    )
    assert model.learner.plan.inputs == (0,)
    texts = np.array([" ".join(["word"] * (3 + i)) for i in range(24)])
    source = Dataset.from_tensor_slices(texts).batch(2)
    expected = np.concatenate([model(texts[i : i + 2]) for i in range(0, 24, 2)])
    np.testing.assert_allclose(model.predict(source, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_a_custom_step_gets_what_the_layers_for_text_made():
    seen = []

    class Own(cornu.Model):
        def train_step(self, data):
            x, y = data
            seen.append(self(x, training=False).shape)
            return super().train_step((x, y))

    text, size, output = mixed()
    model = Own([text, size], output)
    model.compile("adam", "sparse_categorical_crossentropy")
    assert np.isfinite(model.fit([TEXTS, NUMBERS], LABELS, verbose=0).history["loss"]).all()
    assert set(seen) == {(32, 2)}


def test_errors_say_what_to_do(tmp_path):
    text = cornu.Input((1,), dtype="string", name="text")
    with pytest.raises(TypeError, match=r"takes numbers; its input is text.*\n.*TextVectorization"):
        layers.Dense(2)(text)
    with pytest.raises(TypeError, match="'add' takes numbers; its input 'text' is text"):
        text + 1
    with pytest.raises(TypeError, match=r"begin the model with keras\.Input"):
        cornu.Sequential([layers.Dense(2)]).predict(TEXTS)
    with pytest.raises(ValueError, match=r"output .* is text; a model computes numbers"):
        cornu.Model(text, text).predict(TEXTS)
    model = classifier(cornu.Input((1,), dtype="string", name="text"))
    with pytest.raises(ValueError, match=r"takes text .'text'., which an exported program cannot hold"):
        model.export(tmp_path / "model.onnx", format="onnx")


def test_a_report_of_a_model_that_takes_text(tmp_path):
    model = classifier(cornu.Input((1,), dtype="string"))
    model.report(tmp_path / "report.html", TEXTS, LABELS)
    assert "accuracy" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_program_calls_layers_back_that_stand_behind_others():
    numbers = cornu.Input((2,))
    model = cornu.Model(numbers, Words()(layers.Dense(1)(numbers)))
    found = model.predict(NUMBERS, verbose=0)
    assert found.shape == (32, 4)
    np.testing.assert_array_equal(found, model(NUMBERS))


class Subclassed(cornu.Model):
    """A model whose call gets the texts."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.dense = inner, layers.Dense(2)

    def call(self, text, training=False):
        return self.dense(self.inner(inputs=text))


def test_text_is_an_argument_by_keyword_too():
    inner = classifier(cornu.Input((1,), dtype="string"))
    text = cornu.Input((1,), dtype="string", name="text")
    nested = cornu.Model(text, layers.Dense(2)(inner(inputs=text)))
    stacked = cornu.Sequential([inner, layers.Dense(2)])
    for model in (inner, classifier(), nested, stacked):
        for given in (TEXTS, TEXTS[:, None].astype(object), TEXTS.tolist()):
            np.testing.assert_array_equal(model(inputs=given, training=False), model(given))
    np.testing.assert_allclose(nested.predict(TEXTS, verbose=0), nested(inputs=TEXTS), rtol=1e-5)
    back = cornu.Model.from_config(nested.get_config(), {"Words": Words})
    back.set_weights(nested.get_weights())
    np.testing.assert_array_equal(back(inputs=TEXTS), nested(TEXTS))
    text, size, output = mixed()
    by_name = cornu.Model({"text": text, "size": size}, output)
    data = {"text": TEXTS, "size": NUMBERS}
    np.testing.assert_array_equal(by_name(inputs=data), by_name(data))


@pytest.mark.parametrize("inner", [Words(), classifier(), classifier(cornu.Input((1,), dtype="string"))])
def test_a_subclassed_model_is_called_on_text(inner):
    model = Subclassed(inner)
    for given in (TEXTS, TEXTS.astype(object)):
        np.testing.assert_array_equal(model(text=given), model.dense(inner(TEXTS)))
        np.testing.assert_array_equal(model(given), model.dense(inner(TEXTS)))
    with pytest.raises(ValueError, match="takes numbers; got an array of dtype object"):
        model.dense(TEXTS.astype(object))
    np.testing.assert_allclose(model.predict(TEXTS.astype(object), verbose=0), model(TEXTS), rtol=1e-5)
