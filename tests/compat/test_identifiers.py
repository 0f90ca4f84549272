"""Old names of losses, metrics and constraints: the tables of today do not hold them, yet programs find them."""

import numpy as np
import pytest

import cornu
from cornu import constraints, losses, metrics  # noqa: F401, they fill their tables
from cornu.compat.names import IDENTIFIERS
from cornu.core import registry

OLD = [(module, old, today) for module, names in IDENTIFIERS.items() for old, today in names.items()]


@pytest.mark.parametrize(("module", "old", "today"), OLD)
def test_an_old_name_finds_what_has_another_name_today(module, old, today):
    table = registry.tables[module]
    assert old not in table.things, "the core keeps today's spelling only"
    assert table.find(old) is table.things[today]
    assert old in table


def test_a_model_is_compiled_by_old_names_and_logs_have_them():
    model = cornu.Sequential([cornu.layers.Dense(2, kernel_constraint="maxnorm")])
    model.compile("sgd", loss="kullback_leibler_divergence", metrics=["cosine_proximity", "logcosh"])
    y = np.full((4, 2), 0.5, "float32")
    history = model.fit(np.ones((4, 3)), y, verbose=0).history
    assert set(history) == {"loss", "cosine_proximity", "logcosh"}


def test_a_users_own_thing_of_an_old_name_comes_first():
    with cornu.utils.custom_object_scope({"logcosh": len}):
        assert cornu.losses.get("logcosh") is len


def test_other_names_of_keras_are_found_in_the_modules_too():
    """`import cornu as keras` is enough: the import hook is not installed here."""
    assert cornu.layers.MaxPool2D is cornu.layers.MaxPooling2D
    assert cornu.layers.Convolution2D(2, 3, 3, border_mode="same").kernel_size == (3, 3)
    assert cornu.regularizers.l1l2 is cornu.regularizers.L1L2
    with pytest.raises(AttributeError, match=r"'Denze'.*Did you mean 'Dense'"):
        _ = cornu.layers.Denze
    with pytest.raises(AttributeError, match=r"It is in cornu\.optimizers"):
        _ = cornu.layers.Adam
    with pytest.raises(NotImplementedError, match="JaxLayer is not in this version"):
        cornu.layers.JaxLayer(3)
    assert not hasattr(cornu.layers, "no_such_layer")
