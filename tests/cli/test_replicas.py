"""`cornu run --replicas`: unchanged programs with error bars."""

import os
import re
import subprocess
import sys

import pytest

PROGRAM = """
import numpy as np
from keras.callbacks import CSVLogger, EarlyStopping
from keras import backend as K
from keras.layers import Dense, Dropout, Lambda
from keras.models import Sequential
from keras.optimizers import SGD
from keras.utils import set_random_seed

set_random_seed(4)
x = np.random.normal(size=(60, 5))
y = (x[:, 0] + np.random.normal(size=60) > 0).astype("float32")
set_random_seed(SEED)
other = Sequential([Dense(3, input_dim=2)])  # draws as well
model = Sequential()
model.add(Dense(8, activation="relu", input_dim=5))
model.add(Lambda(lambda x: x + K.random_normal((1, 1), stddev=0.0)))
model.add(Dropout(0.2))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer=SGD(lr=0.1), metrics=["accuracy"])
history = model.fit(x, y, nb_epoch=3, batch_size=20, validation_split=0.2, verbose=2, callbacks=CALLBACKS)
print("history", history.history["loss"][-1], float(history.history["loss"][-1]))
score = model.evaluate(x, y, verbose=0)
print("score: %.3f" % score[1], f"accuracy {score[1]:.3f}", score)
model.save_weights("model.weights.h5")
print("weights", *[weight.sum() for weight in model.get_weights()])
"""


def ran(folder, *options, seed=1, callbacks="[]", environment=None):
    program = folder / "program.py"
    program.write_text(PROGRAM.replace("SEED", str(seed)).replace("CALLBACKS", callbacks))
    done = subprocess.run(
        [sys.executable, "-m", "cornu", "run", *options, program],
        capture_output=True, text=True, cwd=folder, env=os.environ | (environment or {}), timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def loss_of(text):
    return float(re.search(r"history .* (\S+)$", text, re.M)[1])


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    folder = tmp_path_factory.mktemp("three")
    return folder, ran(folder, "--replicas", "3", callbacks="[CSVLogger('log.csv')]").stdout


def test_everything_printed_is_a_mean_with_its_deviation(three):
    folder, text = three
    line = r"3/3 - .* - loss: 0\.\d{4} ± 0\.\d{4} - accuracy: 0\.\d{4} ± 0\.\d{4} - val_loss: 0\.\d{4} ± 0\.\d{4}"
    assert len(re.findall(line, text)) == 3, text
    assert re.search(r"history 0\.\d+ ± 0\.\d+ 0\.\d+", text)
    assert re.search(r"score: 0\.\d{3} accuracy 0\.\d{3} ± 0\.\d{3} \[0\.\d+ ± 0\.\d+, 0\.\d+ ± 0\.\d+\]", text), text
    columns = (folder / "log.csv").read_text().splitlines()[0].split(",")
    assert {"loss", "loss_deviation", "val_loss", "val_loss_deviation"} <= set(columns)


def test_the_mean_is_that_of_runs_with_the_seeds(three, tmp_path):
    alone = [loss_of(ran(tmp_path, seed=seed).stdout) for seed in (1, 2, 3)]
    assert loss_of(three[1]) == pytest.approx(sum(alone) / 3, abs=2e-5)


def test_the_model_that_is_saved_is_the_first(three, tmp_path):
    texts = three[1], ran(tmp_path, seed=1).stdout
    found, expected = ([float(one) for one in re.search("^weights (.*)$", text, re.M)[1].split()] for text in texts)
    assert found == pytest.approx(expected, abs=1e-4)
    assert (three[0] / "model.weights.h5").exists()


def test_replicas_are_spread_over_devices(three, tmp_path):
    done = ran(tmp_path, "--devices", "2", "--replicas", "3")
    assert "replicas are spread over 2 devices, cpu:0 to cpu:1" in done.stderr
    assert loss_of(done.stdout) == pytest.approx(loss_of(three[1]), abs=2e-5)


def test_a_replica_can_stop_alone(tmp_path):
    stopping = "[EarlyStopping('loss', min_delta=0.03, verbose=1)]"
    text = ran(tmp_path, "--replicas", "3", callbacks=stopping).stdout
    assert re.search(r"^Replica \d: Epoch \d: early stopping$", text, re.M), text


def test_a_program_without_fit_is_told(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import keras")
    done = subprocess.run(
        [sys.executable, "-m", "cornu", "run", "--replicas", "2", program], capture_output=True, text=True, timeout=300
    )
    assert "nothing was trained in replicas" in done.stderr


def test_what_does_not_go_together_is_refused():
    for options in (["--resume", "kept"], ["--hosts"]):
        done = subprocess.run(
            [sys.executable, "-m", "cornu", "run", "--replicas", "2", *options, "program.py"],
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 2
        assert "--replicas does not go with" in done.stderr
