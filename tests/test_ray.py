"""Training on a Ray cluster of this machine. scripts/ray runs this with Ray; without it, most is skipped."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cornu
from cornu import callbacks, layers
from cornu import ray as on_ray
from cornu.data.dataset import Dataset

X = np.random.default_rng(0).random((96, 5), "float32")
Y = X.sum(1, keepdims=True)
ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.filterwarnings(r"ignore:.*:Warning:ray(\..*)?")  # Ray's own, about itself


@pytest.fixture(scope="module")
def ray():
    """A cluster of three processors. Its workers get what is defined in this file with the functions that use it."""
    ray = pytest.importorskip("ray")
    pytest.importorskip("ray.train")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False)
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield ray
    ray.shutdown()


def build():
    cornu.utils.set_random_seed(3)
    model = cornu.Sequential([cornu.Input((5,)), layers.Dense(8, "relu"), layers.Dropout(0.2), layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def without_chance():
    """A model whose training does not depend on the order of the rows, with batches of all of them."""
    cornu.utils.set_random_seed(3)
    model = cornu.Sequential([cornu.Input((5,)), layers.Dense(8, "relu"), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def assert_equal(fitted, model, history):
    """The training was that of one process."""
    assert fitted.epoch == history.epoch
    assert fitted.history.keys() == history.history.keys()
    for name, values in history.history.items():
        np.testing.assert_allclose(fitted.history[name], values, rtol=1e-5)
    for found, expected in zip(fitted.model().get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


class DieOnce(callbacks.Callback):
    """Kills the second worker after 16 batches, once; notes which epochs begin in the first worker."""

    def __init__(self, folder):
        self.folder = folder

    def on_epoch_begin(self, epoch, logs=None):
        if rank() == 0:
            with (self.folder / "epochs").open("a") as file:
                file.write(f"{epoch} ")

    def on_train_batch_end(self, batch, logs=None):
        iterations = int(self.model.optimizer.iterations)
        if iterations == 16 and rank() == 1 and not (self.folder / "died").exists():
            (self.folder / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)


def rank():
    import ray.train

    return ray.train.get_context().get_world_rank()


@pytest.mark.parametrize(("save_freq", "starts"), [(5, (1, 2)), ("epoch", (0, 1, 2))])
def test_training_goes_on_after_a_worker_has_died(ray, tmp_path, save_freq, starts):
    """Ray may not have taken note of the last checkpoint, and these epochs are so short that they make none."""
    options = {"epochs": 4, "batch_size": 16, "validation_data": (X[:11], Y[:11]), "verbose": 0}
    fitted = on_ray.fit(
        build, (X, Y), workers=2, storage_path=tmp_path / "runs", max_failures=1, save_freq=save_freq,
        callbacks=[DieOnce(tmp_path)], **options,
    )  # fmt: skip
    assert (tmp_path / "died").exists()
    begun = (tmp_path / "epochs").read_text().split()
    assert begun[:3] == ["0", "1", "2"]
    assert begun[3:] in [list("0123"[start:]) for start in starts]
    model = build()
    assert_equal(fitted, model, model.fit(X, Y, **options))
    assert fitted.result.metrics["epoch"] == 4
    assert Path(fitted.result.path).is_relative_to(tmp_path / "runs")


def test_each_worker_reads_its_part_of_a_ray_data_set(ray, tmp_path):
    import ray.data

    rows = ray.data.from_items([{"five": x, "label": y} for x, y in zip(X, Y, strict=True)])
    fitted = on_ray.fit(
        without_chance, rows, validation_data=rows, epochs=3, batch_size=96, workers=2, storage_path=tmp_path
    )
    model = without_chance()
    history = model.fit(X, Y, epochs=3, batch_size=96, verbose=0, validation_data=(X, Y), validation_batch_size=96)
    assert_equal(fitted, model, history)


def test_training_on_a_ray_data_set_goes_on(ray, tmp_path):
    import ray.data

    rows = ray.data.from_items([{"five": x, "label": y} for x, y in zip(X, Y, strict=True)])
    fitted = on_ray.fit(
        without_chance, rows, epochs=20, batch_size=96, workers=2, storage_path=tmp_path, max_failures=1, save_freq=7,
        callbacks=[DieOnce(tmp_path)],
    )  # fmt: skip
    assert (tmp_path / "died").exists()
    assert len((tmp_path / "epochs").read_text().split()) < 20 + 17  # not from the beginning
    model = without_chance()
    assert_equal(fitted, model, model.fit(X, Y, epochs=20, batch_size=96, verbose=0))


def test_a_function_makes_the_data_in_each_worker(ray, tmp_path):
    fitted = on_ray.fit(build, lambda: (X, Y), epochs=1, storage_path=tmp_path)
    model = build()
    assert_equal(fitted, model, model.fit(X, Y, verbose=0))


def test_data_sets_are_sent(ray, tmp_path):
    rows = Dataset.from_tensor_slices((X, Y)).map(lambda x, y: (2 * x, y)).batch(16)
    next(iter(rows))  # its functions have been compiled
    fitted = on_ray.fit(build, rows, epochs=1, workers=2, storage_path=tmp_path, validation_data=rows)
    model = build()
    assert_equal(fitted, model, model.fit(rows, verbose=0, validation_data=rows))


def test_an_error_has_the_workers_traceback(ray, tmp_path):
    def broken():
        raise LookupError("there is no model")

    with pytest.raises(ray.train.WorkerGroupError) as caught:
        on_ray.fit(broken, (X, Y), workers=2, storage_path=tmp_path)
    said = str(caught.value)
    assert said.count('raise LookupError("there is no model")') == 1
    assert "In worker 0, 1:\nTraceback" in said
    assert said.endswith("LookupError: there is no model")


@pytest.mark.parametrize(
    ("made", "options", "message"),
    [
        (lambda: 3, {}, r"build\(\) must return a compiled model of Cornu; got a <class 'int'>"),
        (build, {"batch_size": 5}, "batch_size=5 cannot be split evenly over 2 workers: choose a multiple"),
    ],
)
def test_errors_say_what_is_wrong(ray, tmp_path, made, options, message):
    import ray.data

    with pytest.raises(ray.train.WorkerGroupError, match=message):
        on_ray.fit(made, ray.data.from_numpy(X), workers=2, storage_path=tmp_path, **options)


def test_backups_are_its_own(ray):
    with pytest.raises(ValueError, match="leave BackupAndRestore out"):
        on_ray.fit(build, (X, Y), callbacks=[callbacks.BackupAndRestore("somewhere")])


def test_the_program_of_the_page_runs(ray, tmp_path):
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^~~~python\n(.*?)^~~~$", page, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "cornu", "run", "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert float(done.stdout.splitlines()[-1]) < 0.1


def test_without_ray_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=re.escape("Training on Ray needs Ray Train: pip install 'cornu[ray]'")):
        on_ray.fit(build, (X, Y))
