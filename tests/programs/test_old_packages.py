import importlib
import sys

import numpy as np
import pytest

from cornu.programs import old_packages


def test_numpy_names_that_are_asked_for_and_gone():
    names = old_packages.numpy_names("a = np.float(3); b = numpy.product([1]); c = np.zeros(3); d = other.int")
    assert names == {"float": float, "product": np.prod}


def test_numpy_gets_them(monkeypatch):
    for name in ("float", "asscalar"):
        monkeypatch.setattr(np, name, None, raising=False)
        monkeypatch.delattr(np, name)
    old_packages.restore("x = np.asscalar(np.ones(1)) + np.float(1)")
    try:
        assert np.asscalar(np.ones(1)) == 1.0
        assert np.float is float  # noqa: NPY001
    finally:
        del np.float, np.asscalar  # noqa: NPY001


@pytest.fixture
def meta_path(monkeypatch):
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    for name in [name for name in sys.modules if name == "matplotlib.style"]:
        monkeypatch.delitem(sys.modules, name)


def test_old_style_names(meta_path):
    old_packages.restore("plt.style.use('seaborn-whitegrid')")
    style = importlib.import_module("matplotlib.style")
    assert style.library["seaborn-whitegrid"] == style.library["seaborn-v0_8-whitegrid"]
    del style.library["seaborn-whitegrid"]
    old_packages.restore("plt.style.use('seaborn-whitegrid')")  # matplotlib is there already
    assert "seaborn-whitegrid" in style.library


def test_six_stand_in():
    from cornu.compat import imports
    from cornu.programs import six_names

    spec = imports.OldStandardLibraryFinder().find_spec("six.moves")
    assert spec is not None
    assert imports.OldStandardLibraryFinder().find_spec("seven") is None
    assert list(six_names.moves.range(2)) == [0, 1]
    assert dict(six_names.iteritems({1: 2})) == {1: 2}
