"""The examples in docstrings run and print what they say."""

import subprocess
import sys

# In a process of its own: examples may install Cornu as Keras, and the tests need real Keras.
PROGRAM = """
import doctest, importlib, pkgutil, sys
import cornu

failed = tried = 0
for found in pkgutil.walk_packages(cornu.__path__, "cornu."):
    if found.name.endswith("__main__") or ".examples" in found.name:
        continue
    result = doctest.testmod(importlib.import_module(found.name), optionflags=doctest.ELLIPSIS)
    failed, tried = failed + result.failed, tried + result.attempted
print(f"{tried} examples, {failed} failed")
sys.exit(failed > 0 or tried == 0)
"""


def test_examples_in_docstrings(tmp_path):
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=tmp_path, timeout=280)
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-3000:]
