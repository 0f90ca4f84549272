"""Several processes, each of which gives its own rows of each batch: the training of one process with all of them."""

import json
import os
import subprocess
import sys

import numpy as np

PROGRAM = """
import json, sys
import jax, numpy as np, keras
from keras import distribution

def batches(first, last):
    x = np.random.default_rng(0).random((3, 14, 5), "float32")
    for part, rows in zip(x, (12, 14, 10)):  # each of two processes has 6, 7 or 5 of them, for two devices
        half = rows // 2
        chosen = part[first * half : last * half]
        yield chosen, chosen.sum(axis=1, keepdims=True)

class Rows:
    def __iter__(self):
        own = jax.process_index(), jax.process_index() + 1
        return batches(*(own if jax.process_count() > 1 else (0, 2)))

keras.utils.set_random_seed(3)
if jax.process_count() > 1:
    distribution.set_distribution(distribution.DataParallel(auto_shard_dataset=False))
model = keras.Sequential([keras.layers.Dense(8, "relu"), keras.layers.BatchNormalization(), keras.layers.Dense(1)])
model.compile("adam", "mse", metrics=["mae"])
history = model.fit(Rows(), epochs=2, validation_data=Rows(), verbose=0)
x, y = next(iter(Rows()))
loss = np.ravel(model.train_on_batch(x, y)).tolist()
print(json.dumps([history.history, [float(np.sum(weights)) for weights in model.get_weights()], loss]))
"""


def test_each_process_gives_its_own_rows(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")

    def printed(*options):
        command = [sys.executable, "-m", "cornu", "run", *options, "program.py"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200, env=os.environ)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    one, several = printed(), printed("--processes", "2", "--devices", "4")
    for name, values in one[0].items():
        np.testing.assert_allclose(several[0][name], values, rtol=1e-5)
    np.testing.assert_allclose(several[1], one[1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(several[2], one[2], rtol=1e-5)
