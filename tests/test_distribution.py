"""`keras.distribution` as in real Keras: the same expressions, in a process with four devices each."""

import json
import os
import subprocess
import sys

import pytest

from cornu import distribution

EXPRESSIONS = (
    "d.list_devices()",
    "d.list_devices('CPU')",
    "d.list_devices('gpu')",
    "d.get_device_count()",
    "d.get_device_count('cpu')",
    "d.DeviceMesh((4,), ['batch'])",
    "d.DeviceMesh((2, 2), ('batch', 'model'))",
    "d.DeviceMesh((2, 2), ['batch', 'model']).devices.tolist()",
    "d.DeviceMesh((2,), ['batch'], ['cpu:2', 'cpu:3']).devices.tolist()",
    "d.DeviceMesh((2,), ['batch'], ['cpu:2', 'cpu:3']).backend_mesh.axis_names",
    "d.DeviceMesh((2,), ['batch'], ['cpu:2', 'cpu:9']).backend_mesh",
    "d.DeviceMesh((), [])",
    "d.DeviceMesh((4,), ['batch', 'model'])",
    "d.DeviceMesh((3,), ['batch'])",
    "d.TensorLayout((None, 'model'))",
    "d.TensorLayout(['batch', None], mesh).axes",
    "d.TensorLayout(('none',), mesh)",
    "d.TensorLayout(('batch',)).backend_layout",
    "d.TensorLayout(('batch',), mesh).backend_layout.spec",
    "setattr(d.TensorLayout(('batch',), mesh), 'device_mesh', mesh)",
    "setattr(d.TensorLayout(('none',)), 'device_mesh', mesh)",
    "[maps[path] for path in ('a/dense/kernel', 'dense_1/kernel', 'dense/bias', 'other')]",
    "(len(maps), list(maps), maps.device_mesh)",
    "maps.__setitem__('.*dense.*kernel', ('batch',))",
    "maps.__setitem__('new', ['batch'])",
    "maps.__setitem__('new', ('none',))",
    "maps['dense/both']",
    "maps.__delitem__('nothing')",
    "maps.get('other', 3)",
    "'dense/bias' in maps",
    "d.DataParallel()",
    "d.DataParallel(devices=['cpu:0', 'cpu:1'])",
    "d.DataParallel(device_mesh=3)",
    "d.DataParallel(auto_shard_dataset=False).auto_shard_dataset",
    "d.DataParallel().get_data_layout((8, 3))",
    "d.DataParallel().get_variable_layout(v)",
    "d.DataParallel().get_tensor_layout('x')",
    "(d.DataParallel().num_processes, d.DataParallel().num_model_replicas, d.DataParallel().data_shard_id)",
    "d.DataParallel().distribute_dataset([1])",
    "d.ModelParallel()",
    "d.ModelParallel(layout_map={})",
    "d.ModelParallel(layout_map=maps)",
    "d.ModelParallel(layout_map=maps, batch_dim_name='model').num_model_replicas",
    "d.ModelParallel(layout_map=maps).get_variable_layout(v)",
    "d.ModelParallel(layout_map=maps).get_data_layout((8, 3, 1))",
    "d.ModelParallel(layout_map=maps).get_tensor_layout('a/dense/kernel')",
    "d.distribution()",
    "(lambda one: (d.set_distribution(one), d.distribution() is one, d.set_distribution(None)))(d.DataParallel())",
    "d.distribute_tensor(np.ones((4, 2)), d.TensorLayout(('batch', 'model'), mesh)).sharding.spec",
    "d.distribute_tensor(np.ones((3, 2)), d.TensorLayout(('batch', None), mesh))",
    "jax.jit(lambda x: d.distribute_tensor(x * 2, d.TensorLayout(('batch', None), mesh)))(np.ones((4, 2))).sum()",
    "d.distribute_tensor(keras.Input((3,)), None).shape",
    "d.initialize('a:1,b:2', num_processes=3)",
)  # fmt: skip

SCRIPT = """
import json, os, sys, warnings
import jax
jax.config.update("jax_num_cpu_devices", 4)
import numpy as np
import {package} as keras
from {package} import distribution as d
warnings.simplefilter("ignore")
mesh = d.DeviceMesh((2, 2), ["batch", "model"])
maps = d.LayoutMap(mesh)
maps[".*dense.*kernel"] = (None, "model")
maps["dense/bias"] = d.TensorLayout(("model",))
maps["dense/b.*"], maps["dense/bo.*"] = ("batch",), ("batch",)
v = keras.Variable(np.ones((2, 4), "float32"), name="kernel")
found = []
for expression in json.loads(sys.argv[1]):
    try:
        found.append(repr(eval(expression)).replace("keras.src.distribution.distribution_lib", "cornu.distribution"))
    except Exception as error:
        found.append(type(error).__name__)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def answers(real_keras):
    def start(package):
        code = SCRIPT.format(package=package)
        environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
        return subprocess.Popen(
            [sys.executable, "-c", code, json.dumps(EXPRESSIONS)],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    outputs = [process.communicate(timeout=300) for process in (start("keras"), start("cornu"))]
    assert all(out for out, _ in outputs), outputs
    theirs, ours = (json.loads(out.splitlines()[-1]) for out, _ in outputs)
    return dict(zip(EXPRESSIONS, zip(theirs, ours, strict=True), strict=True))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_as_real_keras(expression, answers):
    theirs, ours = answers[expression]
    assert ours == theirs


def test_more_axes_are_reported():
    mesh = distribution.DeviceMesh((1, 1), ["rows", "model"])
    with pytest.warns(UserWarning, match="Its first axis splits the batch"):
        assert distribution.DataParallel(mesh).batch_dim_name == "rows"


def test_errors_say_what_to_do():
    with pytest.raises(TypeError, match="takes a distribution such as DataParallel"):
        distribution.set_distribution("all")
    with pytest.raises(ValueError, match=r"needs 9 devices; there are 1\. Choose another shape"):
        distribution.DeviceMesh((9,), ["batch"])
    with pytest.raises(ValueError, match=r"no device 'cpu:7'; this process sees cpu:0"):
        distribution.DeviceMesh((1,), ["batch"], ["cpu:7"]).backend_mesh  # noqa: B018
    maps = distribution.LayoutMap(distribution.DeviceMesh((1,), ["model"]))
    maps["a.*"], maps[".*b"] = ("model",), ("model",)
    with pytest.raises(ValueError, match="matches several patterns"):
        maps["ab"]
