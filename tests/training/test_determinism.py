"""The same seed gives the same bits in each process, on one core and on two."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import hashlib, os, sys
cores = sorted(os.sched_getaffinity(0))[: int(sys.argv[1])]
os.sched_setaffinity(0, cores)  # before XLA counts the cores and makes its threads
import numpy as np
import cornu as keras
from cornu import layers

def mlp():
    return [keras.Input((400,)), layers.Dense(256, "relu"), layers.Dropout(0.2), layers.Dense(10, "softmax")]

def cnn():
    return [
        keras.Input((20, 20, 1)), layers.Conv2D(16, 3, activation="relu"), layers.Conv2D(24, 3, padding="same"),
        layers.BatchNormalization(), layers.Activation("relu"), layers.MaxPooling2D(2), layers.Dropout(0.25),
        layers.Flatten(), layers.Dense(32, "relu"), layers.Dense(10, "softmax"),
    ]

def trained(make, optimizer):
    keras.utils.set_random_seed(7)
    model = keras.Sequential(make())
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = np.random.random((300, *model.input_shape[1:])).astype("float32")
    history = model.fit(x, np.arange(300) % 10, batch_size=100, epochs=2, verbose=0).history
    parts = [weight.tobytes() for weight in model.get_weights()]
    return hashlib.sha256(b"".join([*parts, repr(history).encode()])).hexdigest()

for make, optimizer in ((mlp, "rmsprop"), (cnn, "adadelta")):
    print(make.__name__, trained(make, optimizer))
"""


def _start(threads: int) -> subprocess.Popen:
    command = [sys.executable, "-c", PROGRAM, str(threads)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are chosen by a call that only Linux has")
def test_training_is_the_same_to_the_bit_with_one_thread_and_with_two() -> None:
    counts = [count for count in (1, 2) if count <= len(os.sched_getaffinity(0))]
    started = [(count, _start(count)) for count in counts for _ in range(2)]
    found: dict[tuple[int, str], set] = {}
    for count, process in started:
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        for name, digest in map(str.split, output.splitlines()):
            found.setdefault((count, name), set()).add(digest)
    assert sorted(found) == [(count, name) for count in counts for name in ("cnn", "mlp")]
    assert {case: len(hashes) for case, hashes in found.items()} == dict.fromkeys(found, 1)
