"""Recurrent layers as ONNX's own operators, for sequences of any length; and as loops where they have no such form."""

import numpy as np
import onnx
import onnxruntime
import pytest

import cornu
from cornu import layers

RANDOM = np.random.default_rng(3)
OPERATORS = {"SimpleRNN": "RNN", "LSTM": "LSTM", "GRU": "GRU"}


def exported(path, model, seed=0):
    """Give a model random weights and export it; returns its operators, and a session."""
    random = np.random.default_rng(seed)
    model.set_weights([random.uniform(-0.5, 0.5, weight.shape) for weight in model.weights])
    model.export(path, verbose=False)
    file = onnx.load(path)
    onnx.checker.check_model(file, full_check=True)
    return [node.op_type for node in file.graph.node], onnxruntime.InferenceSession(
        path, providers=["CPUExecutionProvider"]
    )


def assert_agrees(session, model, *inputs, tolerance=5e-6):
    names = [one.name for one in session.get_inputs()]
    found = session.run(None, dict(zip(names, inputs, strict=True)))
    expected = model(list(inputs) if len(inputs) > 1 else inputs[0])
    expected = expected if isinstance(expected, (list, tuple)) else [expected]
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, np.asarray(theirs).astype(ours.dtype), rtol=1e-4, atol=tolerance)


def sequences(batch, time, features=3):
    return RANDOM.standard_normal((batch, time, features)).astype("float32")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"return_sequences": True},
        {"go_backwards": True},
        {"go_backwards": True, "return_sequences": True},
        {"use_bias": False},
        {"activation": "relu"},
        {"activation": "softsign"},
    ],
)
@pytest.mark.parametrize("name", OPERATORS)
def test_layers_are_operators(tmp_path, name, arguments):
    model = cornu.Sequential([cornu.Input((None, 3)), getattr(layers, name)(4, **arguments)])
    operators, session = exported(tmp_path / "m.onnx", model)
    assert operators.count(OPERATORS[name]) == 1
    assert "Scan" not in operators
    growing = "relu" in arguments.values()  # outputs have no bound: after 100 steps they would be thousands
    for batch, time in ((1, 1), (3, 2), (2, 10 if growing else 100)):
        assert_agrees(session, model, sequences(batch, time), tolerance=5e-6)


@pytest.mark.parametrize("activation", ["hard_sigmoid", "hard_sigmoid_of_keras_2", "softplus"])
@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_gates_have_their_activations(tmp_path, name, activation):
    layer = getattr(layers, name)(4, recurrent_activation=activation)
    model = cornu.Sequential([cornu.Input((None, 3)), layer])
    operators, session = exported(tmp_path / "m.onnx", model)
    assert OPERATORS[name] in operators
    # Gates of softplus have no bound: states grow, and with them what is rounded.
    assert_agrees(session, model, sequences(2, 9), tolerance=1e-4 if activation == "softplus" else 5e-6)


def test_a_gru_with_its_reset_gate_before_the_product(tmp_path):
    model = cornu.Sequential([cornu.Input((None, 3)), layers.GRU(4, reset_after=False)])
    operators, session = exported(tmp_path / "m.onnx", model)
    assert "GRU" in operators
    assert_agrees(session, model, sequences(2, 9))


def test_both_directions(tmp_path):
    model = cornu.Sequential(
        [
            cornu.Input((None, 3)),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
            layers.Bidirectional(layers.GRU(2), merge_mode="sum"),
        ]
    )
    operators, session = exported(tmp_path / "m.onnx", model)
    assert (operators.count("LSTM"), operators.count("GRU")) == (2, 2)
    assert_agrees(session, model, sequences(2, 9))


@pytest.mark.parametrize("wanted", [(0,), (1,), (2,), (1, 2), (2, 0), (0, 1, 2)])
def test_states_are_inputs_and_outputs(tmp_path, wanted):
    x, h, c = cornu.Input((None, 3)), cornu.Input((4,)), cornu.Input((4,))
    results = layers.LSTM(4, return_sequences=True, return_state=True)(x, initial_state=[h, c])
    model = cornu.Model([x, h, c], [results[number] for number in wanted])
    operators, session = exported(tmp_path / "m.onnx", model)
    assert "LSTM" in operators
    states = [RANDOM.standard_normal((2, 4)).astype("float32") for _ in range(2)]
    assert_agrees(session, model, sequences(2, 6), *states)


def test_what_has_no_operator_is_a_loop(tmp_path):
    tokens = cornu.Input((None,), dtype="int32")
    masked = layers.Embedding(9, 3, mask_zero=True)(tokens)
    model = cornu.Model(tokens, layers.LSTM(4, return_sequences=True)(masked))
    operators, session = exported(tmp_path / "masked.onnx", model)
    assert "Scan" in operators
    assert_agrees(session, model, np.array([[1, 2, 0, 3], [4, 0, 0, 0]], "int32"))
    for layer in (
        layers.GRU(4, activation="swish"),
        layers.RNN([layers.LSTMCell(4), layers.GRUCell(2)], return_sequences=True),
        layers.LSTM(4, activation=lambda x: x / 2),
    ):
        model = cornu.Sequential([cornu.Input((None, 3)), layer])
        operators, session = exported(tmp_path / "loop.onnx", model)
        assert "Scan" in operators
        assert_agrees(session, model, sequences(2, 7))


@pytest.mark.parametrize(("policy", "operator"), [("mixed_float16", "LSTM"), ("mixed_bfloat16", "Scan")])
def test_short_numbers(tmp_path, policy, operator):
    model = cornu.Sequential([cornu.Input((None, 3)), layers.LSTM(4, dtype=policy)])
    operators, session = exported(tmp_path / "m.onnx", model)
    assert operator in operators
    assert_agrees(session, model, sequences(2, 7), tolerance=2e-2)


def test_unrolled_steps_stay_unrolled(tmp_path):
    model = cornu.Sequential([cornu.Input((3, 3)), layers.GRU(4, unroll=True)])
    operators, session = exported(tmp_path / "m.onnx", model)
    assert "GRU" not in operators
    assert_agrees(session, model, sequences(2, 3))
