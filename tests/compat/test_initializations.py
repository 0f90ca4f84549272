import numpy as np
import pytest

from cornu import layers
from cornu.compat import initializations
from cornu.core.variable import Variable


@pytest.mark.parametrize("name", sorted(initializations.FUNCTIONS))
def test_each_gives_a_variable(name):
    variable = initializations.get(name)((6, 6), name="W")
    assert isinstance(variable, Variable)
    assert variable.shape == (6, 6)
    assert variable.name == "W"


def test_scales():
    assert 0.4 < np.abs(initializations.uniform((50, 50), scale=0.5).numpy()).max() <= 0.5
    assert initializations.normal((80, 80), scale=0.01).numpy().std() == pytest.approx(0.01, rel=0.1)
    assert initializations.identity((2, 2), scale=3).numpy().tolist() == [[3, 0], [0, 3]]


def test_a_layer_takes_them():
    layer = layers.Dense(3, input_dim=3, init=lambda shape, name=None: initializations.one(shape, name=name))
    layer.build((None, 3))
    assert layer.get_weights()[0].tolist() == np.ones((3, 3)).tolist()


def test_names_are_clear():
    function = initializations.get("normal")
    assert initializations.get(function) is function
    with pytest.raises(ValueError, match="glorot_normal"):
        initializations.get("glorot_norm")
