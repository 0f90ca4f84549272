"""`cornu.dtype_policies`: a module of its own."""

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


def test_no_name_is_the_default_policy(real_keras):
    for library in (cornu, real_keras):
        library.config.set_dtype_policy("mixed_bfloat16")
        try:
            assert library.DTypePolicy(None).name == "mixed_bfloat16"
            assert library.dtype_policies.get(None).name == "mixed_bfloat16"
        finally:
            library.config.set_dtype_policy("float32")
        assert library.DTypePolicy(None).name == "float32"
