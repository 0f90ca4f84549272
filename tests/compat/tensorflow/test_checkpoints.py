"""``tf.train.Checkpoint`` and ``CheckpointManager``: what was saved comes back, also into what is not built yet."""

import numpy as np
import pytest

from cornu import layers, models, optimizers
from cornu.compat.tensorflow.checkpoints import Checkpoint, CheckpointManager, latest_checkpoint, list_variables
from cornu.compat.tensorflow.errors import NotFoundError
from cornu.compat.tensorflow.function import function
from cornu.compat.tensorflow.module import Module
from cornu.compat.tensorflow.random import Generator
from cornu.compat.tensorflow.tape import GradientTape
from cornu.compat.tensorflow.variables import Variable

X = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")


class Network(models.Model):
    def __init__(self):
        super().__init__()
        self.first, self.norm, self.last = layers.Dense(4), layers.BatchNormalization(), layers.Dense(1)

    def call(self, x, training=False):
        return self.last(self.norm(self.first(x), training=training))


def trained(network, optimizer, steps=1):
    """Train a little; each network has its own function, as the first call makes variables."""

    @function
    def step():
        with GradientTape() as tape:
            loss = (network(X, training=True) ** 2).mean()
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        return loss

    return [float(step()) for _ in range(steps)]


@pytest.mark.parametrize("is_built", [True, False])
def test_training_goes_on_as_if_it_had_not_stopped(tmp_path, is_built):
    network, optimizer = Network(), optimizers.Adam(0.1)
    trained(network, optimizer, 3)
    path = Checkpoint(net=network, optimizer=optimizer, step=Variable(3)).save(tmp_path / "ckpt")
    new, new_optimizer, step = Network(), optimizers.Adam(0.5), Variable(0)
    if is_built:
        trained(new, new_optimizer)
    status = Checkpoint(net=new, optimizer=new_optimizer, step=step).restore(path)
    status.assert_consumed()
    assert int(step) == 3
    assert trained(new, new_optimizer, 2) == pytest.approx(trained(network, optimizer, 2), rel=1e-5)
    assert int(new_optimizer.iterations) == 5
    np.testing.assert_allclose(new.norm.moving_mean.numpy(), network.norm.moving_mean.numpy(), rtol=1e-5)


def test_a_manager_keeps_the_last_ones(tmp_path):
    value = Variable(0.0)
    manager = CheckpointManager(Checkpoint(value=value), tmp_path, max_to_keep=2)
    assert manager.latest_checkpoint is None
    assert manager.restore_or_initialize() is None
    for number in range(1, 4):
        value.assign(number)
        manager.save()
    assert [path.name for path in sorted(tmp_path.glob("*.safetensors"))] == [
        "ckpt-2.safetensors",
        "ckpt-3.safetensors",
    ]
    assert latest_checkpoint(tmp_path) == manager.latest_checkpoint == str(tmp_path / "ckpt-3")
    again = Variable(9.0)
    other = CheckpointManager(Checkpoint(value=again), tmp_path, max_to_keep=2)
    assert other.checkpoints == manager.checkpoints
    assert other.restore_or_initialize() == str(tmp_path / "ckpt-3")
    assert float(again) == 3
    other.save()
    assert latest_checkpoint(tmp_path) == str(tmp_path / "ckpt-4")
    assert ("value/0", []) in list_variables(tmp_path)


def test_intervals_are_kept(tmp_path):
    step = Variable(0)
    manager = CheckpointManager(
        Checkpoint(step=step), tmp_path, max_to_keep=None, step_counter=step, checkpoint_interval=5
    )
    saved = []
    for _ in range(12):
        saved.append(manager.save() is not None)
        step.assign_add(1)
    assert [number for number, one in enumerate(saved) if one] == [0, 5, 10]


def test_modules_lists_dictionaries_and_generators(tmp_path):
    class Line(Module):
        def __init__(self):
            super().__init__()
            self.parts = [Variable(1.0), {"b": Variable([2.0, 3.0])}]

    line, generator = Line(), Generator.from_seed(3)
    expected = Generator.from_seed(3)
    expected.normal([2])
    generator.normal([2])
    path = Checkpoint(line=line, random=generator, root=None).write(tmp_path / "all")
    new, fresh = Line(), Generator.from_seed(8)
    new.parts[0].assign(5.0)
    Checkpoint(line=new, random=fresh).read(path).assert_existing_objects_matched()
    assert float(new.parts[0]) == 1
    assert new.parts[1]["b"].numpy().tolist() == [2, 3]
    np.testing.assert_array_equal(fresh.normal([2]), expected.normal([2]))


def test_what_does_not_fit_is_said(tmp_path):
    path = Checkpoint(a=Variable([1.0, 2.0])).save(tmp_path / "ckpt")
    with pytest.raises(ValueError, match=r"the shape \(2,\) for 'a' .* which has \(3,\) here"):
        Checkpoint(a=Variable([1.0, 2.0, 3.0])).restore(path)
    with pytest.raises(AssertionError, match="no values for"):
        Checkpoint(a=Variable([0.0, 0.0]), b=Variable(1.0)).restore(path).assert_existing_objects_matched()
    with pytest.raises(AssertionError, match="Nothing took"):
        Checkpoint().restore(path).assert_consumed()
    Checkpoint().restore(path).expect_partial()
    Checkpoint().restore(None).assert_consumed()
    with pytest.raises(NotFoundError, match="no checkpoint"):
        Checkpoint().restore(tmp_path / "other")
    assert latest_checkpoint(tmp_path / "nowhere") is None


class Late(Module):
    def __call__(self, x):
        if not hasattr(self, "weight"):
            self.weight = Variable(np.zeros((x.shape[-1], 2), "float32"))
        return x @ self.weight


@pytest.mark.parametrize("compiled", [False, True])
def test_a_module_gets_what_was_saved_when_it_makes_its_variables(tmp_path, compiled):
    module = Late()
    module(X)
    module.weight.assign(np.ones((3, 2), "float32"))
    path = Checkpoint(parts=[module]).save(tmp_path / "ckpt")
    again = Late()
    status = Checkpoint(parts=[again]).restore(path)
    with pytest.raises(AssertionError, match="parts/0/weight"):
        status.assert_consumed()
    found = (function(again) if compiled else again)(X)
    status.assert_consumed()
    np.testing.assert_allclose(found, X @ np.ones((3, 2), "float32"), rtol=1e-6)
    again.weight = Variable([5.0])  # what was saved was given once
    assert float(again.weight[0]) == 5.0
