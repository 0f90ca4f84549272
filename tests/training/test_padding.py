"""Sequences of many lengths: few programs, and the results that they have without padding."""

import numpy as np
import pytest

import cornu
import counting
from cornu import layers
from cornu.training import padding

WORDS, ROWS = 20, 4


@pytest.fixture
def padded(monkeypatch):
    """Whether batches are padded, from the first one on, or never."""

    def choose(pads):
        monkeypatch.setattr(padding, "UNPADDED", 0 if pads else 10**9)

    return choose


def stacked(*stack, loss="mse", shape=(None,), dtype="int32", **options):
    """Return what makes a compiled model of layers, each made by a function."""

    def make():
        x = outputs = cornu.Input(shape, dtype=dtype)
        for layer in stack:
            outputs = layer()(outputs)
        model = cornu.Model(x, outputs)
        model.compile("sgd", loss, **options)
        return model

    return make


def words(**options):
    return lambda: layers.Embedding(WORDS, 6, **options)


def dense(units=1, **options):
    return lambda: layers.Dense(units, **options)


def batch(length, target, weights=None, rows=ROWS):
    """Return words with two rows that end in zeros, targets of the shape `target`, and sample weights."""
    random = np.random.default_rng(length)
    x = random.integers(1, WORDS, (rows, length)).astype("int32")
    x[0, -2:] = x[1, -1:] = 0
    y = random.random(tuple(length if size is None else size for size in (rows, *target))).astype("float32")
    shape = tuple(length if size is None else size for size in (rows, *(weights or ())))
    return (x, y) if weights is None else (x, y, random.random(shape).astype("float32"))


def flat(outputs):
    return outputs if isinstance(outputs, list) else [outputs]


def results(make, batches):
    """Return a model, and what it gives: training and prediction of the first batch, evaluation of all, its weights."""
    cornu.utils.set_random_seed(5)
    model = make()
    found = [np.asarray(model.train_on_batch(*batches[0]))]
    if len(batches) > 1:
        found.append(np.asarray(model.evaluate(iter(batches), verbose=0)))
    found += flat(model.predict(batches[0][0], verbose=0))
    return model, found + model.get_weights()


def check_same(padded, make, batches, plans=(True, True, True)):
    padded(False)
    _, expected = results(make, batches)
    padded(True)
    model, found = results(make, batches)
    programs = [model._programs.get(kind).pad for kind in ("train", "test", "predict")]
    assert tuple(one.plan is not None for one in programs) == plans
    assert [one.shape for one in found] == [one.shape for one in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    return model


def recurrent(cls, units=5, **options):
    return lambda: cls(units, **options)


LAST = {
    "LSTM": [words(), recurrent(layers.LSTM), dense()],
    "masked GRU": [words(mask_zero=True), recurrent(layers.GRU), dense()],
    "backwards": [
        words(mask_zero=True),
        recurrent(layers.LSTM, go_backwards=True, return_sequences=True),
        recurrent(layers.SimpleRNN),
        dense(),
    ],
    "bidirectional": [
        words(),
        lambda: layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode="sum"),
        lambda: layers.Bidirectional(layers.LSTM(3)),
        dense(),
    ],
    "cells": [words(), lambda: layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)]), dense()],
    "maximum": [words(), lambda: layers.LSTM(3, return_sequences=True), layers.GlobalMaxPooling1D, dense()],
    "masked average": [words(mask_zero=True), layers.GlobalAveragePooling1D, dense()],
    "regularizers": [
        words(embeddings_regularizer="l2"),
        recurrent(layers.LSTM, kernel_regularizer="l2", recurrent_regularizer="l1"),
        dense(),
    ],
}


@pytest.mark.parametrize("stack", LAST.values(), ids=LAST)
def test_results_are_those_without_padding(padded, stack):
    check_same(padded, stacked(*stack, metrics=["mae"]), [batch(5, (1,))])


STEPS = {
    "LSTM": [words(), recurrent(layers.LSTM, return_sequences=True), dense(3)],
    "masked": [
        words(mask_zero=True),
        lambda: layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
        lambda: layers.TimeDistributed(layers.Dense(3, activation="softmax")),
    ],
    "by step": [
        words(),
        layers.LayerNormalization,
        lambda: layers.Dense(4, activation="relu"),
        lambda: layers.Dropout(0.0),
        lambda: layers.GRU(3, return_sequences=True, go_backwards=True),
        layers.Softmax,
    ],
}


@pytest.mark.parametrize(
    ("stack", "weights", "loss"),
    [
        ("LSTM", None, "mse"),
        ("LSTM", (None,), "mse"),
        ("masked", (), "categorical_crossentropy"),
        ("masked", (None,), "categorical_crossentropy"),
        ("by step", None, "categorical_crossentropy"),
    ],
)
def test_losses_and_metrics_of_steps_leave_padding_out(padded, stack, weights, loss):
    make = stacked(*STEPS[stack], loss=loss, metrics=["mae", "categorical_accuracy"], weighted_metrics=["mse"])
    check_same(padded, make, [batch(5, (None, 3), weights), batch(7, (None, 3), weights)])


def test_sums_and_counts_leave_padding_out(padded):
    options = {"metrics": [cornu.metrics.Precision(), cornu.metrics.AUC()]}
    loss = cornu.losses.BinaryCrossentropy(reduction="sum")
    make = stacked(
        words(), recurrent(layers.LSTM, 3, return_sequences=True), dense(1, activation="sigmoid"), loss=loss, **options
    )
    batches = [(x, np.round(y)) for x, y in (batch(5, (None, 1)), batch(7, (None, 1)))]
    check_same(padded, make, batches)


def encoder_and_decoder():
    source, target = cornu.Input((None,), dtype="int32"), cornu.Input((None,), dtype="int32")
    _, *states = layers.LSTM(4, return_state=True)(layers.Embedding(WORDS, 6, mask_zero=True)(source))
    outputs = layers.LSTM(4, return_sequences=True)(layers.Embedding(WORDS, 6)(target), initial_state=states)
    model = cornu.Model([source, target], [layers.Dense(3)(outputs), layers.Dense(1, name="last")(states[0])])
    model.compile("sgd", "mse")
    return model


def test_an_encoder_and_a_decoder_have_lengths_of_their_own(padded):
    batches = []
    for source, target in ((5, 11), (7, 9)):
        (x, one), (other, steps) = batch(source, (1,)), batch(target, (None, 3))
        batches.append(([x, other], [steps, one]))
    model = check_same(padded, encoder_and_decoder, batches)
    assert [one.shape for one in model.predict([x, other], verbose=0)] == [(ROWS, 9, 3), (ROWS, 1)]


def two_of_one_length():
    one, other = cornu.Input((None,), dtype="int32", name="word"), cornu.Input((None, 2), name="form")
    joined = layers.Concatenate()([layers.Embedding(WORDS, 6)(one), other])
    model = cornu.Model({"word": one, "form": other}, layers.Dense(1)(layers.GRU(4)(joined)))
    model.compile("sgd", "mse")
    return model


def test_inputs_that_are_joined_have_one_length(padded):
    x, y = batch(5, (1,))
    check_same(padded, two_of_one_length, [({"form": np.stack([x, x], -1) / WORDS, "word": x}, y)])


def nested():
    inner = cornu.Sequential([words()(), layers.LSTM(4, return_sequences=True)])
    one, other = cornu.Input((None,), dtype="int32"), cornu.Input((None,), dtype="int32")
    both = [layers.GRU(3)(inner(tensor)) for tensor in (one, other)]
    model = cornu.Model([one, other], layers.Dense(1)(layers.Concatenate()(both)))
    model.compile("sgd", "mse")
    return model


def test_a_model_inside_may_get_sequences_of_two_lengths(padded):
    x, y = batch(5, (1,))
    check_same(padded, nested, [([x, batch(7, ())[0]], y)])


def stateful():
    x = cornu.Input(batch_shape=(ROWS, None), dtype="int32")
    outputs = layers.LSTM(4, stateful=True)(words()()(x))
    model = cornu.Model(x, layers.Dense(1)(outputs))
    model.compile("sgd", "mse")
    return model


def test_states_are_those_after_the_last_real_step(padded):
    check_same(padded, stateful, [batch(5, (1,)), batch(7, (1,))])


def test_steps_of_sequences_inside_are_not_taken_for_those_that_are_padded(padded):
    make = stacked(
        lambda: layers.TimeDistributed(layers.LSTM(3)),
        recurrent(layers.GRU, 4),
        dense(),
        shape=(None, 8, 2),
        dtype=None,
    )
    random = np.random.default_rng(2)
    check_same(padded, make, [(random.random((2, 5, 8, 2)), random.random((2, 1)))])


def centred(x):
    return x - x.mean(1, keepdims=True)


NOT = {
    "a convolution": [words(), lambda: layers.Conv1D(3, 2, padding="same"), recurrent(layers.LSTM), dense()],
    "a function": [words(), lambda: layers.Lambda(lambda x: x - x[:, -1:]), recurrent(layers.LSTM), dense()],
    "an activity penalty": [words(activity_regularizer="l2"), recurrent(layers.LSTM), dense()],
    "softmax over time": [words(), lambda: layers.Softmax(axis=1), recurrent(layers.LSTM), dense()],
    "a custom activation": [words(), lambda: layers.Activation(centred), recurrent(layers.LSTM), dense()],
}


@pytest.mark.parametrize("stack", NOT.values(), ids=NOT)
def test_what_may_mix_steps_is_not_padded(padded, stack):
    model = stacked(*stack)()
    x, y = batch(5, (1,))
    padded(True)
    model._prepare(cornu.data.batch.Batch(x, y), "fit")
    assert [model._programs.get(kind).pad.plan for kind in ("train", "test", "predict")] == [None] * 3


def test_batch_statistics_are_not_taken_of_padded_steps(padded):
    stack = [words(), layers.BatchNormalization, recurrent(layers.LSTM), dense()]
    check_same(padded, stacked(*stack), [batch(5, (1,)), batch(7, (1,))], plans=(False, True, True))


def custom_loss(y_true, y_pred):
    return cornu.ops.mean(cornu.ops.square(y_true - y_pred))


@pytest.mark.parametrize(
    "options", [{"loss": custom_loss}, {"loss": "mse", "metrics": [custom_loss]}], ids=["loss", "metric"]
)
def test_outputs_of_steps_are_not_padded_for_custom_losses_and_metrics(padded, options):
    model = stacked(words(), recurrent(layers.LSTM, return_sequences=True), dense(), **options)()
    model._prepare(cornu.data.batch.Batch(*batch(5, (None, 1))), "fit")
    assert [model._programs.get(kind).pad.plan is None for kind in ("train", "test", "predict")] == [True, True, False]


class Custom(layers.LSTM):
    def call(self, sequences, initial_state=None, mask=None, training=False):
        return super().call(sequences[:, ::-1], initial_state, mask, training)


class CustomModel(cornu.Sequential):
    def train_step(self, data):
        return super().train_step(data)


def test_custom_classes_are_not_padded():
    custom = stacked(words(), recurrent(Custom), dense())()
    model = CustomModel([cornu.Input((None,)), words()(), layers.LSTM(3), layers.Dense(1)])
    for one in (custom, model):
        one.compile("sgd", "mse")
        one._prepare(cornu.data.batch.Batch(*batch(5, (1,))), "fit")
        assert one._programs.get("train").pad.plan is None


# ---- how many programs there are

LENGTHS = [5, 12, 5, 12, 9, 30, 11, 17, 14, 25, 13, 31, 10, 29, 16, 18]  # 5 and 12 as they are; 16, 24, 32


def model_of_words():
    return stacked(words(), recurrent(layers.SimpleRNN, 3), dense())()


def programs_of(model, kind):
    program = model._programs.get(kind)
    return (program._streamed if kind != "predict" else program.one)._cache_size()


def test_a_generator_of_many_lengths_has_few_programs():
    model = model_of_words()
    batches = [batch(length, (1,)) for length in LENGTHS]
    model.fit(iter(batches), verbose=0)
    assert programs_of(model, "train") == 5
    with counting.noted() as found:
        model.fit(iter([batch(length, (1,)) for length in (15, 19, 27)]), verbose=0)
    assert not found


def test_loops_over_batches_of_many_lengths_have_few_programs():
    model = model_of_words()
    batches = [batch(length, (1,)) for length in LENGTHS]
    for one in batches:
        model.train_on_batch(*one)
        model.test_on_batch(*one)
        model.predict(one[0], verbose=0)
    assert [programs_of(model, kind) for kind in ("train", "test", "predict")] == [5, 5, 5]


def test_evaluation_of_arrays_of_many_lengths_has_few_programs():
    model = model_of_words()
    for length in LENGTHS:
        model.evaluate(*batch(length, (1,)), verbose=0)
    assert model._programs.get("test")._resident._cache_size() == 5


def test_a_growing_sequence_has_few_programs():
    model = stacked(words(), recurrent(layers.SimpleRNN, 3, return_sequences=True), dense())()
    for length in range(1, 30):
        assert model.predict(batch(length, ())[0][:1], verbose=0).shape == (1, length, 1)
    assert programs_of(model, "predict") == 7  # of 1, 2 and 3 steps as they are; of 8, 16, 24 and 32


def test_one_length_has_the_program_that_it_had():
    model = model_of_words()
    x, y = batch(5, (1,))
    model.fit(x, y, verbose=0)
    model.fit(iter([(x, y)] * 3), verbose=0)
    model.predict(x, verbose=0)
    for kind in ("train", "predict"):
        assert model._programs.get(kind).pad.unpadded == {(5,)}
    assert programs_of(model, "train") == 1


def test_a_model_built_from_its_first_data_is_padded():
    model = cornu.Sequential([words()(), layers.SimpleRNN(3), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(iter([batch(length, (1,)) for length in LENGTHS]), verbose=0)
    assert programs_of(model, "train") == 5


def test_targets_of_another_length_are_refused_as_ever(padded):
    padded(True)
    model = stacked(words(), recurrent(layers.LSTM, return_sequences=True), dense())()
    with pytest.raises(ValueError, match=r"\(4, 6, 1\)"):
        model.train_on_batch(batch(5, (1,))[0], np.ones((4, 6, 1)))
