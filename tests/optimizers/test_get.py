"""Names, classes and configs that stand for optimizers."""

import json

import pytest

from cornu import optimizers
from cornu.core import registry
from cornu.optimizers import SGD, Adam

NAMES = [
    "SGD", "RMSprop", "Adam", "AdamW", "Adadelta", "Adagrad", "Adamax", "Nadam", "Ftrl", "Lion", "Adafactor", "Lamb",
    "Muon", "ScheduleFreeAdamW",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_known_in_any_case(name):
    cls = getattr(optimizers, name)
    assert type(optimizers.get(name)) is type(optimizers.get(name.lower())) is type(optimizers.get(name.upper())) is cls


@pytest.mark.parametrize("name", NAMES)
def test_configs_round_trip_and_keras_s_load(real_keras, name):
    theirs = getattr(real_keras.optimizers, name)(learning_rate=0.25, clipnorm=0.5, use_ema=True, name="mine")
    found = optimizers.get(real_keras.optimizers.serialize(theirs))
    assert found.get_config() == theirs.get_config()
    written = optimizers.serialize(found)
    assert written == real_keras.optimizers.serialize(theirs)
    read = real_keras.saving.deserialize_keras_object(json.loads(json.dumps(written)))
    assert read.get_config() == theirs.get_config()
    assert optimizers.deserialize(written).get_config() == found.get_config()


def test_a_schedule_is_part_of_the_config(real_keras):
    schedule = real_keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)
    theirs = real_keras.optimizers.Adam(schedule, name="mine")
    found = optimizers.get(real_keras.optimizers.serialize(theirs))
    assert float(found.learning_rate) == pytest.approx(0.1)
    assert optimizers.serialize(found) == real_keras.optimizers.serialize(theirs)


def test_the_config_holds_what_was_set_since():
    optimizer = SGD(0.1, momentum=0.5)
    optimizer.momentum, optimizer.learning_rate, optimizer.nesterov = 0.75, 0.2, True
    again = SGD.from_config(optimizer.get_config())
    assert (again.momentum, float(again.learning_rate), again.nesterov) == (0.75, pytest.approx(0.2), True)


def test_optimizers_classes_and_custom_objects_are_taken():
    class Mine(Adam):
        pass

    optimizer = SGD()
    assert optimizers.get(optimizer) is optimizer
    assert type(optimizers.get(Adam)) is Adam
    assert optimizers.get(None) is None
    with registry.CustomObjectScope({"Mine": Mine}):
        assert type(optimizers.get("Mine")) is Mine
        assert type(optimizers.deserialize(optimizers.serialize(Mine()))) is Mine


def test_anything_else_is_rejected_with_a_clear_error():
    with pytest.raises(ValueError, match=r"Unknown optimizer: 'adm'\. Did you mean 'adam'"):
        optimizers.get("adm")
    with pytest.raises(TypeError, match="optax transformation; got"):
        optimizers.get(print)
    with pytest.raises(TypeError, match="got 3"):
        optimizers.get(3)
