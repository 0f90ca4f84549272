"""Models of tf.keras with functions of TensorFlow between their layers: read, computed, written for Keras 3."""

import json
from pathlib import Path

import numpy as np
import pytest

import cornu
from compat.tensorflow.tf_functions import inputs
from cornu.models import clone_model, load_model, model_from_json

pytestmark = pytest.mark.old_spellings
MODELS = json.loads((Path(__file__).parent / "tf_functions.json").read_text())
#: Functions of a size that is known only when the model runs: Keras 3 has no form for them.
NOT_WRITTEN = ("tf.broadcast_to(a[:, :1], tf.shape(a))",)
#: Real Keras 3.15 cannot read these out of a file, not even out of its own.
ONLY_HERE = ("tf.norm(a, axis=1)",)


def config_of(layers, output_layers):
    start = [
        {"class_name": "InputLayer", "name": name, "inbound_nodes": [], "config": {
            "name": name, "batch_input_shape": [None, *one.shape[1:]], "dtype": "float32", "sparse": False}}
        for name, one in zip("abc", inputs(), strict=True)
    ]  # fmt: skip
    ends = {"input_layers": [[name, 0, 0] for name in "abc"], "output_layers": output_layers}
    return {"class_name": "Functional", "config": {"name": "model", "layers": start + layers, **ends}}


def assert_computes(model, expected):
    found = np.asarray(model([*inputs()])).astype("float64")
    np.testing.assert_allclose(found, np.asarray(expected, "float64"), rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("number", range(len(MODELS)), ids=[entry["code"] for entry in MODELS])
def test_functions_of_tf_keras_2_15(number, real_keras, tmp_path):
    entry = MODELS[number]
    model = model_from_json(json.dumps(config_of(entry["layers"], entry["output_layers"])))
    assert_computes(model, entry["outputs"])
    assert_computes(clone_model(model), entry["outputs"])
    if entry["code"] in NOT_WRITTEN:
        with pytest.raises(ValueError, match="between its layers"):
            model.to_json()
        return
    for suffix in (".keras", ".h5"):
        model.save(tmp_path / f"m{suffix}")
        assert_computes(load_model(tmp_path / f"m{suffix}"), entry["outputs"])
    if entry["code"] not in ONLY_HERE:
        assert_computes(real_keras.models.load_model(tmp_path / "m.keras"), entry["outputs"])


def node(op, constants=None, calls=(("a", 0, 0, {}),), **attributes):
    """Return a model with one node of TensorFlow 2.3's graph."""
    inside = {"name": op, "op": op, "input": [], "attr": attributes}
    layer = {"class_name": "TensorFlowOpLayer", "name": "node", "inbound_nodes": [[list(call) for call in calls]],
             "config": {"name": op, "trainable": True, "dtype": "float32", "node_def": inside,
                        "constants": constants or {}}}  # fmt: skip
    return model_from_json(json.dumps(config_of([layer], [["node", 0, 0]])))


A, B, C = inputs()
PAIR = (("a", 0, 0, {}), ("b", 0, 0, {}))
CUBE = (("c", 0, 0, {}),)
NODES = [
    (lambda: node("Sub", {"0": 2.0}), 2 - A),
    (lambda: node("RealDiv", calls=PAIR), A / B),
    (lambda: node("Mean", {"1": [1, 2]}, CUBE, keep_dims={"b": True}), C.mean((1, 2), keepdims=True)),
    (lambda: node("ConcatV2", {"2": 1}, PAIR), np.concatenate([A, B], 1)),
    (lambda: node("Pack", calls=PAIR, axis={"i": "1"}), np.stack([A, B], 1)),
    (lambda: node("Reshape", {"1": [-1, 2, 2]}), A.reshape(-1, 2, 2)),
    (lambda: node("Transpose", {"1": [0, 2, 1]}, CUBE), C.transpose(0, 2, 1)),
    (lambda: node("ExpandDims", {"1": -1}), A[..., None]),
    (lambda: node("Cast", DstT={"type": "DT_INT32"}), A.astype("int32")),
    (lambda: node("Split", {"0": 1}, num_split={"i": "2"}), A[:, :2]),
    (lambda: node("MatMul", {"1": np.ones((3, 4)).tolist()}, transpose_b={"b": True}), A @ np.ones((4, 3))),
    (lambda: node("BatchMatMulV2", calls=CUBE + CUBE, adj_y={"b": True}), C @ C.transpose(0, 2, 1)),
    (lambda: node("LeakyRelu", alpha={"f": 0.5}), np.where(A > 0, A, 0.5 * A)),
    (lambda: node("GatherV2", {"1": [0, 2], "2": 1}), A[:, [0, 2]]),
    (lambda: node("SelectV2", {"1": 1.0, "2": 0.0}, (("a", 0, 0, {}),)), (A != 0) * 1.0),
    (lambda: node("Tile", {"1": [1, 2]}), np.tile(A, (1, 2))),
    (lambda: node("SquaredDifference", calls=PAIR), (A - B) ** 2),
    (lambda: node("AddN", calls=PAIR), A + B),
    (lambda: node("PadV2", {"1": [[0, 0], [1, 0]], "2": 5.0}), np.pad(A, ((0, 0), (1, 0)), constant_values=5)),
    (lambda: node("StridedSlice", {"1": [0, 1], "2": [0, 2], "3": [1, 1]}, begin_mask={"i": "1"}, end_mask={"i": "1"},
                  shrink_axis_mask={"i": "2"}), A[:, 1]),
    (lambda: node("StridedSlice", {"1": [0, 0], "2": [0, 1], "3": [1, 1]}, CUBE, ellipsis_mask={"i": "1"}),
     C[..., 0:1]),
    (lambda: node("StridedSlice", {"1": [0, 0], "2": [0, 0], "3": [1, 1]}, begin_mask={"i": "1"}, end_mask={"i": "1"},
                  new_axis_mask={"i": "2"}), A[:, None]),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(NODES)))
def test_nodes_of_tf_keras_2_3(number):
    make, expected = NODES[number]
    assert_computes(make(), expected)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ({"class_name": "TFOpLambda", "config": {"name": "f", "function": "io.read_file"}}, "'io.read_file'"),
        ({"class_name": "TFOpLambda", "config": {"name": "f", "function": "math.__class__"}}, "'math.__class__'"),
        ({"class_name": "TFOpLambda", "config": {"name": "f", "function": "py_function"}}, "'py_function'"),
        ({"class_name": "TFOpLambda", "config": {"name": "f"}}, "'None'"),
        ({"class_name": "TensorFlowOpLayer", "config": {"name": "f", "node_def": {"op": "ReadFile"}}}, "'ReadFile'"),
        ({"class_name": "TensorFlowOpLayer", "config": {"name": "f", "node_def": "text"}}, "no node of a graph"),
        ({"class_name": "TensorFlowOpLayer", "config": []}, "is a dictionary"),
    ],
)
def test_functions_that_are_not_known_are_named(layer, words):
    entry = layer | {"name": "f", "inbound_nodes": [[["a", 0, 0, {}]]]}
    with pytest.raises(ValueError, match=words):
        model_from_json(json.dumps(config_of([entry], [["f", 0, 0]])))


def test_a_model_that_was_read_trains():
    model = cornu.Model.from_config(config_of(*[MODELS[0][key] for key in ("layers", "output_layers")])["config"])
    model.compile("sgd", "mse")
    model.evaluate([*inputs()], np.zeros((2, 4), "float32"), verbose=0)
