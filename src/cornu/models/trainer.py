"""What a model does with data: compile, fit, evaluate, predict, and the same for single batches."""

import inspect
from typing import Any

import jax
import numpy as np

from cornu import optimizers
from cornu.callbacks.history import History
from cornu.callbacks.list import CallbackList
from cornu.checkpoints.resuming import backup_for
from cornu.core import config_validation, settings
from cornu.core.graph import SymbolicTensor, resolve
from cornu.core.spellings import old_keywords
from cornu.data.arrays import split_rows
from cornu.data.batch import Batch, unpack
from cornu.data.batches import Batches, array_batch, as_batches, as_flat_list, step_limit
from cornu.data.convert import as_arrays, map_arrays
from cornu.data.streams import is_stream
from cornu.metrics import Metric
from cornu.models.batch_merging import evaluate_together, rows_together
from cornu.models.parts import ModelPart
from cornu.saving.compiling import compile_arguments
from cornu.training import checks
from cornu.training import fit as loop
from cornu.training.objective import Objective
from cornu.training.ownership import own_optimizer
from cornu.training.predict import predict
from cornu.training.program import Predictor, Program
from cornu.training.step import Learner, custom_step


class Trainer(ModelPart):
    """The part of a model that trains; it needs the layer's and network's parts beside it."""

    is_library_model = True  # its steps are not a user's own
    compiled = False
    stop_training = False
    optimizer: Any = None
    objective: Objective = None  # type: ignore[assignment]  # until `compile`
    history: History = None  # type: ignore[assignment]  # until `fit`
    compiled_flags: tuple = ()
    run_eagerly = False
    _learner: Learner | None = None
    _optimizer_revision = 0
    _compile_config: dict | None = None

    @old_keywords("compile")
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Choose optimizer, loss and metrics. Which weights train is what `trainable` says now.

        `optimizer` is a name, an optimizer or an optax transformation; `loss` a name, function or loss, or a list or
        dictionary of them for several outputs, summed with `loss_weights`; `metrics` a list of names, functions or
        metrics (`weighted_metrics`: with sample weights). `run_eagerly` runs steps uncompiled, for debugging. Training
        always runs many steps per compiled call, so `steps_per_execution` and `jit_compile` change nothing.
        Raises ValueError for unknown names. Follows https://keras.io/api/models/model_training_apis/
        """
        optimizer = optimizers.get(optimizer)
        scaled = isinstance(optimizer, optimizers.LossScaleOptimizer)
        if auto_scale_loss and self.dtype_policy.name == "mixed_float16" and not scaled:
            optimizer = optimizers.LossScaleOptimizer(optimizer)
        self.optimizer = own_optimizer(optimizer, self)
        checks.check_names(loss, metrics, weighted_metrics)
        self.objective = Objective(loss, loss_weights, metrics, weighted_metrics)
        self.loss = loss
        self.compiled_flags = tuple((layer, layer._trainable) for layer in self._flatten_layers())
        self.run_eagerly = bool(run_eagerly)
        self.compiled, self.stop_training = True, False
        self._compile_config = {
            "optimizer": self.optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        self._forget_programs()

    def get_compile_config(self) -> dict[str, Any] | None:
        """Return what `compile` was called with."""
        return self._compile_config

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with what `get_compile_config` returned (as plain data, also that of a file of any Keras)."""
        with config_validation.reading(config):
            self.compile(**compile_arguments(config))

    # ---- programs

    def _forget_programs(self) -> None:
        """Let the next call compile anew: after `compile`, or when layers changed."""
        self._learner = None
        self._programs: dict[str, Any] = {}

    @property
    def learner(self) -> Learner:
        """The model with its optimizer and objective as the engine sees them."""
        if self._learner is None:
            self._learner = Learner(self)
            self._programs = {}
        return self._learner

    def _program(self, kind: str) -> Any:
        if self.optimizer is not None and self.optimizer.revision != self._optimizer_revision:
            self._forget_programs()
            self._optimizer_revision = self.optimizer.revision
        learner = self.learner
        if kind not in self._programs:
            if kind == "train":
                learner.prepare_optimizer()
            made = (
                Predictor(learner, self.run_eagerly) if kind == "predict" else Program(learner, kind, self.run_eagerly)
            )
            self._programs[kind] = made
        return self._programs[kind]

    def make_train_function(self, force: bool = False) -> None:
        """Prepare training anew; only needed after changing a custom ``train_step``."""
        self._forget_programs()

    make_test_function = make_predict_function = make_train_function

    def _prepare(self, example: Batch, what: str) -> None:
        """Build the model and bind the objective to the shapes of one batch."""
        if what != "predict":
            self._check_compiled(what)
        outputs = self._outputs_for(example.x)
        if what == "predict" or outputs is None:
            return
        if not self.objective.built:
            self.objective.build(self._names_of(outputs), example.y, outputs)
            self._learner = None
        if not _own_steps(self):
            checks.check_targets(self.objective, example.y, outputs)

    def _check_compiled(self, what: str) -> None:
        if not self.compiled:
            raise RuntimeError(
                f"The model is not compiled: call model.compile(optimizer=..., loss=...) before model.{what}()."
            )

    def _outputs_for(self, x: Any) -> Any:
        """Build the model for data like `x` where needed, and return what its outputs look like."""
        tensors = jax.tree.map(lambda leaf: SymbolicTensor((None, *leaf.shape[1:]), leaf.dtype), x)
        if self.built and self._network is not None:
            self._network.arrange(tensors)
            return self._network.outputs
        self._ensure_built((tensors,), {})
        if self._network is not None:
            return self._network.outputs
        if custom_step(self, "call") is None and self.learner.custom_train is not None:
            return None  # a model that only trains, such as a GAN
        shapes = tuple((tuple(leaf.shape), leaf.dtype) for leaf in jax.tree.leaves(tensors, is_leaf=_is_symbolic))
        if getattr(self, "_seen_shapes", None) != shapes:
            before = len(self.variables)
            self._seen_structure = self.infer_call((tensors,), {})
            self._seen_shapes = shapes
            if len(self.variables) != before:
                self._learner = None
        return self._seen_structure

    def _names_of(self, outputs: Any) -> list[str]:
        if self._network is not None:
            return self._network.output_names
        flat = jax.tree.leaves(outputs, is_leaf=_is_symbolic)
        names = sorted(outputs) if isinstance(outputs, dict) else [f"output_{i + 1}" for i in range(len(flat))]
        self._seen_outputs = names
        return names

    @property
    def _number_of_inputs(self) -> int | None:
        return (
            None if self._network is None or isinstance(self._network.inputs, dict) else len(self._network.flat_inputs)
        )

    # ---- fit, evaluate, predict

    @old_keywords("fit")
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: dict | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> History:
        """Train for some epochs and return the `History`.

        `x` and `y` are arrays (numpy, jax, torch, pandas, lists; lists or dictionaries of arrays for several inputs),
        or `x` is a generator, `PyDataset`, or ``DataLoader`` whose batches hold everything. The last
        `validation_split` of the rows, or `validation_data`, is evaluated after each epoch (of `validation_freq`).
        `shuffle` mixes the rows anew each epoch (``"batch"``: whole batches). `verbose` is 0 silent, 1 bar, 2 a line
        per epoch, ``"auto"``.
        Raises ValueError or TypeError in words for data that does not fit the model.
        Follows https://keras.io/api/models/model_training_apis/#fit-method
        """
        self._check_compiled("fit")
        checks.check_epochs(epochs, initial_epoch, steps_per_epoch)
        epochs = min(epochs, settings.max_epochs() or epochs)
        if validation_split and is_stream(x):
            raise ValueError(f"validation_split cannot cut a {type(x).__name__}: give validation_data, or arrays.")
        backup = backup_for(callbacks)
        batches, held_out = self._training_data(
            x, y, sample_weight, class_weight, batch_size, shuffle, steps_per_epoch, validation_split
        )
        self._prepare(batches.example, "fit")
        checks.check_values(self, batches)
        validation = self._validation(
            held_out if validation_data is None else validation_data,
            (validation_batch_size, batch_size),
            validation_steps,
            validation_freq,
        )
        watcher = self._callback_list(callbacks, verbose, batches, epochs, steps_per_epoch, validation)
        self.stop_training = False
        program, place = self._program("train"), {"steps per epoch": steps_per_epoch, "first epoch": initial_epoch}
        backup.attach(self, program, batches, validation, watcher, place)
        loop.fit(
            program,
            batches,
            watcher,
            epochs=epochs,
            initial_epoch=initial_epoch,
            steps=step_limit(batches, steps_per_epoch),
            validation=validation,
            backup=backup,
        )
        return self.history

    def _training_data(
        self, x: Any, y: Any, sample_weight: Any, class_weight: Any, batch_size: Any, shuffle: Any, steps: Any,
        split: float,
    ) -> tuple[Batches, Batch | None]:  # fmt: skip
        inputs, held_out = self._number_of_inputs, None
        if split:
            rows, held_out = split_rows(array_batch(x, y, sample_weight, None, inputs), split)
            x, y, sample_weight = rows
        options = {"batch_size": batch_size, "shuffle": shuffle, "class_weight": class_weight, "steps": steps}
        return as_batches(x, y, sample_weight, inputs=inputs, **options), held_out

    def _validation(self, data: Any, sizes: tuple, steps: Any, frequency: Any) -> loop.Validation | None:
        if data is None:
            return None
        checks.check_frequency(frequency)
        if is_stream(data):
            batches = as_batches(data, steps=steps, inputs=self._number_of_inputs)
        else:
            own, size = sizes
            batches = as_batches(*checks.validation_parts(data), batch_size=own or size, inputs=self._number_of_inputs)
        self._prepare(batches.example, "evaluate")
        if sizes[0] is None:
            evaluate_together(self, batches)
        return loop.Validation(self._program("test"), batches, step_limit(batches, steps), frequency)

    def _callback_list(
        self, callbacks: Any, verbose: Any, batches: Batches, epochs: int, steps: Any, validation: Any
    ) -> CallbackList:
        if isinstance(callbacks, CallbackList):
            return callbacks
        params = {
            "batch_size": batches.batch_size,
            "do_validation": validation is not None,
            "epochs": epochs,
            "metrics": _metric_names(self, validation is not None),
            "samples": batches.rows,
            "steps": steps or batches.steps,
            "verbose": verbose,
        }
        held_out = None if validation is None else validation.batches.rows
        found = CallbackList(callbacks, model=self, params=params, add_history=True, validation_rows=held_out)
        if validation is not None and validation.batches.resident:
            for callback in (one for one in found.callbacks if not type(one).__module__.startswith("cornu.")):
                callback.validation_data = as_flat_list(validation.batches)
        return found

    @old_keywords("evaluate")
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss and metrics on data: a list in the order of ``metrics_names``, or a dictionary.

        Takes the same kinds of data as `fit`. With neither metrics nor several outputs, the loss alone is returned.
        """
        self._check_compiled("evaluate")
        batches = as_batches(x, y, sample_weight, batch_size=batch_size, steps=steps, inputs=self._number_of_inputs)
        self._prepare(batches.example, "evaluate")
        if batches.resident:
            checks.check_labels(self.objective, batches.batch.y)
            checks.check_indices(self._network, batches.batch.x)
        if batch_size is None:
            evaluate_together(self, batches)
        watcher = callbacks
        if not isinstance(callbacks, CallbackList):
            params = {"samples": batches.rows, "steps": steps or batches.steps, "verbose": verbose, "epochs": 1}
            params |= {"batch_size": batches.batch_size, "metrics": self.metrics_names}
            watcher = CallbackList(callbacks, model=self, params=params, add_history=False)
        logs = loop.evaluate(self._program("test"), batches, watcher, step_limit(batches, steps))
        return dict(logs) if return_dict else _as_scores(logs)

    @old_keywords("predict")
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> np.ndarray | Any:
        """Return the outputs for all rows of `x` as numpy arrays, computed batch by batch without training.

        One array for a single output; for several, a list or dictionary of them as the model gives it.
        """
        if self.compiled and self.objective is None:
            self.compiled = False
        options: dict[str, Any] = {"batch_size": batch_size, "steps": steps, "inputs": self._number_of_inputs}
        batches = as_batches(x, only_inputs=True, **options)
        kind = (x.shape[1:], x.dtype) if type(x) is np.ndarray else None
        program = None if self._learner is None else self._programs.get("predict")
        if program is None or kind is None or kind != program.kind:  # a row at a time has no time to lose
            self._prepare(batches.example, "predict")
            program = self._program("predict")
            program.kind = kind
        watcher = callbacks
        if not isinstance(callbacks, CallbackList):
            params = {"samples": batches.rows, "steps": steps or batches.steps, "verbose": verbose, "epochs": 1}
            watcher = CallbackList(callbacks, model=self, params=params, add_history=False)
        size = batches.batch_size
        if batch_size is None and batches.resident and batches.rows > size and size not in program.together:
            program.together[size] = rows_together(self, size)
        together = program.together.get(size) if batch_size is None else None
        return predict(program, batches, watcher, step_limit(batches, steps), together)

    # ---- single batches

    @old_keywords("train_on_batch")
    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: dict | None = None,
        return_dict: bool = False, reset_metrics: bool = True,
    ) -> Any:  # fmt: skip
        """Train on one batch and return its loss and metrics (a number, a list, or a dictionary).

        The result is that of this batch alone, as in Keras 1 and 2; with ``reset_metrics=False`` metrics run on.
        """
        batch = self._one_batch(x, y, sample_weight, class_weight, "train_on_batch")
        return self._run_one("train", batch, return_dict, reset_metrics)

    @old_keywords("test_on_batch")
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False, reset_metrics: bool = True
    ) -> Any:
        """Evaluate one batch and return its loss and metrics (a number, a list, or a dictionary)."""
        batch = self._one_batch(x, y, sample_weight, None, "test_on_batch")
        return self._run_one("test", batch, return_dict, reset_metrics)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for one batch as numpy arrays."""
        x = as_arrays(x, "x", self._number_of_inputs)
        self._prepare(Batch(x), "predict")
        return map_arrays(np.asarray, self._program("predict").on_batch(x))

    def _one_batch(self, x: Any, y: Any, sample_weight: Any, class_weight: Any, what: str) -> Batch:
        self._check_compiled(what)
        batch = array_batch(x, y, sample_weight, class_weight, self._number_of_inputs)
        self._prepare(map_arrays(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), batch), what)
        checks.check_labels(self.objective, batch.y)
        return batch

    def _run_one(self, kind: str, batch: Batch, return_dict: bool, reset_metrics: bool) -> Any:
        program = self._program(kind)
        if reset_metrics:
            program.learner.reset_metrics()
        logs = program.run_batch(batch)()
        return logs if return_dict else _as_scores(logs)

    # ---- what the steps use

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train on one batch ``(x, y, sample_weight)`` and return the logs; override it for steps of one's own."""
        self.learner.learn(unpack(data))
        return self.get_metrics_result()

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluate one batch ``(x, y, sample_weight)`` and return the logs; override it for steps of one's own."""
        self.learner.examine(unpack(data))
        return self.get_metrics_result()

    def predict_step(self, data: Any) -> Any:
        """Return the outputs for the inputs of one batch; override it for steps of one's own."""
        return self(data, training=False)

    def total_loss(self, batch: Batch, y_pred: Any, training: bool) -> tuple[Any, list[Any]]:
        """Return the loss with all penalties, and each output's own loss."""
        if type(self).compute_loss is not Trainer.compute_loss:
            args = {"x": batch.x, "y": batch.y, "y_pred": y_pred, "sample_weight": batch.sample_weight}
            return self.compute_loss(**args, **_training_argument(self.compute_loss, training)), []
        total, each = self.objective.loss_of(batch.y, y_pred, batch.sample_weight)
        extra = self._extra_losses()
        if training and not extra and all(one is None for one in each):
            raise ValueError("There is nothing to train for: compile was given no loss, and no layer adds one.")
        for tensor, metric in getattr(self, "_graph_metrics", ()):
            metric.update_state(resolve(tensor))
        return sum(extra, total), each

    def _extra_losses(self) -> list[Any]:
        """Return what layers, regularizers and `add_loss` add, as scalars."""
        values = list(self.losses)
        for tensor in getattr(self, "_graph_losses", ()):
            value = resolve(tensor)
            if value is None:
                raise ValueError(f"add_loss was given {tensor.name!r}, which does not depend on this model's inputs.")
            values.append(value)
        return [value.mean() if np.ndim(value) else value for value in map(_as_value, values)]

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Return the total loss of a batch; override it to compute it otherwise."""
        total, _ = self.objective.loss_of(y, y_pred, sample_weight) if self.objective.built else (0.0, [])
        return sum(self._extra_losses(), total)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Add a batch to the metrics and return their results; override it for metrics of one's own."""
        self.objective.update_metrics(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the results of all metrics by name."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            result = metric.result()
            results.update(result if isinstance(result, dict) else {metric.name: result})
        return results

    def reset_metrics(self) -> None:
        """Forget the running sums of all metrics."""
        for metric in self.metrics:
            metric.reset_state()

    @property
    def metrics(self) -> list[Metric]:
        """All metrics: the mean loss, those given to `compile`, and those that the model and its layers hold."""
        compiled = self.objective.all_metrics if self.objective is not None else []
        return list({id(metric): metric for metric in [*compiled, *self.own_metrics]}.values())

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns, in order: loss, each output's loss, metrics."""
        return [metric.name for metric in self.metrics]

    @property
    def metrics_variables(self) -> list[Any]:
        """The variables of all metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]


def _own_steps(model: Any) -> bool:
    return model.learner.custom_train is not None or type(model).compute_loss is not Trainer.compute_loss


def _training_argument(function: Any, training: bool) -> dict[str, bool]:
    return {"training": training} if "training" in inspect.signature(function).parameters else {}


def _is_symbolic(leaf: Any) -> bool:
    return isinstance(leaf, SymbolicTensor)


def _as_value(value: Any) -> Any:
    known = resolve(value) if isinstance(value, SymbolicTensor) else value
    return value if known is None else known


def _as_scores(logs: dict[str, Any]) -> Any:
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def _metric_names(model: Any, validated: bool) -> list[str]:
    names = model.metrics_names
    return names + [f"val_{name}" for name in names] if validated else names
