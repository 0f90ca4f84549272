"""EinsumDense against real Keras."""

import keras
import numpy as np
import pytest

import cornu.layers as layers
from contract.compare import assert_like_keras

CASES = [
    ("ab,bc->ac", {"output_shape": 4, "bias_axes": "c"}, (2, 3)),
    ("abc,cd->abd", {"output_shape": (None, 4), "activation": "tanh", "bias_axes": "d"}, (2, 3, 5)),
    ("abc,cd->abd", {"output_shape": (3, 4), "bias_axes": "bd", "kernel_regularizer": "l2"}, (2, 3, 5)),
    ("...x,xy->...y", {"output_shape": 4, "bias_axes": "y"}, (2, 3, 5)),
    ("abc,cde->abde", {"output_shape": (None, 2, 6), "bias_axes": "de"}, (2, 3, 5)),
    ("abcd,cde->abe", {"output_shape": (None, 4), "bias_axes": "e", "bias_constraint": "non_neg"}, (2, 3, 5, 2)),
    ("ab...,bc->ac...", {"output_shape": 4, "bias_axes": "c"}, (2, 3, 5)),
    ("abc,bd->adc", {"output_shape": (4, 5), "bias_axes": "d"}, (2, 3, 5)),
]


@pytest.mark.parametrize(("equation", "arguments", "shape"), CASES)
def test_is_keras_layer(equation, arguments, shape):
    inputs = np.random.default_rng(0).standard_normal(shape).astype("float32")
    arguments = {"kernel_initializer": "ones"} | arguments
    ours, theirs = (module.EinsumDense(equation, **arguments) for module in (layers, keras.layers))
    # Keras leaves sizes open which the argument leaves open, also where the inputs have them; ours is the whole shape.
    whole = isinstance(arguments["output_shape"], tuple) and None not in arguments["output_shape"]
    assert_like_keras(ours, theirs, inputs, shapes=whole)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.EinsumDense("ab,bc", 3), "takes an equation like"),
        (lambda: layers.EinsumDense("a...b,bc->a...c", 3), "takes an equation like"),
        (lambda: layers.EinsumDense("...b,bc->ac", 3), "takes an equation like"),
        (lambda: layers.EinsumDense("ab,cd->ad", 3), "takes an equation like"),
        (lambda: layers.EinsumDense("ab,bc->ac", 3, bias_axes="b"), "letters of the output"),
        (lambda: layers.EinsumDense("ab,bc->ac", 3)(layers.Input((3, 4))), "does not fit an input of shape"),
        (lambda: layers.EinsumDense("abc,cd->abd", (7, 3))(layers.Input((5, 4))), "'b' is 5 in an input"),
        (lambda: layers.EinsumDense("abc,cd->abd", 3)(layers.Input((5, 4))), r"output_shape=\(3,\)"),
        (lambda: layers.EinsumDense("ab,bc->ac", 3)(layers.Input((None,))), "'b' in 'ab,bc->ac' has no known size"),
    ],
)
def test_errors_are_clear(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("initializer", ["glorot_uniform", "he_normal", "lecun_uniform"])
def test_initial_values_are_scaled_by_all_input_and_output_axes(initializer):
    spread = []
    for module in (layers, keras.layers):
        layer = module.EinsumDense("abcd,cdef->abef", (None, 50, 40), kernel_initializer=initializer)
        layer.build((None, 3, 10, 20))
        spread.append(np.asarray(layer.get_weights()[0]).std())
    assert spread[0] == pytest.approx(spread[1], rel=0.02)


def test_the_config_round_trips():
    layer = layers.EinsumDense("abc,cd->abd", output_shape=(None, 4), bias_axes="d")
    again = layers.deserialize(layers.serialize(layer))
    assert again.get_config()["output_shape"] in ((None, 4), [None, 4])
    assert tuple(again(layers.Input((3, 5))).shape) == (None, 3, 4)
