"""`cornu.backend`: a module of its own, with Keras 3's names and K's."""

import importlib
import itertools

import pytest

import cornu.backend
from cornu import backend, layers

TYPES = ["bool", "int8", "uint8", "int32", "float16", "bfloat16", "float32", int, float, bool]


def test_it_can_be_imported():
    assert importlib.import_module("cornu.backend") is cornu.backend is backend


def test_names_of_keras_3(real_keras):
    theirs = {name for name in dir(real_keras.backend) if not name.startswith("_")}
    assert theirs - {"backend"} <= set(backend.__all__)
    assert all(getattr(backend, name) is not None for name in backend.__all__)


@pytest.mark.old_spellings
def test_functions_of_keras_2_are_there():
    assert backend.int_shape(layers.Input((3,))) == (None, 3)
    assert {"dot", "function", "floatx"} <= set(dir(backend))


@pytest.mark.parametrize("types", list(itertools.combinations_with_replacement(TYPES, 2)), ids=str)
def test_result_types_equal_keras(types, real_keras):
    assert backend.result_type(*types) == real_keras.backend.result_type(*types)


def test_kinds_of_types():
    assert backend.is_float_dtype("float16")
    assert not backend.is_float_dtype("uint8")
    assert backend.is_int_dtype("uint8")
    assert not backend.is_int_dtype("bool")
    assert backend.result_type() == backend.floatx()


def test_names_start_again():
    backend.clear_session()
    assert layers.Dense(1).name == "dense"
    assert backend.get_uid("a") + 1 == backend.get_uid("a")
    assert backend.is_keras_tensor(layers.Input((1,)))
