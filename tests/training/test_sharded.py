"""Training on several devices gives the numbers of one: `many_devices.py` computes them in a process with eight."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROUNDING = 1e-5


@pytest.fixture(scope="module")
def found():
    ran = subprocess.run(
        [sys.executable, "-W", "error", Path(__file__).with_name("many_devices.py")],
        env=os.environ | {"JAX_NUM_CPU_DEVICES": "8"}, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_ten_epochs_end_with_the_same_weights_metrics_and_predictions(found):
    assert list(found["equality"]) == ["mlp 2", "mlp 8", "cnn 4", "lstm 4", "transformer 4"]
    assert max(found["equality"].values()) < ROUNDING, found["equality"]


@pytest.mark.parametrize("model", ["mlp", "lstm", "transformer"])
def test_a_step_has_one_collective_operation_which_sums_gradients_and_metrics(model, found):
    *operations, gradients = found["communication"][model]
    (operation,) = operations
    assert operation == ["all-reduce", gradients + 8]  # the sums of loss and accuracy


def test_batch_normalization_adds_only_its_statistics(found):
    *operations, gradients = found["communication"]["cnn"]
    *statistics, last = operations
    assert {kind for kind, _ in operations} == {"all-reduce"}
    assert gradients * 0.8 < last[1] <= gradients + 8
    assert len(statistics) <= 4
    assert sum(size for _, size in statistics) < 100


def test_split_state_is_a_quarter_on_each_of_four_devices(found):
    split = found["split_state"]
    (copied,), held = (list(split[name].values()) for name in ("copied", "split"))
    assert len(held) == 4
    assert len(set(held)) == 1
    assert held[0] < copied * 0.27
    assert split["difference"] < ROUNDING


@pytest.mark.parametrize("mesh", ["(1, 4)", "(2, 2)"])
def test_a_transformer_is_split_by_a_layout_map(mesh, found):
    parallel = found["model_parallel"]
    held = parallel[f"{mesh} held"]
    assert parallel[mesh] < ROUNDING
    assert len(held) == 4
    assert len(set(held.values())) == 1
    assert held["cpu:0"] < parallel["whole"] * (0.4 if mesh == "(1, 4)" else 0.6)


def test_slots_are_split_as_their_weights(found):
    assert "model" in found["model_parallel"]["slot"]


@pytest.mark.parametrize(
    "way",
    ["streams", "single_batches", "eager_steps", "custom_steps", "custom_loop", "arrays_in_place", "states_of_layers"],
)
def test_every_way_to_train_gives_the_result_of_one_device(way, found):
    assert found[way] < ROUNDING


def test_a_checkpoint_is_resumed_on_another_number_of_devices(found):
    assert len(found["other_devices_go_on"]) == 3
    assert max(found["other_devices_go_on"].values()) < ROUNDING


def test_a_layout_that_does_not_fit_is_an_error_that_names_the_variable(found):
    message, scores = found["layout_that_does_not_fit"]
    assert message.startswith("The variable 'classifier/dense_")
    assert "/kernel' of shape (16, 3) cannot be split evenly as <TensorLayout axes=(None, 'model')" in message
    assert len(scores) == 2


def test_a_model_follows_the_current_distribution_and_remembers_that_of_compile(found):
    assert found["on_and_off"]["devices"] == [1, 4, 1, 2]


def test_strategies_and_multi_gpu_model_split_batches(found):
    old = found["old_faces"]
    if not old:
        pytest.skip("compat was deleted")
    assert old["mirrored"] == "[CpuDevice(id=0), CpuDevice(id=3)]"
    assert (old["replicas"], old["others"]) == ([2, 1], [8, 8, 1])
    assert (old["multi_gpu"], old["listed"]) == (4, 8)
