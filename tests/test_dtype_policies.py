"""`cornu.dtype_policies`: a module of its own."""

import subprocess
import sys

import pytest

import cornu.dtype_policies
from cornu.dtype_policies import DTypePolicy, FloatDTypePolicy, deserialize, get, serialize


def test_it_is_the_module_of_the_package():
    assert cornu.dtype_policies.DTypePolicy is DTypePolicy is FloatDTypePolicy is cornu.DTypePolicy


@pytest.mark.parametrize("name", ["float32", "mixed_bfloat16"])
def test_policies_come_back(name, real_keras):
    policy = get(name)
    assert deserialize(serialize(policy)) == policy == get(policy)
    theirs = real_keras.dtype_policies.serialize(real_keras.dtype_policies.get(name))
    assert serialize(policy)["config"] == theirs["config"]
    assert deserialize(theirs) == policy


@pytest.mark.old_spellings
def test_old_names_are_there():
    assert cornu.dtype_policies.Policy is DTypePolicy


QUERIES = """
import numpy as np
import cornu
from cornu import backend, layers, ops
ops.dtype(np.ones(3))
backend.standardize_dtype("float64"), backend.is_float_dtype("float64"), backend.result_type("float64", "int32")
cornu.DTypePolicy("float64")
x = cornu.KerasTensor((2,), dtype="float64")
ops.sin(x) + x
print(ops.sin([1.0]).dtype, layers.Dense(1)(np.ones((1, 2))).dtype)
"""
REQUESTS = """
import numpy as np
from cornu import layers, ops
print(layers.Dense(1, dtype="float64")(np.ones((1, 2))).dtype, ops.cast([1], "float64").dtype)
"""


@pytest.mark.parametrize(
    ("program", "printed"), [(QUERIES, ["float32", "float32"]), (REQUESTS, ["float64", "float64"])]
)
def test_only_a_request_to_compute_in_float64_turns_on_64_bits(program, printed):
    result = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert result.stdout.split() == printed, result.stderr


def test_no_name_is_the_default_policy(real_keras):
    for library in (cornu, real_keras):
        library.config.set_dtype_policy("mixed_bfloat16")
        try:
            assert library.DTypePolicy(None).name == "mixed_bfloat16"
            assert library.dtype_policies.get(None).name == "mixed_bfloat16"
        finally:
            library.config.set_dtype_policy("float32")
        assert library.DTypePolicy(None).name == "float32"
