"""Several processes, each of which gives its own rows of each batch: the training of one process with all of them."""

import json
import os
import subprocess
import sys

import numpy as np

from cornu.utils import save_img

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
loss = model.train_on_batch(x, y)
sums = [float(np.sum(weights)) for weights in model.get_weights()]
print(json.dumps([history.history, sums, np.ravel(loss).tolist()]))
"""


READING = """
import json
from pathlib import Path
import numpy as np, keras
from cornu.data import arrays
from cornu.preprocessing import file_batches

read = {"files": 0, "rows": 0}
begin, host_rows = file_batches._begin, arrays._host_rows

def counted_begin(pool, files, chosen, *rest):
    read["files"] += len(chosen)
    return begin(pool, files, chosen, *rest)

def counted_rows(array, rows):
    found = host_rows(array, rows)
    read["rows"] += len(found)
    return found

file_batches._begin, arrays._host_rows = counted_begin, counted_rows
keras.utils.set_random_seed(3)
pictures = keras.utils.image_dataset_from_directory("pictures", image_size=(6, 6), batch_size=8, seed=1)
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.SGD(1e-4), "binary_crossentropy")
found = [model.fit(pictures, epochs=3, verbose=0).history["loss"], model.predict(pictures, verbose=0).shape]
rows = np.load("rows.npy", mmap_mode="r")
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse")
found += [model.fit(rows, np.ones(50), batch_size=12, epochs=3, verbose=0).history["loss"]]
print(json.dumps([found, read]))
"""


def test_files_and_large_arrays_are_read_in_parts(tmp_path):
    for name in ("one", "other"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(15):
            pixels = np.random.default_rng(number).integers(0, 255, (6, 6, 3)).astype("uint8")
            save_img(tmp_path / "pictures" / name / f"{number}.png", pixels)
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).random((50, 4), "float32"))
    (tmp_path / "program.py").write_text(READING, encoding="utf-8")
    (one, all_read), (two, read) = (printed(tmp_path, *options) for options in ([], ["--processes", "2"]))
    np.testing.assert_allclose(two[0], one[0], rtol=1e-4)
    np.testing.assert_allclose(two[2], one[2], rtol=1e-4)
    assert two[1] == one[1] == [30, 1]
    assert all_read == {"files": 120, "rows": 300}
    assert read["files"] < 0.75 * all_read["files"]  # the first batches, and predictions, are read by all
    assert read["rows"] == 150


def printed(folder, *options):
    command = [sys.executable, "-m", "cornu", "run", *options, "program.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200, env=os.environ)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_each_process_gives_its_own_rows(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")

    one, several = printed(tmp_path), printed(tmp_path, "--processes", "2", "--devices", "4")
    for name, values in one[0].items():
        np.testing.assert_allclose(several[0][name], values, rtol=1e-5)
    np.testing.assert_allclose(several[1], one[1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(several[2], one[2], rtol=1e-5)
