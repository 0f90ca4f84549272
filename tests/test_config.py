"""`keras.config` and `keras.mixed_precision`: the settings of today's Keras under its names."""

import pytest

import cornu


@pytest.fixture(autouse=True)
def default_policy():
    yield
    cornu.config.set_dtype_policy("float32")


def test_new_layers_take_the_policy_that_config_sets():
    cornu.config.set_dtype_policy("mixed_bfloat16")
    assert cornu.layers.Dense(1).compute_dtype == "bfloat16"
    assert cornu.config.dtype_policy().name == "mixed_bfloat16"
    assert cornu.config.backend() == "jax"


def test_mixed_precision_has_keras_2s_names_too():
    cornu.mixed_precision.set_global_policy("mixed_float16")
    assert cornu.mixed_precision.global_policy() == cornu.mixed_precision.Policy("mixed_float16")
    assert cornu.layers.Dense(1).variable_dtype == "float32"
    assert cornu.mixed_precision.LossScaleOptimizer is cornu.optimizers.LossScaleOptimizer
