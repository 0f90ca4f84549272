"""Training on a Ray cluster. Ray Train starts the workers, restarts those that die and keeps the checkpoints; needs the
extra ``ray``.

Each worker joins the others as any process of Cornu does, so the results are those of one process, but for rounding.
"""

import contextlib
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax

import cornu
from cornu.callbacks.backup import BackupAndRestore
from cornu.checkpoints.fit_backup import FitBackup
from cornu.core import jax_processes, processes
from cornu.core.distribution import DataParallel, set_distribution
from cornu.core.layouts import list_devices
from cornu.core.ownership import is_library_module
from cornu.core.public import offer
from cornu.core.seeds import fresh_seed, set_random_seed
from cornu.core.tracebacks import is_inner
from cornu.data.batch import OwnRows
from cornu.models import Model
from cornu.saving.files import load_model
from cornu.training.backup import Place

MODEL = "model.keras"
STATE = "training"  # the folder of a checkpoint that has the whole state of the training
KEPT = 2  # how many checkpoints are kept
LEAST = 10.0  # seconds between those after epochs: Ray takes up to 2 for each


class Work(NamedTuple):
    """What each worker does."""

    build: Callable[[], Any]
    data: Any
    validation: Any
    arguments: dict[str, Any]
    backup: "Reporting"
    seed: int


class Part(NamedTuple):
    """Stands for a ``ray.data.Dataset``, of which each worker has a part, by the name that the trainer has for it."""

    name: str


class Fitted(NamedTuple):
    """What `fit` returns.

    Attributes:
        history: The logs of each epoch, by name: those of `History`.
        epoch: The numbers of the epochs, from 0.
        result: The ``ray.train.Result``: its checkpoint, and where it is.
    """

    history: dict[str, list[Any]]
    epoch: list[int]
    result: Any

    def model(self, custom_objects: dict[str, Any] | None = None) -> Any:
        """Return the trained model, as `load_model` loads it."""
        with self.result.checkpoint.as_directory() as folder:
            return load_model(Path(folder) / MODEL, custom_objects)


def fit(
    build: Callable[[], Any],
    data: Any,
    *,
    validation_data: Any = None,
    workers: Any = 1,
    use_gpu: bool = False,
    storage_path: Any = None,
    name: str | None = None,
    max_failures: int = 0,
    save_freq: str | int = "epoch",
    scaling_config: Any = None,
    run_config: Any = None,
    **arguments: Any,
) -> Fitted:
    """Train a model in several workers of a Ray cluster.

    Ray starts where ``RAY_ADDRESS`` or ``ray.init`` says, else on this machine. The workers compute each step together:
    the results are those of `Model.fit` in one process with the same batches, but for rounding. Checkpoints in
    `storage_path` have the whole state of the training. If a worker dies, Ray Train starts all of them again, and they
    go on from the last one.

    Args:
        build: Returns the compiled model. Each worker calls it.
        data: What `Model.fit` takes, such as ``(x, y)`` or a data set; a function that returns that in each worker; or
            a ``ray.data.Dataset``, of which each worker reads its part: then `batch_size`, the rows of a step in all
            workers together, has to divide by their number.
        validation_data: The same for the validation.
        workers: The number of workers, or ``(least, most)``.
        use_gpu: Whether each gets a GPU.
        storage_path: A folder or address that all hosts of the cluster can reach; by default Ray's, on this machine.
        name: The name of the run in it. A run of the same name that has been ended goes on.
        max_failures: How often the workers are started again; -1 for always.
        save_freq: A number of batches after which a checkpoint is made; or ``"epoch"``, for those epochs that end 10
            seconds or more after the last checkpoint.
        scaling_config: A ``ray.train.ScalingConfig`` instead of `workers` and `use_gpu`.
        run_config: A ``ray.train.RunConfig`` instead of `storage_path`, `name` and `max_failures`.
        arguments: Further ones of `Model.fit`. Callbacks run in each worker.

    Raises:
        ImportError: Ray Train is not installed.
        ValueError: `callbacks` has a `BackupAndRestore`.
        ray.train.WorkerGroupError: A worker has failed, and `max_failures` are used up; it has the worker's traceback.

    Follows https://docs.ray.io/en/latest/train/train.html

    >>> fitted = fit(build, (x, y), epochs=10, workers=4, max_failures=3)  # doctest: +SKIP
    >>> fitted.model().evaluate(x, y)  # doctest: +SKIP
    """
    ray = _package()
    train = ray.train
    os.environ.setdefault("RAY_TRAIN_ENABLE_PRINT_PATCH", "0")  # with it, Ray 2.60 shows what workers print twice
    if any(isinstance(one, BackupAndRestore) for one in _as_list(arguments.get("callbacks"))):
        raise ValueError("cornu.ray.fit keeps the state of the training by itself: leave BackupAndRestore out.")
    named = {"train": data, "validation": validation_data}
    parts = {name: one for name, one in named.items() if _is_ray_data(one)}
    named |= {name: Part(name) for name in parts}
    work = Work(
        build, named["train"], named["validation"], {"verbose": 2} | arguments, Reporting(STATE, save_freq),
        fresh_seed() % 2**32,
    )  # fmt: skip
    trainer = ray.train.v2.jax.JaxTrainer(
        _work,
        train_loop_config={
            "work": ray.put(work),
            "is_keras": _is_keras(),
        },
        jax_config=ray.train.v2.jax.JaxConfig(),  # the workers join by themselves
        scaling_config=scaling_config or train.ScalingConfig(num_workers=workers, use_gpu=use_gpu),
        run_config=run_config
        or train.RunConfig(
            name=name,
            storage_path=None if storage_path is None else str(storage_path),
            failure_config=train.FailureConfig(max_failures=max_failures),
            checkpoint_config=train.CheckpointConfig(num_to_keep=KEPT),
            logging_config=train.LoggingConfig("WARNING"),
        ),
        datasets=parts,
    )
    try:
        result = trainer.fit()
    except train.WorkerGroupError as error:
        raise _explained(error) from None
    history, epoch = result.return_value
    return Fitted(history, epoch, result)


def _package() -> Any:
    try:
        import ray.train.collective
        import ray.train.v2.jax
    except ImportError as error:
        raise ImportError("Training on Ray needs Ray Train: pip install 'cornu[ray]'", name=error.name) from None
    return ray


def _is_ray_data(data: Any) -> bool:
    return "ray.data" in sys.modules and isinstance(data, sys.modules["ray.data"].Dataset)


def _is_keras() -> bool:
    """Return whether ``import keras`` means Cornu in this process, as under ``cornu run``."""
    return any(is_library_module(type(finder).__module__) for finder in sys.meta_path)


def _as_list(callbacks: Any) -> list[Any]:
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [] if callbacks is None else [callbacks]


def _explained(error: Any) -> Exception:
    """Return Ray's error with what went wrong first, without the ends of the other workers that followed."""
    failures = {
        rank: one for rank, one in error.worker_failures.items() if not isinstance(one, processes.ProcessLostError)
    } or error.worker_failures
    texts = {rank: getattr(one, "worker_traceback", str(one)) for rank, one in sorted(failures.items())}
    known: dict[str, list[int]] = {}
    for rank, text in texts.items():
        known.setdefault(text.strip(), []).append(rank)
    said = (f"In worker {', '.join(map(str, ranks))}:\n{text}" for text, ranks in known.items())
    return type(error)("\n".join(said), failures)


# ---- in a worker


def _work(config: dict[str, Any]) -> tuple[dict[str, list[Any]], list[int]]:
    """Train as one of the workers; returns the logs and numbers of the epochs."""
    if config["is_keras"]:
        cornu.install_as_keras()
    ray = _package()
    _join(ray)
    try:
        history = _fitted(ray, ray.get(config["work"]))
    except Exception as error:
        error.worker_traceback = _told(error)  # type: ignore[attr-defined]
        raise
    processes.leave()
    return history.history, history.epoch


def _told(error: Exception) -> str:
    """Return the traceback of an error with the lines of the user's code, for the error that the driver raises."""
    report = traceback.TracebackException.from_exception(error)
    report.stack = traceback.StackSummary.from_list([one for one in report.stack if not is_inner(one.filename)])
    return "".join(report.format())


def _join(ray: Any) -> None:
    """Join the other workers, with the devices that Ray gives this one."""
    if not os.environ.get("JAX_PLATFORMS") and not any(ray.get_runtime_context().get_accelerator_ids().values()):
        jax.config.update("jax_platforms", "cpu")
    context = ray.train.get_context()
    count, index = context.get_world_size(), context.get_world_rank()
    if count == 1:
        return
    address = f"{ray.util.get_node_ip_address()}:{processes.free_port()}" if index == 0 else None
    address = ray.train.collective.broadcast_from_rank_zero(address)
    jax_processes.join(jax_processes.Job(address, count, index))


def _fitted(ray: Any, work: Work) -> Any:
    set_random_seed(work.seed)
    if len(list_devices()) > 1:
        set_distribution(DataParallel())
    model = work.build()
    if not isinstance(model, Model):
        raise TypeError(f"build() must return a compiled model of Cornu; got a {type(model)}.")
    arguments, size = dict(work.arguments), work.arguments.get("batch_size") or 32
    callbacks = _as_list(arguments.pop("callbacks", None))
    data, validation = _opened(ray, work.data, size), _opened(ray, work.validation, size)
    if isinstance(work.data, Part):
        arguments.pop("batch_size", None)
    if validation:
        arguments["validation_data"] = validation if len(validation) > 1 else validation[0]
    with _folder() as folder:
        work.backup.backup_dir = folder
        work.backup.part = data[0] if isinstance(data[0], Shard) else None
        arguments["callbacks"] = [*callbacks, work.backup]
        return model.fit(*data, **arguments)


def _opened(ray: Any, given: Any, size: int) -> tuple:
    """Return data as `Model.fit` takes them, in a tuple; an empty one if there are none."""
    if isinstance(given, Part):
        part = ray.train.get_dataset_shard(given.name)
        return (Shard(part, _part(size, ray.train.get_context().get_world_size())),)
    data = given() if callable(given) else given
    if data is None:
        return ()
    return data if isinstance(data, tuple) else (data,)


def _part(size: int, workers: int) -> int:
    """Return how many rows of a batch each worker has."""
    if size % workers:
        raise ValueError(f"batch_size={size} cannot be split evenly over {workers} workers: choose a multiple.")
    return size // workers


class Shard:
    """The batches of this worker's part of a ``ray.data.Dataset``: its rows, as dictionaries of columns."""

    __slots__ = "_current", "data", "rows", "total"  # a checkpoint of the first worker has nothing of its part
    fingerprint = "a Ray data set"  # its first batch may be another when it is read again

    def __init__(self, data: Any, rows: int) -> None:
        self.data, self.rows = data, rows
        self.total = 0  # rows of the last pass
        self._current: Generator[OwnRows] | None = None

    def __iter__(self) -> Iterator[OwnRows]:
        if self._current is not None:  # Ray allows one pass at a time
            self._current.close()
        self._current = self._pass()
        return self._current

    def _pass(self) -> Generator[OwnRows]:
        total = 0
        for batch in self.data.iter_batches(batch_size=self.rows, batch_format="numpy"):
            total += len(next(iter(batch.values())))
            yield OwnRows(batch)
        self.total = total


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Yield a new folder, of the same name in all workers, which begin in Ray's folder for the run."""
    folder = Path(
        processes.agreed(tempfile.mkdtemp(prefix="checkpoint-", dir=Path.cwd()) if processes.is_first() else "")
    )
    folder.mkdir(parents=True, exist_ok=True)
    group = processes.group()
    try:
        yield folder
    finally:
        if group is None or group.writes:
            shutil.rmtree(folder, ignore_errors=True)


class Reporting(BackupAndRestore):
    """Keeps the state of the training as checkpoints of Ray Train, each with its model."""

    part: Shard | None = None  # what this worker reads

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Raise ValueError if the workers have read different numbers of rows: their steps were not of one batch."""
        if self.part is not None:
            processes.check_alike("rows in an epoch", self.part.total)

    def _backup(self) -> "Reported":
        return Reported(self.backup_dir, None if self.save_freq == "epoch" else int(self.save_freq))


class Reported(FitBackup):
    """The state of a `fit`: it begins with Ray Train's last checkpoint. All workers report each new one together."""

    def __init__(self, folder: Path, every: int | None) -> None:
        self.folder, self.train = folder, _package().train
        self.ends = False  # whether the last epoch has ended; callbacks may change the model after it
        self.logs: dict[str, Any] = {}
        checkpoint = self.train.get_checkpoint()
        if checkpoint is not None and processes.is_first():
            checkpoint.to_directory(folder)
        super().__init__(folder / STATE, every, delete=False)

    def after_epoch(self, epoch: int, logs: dict[str, Any], last: bool) -> None:
        self.ends = last
        super().after_epoch(epoch, logs, last)

    def _is_due(self, due: bool) -> bool:
        """Return whether all workers report now; if time matters, the first one's clock says so."""
        if self.every is not None or self.ends:
            return due
        return processes.agreed(time.monotonic() - self._last >= LEAST)

    def _keep(self, place: Place) -> None:
        if processes.is_first() or self._in_parts:
            super()._keep(place)
        self._steps = 0  # the same in all workers
        self.logs = {"epoch": place.epoch, "step": place.step, **place.logs}
        if not self.ends:
            self._report()

    def finish(self) -> None:
        super().finish()
        self._report()

    def _report(self) -> None:
        self.writer.flush()
        self.generations.delete_older()
        if processes.is_first() or self._in_parts:
            self.model.save(self.folder / MODEL)
        self.train.report(
            self.logs, self.train.Checkpoint.from_directory(self.folder) if processes.is_first() else None
        )


__all__ = ["Fitted", "fit"]
offer(globals())
