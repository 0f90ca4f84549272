"""``v.value()`` gives a variable's array where programs are read, and other objects keep their methods."""

import ast
import sys

import numpy as np
import pytest

from cornu.compat.tensorflow import autograph, value_calls
from cornu.compat.tensorflow.tape import GradientTape
from cornu.compat.tensorflow.variables import Variable
from cornu.layers import Dense


def run(text, **names):
    tree = value_calls.with_value_calls(ast.parse(text))
    names[value_calls.READ] = value_calls.value_of
    exec(compile(tree, "program", "exec"), names)
    return names


class Box:
    value = staticmethod(lambda: 5)


class Doubled(Variable):
    def value(self):
        return 2 * super().value


def test_variables_and_others():
    v = Variable([1.0, 2.0])
    layer = Dense(2)
    layer.build((None, 3))
    found = run("a, b, c, d = v.value() + 1, v.value, layer.kernel.value(), box.value()", v=v, layer=layer, box=Box())
    assert found["a"].tolist() == [2.0, 3.0]
    assert found["b"] is v.value
    assert found["c"] is layer.kernel.value
    assert found["d"] == 5
    assert run("x = v.value()", v=Doubled(3.0))["x"] == 6


def test_arguments_and_chains_stay_as_they_are():
    text = "box.value(1); box.value(x=2); f(box).value().value()"
    assert ast.unparse(value_calls.with_value_calls(ast.parse(text))).splitlines() == [
        "box.value(1)",
        "box.value(x=2)",
        "__value_of__(__value_of__(f(box)))",
    ]


def test_a_tape_sees_it():
    v = Variable([1.0, 2.0])
    with GradientTape() as tape:
        y = run("y = (v.value() ** 2).sum()", v=v)["y"]
    assert tape.gradient(y, v).tolist() == [2.0, 4.0]


def larger(v, x):
    if x > v.value():
        return x
    return v.value()


def test_a_function_that_is_rewritten_for_its_conditions():
    import jax

    v = Variable(2.0)
    function = jax.jit(lambda x: autograph.converted(larger)(v, x))
    assert (function(3.0), function(1.0)) == (3, 2)


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Give a folder of a program whose modules are rewritten."""
    before = list(sys.meta_path), set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    value_calls.rewrite_modules(tmp_path)
    yield tmp_path
    sys.meta_path[:] = before[0]
    for name in set(sys.modules) - before[1]:
        del sys.modules[name]


def test_modules_beside_the_program(modules):
    package = modules / "own_package_of_values"
    package.mkdir()
    (package / "__init__.py").write_text("from .inner import twice\nimport own_module_of_values as beside\n")
    (package / "inner.py").write_text("from __future__ import annotations\ndef twice(v): return v.value() * 2\n")
    (modules / "own_module_of_values.py").write_text("def read(v): return v.value\n")
    import own_package_of_values as own

    v = Variable(3.0)
    assert own.twice(v) == 6
    assert np.asarray(own.beside.read(v)) == 3
    assert not list((package / "__pycache__").glob("inner*"))  # Python's own run of it must not find rewritten code
    assert list((modules / "__pycache__").glob("own_module*"))
