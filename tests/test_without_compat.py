"""Without the folder compat/ the library knows today's spelling only, and works: a copy of it shows that."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cornu

TESTS = Path(__file__).parent
IMPORTS = """
import importlib, pkgutil
import cornu

for found in pkgutil.walk_packages(cornu.__path__, "cornu."):
    if found.name not in ("cornu.__main__", "cornu.cli.run", "cornu.cli.resume"):
        importlib.import_module(found.name)
assert importlib.util.find_spec("cornu.compat") is None
try:
    cornu.layers.Dense(3, init="uniform")
except TypeError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Return a function that runs Python with a copy of the package that has no compat/."""
    folder = tmp_path_factory.mktemp("bare")
    hidden = shutil.ignore_patterns("__pycache__", "compat")
    shutil.copytree(Path(cornu.__file__).parent, folder / "cornu", ignore=hidden)

    def run(*arguments):
        environment = os.environ | {"PYTHONPATH": str(folder)}
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280)

    return run


def test_every_other_module_can_be_imported_and_old_keywords_are_unknown(bare):
    """`cornu run` is left out: running old programs is what compat/ is for."""
    done = bare("-c", IMPORTS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Dense has no argument 'init'.")


def test_the_librarys_own_tests_pass(bare):
    """The quick ones; `PYTHONPATH=the-copy pytest tests` runs all."""
    chosen = [str(TESTS / name) for name in ("tiny.py", "core/test_graph.py", "core/test_layer.py", "models")]
    settings = ["-p", "no:cacheprovider", "-c", str(TESTS.parent / "pyproject.toml"), "--rootdir", str(TESTS.parent)]
    done = bare("-m", "pytest", "-q", *settings, *chosen)
    assert done.returncode == 0, done.stdout[-5000:]
    assert "compat was deleted" in done.stdout
