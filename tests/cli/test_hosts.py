"""``cornu run --processes N``: real processes train one program together, with the numbers of one process."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import pytest

from cornu.cli import hosts
from cornu.cli.main import main

PROGRAM = """
import json, os, sys
import numpy as np
import keras
import tensorflow as tf
from keras import layers

np.random.seed(3)
x = np.random.rand(150, 6).astype("float32")
y = (x.sum(1) > 3).astype("int32")
found = {}

def mlp():
    model = keras.Sequential([layers.Dense(40, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.3),
                              layers.Dense(40, activation="relu"), layers.Dense(2, activation="softmax")])
    model.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

model = mlp()
best = keras.callbacks.ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True)
stopping = keras.callbacks.EarlyStopping("val_loss", patience=2)
log = keras.callbacks.CSVLogger("log.csv")
history = model.fit(x, y, batch_size=32, epochs=4, validation_split=0.2, callbacks=[best, stopping, log], verbose=2)
found["history"] = history.history
found["evaluate"] = model.evaluate(x, y, verbose=0)
found["predict"] = model.predict(x[:7], verbose=0).tolist()
found["best"] = keras.models.load_model("best.keras").predict(x[:2], verbose=0).tolist()

def batches():
    while True:
        for start in range(0, 150, 30):
            yield x[start : start + 30], y[start : start + 30]

model.fit(batches(), steps_per_epoch=5, epochs=2, verbose=0)

class Numbered(keras.utils.PyDataset):
    def __len__(self):
        return 3
    def __getitem__(self, number):
        return x[number * 9 : number * 9 + 9], y[number * 9 : number * 9 + 9]

model.fit(Numbered(), epochs=2, verbose=0, callbacks=[keras.callbacks.TensorBoard("board", histogram_freq=1)])
found["train_on_batch"] = [float(one) for one in model.train_on_batch(x[:5], y[:5])]

class Told(keras.Sequential):
    def train_step(self, data):
        tf.print("mean", tf.reduce_mean(data[0]), output_stream=sys.stdout)
        return super().train_step(data)

told = Told([layers.Dense(1)])
told.compile("sgd", "mse")
found["told"] = told.fit(np.ones((12, 3)), np.ones((12, 1)), batch_size=4, verbose=0).history
inputs = layers.Input((5,))
hidden = layers.LSTM(8)(layers.Embedding(9, 8, mask_zero=True)(inputs))
words = keras.Model(inputs, [layers.Dense(1, name="a")(hidden), layers.Dense(3, name="b")(hidden)])
words.compile("sgd", {"a": "mse", "b": "mse"})
found["words"] = words.fit(np.arange(100).reshape(20, 5) % 9, [np.ones((20, 1)), np.ones((20, 3))], verbose=0).history
found["weights"] = [float(abs(w).sum()) for w in [*model.get_weights(), *words.get_weights()]]
own = keras.Variable(np.random.default_rng(os.getpid()).random(3))  # each process draws others
print(json.dumps(found))
"""

UNLIKE = """
import jax, numpy as np, keras
from jax.experimental.multihost_utils import process_allgather
def drawn(shape, dtype=None):  # in each process others
    return np.random.default_rng(jax.process_index()).random(shape)
def batches():
    for _ in range(2 + jax.process_index()):
        yield np.ones((4, 3)), np.ones((4, 1))
model = keras.Sequential([keras.layers.Dense(1, kernel_initializer=drawn)])
model.compile("sgd", "mse")
model.fit(np.ones((8, 3)), np.ones((8, 1)), batch_size=4, verbose=0)
weights = process_allgather(model.get_weights()[0])
data = process_allgather(np.array([np.random.default_rng().random(), np.random.RandomState().rand()]))
print(weights.shape, (weights[0] == weights[1]).all(), (data[0] == data[1]).all(), flush=True)
model.fit(batches(), verbose=0)
"""

WRONG = "import sys, keras\nprint(input())\nprint('progress', file=sys.stderr)\nkeras.layers.Dense(-3, name=object())\n"
EXITS = "import sys\nsys.exit(3)\n"
SLOW = "import time\nprint('begun', flush=True)\ntime.sleep(60)\n"


def begin(folder, program, *options, name="program.py"):
    (folder / name).write_text(program, encoding="utf-8")
    command = [sys.executable, "-W", "error", "-m", "cornu", "run", "--era", "3", "--seed", "1", *options, name]
    with tempfile.TemporaryFile() as typed:
        typed.write(b"begun\n")
        typed.seek(0)
        return subprocess.Popen(
            command, cwd=folder, env=os.environ, text=True, stdin=typed, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """What each program prints, by processes: some at once."""
    running = {}
    for name, program, options in (
        ("one", PROGRAM, []),
        ("two", PROGRAM, ["--processes", "2"]),
        ("split", PROGRAM, ["--processes", "2", "--devices", "2", "--shard-state"]),
        ("unlike", UNLIKE, ["--processes", "2"]),
        ("wrong", WRONG, ["--processes", "3"]),
        ("exits", EXITS, ["--processes", "2"]),
    ):
        folder = tmp_path_factory.mktemp(name)
        running[name] = folder, begin(folder, program, *options)
    return {
        name: (folder, *process.communicate(timeout=600), process.returncode)
        for name, (folder, process) in running.items()
    }


def results(printed):
    _, output, errors, code = printed
    assert code == 0, errors
    return json.loads(output.splitlines()[-1])


@pytest.mark.parametrize("kind", ["two", "split"])
def test_the_numbers_are_those_of_one_process(kind, ran):
    one, several = results(ran["one"]), results(ran[kind])
    assert list(one) == list(several)
    for name in one:
        assert flat(several[name]) == pytest.approx(flat(one[name]), rel=1e-4, abs=1e-5), name


def flat(value):
    if isinstance(value, dict):
        value = list(value.values())
    return [number for one in value for number in flat(one)] if isinstance(value, list) else [value]


@pytest.mark.parametrize("kind", ["two", "split"])
def test_one_process_prints_and_writes(kind, ran):
    folder, output, errors, _ = ran[kind]
    assert output.count("Epoch 1/4") == 1
    assert output.count("mean 1\n") == 3
    assert len((folder / "log.csv").read_text().splitlines()) == 5
    assert sorted(path.name for path in folder.iterdir()) == ["best.keras", "board", "log.csv", "program.py"]
    assert len(list((folder / "board" / "train").iterdir())) == 1
    split = "batches, variables and the optimizer's state are" if kind == "split" else "batches are"
    devices = {"two": 2, "split": 4}[kind]
    assert errors == f"cornu: {split} split over {devices} devices of 2 processes\n"


def test_data_of_other_lengths_are_told(ran):
    _, output, errors, code = ran["unlike"]
    assert code == 1
    assert output == "(2, 3, 1) True True\n"
    assert "Process 0 has 2 batches in an epoch, process 1 has more." in errors
    assert "Process 0 has 2 batches" in errors.partition("process 0 of 2, on ")[2]


def test_a_program_s_error_is_shown_once(ran):
    _, output, errors, code = ran["wrong"]
    assert (code, output) == (1, "begun\n")
    assert errors.count("Traceback") == 1
    assert errors.count("ValueError") == 1
    assert errors.count("progress") == 1


def test_the_exit_code_is_the_program_s(ran):
    assert ran["exits"][1:] == ("", "", 3)


@pytest.mark.skipif(sys.platform == "win32", reason="signals end processes there at once")
def test_ending_the_command_ends_all(tmp_path):
    process = begin(tmp_path, SLOW, "--processes", "2")
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM


def test_one_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(hosts, "ENDING", 0.1)
    programs = ["raise SystemExit(3)", "import time; time.sleep(60)"]
    codes = hosts._wait_for([subprocess.Popen([sys.executable, "-c", one]) for one in programs])
    assert codes[0] == 3
    assert codes[1] != 0


def test_without_a_job_hosts_says_what_to_do(tmp_path, capsys, monkeypatch):
    for name in list(os.environ):
        if name.startswith(("SLURM_", "OMPI_", "KUBERNETES_")):
            monkeypatch.delenv(name)
    (tmp_path / "program.py").write_text("print('no')")
    assert main(["run", "--hosts", str(tmp_path / "program.py")]) == 2
    said = capsys.readouterr().err
    assert "--hosts finds no SLURM, Open MPI or Kubernetes job" in said
    assert "--coordinator HOST:PORT" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--coordinator", "here:1", "--processes", "2", "--process", "2"], "There is no process 2 of 2"),
        (["--coordinator", "here", "--processes", "2", "--process", "0"], "must be HOST:PORT"),
        (["--coordinator", "here:1", "--processes", "2"], "--hosts finds no SLURM"),
    ],
)
def test_what_makes_no_sense_is_told(options, message, tmp_path, capsys):
    (tmp_path / "program.py").write_text("print('no')")
    assert main(["run", *options, str(tmp_path / "program.py")]) == 2
    assert message in capsys.readouterr().err
