"""`keras.config` and `keras.mixed_precision`: the settings of today's Keras under its names."""

import sys

import numpy as np
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


def small_model():
    model = cornu.Sequential([cornu.Input((2,)), cornu.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


ROWS = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")


def test_without_interactive_logging_auto_prints_a_line_per_epoch(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert cornu.utils.is_interactive_logging_enabled()
    cornu.config.disable_interactive_logging()
    try:
        small_model().fit(*ROWS, epochs=1)
    finally:
        cornu.config.enable_interactive_logging()
    quiet = capsys.readouterr().out
    small_model().fit(*ROWS, epochs=1, verbose=2)
    lines = capsys.readouterr().out
    assert "\r" not in quiet
    assert len(quiet.splitlines()) == len(lines.splitlines()) == 1


def test_limits_of_epochs_and_steps_hold_for_every_call():
    steps = []
    counter = cornu.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))
    cornu.config.set_max_epochs(2)
    cornu.config.set_max_steps_per_epoch(3)
    try:
        history = small_model().fit(*ROWS, batch_size=2, epochs=9, verbose=0, callbacks=[counter])
        assert small_model().predict(ROWS[0], batch_size=2, verbose=0).shape == (6, 1)
    finally:
        cornu.config.set_max_epochs(None)
        cornu.config.set_max_steps_per_epoch(None)
    assert (history.epoch, steps) == ([0, 1], [0, 1, 2] * 2)
    with pytest.raises(ValueError, match="above zero"):
        cornu.config.set_max_epochs(0)


def test_the_only_backend_is_jax_and_tracebacks_can_be_whole():
    cornu.config.set_backend("jax")
    with pytest.raises(ValueError, match="runs on JAX only"):
        cornu.config.set_backend("torch")
    assert cornu.config.is_traceback_filtering_enabled()
    cornu.config.disable_traceback_filtering()
    assert not cornu.config.is_traceback_filtering_enabled()
    cornu.config.enable_traceback_filtering()
