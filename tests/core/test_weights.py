"""`add_weight`: what it takes, and what it says of what it does not know."""

import pytest

from cornu import layers, metrics


@pytest.fixture(params=[layers.Layer, metrics.Metric])
def owner(request):
    return request.param(name="owner")


def test_an_unknown_keyword_is_refused_with_the_nearest(owner):
    with pytest.raises(TypeError, match=r"add_weight has no argument 'initialiser'. Did you mean 'initializer'\?"):
        owner.add_weight(shape=(2,), initialiser="zeros")


def test_arguments_of_every_keras_3_are_taken():
    weight = layers.Layer().add_weight(
        shape=(2,), initializer="ones", dtype="float32", trainable=False, autocast=False, regularizer="l2",
        constraint=None, aggregation="mean", layout=None, overwrite_with_gradient=False, name="w",
    )  # fmt: skip
    assert (weight.name, weight.trainable, weight.numpy().tolist()) == ("w", False, [1, 1])


def test_arguments_are_those_of_keras(real_keras):
    import inspect

    theirs = inspect.signature(real_keras.layers.Layer.add_weight).parameters
    assert {*theirs, "layout"} - {"args"} == set(inspect.signature(layers.Layer.add_weight).parameters)


def test_what_cannot_be_followed_is_said():
    with pytest.raises(ValueError, match="overwrite_with_gradient"):
        layers.Layer().add_weight(shape=(), overwrite_with_gradient=True)


@pytest.mark.old_spellings
def test_arguments_of_keras_2_are_taken(owner):
    weight = owner.add_weight("w", (2,), synchronization=None, use_resource=True)
    assert weight.name == "w"
    assert weight.numpy().shape == (2,)


@pytest.mark.old_spellings
def test_the_name_may_be_first_as_in_keras_2(owner):
    first = owner.add_weight("a", shape=(2,), initializer="ones")
    assert (first.name, first.numpy().tolist()) == ("a", [1, 1])
    assert owner.add_weight("b").shape == ()
    assert owner.add_weight("c", (3,), initializer="zeros", dtype="int32").dtype == "int32"
    assert owner.add_weight((4,), "ones", name="d").numpy().tolist() == [1, 1, 1, 1]
    with pytest.raises(TypeError, match="'name' twice"):
        owner.add_weight("e", name="f", shape=(2,))


@pytest.mark.old_spellings
def test_the_order_of_keras_2_begins_with_name_and_shape():
    layer = layers.Layer()
    weight = layer.add_weight("a", (2,), "float16", "ones", "l2", False)
    assert (weight.dtype, weight.numpy().tolist(), weight.trainable) == ("float16", [1, 1], False)
    assert weight.regularizer is not None
    assert layer.add_variable("b", [3], initializer="ones", trainable=False).shape == (3,)
