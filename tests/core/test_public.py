"""Public modules: `dir()` and `import *` give what Keras's users look for, and nothing that a module only uses."""

import importlib
import types

import pytest

import cornu
from cornu import applications, datasets

MODULES = [
    *sorted(set(cornu._MODULES.values())),
    *(f"cornu.ops.{name}" for name in ("image", "linalg", "nn", "numpy")),
    *(f"cornu.datasets.{name}" for name in datasets.__all__),
    "cornu.optimizers.schedules",
    "cornu.preprocessing.sequence",
]
#: Public modules inside public modules.
NAMED = ("bounding_boxes", "image", "linalg", "nn", "numpy", "schedules", "scikit_learn", "sequence", "text")
SUBMODULES = {*datasets.__all__, *applications.__all__, *NAMED}


@pytest.mark.parametrize("path", MODULES)
def test_only_public_names_are_shown(path):
    module = importlib.import_module(path)
    shown = dir(module)
    assert set(module.__all__) <= set(shown)
    assert not [name for name in shown if name.startswith("_")]
    things = {name: getattr(module, name) for name in shown}
    assert {name for name, thing in things.items() if isinstance(thing, types.ModuleType)} <= SUBMODULES
    foreign = (
        "typing",
        "collections.abc",
        "numpy",
        "cornu.core.public",
        "cornu.core.errors",
        "cornu.core.spellings",
        "cornu.ops.lifting",
    )
    assert not [name for name, thing in things.items() if getattr(thing, "__module__", None) in foreign]
    assert not set(shown) & {
        "Any",
        "Array",
        "np",
        "jax",
        "jnp",
        "fetch",
        "spellings",
        "registry",
        "core",
        "offer",
        "array_dtype",
    }


@pytest.mark.parametrize("path", MODULES)
def test_star_imports_what_is_shown(path):
    module, namespace = importlib.import_module(path), {}
    exec(f"from {path} import *", namespace)
    assert set(namespace) - {"__builtins__"} == set(module.__all__)


def test_the_package_shows_public_names():
    assert dir(cornu) == sorted(cornu.__all__)


@pytest.mark.parametrize("name", ["activations", "initializers", "layers", "losses", "metrics", "ops", "optimizers"])
def test_names_that_keras_has_too_are_shown(name, real_keras):
    """What is shown and Keras lacks is Cornu's own, and short."""
    module, theirs = getattr(cornu, name), dir(getattr(real_keras, name))
    assert len(set(dir(module)) & set(theirs)) > 0.7 * len(dir(module))


def test_names_of_ops_are_those_of_its_files():
    assert cornu.ops.matmul is cornu.ops.numpy.matmul
    assert cornu.ops.nn.moments is cornu.ops.moments
    assert len(cornu.ops.__all__) > 300
