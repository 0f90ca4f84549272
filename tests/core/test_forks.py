"""Forked processes: they compute if nothing was computed before, and are refused otherwise instead of waiting."""

import os
import subprocess
import sys
import textwrap

import pytest

PROGRAM = """
import os, signal, sys, warnings
warnings.simplefilter("ignore")  # JAX warns of every fork
import numpy as np
import cornu
from cornu import layers

x = np.ones((64, 300), "float32")

def built():
    model = cornu.Sequential([cornu.Input((300,)), layers.Dense(300), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model

def in_child(*works):
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        for work in works:
            try:
                print(work(), flush=True)
            except RuntimeError as error:
                print("refused:", str(error).split(" cannot run")[0], "spawn" in str(error), flush=True)
        os._exit(0)
    print(os.waitpid(pid, 0)[1], flush=True)

"""
BEFORE = """
in_child(lambda: built().predict(x, verbose=0).shape)
"""
AFTER = """
model = built()
model.predict(x, verbose=0)
in_child(
    lambda: model.predict(x, verbose=0),
    lambda: model.predict_on_batch(x),
    lambda: model(x),
    lambda: model.fit(x, x[:, :1], verbose=0),
    lambda: model.train_on_batch(x, x[:, :1]),
    lambda: model.evaluate(x, x[:, :1], verbose=0),
    lambda: model.get_weights()[0].shape,
)
print(model.predict(x, verbose=0).shape)
"""


def run(program):
    text = PROGRAM + textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_forked_after_import_computes():
    assert run(BEFORE) == ["(64, 1)", "0"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_forked_after_use_is_refused():
    refused = ["predict", "predict_on_batch", "Sequential", "fit", "train_on_batch", "evaluate"]
    assert run(AFTER) == [*(f"refused: {what} True" for what in refused), "(300, 300)", "0", "(64, 1)"]
