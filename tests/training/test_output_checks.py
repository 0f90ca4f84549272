"""Outputs without a softmax under a loss that expects probabilities: said once, before training; no false alarms."""

import warnings

import numpy as np
import pytest

import cornu
from cornu import layers, losses, models, ops
from cornu.training.output_checks import check_outputs

X, Y = np.ones((4, 6), "float32"), np.array([0, 1, 2, 0])
WORDS = r"expects probabilities from a softmax\. Add activation='softmax'"


class Subclassed(cornu.Model):
    def __init__(self, activation):
        super().__init__()
        self.inside, self.function = layers.Dense(3), activation

    def call(self, x):
        return x_of(self.function)(self.inside(x))


def x_of(activation):
    return (lambda x: x) if activation is None else getattr(ops, activation)


def sequential(activation):
    return models.Sequential([layers.Dense(3, activation=activation)])


def functional(activation):
    x = cornu.Input((6,))
    return cornu.Model(
        x, layers.Dropout(0.1)(layers.Activation(activation)(layers.Dense(3)(x)) if activation else layers.Dense(3)(x))
    )


def nested(activation):
    return models.Sequential([layers.Dense(5), functional_of_5(activation), layers.Reshape((3,))])


def functional_of_5(activation):
    x = cornu.Input((5,))
    return cornu.Model(x, sequential(activation)(x))


def by_lambda(activation):
    return models.Sequential([layers.Dense(3), layers.Lambda(x_of(activation))])


def by_operation(activation):
    x = cornu.Input((6,))
    return cornu.Model(x, x_of(activation)(layers.Dense(3)(x)))


def convolutional(activation):
    return models.Sequential([layers.Reshape((6, 1)), layers.Conv1D(3, 6, activation=activation), layers.Flatten()])


MODELS = [sequential, functional, nested, by_lambda, by_operation, Subclassed, convolutional]


def said(model, loss="sparse_categorical_crossentropy", y=Y, x=X):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.compile("sgd", loss)
        model.fit(x, y, epochs=2, verbose=0)
        model.fit(x, y, verbose=0)
        model.evaluate(x, y, verbose=0)
        model.train_on_batch(x, y)
    return [warning for warning in caught if "softmax" in str(warning.message)]


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("activation", [None, "relu", "tanh"])
def test_it_is_said_once(make, activation):
    if make is functional and activation is None:
        activation = None
    found = said(make(activation))
    assert len(found) == 1, make
    assert "has no activation" in str(found[0].message) if activation is None else activation in str(found[0].message)
    assert found[0].filename == __file__


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_no_false_alarms(make, activation):
    assert not said(make(activation))


@pytest.mark.parametrize("make", MODELS)
def test_logits_are_right_if_the_loss_knows(make):
    assert not said(make(None), losses.SparseCategoricalCrossentropy(from_logits=True))
    assert not said(make(None), "mse", np.zeros((4, 3)))


def test_values_that_cannot_be_judged_are_left_alone():
    """Softmax in any form, a mean of softmaxes, a temperature, a custom loss, a custom step."""
    x = cornu.Input((6,))
    one, two = (layers.Dense(3, activation="softmax")(x) for _ in range(2))
    for y in (layers.Average()([one, two]), one * 0.5 + two * 0.5, ops.exp(layers.Dense(3)(x)), layers.Softmax()(one)):
        assert not said(cornu.Model(x, y))
    scaled = layers.Lambda(lambda x: ops.exp(x) / ops.sum(ops.exp(x), axis=-1, keepdims=True))
    assert not said(models.Sequential([layers.Dense(3), scaled]))

    def sparse_categorical_crossentropy(y_true, y_pred):
        return ops.mean(ops.square(y_pred), axis=-1)

    assert not said(sequential(None), sparse_categorical_crossentropy)


def mixture(x):
    """Experts' probabilities, weighted by a gate."""
    gate = layers.Dense(2, activation="softmax")(x)
    experts = layers.Softmax()(layers.Reshape((2, 3))(layers.Dense(6)(x)))
    return ops.squeeze(ops.matmul(ops.expand_dims(gate, 1), experts), 1)


def copied(x):
    """Attention to words, by what the words are."""
    return layers.Lambda(lambda weights: ops.matmul(weights, np.eye(3, dtype="float32")[[0, 1, 2, 0, 1, 2]]))(
        layers.Dense(6, activation="softmax")(x)
    )


def attended(x):
    weights = layers.Dense(3, activation="softmax")(x)
    return layers.Softmax()(layers.Multiply()([weights, layers.Dense(3)(x)]))


def gated(x):
    return layers.Multiply()([layers.Dense(3, activation="softmax")(x), layers.Dense(1, activation="sigmoid")(x)])


RIGHT = {
    "Activation": lambda x: layers.Activation("softmax")(layers.Dense(3)(x)),
    "Activation of an operation": lambda x: layers.Activation(ops.softmax)(layers.Dense(3)(x)),
    "Softmax as an activation": lambda x: layers.Dense(3, activation=layers.Softmax())(x),
    "a function": lambda x: layers.Dense(3, activation=lambda y: ops.softmax(y))(x),
    "K.softmax": lambda x: layers.Lambda(lambda y: cornu.backend.softmax(y))(layers.Dense(3)(x)),
    "exponential": lambda x: layers.Dense(3, activation="exponential")(x),
    "mixture": mixture,
    "copied": copied,
    "attended": attended,
    "gated": gated,
    "clipped": lambda x: ops.clip(layers.Dense(3, activation="softmax")(x), 1e-7, 1.0),
    "at least": lambda x: ops.maximum(layers.Dense(3, activation="softmax")(x), 1e-7),
    "smoothed": lambda x: layers.Dense(3, activation="softmax")(x) * 0.9 + 0.1 / 3,
    "chosen": lambda x: ops.where(x[:, :1] > 0, *(layers.Dense(3, activation="softmax")(x) for _ in range(2))),
    "two sigmoids": lambda x: layers.Concatenate()([layers.Dense(n, activation="sigmoid")(x) for n in (1, 2)]),
    "bidirectional": lambda x: layers.Bidirectional(layers.LSTM(3, activation="softmax"), merge_mode="ave")(
        layers.Reshape((2, 3))(x)
    ),
}  # fmt: skip


def checked(model, x=X):
    """Return the warnings about a model's output; nothing is compiled or computed."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_outputs(model, [losses.SparseCategoricalCrossentropy()], ["y"], x)
    return caught


@pytest.mark.parametrize("function", RIGHT)
def test_no_false_alarms_for_ways_to_probabilities(function):
    x = cornu.Input((6,))
    assert not checked(cornu.Model(x, RIGHT[function](x)))


@pytest.mark.parametrize("last", [{"activation": "softmax"}, {}])
def test_steps_of_a_sequence(last):
    inside = models.Sequential([layers.Dense(3), layers.Softmax()])
    for layer in (layers.Dense(3, **last), inside) if last else (layers.Dense(3),):
        model = models.Sequential([cornu.Input((2, 6)), layers.TimeDistributed(layer)])
        assert len(checked(model, np.ones((4, 2, 6), "float32"))) == (not last)


def test_a_long_chain_of_sums_takes_no_time():
    x = h = cornu.Input((6,))
    for _ in range(60):
        h = layers.Add()([h, layers.Activation("elu")(h)])
    assert not checked(cornu.Model(x, h[:, :3]))


def test_each_output_is_looked_at():
    x = cornu.Input((6,))
    good, bad = layers.Dense(3, activation="softmax", name="good")(x), layers.Dense(3, name="bad")(x)
    found = said(cornu.Model(x, [good, bad]), ["categorical_crossentropy"] * 2, [np.eye(3)[Y]] * 2)
    assert [str(one.message)[:16] for one in found] == ["The output 'bad'"]
    assert "keras.losses.CategoricalCrossentropy(from_logits=True)" in str(found[0].message)


def test_streams_are_looked_at_too():
    model = sequential(None)
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.warns(UserWarning, match=WORDS):
        model.fit(((X, Y) for _ in range(2)), verbose=0)
