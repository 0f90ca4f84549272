"""The training step, a pure function of arrays, and its counterparts for evaluation and prediction."""

import contextlib
import functools
import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.distribution import Distribution
from cornu.core.donation import Donor, exchange, note_reader, others_train
from cornu.core.ownership import is_library
from cornu.core.placement import compiled
from cornu.core.randomness import ambient_seed
from cornu.core.scope import calling, changed, get_mask, scope, set_mask
from cornu.core.steps_apart import Lengths, Plan, plan_for
from cornu.core.tracking import parts, unique
from cornu.core.variable import (
    Variable,
    array_of,
    bound,
    held,
    hold,
    noting_changes,
    plain,
    read,
    restored,
    snapshot,
    untouched,
    write,
)
from cornu.data.batch import Batch
from cornu.data.text_inputs import opened
from cornu.kernels.compiler import split_over_devices
from cornu.kernels.padded_steps import real_steps
from cornu.optimizers import Optimizer
from cornu.training.objective import results_by_name
from cornu.training.replication import Replication
from cornu.training.sharded import Placement
from cornu.training.state import TrainState
from cornu.training.varied import Varied, varied_in, vary_optimizer


class Turn:
    """A step's turn, a context: gives the state, which the step replaces; other threads see the new one at the end.

    Args:
        learner: Whose step it is.
        training: Whether the state has the optimizer's part.
        donates: Whether the step's program takes the arrays over.
    """

    state: Any  # a `TrainState`; a list of them, if there are several groups of replicas

    def __init__(self, learner: "Learner", training: bool, donates: bool) -> None:
        self.learner, self.training, self.donates = learner, training, donates

    def __enter__(self) -> "Turn":
        learner = self.learner
        if learner.is_private:
            self.state = learner.read(self.training)
            return self
        copies = learner.donor.begin(lambda: learner.variables, self.donates)
        try:
            if learner.replication is not None:
                self.state = learner.replication.take(self._groups)
            elif learner.placement is not None:
                learner.placement.settle(learner.variables)
        except BaseException:
            learner.donor.end()
            raise
        if learner.replication is None:
            self.state = TrainState(*map(held, self._groups))
        if copies:
            self.state = copied(self.state)
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        learner, state = self.learner, self.state
        if learner.is_private:
            learner.write(state)
            return
        with exchange:
            if kind is None and learner.replication is not None:
                learner.replication.keep(self._groups, state)
            elif kind is None:
                for variables, values in zip(self._groups, state, strict=True):
                    if values:
                        hold(variables, values)
            learner.donor.end()

    @property
    def _groups(self) -> tuple[list[Variable], ...]:
        learner = self.learner
        return learner.params, learner.others, learner.slots if self.training else [], learner.totals


class Learner:
    """A model with its optimizer and objective, and their variables in the order of `TrainState`.

    As in Keras 1 and 2, the weights that train are those that were trainable when the model was compiled.
    `distribution` splits batch and variables over devices; `replication` says how many copies of them train at once.
    """

    def __init__(
        self, model: Any, distribution: Distribution | None = None, replication: Replication | None = None
    ) -> None:
        self.replication = replication
        self.model, self.objective, self.optimizer = model, model.objective, model.optimizer
        splits = distribution is not None and replication is None  # else devices have replicas, not parts of batches
        self.placement = Placement(distribution) if splits and distribution is not None else None
        with self.as_compiled():
            self.params = model.trainable_variables
            self.ambient = ambient_seed()
            self.others = [*model.non_trainable_variables, self.ambient]
        self.metrics = model.metrics if self.objective is not None else []
        self.named_metrics = model.named_metrics(self.metrics)
        self.totals = unique(variable for metric in self.metrics for variable in metric.variables)
        self.slots: list[Variable] = []
        self.log_names: list[str] = []
        self.custom_log_names: list[str] = []
        self.custom_train = custom_step(model, "train_step")
        self.custom_test = custom_step(model, "test_step")
        self.custom_predict = custom_step(model, "predict_step")
        self.own_optimizers = parts(model, Optimizer)
        self.varied: list[Varied] = []
        if replication is not None:
            self._prepare_replicas(replication, distribution)
        self.donor = Donor()

    def _prepare_replicas(self, replication: Replication, distribution: Distribution | None) -> None:
        replication.prepare(self.model, distribution)
        if self.optimizer is not None and replication.optimizer is not self.optimizer:
            replication.optimizer = self.optimizer
            vary_optimizer(self.optimizer, replication)
        if self.objective is not None and self.objective.built:
            self.varied = varied_in(self.model, replication.numbers)
        for one in self.varied:
            replication.assign(one.variable, one.values)
        self.others += [one.variable for one in self.varied]

    @functools.cached_property
    def plan(self) -> Plan | None:
        """Where sequences may be padded in evaluation and prediction."""
        return plan_for(self.model, training=False)

    @functools.cached_property
    def plan_to_train(self) -> Plan | None:
        """Where sequences may be padded in training."""
        return plan_for(self.model, training=True)

    @property
    def devices(self) -> int:
        """How many devices compute a step together."""
        return 1 if self.placement is None else self.placement.whole.num_devices

    def prepare_optimizer(self) -> None:
        """Create the optimizer's slots for the trainable weights."""
        self.optimizer.prepare(self.params)
        self.slots = self.optimizer.all_variables
        self.donor.lost = True

    @property
    def variables(self) -> list[Variable]:
        """All variables, in the order of `TrainState`."""
        return [*self.params, *self.others, *self.slots, *self.totals]

    def read(self, training: bool = True) -> TrainState:
        """Return the state: the arrays of all variables."""
        groups = self.params, self.others, self.slots if training else [], self.totals
        return _grouped(read([variable for group in groups for variable in group]), groups)

    def write(self, state: TrainState) -> None:
        """Write a state back to the variables."""
        with exchange:
            write(self.params, state.params)
            write(self.others, state.others)
            if state.slots:
                write(self.slots, state.slots)
            write(self.totals, state.totals)

    @property
    def is_private(self) -> bool:
        """Whether this thread has values of its own for the model's variables."""
        return id(self.ambient) in (scope.bound or ())

    def state_for_prediction(self) -> TrainState:
        """Return the state at one moment, without the optimizer's part; another thread may be training."""
        if not scope.bound and not others_train():
            if scope.bound is None:
                note_reader()
            if self.placement is not None:
                self.placement.settle([*self.params, *self.others, *self.totals])
            with exchange:
                return TrainState(held(self.params), held(self.others), (), held(self.totals))
        groups: tuple[list[Variable], ...] = self.params, self.others, [], self.totals
        return _grouped(snapshot([variable for group in groups for variable in group]), groups)

    @contextlib.contextmanager
    def privately(self) -> Iterator[None]:
        """Run steps in a ``with`` block on copies of the variables, which leave the variables as they are."""
        if self.replication is not None:
            raise RuntimeError(
                "A model with replicas is trained or evaluated in another thread: wait for it to end, or take a copy."
            )
        variables = [*self.params, *self.others, *self.totals]
        with bound(variables, copied(snapshot(variables))):
            yield

    @contextlib.contextmanager
    def as_compiled(self) -> Iterator[None]:
        """Give layers the ``trainable`` flags that they had when the model was compiled, within this block."""
        with changed(flags=scope.flags | {id(layer): flag for layer, flag in self.model.compiled_flags}):
            yield

    @contextlib.contextmanager
    def tracing(self, state: TrainState, plan: Plan | None = None, lengths: Any = None) -> Iterator[None]:
        """Bind the variables to a state's arrays while a step is traced; they are restored afterwards.

        `plan` says where sequences are padded, if they have `lengths`.
        """
        padded = None if plan is None or lengths is None else Lengths(plan, lengths)
        lay_out = None if self.placement is None else self.placement.lay_out
        own = changed(values={}, losses={}, ambient=self.ambient, lengths=padded, lay_out=lay_out)
        forms = split_over_devices(None if self.placement is None else self.placement.split)
        with bound(self.variables, read(self.variables)), own, calling(None, None), self.as_compiled(), forms:
            self.write(state)
            with contextlib.ExitStack() as numbers:
                for one in self.varied:
                    numbers.enter_context(one.in_place())
                yield

    def trace_once(self, step: Callable, training: bool, batch_of: Callable[..., Batch], arrays: Batch) -> dict:
        """Trace a custom step once, on the batch that `batch_of` takes from `arrays`; return the shapes of its logs.

        Every variable that it assigns becomes part of the state, such as those of optimizers that the model holds.
        """
        known = {id(variable) for variable in self.variables}
        with noting_changes() as noted, untouched(self.variables):
            try:
                logs = jax.eval_shape(
                    lambda state, arrays: step(state, batch_of(arrays))[1], self.read(training), arrays
                )
            finally:
                for variable, before in noted.values():
                    if id(variable) not in known:
                        variable._value = before
        changing = [variable for variable, _ in noted.values()]
        steering = [variable for optimizer in self.own_optimizers for variable in optimizer.all_variables]
        self.others += [variable for variable in unique([*changing, *steering]) if id(variable) not in known]
        self.donor.lost = True
        return logs

    def reset_metrics(self) -> None:
        """Reset all running sums."""
        for metric in self.metrics:
            metric.reset_state()

    def finish_training(self) -> None:
        """Copy averaged weights into the model, if the optimizer keeps them."""
        if self.optimizer.use_ema:
            for _ in self.each_replica():
                self.optimizer.finalize_variable_values(self.params)

    def each_replica(self) -> Iterator[int]:
        """Yield the number of each replica, whose values the variables hold meanwhile; 0 if there is one training."""
        for replica in range(1 if self.replication is None else self.replication.count):
            with self.as_replica(replica):
                yield replica

    def as_replica(self, replica: int) -> contextlib.AbstractContextManager[None]:
        """Return a context in which the variables hold the values of a replica."""
        if self.replication is None:
            return contextlib.nullcontext()
        return self.replication.as_one(replica, self.variables)

    # ---- the steps

    def train_step(self, state: TrainState, batch: Batch) -> tuple[TrainState, dict]:
        """Return the state after one batch (forward, backward, update, metrics), and the logs of a custom step."""
        batch = opened(batch)
        with self.tracing(state, self.plan_to_train, batch.lengths):
            if self.custom_train is not None:
                return self._custom(self.custom_train, state, batch)
            self.learn(batch)
            return self.read(), {}

    def learn(self, batch: Batch) -> None:
        """Forward, backward, update and metrics on the current variables: the default of `train_step`."""
        params = read(self.params)
        (_, found), gradients = jax.value_and_grad(self._loss, has_aux=True)(params, batch)
        write(self.params, params)
        write(self.others, found["others"])
        write(self.totals, found["totals"])
        if self.placement is not None:
            gradients = self.placement.kept(self.params, gradients)
        self.optimizer.apply(list(gradients), self.params)
        self._update_metrics(found, batch)

    def _loss(self, params: tuple, batch: Batch) -> tuple[Any, dict]:
        write(self.params, params)
        y_pred = _with_masks(self.model(batch.x, training=True))
        total, each = self.model.total_loss(batch, y_pred, training=True)
        found = {
            "total": total,
            "each": each,
            "y_pred": y_pred,
            "masks": [get_mask(one) for one in jax.tree.leaves(y_pred)],
            "others": read(self.others),
            "totals": read(self.totals),  # a model's call may update metrics
        }
        return self.optimizer.scale_loss(total), found

    def test_step(self, state: TrainState, batch: Batch) -> tuple[TrainState, dict]:
        """Return the state after one batch was evaluated: running sums and what layers assign; no trained weight."""
        batch = opened(batch)
        with self.tracing(state, self.plan, batch.lengths):
            if self.custom_test is not None:
                return self._custom(self.custom_test, state, batch)
            self.default_test_step(batch)
            return self.read(training=bool(state.slots))._replace(params=state.params), {}

    def default_test_step(self, batch: Batch) -> None:
        """Forward and metrics on the current variables: the default of `test_step`."""
        y_pred = _with_masks(self.model(batch.x, training=False))
        total, each = self.model.total_loss(batch, y_pred, training=False)
        masks = [get_mask(one) for one in jax.tree.leaves(y_pred)]
        self._update_metrics({"total": total, "each": each, "y_pred": y_pred, "masks": masks}, batch)

    def predict_step(self, state: TrainState, batch: Batch) -> tuple[Any, dict[int, jax.Array]]:
        """Return the model's outputs, and the new values of those of `others` that changed, by their positions."""
        batch = opened(batch)
        with self.tracing(state, self.plan, batch.lengths), restored():
            if self.custom_predict is None or len(inspect.signature(self.custom_predict).parameters) == 1:
                outputs = plain(self.model.predict_step(batch.x))
            else:  # Keras 3's on JAX: ``(self, state, data)`` returns outputs and the new non-trainable values
                own = len(self.model.non_trainable_variables)
                outputs, new = self.custom_predict((list(state.params), list(state.others[:own])), batch.x)
                outputs = plain(outputs)
                write(self.others[:own], [array_of(value) for value in new])
            after = enumerate(zip(read(self.others), state.others, strict=True))
            changes = {position: new for position, (new, old) in after if new is not old}
        return outputs, _unshared(changes, (state, batch))

    def results(self, state: TrainState) -> dict[str, Any]:
        """Return the results of all metrics for a state."""
        with self.tracing(state):
            found = results_by_name(self.named_metrics)
            self.log_names = list(found)
            return plain(found)

    def _update_metrics(self, found: dict, batch: Batch) -> None:
        for one, mask in zip(jax.tree.leaves(found["y_pred"]), found["masks"], strict=True):
            set_mask(one, mask)
        self.objective.update_loss(found["total"], found["each"], batch)
        self.model.compute_metrics(batch.x, batch.y, found["y_pred"], batch.sample_weight)

    def _custom(self, step: Any, state: TrainState, batch: Batch) -> tuple[TrainState, dict]:
        """Run a custom ``train_step`` or ``test_step``, in either of its two forms.

        ``(self, state, data)`` is Keras 3's on JAX: it returns logs and new states. ``(self, data)`` changes the
        variables and returns logs.
        """
        data = _packed(batch)
        if len(inspect.signature(step).parameters) == 1:
            with noting_changes():  # reads of the state see the values before the step
                logs = self._noted(step(data))
            return self.read(training=bool(state.slots)), logs
        # Slots beyond those of `optimizer.variables` are hyperparameters that callbacks may set.
        count = len(self.optimizer.variables) if state.slots else 0
        own = len(self.model.non_trainable_variables)  # the last of `others` is the seed of the backend's functions
        given = [list(state.params), list(state.others[:own]), list(state.slots[:count]), list(state.totals)]
        if not state.slots:
            del given[2]
        logs, new = step(tuple(given), data)
        params, others, *rest = (tuple(part) for part in new)
        slots = (*rest[0], *state.slots[count:]) if state.slots else ()
        return TrainState(params, (*others, *read(self.others[own:])), slots, rest[-1]), self._noted(logs)

    def _noted(self, logs: dict[str, Any]) -> dict[str, Any]:
        """Remember the order of a custom step's logs, since compiled programs sort dictionaries."""
        if not isinstance(logs, dict):
            raise TypeError(f"A train_step or test_step returns a dictionary such as {{'loss': loss}}; got {logs!r}.")
        self.custom_log_names = list(logs)
        return plain(dict(logs))


def _with_masks(outputs: Any) -> Any:
    """Return outputs with masks, where sequences are padded, of the steps that are real."""
    if scope.lengths is not None:
        for position, output in enumerate(jax.tree.leaves(outputs)):
            length = scope.lengths.of_output(position)
            if length is not None:
                set_mask(output, real_steps(get_mask(output), length, output.shape))
    return outputs


def _grouped(values: Sequence[Any], groups: Sequence[Sequence[Any]]) -> TrainState:
    """Return the values of all variables, in the groups of a state."""
    ends = [*itertools.accumulate(map(len, groups))]
    return TrainState(*(tuple(values[end - len(group) : end]) for end, group in zip(ends, groups, strict=True)))


def copied(arrays: Any) -> Any:
    """Return copies of arrays, which a step may take over."""
    return _copying()(arrays)


@functools.cache
def _copying() -> Callable:
    return compiled()(functools.partial(jax.tree.map, jnp.copy))


def _unshared(changes: dict[int, Any], given: Any) -> dict[int, Any]:
    """Return new values of variables, copied where they are among the arrays that were `given`: no two share one."""
    known = {id(leaf) for leaf in jax.tree.leaves(given)} if changes else ()
    return {at: jnp.copy(value) if id(value) in known else value for at, value in changes.items()}


def _packed(batch: Batch) -> Any:
    """Return a batch in the form that Keras passes to ``train_step``: a single `x` without targets is not a tuple."""
    if batch.sample_weight is not None:
        return tuple(batch[:3])
    if batch.y is not None:
        return batch.x, batch.y
    return (batch.x,) if isinstance(batch.x, (list, tuple)) else batch.x


def custom_step(model: Any, name: str) -> Any:
    """Return the ``train_step`` or ``test_step`` that a custom model class defines, or None."""
    defining = next((cls for cls in type(model).__mro__ if name in vars(cls)), None)
    return None if defining is None or is_library(defining) else getattr(model, name)
