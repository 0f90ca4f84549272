"""The state of optimizers in ``.h5`` files: Keras 2's orders, and optimizers with parts."""

import h5py
import numpy as np
import pytest

import cornu
from cornu import layers, optimizers
from cornu.models import load_model
from cornu.saving.optimizer_state import read_optimizer, unnamed_pairs
from cornu.saving.source import Source
from cornu.saving.transfer import Transfer

SOURCE = Source("m.h5", "Keras 2.2.4")


def built(optimizer):
    model = cornu.Sequential([cornu.Input((4,)), layers.Dense(3), layers.Dense(2)])
    optimizer.build(model.trainable_variables)
    return model, optimizer


def old_file(path, arrays):
    file = h5py.File(path, "w")
    group = file.create_group("optimizer_weights")
    names = [f"training/Variable_{i}:0" for i in range(len(arrays))]
    for name, array in zip(names, arrays, strict=True):
        group[name] = array
    group.attrs["weight_names"] = [name.encode() for name in names]
    return group


def read(path, optimizer, arrays):
    transfer = Transfer(SOURCE, cornu.Sequential())
    read_optimizer(old_file(path, arrays), optimizer, transfer)
    transfer.apply()


def filled(model, value):
    return [np.full(v.shape, value + i, "float32") for i, v in enumerate(model.trainable_variables)]


@pytest.mark.parametrize(
    ("make", "slots", "counted", "placeholders"),
    [
        (lambda: optimizers.Adam(), ["momentum", "velocity"], True, 4),
        (lambda: optimizers.Adam(amsgrad=True), ["momentum", "velocity", "velocity_hat"], True, 0),
        (lambda: optimizers.SGD(momentum=0.9), ["momentum"], True, 0),
        (lambda: optimizers.RMSprop(), ["velocity"], False, 0),
        (lambda: optimizers.RMSprop(), ["velocity"], True, 0),
        (lambda: optimizers.Adagrad(), ["accumulator"], False, 0),
        (lambda: optimizers.Adadelta(), ["accumulated_grad", "accumulated_delta_var"], False, 0),
        (lambda: optimizers.Adamax(), ["momentum", "norm"], True, 0),
    ],
)
def test_keras_2_wrote_slot_after_slot(tmp_path, make, slots, counted, placeholders):
    model, optimizer = built(make())
    arrays = [np.int64(40)] * counted
    for number, _ in enumerate(slots):
        arrays += filled(model, 10 * number)
    arrays += [np.zeros(1, "float32")] * placeholders
    read(tmp_path / "m.h5", optimizer, arrays)
    assert int(optimizer.iterations) == (40 if counted else 0)
    for number, slot in enumerate(slots):
        for value, weight in zip(filled(model, 10 * number), model.trainable_variables, strict=True):
            np.testing.assert_array_equal(optimizer._slots[slot][id(weight)].numpy(), value)


def test_slots_that_the_optimizer_does_not_keep_are_left(tmp_path):
    model, optimizer = built(optimizers.SGD())
    read(tmp_path / "m.h5", optimizer, [np.int64(7), *filled(model, 0)])
    assert int(optimizer.iterations) == 7


def test_a_state_that_does_not_fit_starts_anew_with_a_warning(tmp_path):
    model, optimizer = built(optimizers.Adam())
    with pytest.warns(UserWarning, match=r"starts from scratch.*'m.h5' \(written by Keras 2.2.4\)"):
        read(tmp_path / "m.h5", optimizer, [np.int64(7), *filled(model, 0)])
    assert int(optimizer.iterations) == 0


#: Optimizer -> its slots here, as tf.keras named them until 2.10, and from 2.11 on.
TF_SLOTS = {
    "SGD(momentum=0.9)": (["momentum"], ["momentum"], ["m"]),
    "RMSprop(momentum=0.5, centered=True)": (
        ["velocity", "momentum", "average_gradient"],
        ["rms", "momentum", "mg"],
        ["velocity", "momentum", "average_gradient"],
    ),
    "RMSprop(centered=True)": (
        ["velocity", "average_gradient"], ["rms", "mg"], ["velocity", "average_gradient"]
    ),
    "Adagrad()": (["accumulator"], ["accumulator"], ["accumulator"]),
    "Adadelta()": (
        ["accumulated_grad", "accumulated_delta_var"],
        ["accum_grad", "accum_var"],
        ["accumulated_grad", "accumulated_delta_var"],
    ),
    "Adam(amsgrad=True)": (["momentum", "velocity", "velocity_hat"], ["m", "v", "vhat"], ["m", "v", "vhat"]),
    "AdamW()": (["momentum", "velocity"], ["m", "v"], ["m", "v"]),
    "Adamax()": (["momentum", "norm"], ["m", "v"], ["m", "u"]),
    "Nadam()": (["momentum", "velocity"], ["m", "v"], ["m", "v"]),
    "Ftrl()": (["accumulator", "linear"], ["accumulator", "linear"], ["accumulator", "linear"]),
    "Lion()": (["momentum"], ["m"], ["m"]),
}  # fmt: skip


@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize("call", TF_SLOTS)
def test_tf_keras_wrote_slots_by_names(tmp_path, call, new):
    """Until 2.10 ``Adam/dense/kernel/m:0``, slot after slot; then ``Adam/m/dense/kernel:0``, weight after weight."""
    model, optimizer = built(eval(f"optimizers.{call}"))
    ours, old, later = TF_SLOTS[call]
    title, weights = call.partition("(")[0], model.trainable_variables
    arrays = {"iteration:0" if new else f"{title}/iter:0": np.int64(40)}
    if not new and title == "Nadam":
        arrays["Nadam/momentum_cache:0"] = np.float32(0.25)
    expected = {(slot, id(w)): np.full(w.shape, 10 * i + j, "float32")
                for i, slot in enumerate(ours) for j, w in enumerate(weights)}  # fmt: skip
    keys = [(slot, w) for w in weights for slot in ours] if new else [(slot, w) for slot in ours for w in weights]
    for slot, weight in keys:
        name = (later if new else old)[ours.index(slot)]
        arrays[f"{title}/{name}/{weight.path}:0" if new else f"{title}/{weight.path}/{name}:0"] = expected[
            slot, id(weight)
        ]
    group = old_file(tmp_path / "m.h5", [])
    for name, array in arrays.items():
        group[name] = array
    group.attrs["weight_names"] = [name.encode() for name in arrays]
    transfer = Transfer(SOURCE, cornu.Sequential())
    read_optimizer(group, optimizer, transfer)
    transfer.apply()
    assert int(optimizer.iterations) == 40
    for (slot, weight), value in expected.items():
        np.testing.assert_array_equal(optimizer._slots[slot][weight].numpy(), value)
    if not new and title == "Nadam":
        assert float(optimizer._product) == 0.25


@pytest.mark.parametrize("rate", [False, True])
@pytest.mark.parametrize("call", ["SGD()", "SGD(momentum=0.9)", "Adam()", "Nadam()", "SGD(use_ema=True)"])
def test_tf_keras_2_15_wrote_numbers_without_the_learning_rate(tmp_path, call, rate):
    model, optimizer = built(eval(f"optimizers.{call}"))
    slots = [filled(model, 20 * number) for number in range({"SGD()": 1, "SGD(momentum=0.9)": 1}.get(call, 2))]
    by_weight = [array for arrays in zip(*slots, strict=True) for array in arrays]
    arrays = [
        np.array(7),
        *([np.float32(0.5)] if rate else []),
        *([*slots[0], *slots[1]] if "ema" in call else by_weight),
    ]
    variables, found = unnamed_pairs(optimizer, arrays)
    pairs = {id(variable): array for variable, array in zip(variables, found, strict=True)}
    assert pairs[id(optimizer._iterations)] == 7
    assert (id(optimizer._learning_rate) in pairs) == rate
    for weight, value in zip(model.trainable_variables, slots[0], strict=True):
        for slot in ("average",) if "ema" in call else ("momentum",) if "momentum" in optimizer._slots else ():
            np.testing.assert_array_equal(pairs[id(optimizer._slots[slot][id(weight)])], value)


def test_a_slot_that_the_file_lacks_is_said(tmp_path):
    model, optimizer = built(optimizers.Adam())
    group = old_file(tmp_path / "m.h5", [np.int64(7)])
    names = [f"Adam/{weight.path}/m:0" for weight in model.trainable_variables]
    for name, value in zip(names, filled(model, 0), strict=True):
        group[name] = value
    group.attrs["weight_names"] = [name.encode() for name in names]
    with pytest.warns(UserWarning, match="starts from scratch"):
        read_optimizer(group, optimizer, Transfer(SOURCE, cornu.Sequential()))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.Adam(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), clipnorm=1.0, amsgrad=True),
        lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01, use_ema=True),
        lambda: optimizers.LossScaleOptimizer(optimizers.RMSprop(0.01), initial_scale=8.0),
        lambda: optimizers.AdamW(weight_decay=0.1, gradient_accumulation_steps=2),
    ],
)
def test_training_goes_on_exactly(tmp_path, make, suffix):
    x, y = np.random.rand(8, 4).astype("float32"), np.random.rand(8, 2).astype("float32")
    model = cornu.Sequential([cornu.Input((4,)), layers.Dense(3), layers.Dense(2)])
    model.compile(make(), "mse")
    model.fit(x, y, batch_size=2, shuffle=False, verbose=0)
    model.save(tmp_path / f"m{suffix}")
    loaded = load_model(tmp_path / f"m{suffix}")
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    for one in (model, loaded):
        one.fit(x, y, batch_size=2, shuffle=False, verbose=0)
    for ours, theirs in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
