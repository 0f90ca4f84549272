"""What a model does with data: compile, fit, evaluate, predict."""

import threading
from typing import Any

import jax
import numpy as np

from cornu import optimizers
from cornu.callbacks.history import History
from cornu.callbacks.list import CallbackList
from cornu.callbacks.replicas import watching
from cornu.checkpoints.resuming import backup_for
from cornu.core import config_validation, settings
from cornu.core.distribution import distribution
from cornu.core.forks import check_process
from cornu.core.graph import SymbolicTensor, leaves
from cornu.core.ownership import is_library
from cornu.core.spellings import old_keywords
from cornu.core.tables import is_table
from cornu.core.text import may_hold_text
from cornu.data.batch import Batch, unpack
from cornu.data.batches import Batches, as_batches, as_flat_list, step_limit
from cornu.data.convert import as_arrays, column_names
from cornu.data.streams import is_stream
from cornu.data.text_inputs import TextInputs, with_all_calls
from cornu.layers import host
from cornu.models.batch_merging import evaluate_together, keeps_rows_apart, rows_together
from cornu.models.column_methods import ColumnMethods
from cornu.models.host_part import HostInputs
from cornu.models.loss_methods import as_scores
from cornu.models.parts import ModelPart
from cornu.models.states import check_batch_size
from cornu.models.text_methods import TextMethods
from cornu.saving.compiling import compile_arguments
from cornu.training import checks
from cornu.training import fit as loop
from cornu.training.objective import Objective
from cornu.training.output_checks import check_outputs
from cornu.training.ownership import own_optimizer
from cornu.training.predict import predict
from cornu.training.programs import Kind, Programs
from cornu.training.step import Learner, custom_step

_KINDS: dict[str, Kind] = {"fit": "train", "evaluate": "test", "predict": "predict"}  # the programs that they run
_making = threading.Lock()  # of the programs of a model that several threads use for the first time


class Trainer(TextMethods, ColumnMethods, ModelPart):
    """The training methods of a model; `Model` combines it with `Layer`."""

    compiled = False
    stop_training = stop_evaluating = stop_predicting = False  # a callback sets them to end a run
    optimizer: Any = None
    objective: Objective = None  # type: ignore[assignment]  # until `compile`
    history: History = None  # type: ignore[assignment]  # until `fit`
    compiled_flags: tuple = ()
    run_eagerly = False
    _compile_config: dict | None = None
    _own_programs: Programs | None = None

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
        """Choose the optimizer, loss and metrics.

        Which weights are trained is decided by the values of `trainable` at this moment.

        Args:
            optimizer: Name, optimizer, or optax transformation.
            loss: Name, function or loss; a list or dictionary of them for several outputs. None trains on `add_loss`
                alone.
            metrics: List of names, functions or metrics; a list of lists or a dictionary for several outputs.
            loss_weights: Factor of each output's loss, a list or dictionary; 1 by default.
            weighted_metrics: Metrics that take sample weights into account.
            run_eagerly: Whether to run steps uncompiled, for debugging.
            steps_per_execution, jit_compile: Accepted for compatibility: steps are always compiled, many per call.
            auto_scale_loss: Whether to wrap the optimizer in a `LossScaleOptimizer` under ``"mixed_float16"``.

        Raises:
            ValueError: A name is unknown.

        Follows https://keras.io/api/models/model_training_apis/

        >>> import cornu
        >>> model = cornu.Sequential([cornu.layers.Dense(1)])
        >>> model.compile(optimizer="nadam", loss="mse", metrics=["mae"])
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
        self._programs.given_distribution = distribution() or self._programs.given_distribution
        self._programs.forget("compile changed")

    def get_compile_config(self) -> dict[str, Any] | None:
        """Return the arguments of the last `compile`, or None before it."""
        return self._compile_config

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with what `get_compile_config` returned, also as plain data from a file of any Keras version."""
        with config_validation.reading(config):
            self.compile(**compile_arguments(config))

    # ---- programs

    @property
    def _programs(self) -> Programs:
        found = self._own_programs
        if found is None or found.model is not self:  # a shallow copy of a model has programs of its own
            with _making:
                found = self._own_programs
                if found is None or found.model is not self:
                    found = self._own_programs = Programs(self)
        return found

    @property
    def learner(self) -> Learner:
        """The model with its optimizer and objective as the engine sees them."""
        return self._programs.learner

    def _keeps_rows_apart(self) -> bool:
        return keeps_rows_apart(self)

    def make_train_function(self, force: bool = False) -> None:
        """Prepare training anew; only needed after changing a custom ``train_step``."""
        self._programs.forget("requested")

    make_test_function = make_predict_function = make_train_function

    # ---- data

    def _prepared(self, what: str, x: Any, y: Any = None, sample_weight: Any = None, **options: Any) -> Batches:
        """Return the data of `fit`, `evaluate` or `predict` as batches, and make the model ready for them.

        This is where data become arrays. `options` are those of `as_batches`.
        """
        check_process(what)
        if what != "predict":
            self._check_compiled(what)
        stateful_for = self._programs.batch_size
        if stateful_for is not None and options.get("batch_size") is None and not is_stream(x):
            options["batch_size"] = stateful_for
        rule = self._column_rule(what)
        batches = as_batches(x, y, sample_weight, convert=self._as_inputs, rule=rule, **options)
        if what == "fit" and rule.found is not None:
            self._fit_columns = rule.found
        if stateful_for is not None:
            check_batch_size(self, batches, stateful_for, options.get("steps"), what)
        if isinstance((batches.batch or batches.example).x, TextInputs):
            self._prepare_texts(batches, _KINDS[what], what)
        elif what != "predict":
            self._prepare(batches.example, what, batches.rows)
        elif (rows := _kind_of_rows(x)) is None or rows != self._programs.predicted_rows:  # else: the fast path
            self._prepare(batches.example, what, batches.rows)
            self._programs.predicted_rows = rows
        return batches

    def _prepare(self, example: Batch, what: str, rows: int | None = None) -> None:
        """Build the model and bind the objective to the shapes of one batch; errors state the number of `rows`."""
        with self._programs.lock:
            try:
                outputs = self._outputs_for(example.x, rows)
            except (TypeError, ValueError):
                if what == "predict" or self.loss is not None or self.learner.custom_train is None:
                    raise
                return  # a step such as that of triplets may call the model on other tensors than `x`
            if what == "predict" or outputs is None:
                return
            first = not self.objective.built
            if first:
                self.objective.build(self._names_of(outputs), example.y, outputs)
                self._programs.forget("metrics made")
        if not self._has_own_steps:
            checks.check_targets(self.objective, example.y, outputs)
            if first:
                check_outputs(self, self.objective.losses, self.objective.names, example.x)

    def _check_compiled(self, what: str) -> None:
        if not self.compiled:
            raise RuntimeError(
                f"The model is not compiled: call model.compile(optimizer=..., loss=...) before model.{what}()."
            )

    def _outputs_for(self, x: Any, rows: int | None = None) -> Any:
        """Build the model for data like `x`, of `rows` rows, if needed, and return its symbolic outputs."""
        tensors = jax.tree.map(lambda leaf: SymbolicTensor((None, *leaf.shape[1:]), leaf.dtype), x)
        if self.built and self._network is not None and not isinstance(x, TextInputs):
            given = self._network.arrange(tensors, rows)
            if self._network.any_size and [one.shape[1:] for one in given] != [
                one.shape[1:] for one in self._network.flat_inputs
            ]:
                known, shapes = self._programs.outputs_by_shapes, tuple((one.shape[1:], one.dtype) for one in given)
                if shapes not in known:
                    known[shapes] = self.infer_call((tensors,), {})
                return known[shapes]
            return self._network.outputs
        self._ensure_built((tensors,), {})
        if self._network is not None:
            return self._network.outputs
        if custom_step(self, "call") is None and self.learner.custom_train is not None:
            return None  # a model that only trains, such as a GAN
        shapes = tuple((tuple(leaf.shape), leaf.dtype) for leaf in leaves(tensors))
        if getattr(self, "_seen_shapes", None) != shapes:
            before = len(self.variables)
            self._seen_structure = self.infer_call((tensors,), {})
            self._seen_shapes = shapes
            if len(self.variables) != before:
                self._programs.forget("weights added")
        return self._seen_structure

    def _names_of(self, outputs: Any) -> list[str]:
        if self._network is not None:
            return self._network.output_names
        flat = leaves(outputs)
        names = sorted(outputs) if isinstance(outputs, dict) else [f"output_{i + 1}" for i in range(len(flat))]
        self._seen_outputs = names
        return names

    @property
    def _begins_on_host(self) -> bool:
        """Whether this is a stack of layers whose first one computes with numpy."""
        return False

    def _as_rows(self, x: Any) -> Any:
        """Return data as arrays that can be cut into parts; texts stay, if the calls on them are yet to be found."""
        if may_hold_text(x) and self._runs_on_texts:
            return as_arrays(self._columns_of(x), "x", self._number_of_inputs, text=True)
        return self._as_inputs(x)

    def _as_inputs(self, x: Any) -> Any:
        """Return data as arrays for the model's program: where strings enter, those that its first layers make of them.

        A stack of layers that begins with one for strings is built for them.
        """
        if isinstance(x, (HostInputs, TextInputs)):
            return x
        x = host.dense_rows(self, x)
        if may_hold_text(x) and self._runs_on_texts:
            return self._with_text_calls(self._as_rows(x))
        x = self._columns_of(x)
        if self._network is None and self._begins_on_host:
            x = as_arrays(x, "x", text=True)
            self._ensure_built((x,), {})
        network = self._network
        if network is None or network.host is None:
            return as_arrays(x, "x", self._number_of_inputs)
        return network.host.encode(as_arrays(x, "x", self._number_of_inputs, text=True))

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
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> History:
        """Train for a number of epochs.

        Args:
            x: Inputs as arrays (numpy, jax, torch, pandas, lists), ``(samples, ...)``; a list or dictionary of arrays
                for several inputs. Or a generator, `PyDataset` or ``DataLoader`` of batches ``(x, y)`` or
                ``(x, y, sample_weight)``. Or a data set of Hugging Face, or batches that are dictionaries of columns.
            y: Targets, in the same forms; None if `x` yields whole batches. Of data with columns, the name of the
                target; without one, it is the column named as the output, or label, labels, target, targets or y.
            batch_size: Samples per step, 32 by default.
            epochs: Number of the last epoch.
            verbose: 0 silent, 1 progress bar, 2 one line per epoch; ``"auto"`` takes 1.
            callbacks: List of callbacks, or a `CallbackList`.
            validation_split: Fraction of the samples, taken from the end, to validate on.
            validation_data: ``(x, y)``, ``(x, y, sample_weight)`` or a stream to validate on.
            shuffle: Whether to shuffle samples each epoch; ``"batch"`` shuffles whole batches.
            class_weight: Dictionary from class to weight of its samples, an array with a weight for each class, or
                ``"balanced"``.
            sample_weight: Weight of each sample, ``(samples,)``.
            initial_epoch: Epochs already done.
            steps_per_epoch: Batches per epoch; None runs through all data. Data that end earlier start over.
            validation_steps, validation_batch_size: The same for validation.
            validation_freq: Validate every so many epochs, or a list of epochs.

        Returns:
            A `History`, whose ``history`` maps each metric to its values per epoch.

        Raises:
            RuntimeError: The model is not compiled, or another thread fits it.
            ValueError, TypeError: The data do not fit the model.

        Follows https://keras.io/api/models/model_training_apis/#fit-method

        >>> import cornu
        >>> model = cornu.Sequential([cornu.layers.Dense(1)])
        >>> model.compile(loss="mse")
        >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=3, verbose=0)
        >>> len(history.history["loss"])
        3
        """
        self._check_compiled("fit")
        checks.check_epochs(epochs, initial_epoch, steps_per_epoch)
        self._frame_columns, self._fit_columns = column_names(x), None
        epochs = min(epochs, settings.max_epochs() or epochs)
        self._programs.replicate_as_set(trains=True)
        backup = backup_for(callbacks)
        if self._programs.replication is not None:
            checks.check_replicas(self, backup)
        if validation_split:
            x, held_out = self._split(x, y, sample_weight, validation_split, batch_size, shuffle)
            y = sample_weight = None
            validation_data = held_out if validation_data is None else validation_data
        with self._programs.training(fits=True):
            options = {"shuffle": shuffle, "class_weight": class_weight, "steps": steps_per_epoch}
            batches = self._prepared("fit", x, y, sample_weight, batch_size=batch_size, **options)
            checks.check_values(self, batches)
            sizes = validation_batch_size, batch_size
            validation = self._validation(validation_data, sizes, validation_steps, validation_freq)
            batches.revise(with_all_calls)
            watcher = self._callback_list(callbacks, verbose, batches, epochs, steps_per_epoch, validation)
            self.stop_training = False
            program = self._programs.get("train")
            watcher = watching(watcher, program.learner)
            place = {"steps per epoch": steps_per_epoch, "first epoch": initial_epoch}
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

    def _validation(self, data: Any, sizes: tuple, steps: Any, frequency: Any) -> loop.Validation | None:
        if data is None:
            return None
        checks.check_frequency(frequency)
        alone = is_stream(data) or is_table(data) or isinstance(data, Batch)
        parts = (data,) if alone else checks.validation_parts(data)
        size = None if is_stream(data) else sizes[0] or sizes[1]
        batches = self._prepared("evaluate", *parts, batch_size=size, steps=steps)
        if sizes[0] is None:
            evaluate_together(self, batches)
        return loop.Validation(self._programs.get("test"), batches, step_limit(batches, steps), frequency)

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
            for callback in (one for one in found.callbacks if not is_library(type(one))):
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
        """Compute the loss and metrics on data.

        Args:
            x, y, sample_weight, batch_size, steps, callbacks, verbose: As in `fit`.
            return_dict: Whether to return a dictionary by name instead of a list.

        Returns:
            A list in the order of `metrics_names`, or the loss alone if there is nothing else.

        Raises:
            RuntimeError: The model is not compiled.
            ValueError, TypeError: The data do not fit the model.

        Follows https://keras.io/api/models/model_training_apis/#evaluate-method

        >>> import cornu
        >>> model = cornu.Sequential([cornu.layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(loss="mse")
        >>> model.evaluate(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
        1.0
        """
        self._programs.replicate_as_set(trains=False)
        batches = self._prepared("evaluate", x, y, sample_weight, batch_size=batch_size, steps=steps)
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
        program = self._programs.get("test")
        with self._programs.evaluating(program.learner):
            watcher = watching(watcher, program.learner)
            logs = loop.evaluate(program, batches, watcher, step_limit(batches, steps))
        return dict(logs) if return_dict else as_scores(logs)

    @old_keywords("predict")
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> np.ndarray | Any:
        """Compute the outputs for data, batch by batch, in inference mode.

        Args:
            x: Inputs, in the forms that `fit` takes.
            batch_size: Samples per step, by default 32 or more where that gives the same results faster.
            verbose, steps, callbacks: As in `fit`.

        Returns:
            A numpy array ``(samples, ...)``, or a list or dictionary of them for several outputs.

        Raises:
            ValueError, TypeError: The data do not fit the model.

        Follows https://keras.io/api/models/model_training_apis/#predict-method

        >>> import cornu
        >>> model = cornu.Sequential([cornu.layers.Dense(3)])
        >>> model.predict(np.ones((2, 4)), verbose=0).shape
        (2, 3)
        """
        if self.compiled and self.objective is None:
            self.compiled = False
        batches = self._prepared("predict", x, batch_size=batch_size, steps=steps, only_inputs=True)
        program = self._programs.get("predict")
        watcher = callbacks
        if not isinstance(callbacks, CallbackList):
            params = {"samples": batches.rows, "steps": steps or batches.steps, "verbose": verbose, "epochs": 1}
            watcher = CallbackList(callbacks, model=self, params=params, add_history=False)
        size = batches.batch_size
        if batch_size is None and batches.resident and batches.rows > size and size not in program.together:
            program.together[size] = rows_together(self, size)
        together = program.together.get(size) if batch_size is None else None
        return predict(program, batches, watcher, step_limit(batches, steps), together)

    # ---- what the steps use

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train on one batch ``(x, y, sample_weight)`` and return the logs. Override it for a custom step."""
        self.learner.learn(unpack(data))
        return self.get_metrics_result()

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluate one batch ``(x, y, sample_weight)`` and return the logs. Override it for a custom step."""
        self.learner.default_test_step(unpack(data))
        return self.get_metrics_result()

    def predict_step(self, data: Any, *rest: Any) -> Any:
        """Return the outputs for the inputs of one batch; override it for steps of one's own.

        Keras 3's form on JAX is ``predict_step(self, state, data)``, with the trainable and the other values as state:
        it returns outputs and the new other values.
        """
        return self.stateless_call(*data, *rest, training=False) if rest else self(data, training=False)


def _kind_of_rows(x: Any) -> tuple | None:
    """Return shape and dtype of the rows of a numpy array; None for other data."""
    return (x.shape[1:], x.dtype) if type(x) is np.ndarray else None


def _metric_names(model: Any, validated: bool) -> list[str]:
    names = model.metrics_names
    return names + [f"val_{name}" for name in names] if validated else names
