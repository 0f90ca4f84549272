"""Recurrent layers over a grid of arguments: outputs and gradients are those of real Keras, and ten training steps."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cornu
from contract.compare import assert_trees_close, copy_weights, evaluate
from cornu import layers

UNITS, FEATURES, ROWS = 3, 2, 3
MASKS = ["none", "all steps", "at the end", "at the beginning", "in the middle", "whole rows"]
CLASSES = {"SimpleRNN": 1, "GRU": 1, "LSTM": 2}  # with their number of states


def mask_of(form, length, random):
    """Return a mask ``(rows, length)`` of a form, or None."""
    if form == "none":
        return None
    steps, kept = np.arange(length), random.integers(1, length + 1, (ROWS, 1))
    if form == "at the end":
        return steps < kept
    if form == "at the beginning":
        return steps >= length - kept
    mask = random.random((ROWS, length)) < 0.6 if form == "in the middle" else np.ones((ROWS, length), bool)
    if form == "whole rows":
        mask[1] = False
    return mask


@st.composite
def cases(draw):
    """Draw a class, a constructor's arguments, a length, the form of a mask, and whether there are initial states."""
    name = draw(st.sampled_from(sorted(CLASSES)))
    flags = ("return_sequences", "return_state", "go_backwards", "zero_output_for_mask", "use_bias")
    arguments = {flag: draw(st.booleans()) for flag in flags}
    arguments["activation"] = draw(st.sampled_from(["tanh", "relu", "linear", "softsign"]))
    if name != "SimpleRNN":
        arguments["recurrent_activation"] = draw(st.sampled_from(["sigmoid", "hard_sigmoid"]))
    if name == "GRU":
        arguments["reset_after"] = draw(st.booleans())
    if name == "LSTM":
        arguments["unit_forget_bias"] = draw(st.booleans())
    # Keras 3.15 with `unroll` does not give zeros for masked steps, in contradiction to its own loop.
    arguments["unroll"] = not arguments["zero_output_for_mask"] and draw(st.booleans())
    bounded = arguments["activation"] in ("tanh", "softsign")  # the others grow without bounds
    lengths = st.one_of(st.sampled_from([1, 2, 17, 100]), st.integers(1, 100)) if bounded else st.integers(1, 4)
    length = draw(st.integers(1, 4) if arguments["unroll"] else lengths)
    return name, arguments, length, draw(st.sampled_from(MASKS)), draw(st.booleans())


def assert_agree(ours, theirs, states, length, form, tolerance=2e-5):
    """Assert that outputs, last states and gradients agree."""
    random = np.random.default_rng(length)
    x = random.standard_normal((ROWS, length, FEATURES)).astype("float32")
    mask = mask_of(form, length, random)
    more = {} if mask is None else {"mask": mask}
    if states:
        more["initial_state"] = [random.standard_normal((ROWS, UNITS)).astype("float32") for _ in range(states)]
    copy_weights(ours, theirs, x)
    assert_trees_close(evaluate(ours, x, more), evaluate(theirs, x, more), tolerance)


@given(cases())
@settings(max_examples=18)
def test_layers_are_those_of_keras(case):
    name, arguments, length, form, has_states = case
    ours, theirs = (getattr(module, name)(UNITS, **arguments) for module in (layers, keras.layers))
    assert_agree(ours, theirs, CLASSES[name] * has_states, length, form)


@given(cases(), st.sampled_from(["concat", "sum", "mul", "ave", None]))
@settings(max_examples=10)
def test_both_directions_are_those_of_keras(case, merge_mode):
    name, arguments, length, form, has_states = case
    arguments |= {"go_backwards": False, "unroll": False}  # Keras raises an error; and gives no zeros, as above
    ours, theirs = (
        module.Bidirectional(getattr(module, name)(UNITS, **arguments), merge_mode=merge_mode)
        for module in (layers, keras.layers)
    )
    assert_agree(ours, theirs, 2 * CLASSES[name] * has_states, length, form)


@pytest.mark.parametrize("policy", ["bfloat16", "mixed_bfloat16", "mixed_float16", "float16"])
@pytest.mark.parametrize("name", CLASSES)
def test_policies(name, policy):
    """Outputs and states have Keras's dtypes, and its values but for rounding."""
    options = {"recurrent_initializer": "glorot_uniform", "return_sequences": True, "return_state": True}
    ours, theirs = (getattr(module, name)(UNITS, dtype=policy, **options) for module in (layers, keras.layers))
    x = np.random.default_rng(0).standard_normal((ROWS, 6, FEATURES)).astype("float32")
    mask = np.arange(6) < np.array([[6], [3], [1]])
    copy_weights(ours, theirs, x)
    found, expected = (evaluate(layer, x, {"mask": mask}, gradients=False)["outputs"] for layer in (ours, theirs))
    assert_trees_close(found, expected, tolerance=3e-2)


STACKS = {
    "lstm": lambda module: [module.LSTM(4, return_sequences=True), module.LSTM(3)],
    "gru of masked words": lambda module: [
        module.Embedding(9, 4, mask_zero=True),
        module.GRU(4, return_sequences=True, go_backwards=True),
        module.GRU(3, reset_after=False),
    ],
    "both directions of masked words": lambda module: [
        module.Embedding(9, 4, mask_zero=True),
        module.Bidirectional(module.LSTM(4, return_sequences=True), merge_mode="sum"),
        module.SimpleRNN(3),
    ],
}


@pytest.mark.parametrize("name", STACKS)
def test_ten_training_steps_are_those_of_keras(name):
    random = np.random.default_rng(0)
    if "words" in name:
        x = random.integers(1, 9, (8, 7))
        x[:5, 4:] = 0
        make = [(module, module.Input((None,), dtype="int32")) for module in (cornu, keras)]
    else:
        x = random.standard_normal((8, 7, 2)).astype("float32")
        make = [(module, module.Input((None, 2))) for module in (cornu, keras)]
    y = random.standard_normal((8, 1)).astype("float32")
    ours, theirs = (
        module.Sequential([given, *STACKS[name](module.layers), module.layers.Dense(1)]) for module, given in make
    )
    ours.set_weights(theirs.get_weights())
    losses = []
    for model in (ours, theirs):
        model.compile("adam", "mse")
        losses.append([float(model.train_on_batch(x, y)) for _ in range(10)])
    np.testing.assert_allclose(*losses, rtol=1e-4)
    assert_trees_close(ours.get_weights(), theirs.get_weights(), 2e-4)
