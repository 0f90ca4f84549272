"""Which format a model is exported to, and what is said where it cannot be."""

import builtins
import sys
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import pytest

import cornu
from cornu import layers
from cornu.export import load
from export.models import Residual, stack
from export.test_onnx import assert_agrees, session_of


def small():
    return cornu.Sequential([cornu.Input((3,)), layers.Dense(2, name="only")], name="small")


def test_the_name_or_the_argument_says_the_format(tmp_path, capsys):
    model = small()
    model.export(str(tmp_path / "a.onnx"))
    model.export(tmp_path / "b", format="onnx", verbose=True)
    model.export(tmp_path / "c", "stablehlo", verbose=False)
    assert capsys.readouterr().out == f"'small' was exported to {str(tmp_path / 'b')!r} (onnx).\n"
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b").read_bytes()
    assert load(tmp_path / "c").name == "small"


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({}, ValueError, r"does not say which format to write: end it in \.onnx or \.stablehlo"),
        ({"format": "tf_saved_model"}, ValueError, "needs TensorFlow, which Cornu does not use. It writes 'onnx'"),
        ({"format": "litert"}, ValueError, "needs TensorFlow's LiteRT"),
        ({"format": "openvino"}, ValueError, "needs OpenVINO"),
        ({"format": "torch"}, ValueError, "needs PyTorch"),
        ({"format": "onx"}, ValueError, "Unknown export format: 'onx'. Did you mean 'onnx'"),
        ({"format": "onnx", "opset": 18}, TypeError, "has no option 'opset'; it takes: opset_version"),
        ({"format": "stablehlo", "opset_version": 18}, TypeError, "has no option 'opset_version'; it takes none"),
        ({"format": "onnx", "opset_version": 7}, ValueError, "opset_version is 7; Cornu writes 18 to"),
        ({"format": "onnx", "input_signature": [(None, 3), (None, 3)]}, ValueError, "describes 2 inputs"),
        ({"format": "onnx", "input_signature": ["rows"]}, ValueError, "has 'rows', which has no shape"),
        ({"format": "onnx", "input_signature": [(None, 4)]}, ValueError, r"cannot be traced for inputs of shape"),
    ],
)
def test_a_mismatch_raises_a_clear_error(tmp_path, arguments, error, match):
    with pytest.raises(error, match=match):
        small().export(tmp_path / "somewhere", **arguments)
    assert not list(tmp_path.iterdir())


def test_a_model_that_knows_no_inputs_needs_a_signature(tmp_path):
    model = Residual()
    with pytest.raises(ValueError, match="has no weights yet"):
        model.export(tmp_path / "m.onnx")
    model.export(tmp_path / "m.onnx", input_signature=[cornu.InputSpec(shape=(None, 6), dtype="float32", name="rows")])
    x = np.ones((2, 6), "float32")
    assert session_of(tmp_path / "m.onnx").get_inputs()[0].name == "rows"
    assert_agrees(tmp_path / "m.onnx", model, x)


@dataclass
class Struct:
    shape: tuple
    dtype: str


class TwoArguments(cornu.Model):
    def __init__(self):
        super().__init__(name="two")
        self.dense = layers.Dense(3)

    def call(self, inputs, training=None):
        left, right = inputs["left"], inputs["right"]
        return {"sum": self.dense(left) + right, "product": (left * right, right)}


@pytest.mark.parametrize("kind", ["arrays", "tensors", "structs"])
def test_signatures_of_every_kind(tmp_path, kind):
    x = {name: np.ones((4, 3), "float32") for name in ("left", "right")}
    specs = {
        "arrays": x,
        "tensors": {name: cornu.Input((3,), name=name) for name in x},
        "structs": {name: Struct((None, 3), "float32") for name in x},
    }[kind]
    model = TwoArguments()
    model.export(tmp_path / "m.stablehlo", input_signature=[specs])
    again = load(tmp_path / "m.stablehlo")
    found, expected = again(x), model(x)
    assert list(found) == ["product", "sum"]
    jax.tree.map(np.testing.assert_allclose, jax.tree.leaves(found), jax.tree.leaves(expected))
    assert again.output_names == ["output_1", "output_2", "output_3"]


class Wants(layers.Layer):
    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function

    def call(self, inputs):
        return self.function(inputs)


def around(function):
    start = cornu.Input((3, 3))
    return cornu.Model(start, Wants(function, name="inner")(start), name="outer")


def test_an_operation_without_a_form_names_its_layer(tmp_path):
    model = around(jnp.linalg.cholesky)
    match = r"Layer 'inner' of the model 'outer' needs the operation 'cholesky', .*\n?.*Export to 'stablehlo' instead"
    with pytest.raises(ValueError, match=match):
        model.export(tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_a_layer_inside_a_model_inside_a_model_is_named_by_its_path(tmp_path):
    start = cornu.Input((3, 3))
    inner = around(jnp.linalg.cholesky)
    with pytest.raises(ValueError, match="Layer 'outer/inner' of the model"):
        cornu.Model(start, inner(start)).export(tmp_path / "m.onnx")


def test_a_model_that_needs_the_number_of_rows(tmp_path):
    model = around(lambda x: x * float(x.shape[0]))
    match = r"cannot be traced for inputs of shape \[\(None, 3, 3\)\](.|\n)*InputSpec\(shape=\(1, 3, 3\)"
    with pytest.raises(ValueError, match=match):
        model.export(tmp_path / "m.onnx")
    model.export(tmp_path / "m.onnx", input_signature=[cornu.InputSpec(shape=(2, 3, 3), dtype="float32")])
    assert_agrees(tmp_path / "m.onnx", model, np.ones((2, 3, 3), "float32"), rows=(2,))


def test_exporting_leaves_the_model_as_it_was(tmp_path):
    model = stack()
    before = [np.array(variable.value) for variable in model.variables]
    model.export(tmp_path / "m.onnx")
    for old, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())
    assert all("call" not in vars(layer) for layer in model.layers)


def test_the_file_says_what_is_what(tmp_path):
    model = stack()
    model.export(tmp_path / "m.onnx", opset_version=20)
    content = onnx.load(tmp_path / "m.onnx")
    assert content.opset_import[0].version == 20
    assert content.producer_name == "cornu"
    assert [d.dim_param or d.dim_value for d in content.graph.input[0].type.tensor_type.shape.dim] == ["batch", 8, 8, 1]
    assert [output.name for output in content.graph.output] == model.output_names
    names = {constant.name for constant in content.graph.initializer}
    assert model.layers[-1].kernel.path in names
    operators = [node.op_type for node in content.graph.node]
    assert operators.count("Conv") == operators.count("MaxPool") == operators.count("MatMul") == 1
    assert "Expand" not in operators  # what broadcasts by itself is left to do so


def test_without_the_extra(tmp_path, monkeypatch):
    real = builtins.__import__

    def absent(name, *args, **kwargs):
        if name == "onnx" or name.startswith("onnx."):
            raise ModuleNotFoundError("No module named 'onnx'", name="onnx")
        return real(name, *args, **kwargs)

    for name in [name for name in sys.modules if name.startswith("cornu.export.onnx")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ImportError, match=r"needs the package onnx: pip install 'cornu\[onnx\]'"):
        small().export(tmp_path / "m.onnx")
