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


def added(program: str) -> set[str]:
    """Return the modules of Cornu that `program` adds in a fresh, isolated interpreter."""
    program = (
        f"import cornu\n{program}\nimport sys; print(*sorted(name for name in sys.modules if name[:6] == 'cornu.'))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    return set(run.stdout.splitlines()[-1].split())


#: Folders and files that a first layer needs: itself, its arguments, the functions that layers are made of.
LAYERS_NEED = {"core", "kernels", "ops", "activations", "constraints", "initializers", "regularizers", "layers"}


@pytest.mark.parametrize(
    "layer", ["Dense(2)", "Dense(2, activation='relu', name='a', input_shape=(3,))", "Conv2D(4, kernel_size=3)"]
)
def test_a_first_layer_loads_only_what_it_needs(layer):
    assert {name.split(".")[1] for name in added(f"cornu.layers.{layer}")} == LAYERS_NEED


@pytest.mark.old_spellings
def test_a_first_old_keyword_loads_the_tables_of_keywords_alone():
    more = added("cornu.layers.Dense(2, init='uniform')") - added("cornu.layers.Dense(2)")
    assert more == {"cornu.compat", "cornu.compat.install", "cornu.compat.arguments", "cornu.compat.keywords"}


DENSE = "{'module': 'keras.layers', 'class_name': 'Dense', 'config': {'units': 2}, 'registered_name': None}"


@pytest.mark.parametrize(
    "config",
    [
        DENSE,
        DENSE.replace("'module': 'keras.layers', ", ""),
        "cornu.saving.serialize_keras_object(__import__('cornu.models').models.Sequential([]))",
        "{'module': 'keras.losses', 'class_name': 'Huber', 'config': {}, 'registered_name': None}",
        "{'module': 'keras.optimizers.schedules', 'class_name': 'CosineDecay', "
        "'config': {'initial_learning_rate': 0.1, 'decay_steps': 10}, 'registered_name': None}",
        "{'module': 'keras', 'class_name': 'DTypePolicy', 'config': {'name': 'float16'}, 'registered_name': None}",
    ],
)
def test_a_config_is_read_in_a_fresh_process(config):
    added(f"assert cornu.saving.deserialize_keras_object({config}) is not None")


def test_an_unknown_name_of_a_table_names_the_nearest_in_a_fresh_process():
    program = (
        "try: cornu.core.registry.LOSSES.find('huberr')\nexcept ValueError as error: assert \"'huber'\" in str(error)"
    )
    added(f"import cornu.core.registry\n{program}")


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
