"""What every test stands on: the CPU, real Keras on JAX as the reference, quiet drawing, the same seeds each time."""

import gc
import importlib.util
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for the package `benchmarks`, which is not installed
os.environ.setdefault("CORNU_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"cornu-tests-{os.getuid()}"))
# Nearly all of the time is compiling, and tiny arrays need no optimized programs. XLA_FLAGS= pytest has them.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
os.environ.update(
    CUDA_VISIBLE_DEVICES="",
    JAX_PLATFORMS="cpu",
    KERAS_BACKEND="jax",
    MPLBACKEND="Agg",
    NO_PROXY="127.0.0.1,localhost",
    no_proxy="127.0.0.1,localhost",
)

import random

import hypothesis
import numpy as np
import pytest

# The first call of a compiled function takes as long as the compiler does; the same examples each time.
hypothesis.settings.register_profile("cornu", deadline=None, derandomize=True, max_examples=25)
hypothesis.settings.load_profile("cornu")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def seeds():
    """Seed Python's and numpy's global generators, which Cornu's own random numbers start from."""
    random.seed(7)
    np.random.seed(7)


@pytest.fixture(autouse=True)
def thirty_two_bits():
    """Take back what a test's ``dtype="float64"`` allows the whole process."""
    yield
    jax = sys.modules.get("jax")
    if jax is not None and jax.config.jax_enable_x64:
        jax.config.update("jax_enable_x64", False)


@pytest.fixture(scope="session")
def real_keras():
    """Real Keras on JAX: the reference that figures are compared with."""
    keras = pytest.importorskip("keras")
    assert keras.backend.backend() == "jax"
    return keras


@pytest.fixture(scope="session")
def shared():
    """Give the folder ``../shared`` beside the checkout; a test that asks for it is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not there")
    return SHARED


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="also run the tests in long_tests.txt")


def pytest_collection_modifyitems(config, items):
    """Leave out the longest tests; skip those that need ``../shared``, or ``cornu.compat``, where that is absent."""
    if not config.getoption("--all"):
        long = set((Path(__file__).parent / "long_tests.txt").read_text(encoding="utf-8").splitlines())
        long -= set(config.args)  # asked for by name
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in long])
        items[:] = [item for item in items if item.nodeid not in long]
    absent = {} if SHARED.is_dir() else {"shared": f"{SHARED} is not there"}
    if importlib.util.find_spec("cornu.compat") is None:
        absent["old_spellings"] = "cornu.compat was deleted"
    for item in items:
        for name, reason in absent.items():
            if item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """After each module, take what is alive out of the collector's sight: JAX's caches make every collection slow."""
    if nextitem is None or nextitem.path != item.path:
        gc.collect()
        gc.freeze()
