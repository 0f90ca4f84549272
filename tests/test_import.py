"""`import cornu` loads next to nothing; what it names is there when asked for."""

import json
import subprocess
import sys

import pytest

import cornu

LOADED = """
import json, sys
before = set(sys.modules)
import cornu
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@pytest.fixture(scope="module")
def loaded() -> list[str]:
    """Return the modules that `import cornu` adds in a fresh, isolated interpreter."""
    run = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(run.stdout)


def test_import_loads_no_jax_and_no_numpy(loaded):
    roots = {name.partition(".")[0] for name in loaded}
    assert not roots & {"jax", "jaxlib", "numpy", "optax", "h5py", "rich", "pooch"}


def test_import_loads_few_modules(loaded):
    """A count instead of a time: 50 ms on any machine is far more than a dozen small modules."""
    assert "cornu" in loaded
    assert len(loaded) <= 12, loaded


@pytest.mark.parametrize("name", [name for name in cornu.__all__ if name != "__version__"])
def test_every_public_name_is_there(name):
    assert getattr(cornu, name) is not None
    assert name in dir(cornu)


def test_unknown_name_says_which_is_near():
    with pytest.raises(AttributeError, match="Did you mean 'Sequential'"):
        _ = cornu.Sequental


def test_a_module_that_is_not_installed_is_an_attribute_error(monkeypatch):
    monkeypatch.setitem(cornu._MODULES, "later", "cornu.later")
    with pytest.raises(AttributeError, match=r"cornu\.later is not installed"):
        _ = cornu.later
