"""What all optimizers share: clipping, weight decay, accumulation, averaging, and adjustable hyperparameters."""

import inspect
import re
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from cornu import initializers
from cornu.core import era, registry, serialization, settings, spellings
from cornu.core.control import when
from cornu.core.errors import foreign
from cornu.core.names import to_snake_case, unique_name
from cornu.core.serialization import Recorded
from cornu.core.signature import any_signature
from cornu.core.variable import Variable, array_of, bound, read
from cornu.optimizers.compiled_updates import runs_compiled, update_program
from cornu.optimizers.copies import set_state, state_of
from cornu.optimizers.hyper import Hyper, as_number, as_written
from cornu.optimizers.schedules import LearningRateSchedule

making_slots = threading.RLock()  # also held by who needs all slots or none, while another thread may make them

# Switched on after building, these would need slots that do not exist.
NEEDS_SLOTS = frozenset(("use_ema", "gradient_accumulation_steps", "amsgrad", "centered"))


class Optimizer(metaclass=Recorded):
    """Base class of all optimizers. A custom one overrides `slots` and `update`, or Keras's `build` and `update_step`.

    Args:
        learning_rate: a number, a schedule, or a function of no argument or of the step.
        weight_decay: subtracts ``weight * weight_decay * learning_rate`` before each update.
        clipnorm, clipvalue, global_clipnorm: the largest norm of each gradient, the largest absolute value of each
            element, or the largest norm of all gradients together; at most one of them.
        use_ema: average the weights: ``average = ema_momentum * average + (1 - ema_momentum) * weight``.
        ema_momentum: from 0 to 1.
        ema_overwrite_frequency: steps after which the averages replace the weights; None: at the end of `fit`.
        loss_scale_factor: multiplies the loss and divides the gradients.
        gradient_accumulation_steps: update once per so many calls, with the mean gradient.
        name: name of the optimizer.
        decay: divides the learning rate by ``1 + decay * iterations``, as in Keras 1 and 2.

    Raises:
        ValueError: if arguments contradict each other or are out of range.

    Hyperparameters may be set at any time (``optimizer.learning_rate = 0.01``) without recompiling.
    Follows https://keras.io/api/optimizers/

    >>> class SignDescent(Optimizer):
    ...     def update(self, gradient, value, rate):
    ...         return value - rate * jnp.sign(gradient), {}
    >>> weight = Variable([1.0, 2.0])
    >>> SignDescent(0.5).apply([jnp.array([3.0, -3.0])], [weight]); print(weight.numpy())
    [0.5 2.5]
    """

    weight_decay, clipnorm, clipvalue, global_clipnorm = Hyper(), Hyper(), Hyper(), Hyper()
    ema_momentum, loss_scale_factor, decay = Hyper(), Hyper(), Hyper()

    built = False
    _revision = 0
    #: Arguments that Keras does not have: a config omits them while they have these values.
    ours: ClassVar[dict[str, Any]] = {"decay": 0.0}
    _arguments: dict[str, Any]  # of the constructor call, by `Recorded`

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        decay: float = 0.0,
    ) -> None:
        self.name = name or unique_name(to_snake_case(type(self).__name__))
        self._numbers: dict[str, float | None] = {}
        self._hyper: dict[str, Variable] = {}
        self._slots: dict[str, dict[int, Variable]] = {}  # slot name -> id of the weight -> slot
        self._positions: dict[int, int] = {}
        self._trainable_variables: list[Variable] = []
        self._excluded: tuple[frozenset[int], str | None] = (frozenset(), None)
        self.weight_decay, self.clipnorm, self.clipvalue = weight_decay, clipnorm, clipvalue
        self.global_clipnorm, self.loss_scale_factor, self.decay = global_clipnorm, loss_scale_factor, decay
        self.use_ema, self.ema_momentum, self.ema_overwrite_frequency = use_ema, ema_momentum, ema_overwrite_frequency
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._check_arguments()
        self._iterations = self._named(Variable(0, dtype="int32", trainable=False, autocast=False), "iteration")
        self._variables = [self._iterations]
        self._learning_rate: Any = None
        self._set_learning_rate(learning_rate)

    def _check_arguments(self) -> None:
        clips = {name: getattr(self, name) for name in ("clipnorm", "clipvalue", "global_clipnorm")}
        given = [f"{name}={value}" for name, value in clips.items() if value is not None]
        steps, frequency = self.gradient_accumulation_steps, self.ema_overwrite_frequency
        if len(given) > 1 and not era.holds("clips go together"):
            raise ValueError(f"{type(self).__name__} accepts one kind of gradient clipping; got {', '.join(given)}.")
        if steps and not steps >= 2:
            raise ValueError(f"gradient_accumulation_steps must be an integer of at least 2, or None; got {steps}.")
        if self.use_ema and not 0 <= self.ema_momentum <= 1:
            raise ValueError(f"ema_momentum must be between 0 and 1; got {self.ema_momentum}.")
        if self.use_ema and frequency and (not isinstance(frequency, int) or frequency < 1):
            raise ValueError(f"ema_overwrite_frequency must be an integer of at least 1, or None; got {frequency}.")

    def __setattr__(self, name: str, value: Any) -> None:
        structural = self.built and name in vars(self).get("_arguments", ()) and name in vars(self)
        if structural and name in NEEDS_SLOTS and value and not getattr(self, name):
            raise ValueError(
                f"{self.name} was built with {name}={getattr(self, name)}: {name}={value} "
                f"cannot be set after building.\nMake a new {type(self).__name__}({name}={value}) and compile again."
            )
        super().__setattr__(name, value)
        if structural:
            self._revision += 1

    def _missing_attribute(self, name: str) -> Any:
        """Answer for an attribute that is not there: an old spelling, or AttributeError with a hint."""
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}.")
        return spellings.old_attribute(self, name)

    if not TYPE_CHECKING:  # type checkers would take every misspelt name for an attribute
        __getattr__ = _missing_attribute

    # Hyperparameters, which callbacks may change.

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a Variable, or the schedule's value at this step. Set it to a number or a schedule."""
        rate = self._learning_rate
        if isinstance(rate, Variable) or not callable(rate):
            return rate
        return rate(self._iterations.value) if _takes_step(rate) else rate()

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self._set_learning_rate(learning_rate)

    lr = learning_rate

    def _set_learning_rate(self, rate: Any) -> None:
        old = self._learning_rate
        if said := foreign(rate):
            raise TypeError(f"Expected Cornu's own schedule; got a {type(rate).__name__}.{said}")
        if callable(rate) and not isinstance(rate, Variable):
            self._variables = [variable for variable in self._variables if variable is not old]
            self._learning_rate = rate
            self._revision += 1
            return
        number = as_number(self, "learning_rate", rate)
        self._numbers["learning_rate"] = number
        if isinstance(old, Variable):
            old.assign(number)
            return
        made = Variable(number, dtype=settings.floatx(), trainable=False, autocast=False)
        self._learning_rate = self._named(made, "learning_rate")
        self._variables.insert(1, made)
        self._revision += 1

    def has(self, name: str) -> bool:
        """Return whether a hyperparameter is set and not zero: the traced update depends on this."""
        return bool(self._numbers.get(name))

    def one_minus(self, name: str) -> Any:
        """Return one minus a hyperparameter declared as ``Hyper(complement=True)``, exact to float32."""
        return self._hyper[f"one_minus_{name}"].value

    @property
    def hyper_variables(self) -> list[Variable]:
        """The variables of the adjustable hyperparameters; a step reads them and does not change them."""
        rate = [self._learning_rate] if isinstance(self._learning_rate, Variable) else []
        return [*rate, *self._hyper.values()]

    @property
    def revision(self) -> int:
        """A counter that increases when the update must be traced again; part of a compiled program's key."""
        return self._revision

    # State.

    @property
    def variables(self) -> list[Variable]:
        """Step count, learning rate and slots, in the order of Keras's files."""
        return list(self._variables)

    @property
    def all_variables(self) -> list[Variable]:
        """All variables that a step reads or changes: `variables`, then the other `hyper_variables`."""
        return list({id(variable): variable for variable in (*self.variables, *self.hyper_variables)}.values())

    @property
    def iterations(self) -> Any:
        """The number of updates so far: a Variable, or an array with gradient accumulation."""
        steps = self.gradient_accumulation_steps
        return self._iterations.value // steps if steps else self._iterations

    @property
    def step(self) -> jax.Array:
        """The number of the current update, counted from 1, as a float array."""
        return jnp.asarray(_value(self.iterations) + 1, dtype=jnp.float32)

    __getstate__ = state_of
    __setstate__ = set_state

    def slots(self) -> list[dict[str, Any]]:
        """Return the slots kept for each weight: groups of names with initial values.

        An initial value is a number, or a function of the weight that returns an array, or None for no slot.
        """
        return []

    def prepare(self, variables: Sequence[Variable]) -> None:
        """Build slots for those of `variables` that are new.

        As in Keras 2, one optimizer may serve several models (the usual GAN program): each weight has its own slots,
        and the step count is shared.
        """
        with making_slots:
            if not self.built or any(id(variable) not in self._positions for variable in variables):
                self.build(variables)

    def build(self, variables: Sequence[Variable]) -> None:
        """Create the slots of `variables`, the weights to be trained."""
        fresh = [variable for variable in variables if id(variable) not in self._positions]
        for variable in fresh:
            self._positions[id(variable)] = len(self._trainable_variables)
            self._trainable_variables.append(variable)
        groups = [{"average": 0.0}] if self.use_ema else []
        groups += [{"gradient_accumulator": 0.0}] if self.gradient_accumulation_steps else []
        for group in [*groups, *self.slots()]:
            # Weight by weight, and for each the slots of the group: the order of Keras's files.
            for variable in fresh:
                for name, initial in group.items():
                    self._add_slot(variable, name, initial)
        self.built = True

    def _add_slot(self, variable: Variable, name: str, initial: Any) -> None:
        first = initial(variable) if callable(initial) else np.full(variable.shape, initial, dtype=np.float32)
        if first is not None:
            made = self.add_variable(first.shape, first, variable.dtype, name=self.slot_name(variable, name))
            made.like = variable
            self._slots.setdefault(name, {})[id(variable)] = made

    def slot_name(self, variable: Variable, name: str) -> str:
        """Return the name of the slot `name` of a weight, also used in Keras's files."""
        return f"{variable.path.replace('/', '_')}_{name}"

    def _get_variable_index(self, variable: Variable) -> int:
        """Return the index of a weight among those the optimizer was built for (used by custom optimizers)."""
        if id(variable) not in self._positions:
            raise ValueError(
                f"{self.name} was built for other weights than {variable.path!r}.\n"
                "Make a new optimizer for new weights."
            )
        return self._positions[id(variable)]

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Create a variable of this optimizer.

        Args:
            shape: shape of the variable.
            initializer: a number, an array, a name or an initializer.
            dtype: None takes ``floatx()``.
            aggregation: kept for Keras's signature.
            layout: a `TensorLayout`, how to split it over devices.
            name: name of the variable.
        """
        if isinstance(initializer, str):
            initializer = initializers.get(initializer)
        if not callable(initializer):
            # In numpy, so that an optimizer can also be built during tracing.
            initializer = np.broadcast_to(np.asarray(initializer), tuple(shape))
        dtype = dtype or settings.floatx()
        options = {"aggregation": aggregation, "layout": layout}
        made = Variable(initializer, shape, dtype, trainable=False, autocast=False, **options)
        self._variables.append(made)
        return self._named(made, name or "variable")

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = 0.0
    ) -> Variable:
        """Create a variable with the shape and dtype of a weight."""
        name = self.slot_name(reference_variable, name or "var")
        made = self.add_variable(reference_variable.shape, initializer, reference_variable.dtype, name=name)
        made.like = reference_variable
        return made

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: Any, initializer: Any = 0.0
    ) -> Any:
        """Create one variable per weight and return the list; several names give a tuple of lists."""
        names = [name] if isinstance(name, str) else list(name)
        initials = list(initializer) if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        made: tuple[list[Variable], ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            for some, slot, initial in zip(made, names, initials, strict=True):
                some.append(self.add_variable_from_reference(variable, slot, initial))
        return made[0] if isinstance(name, str) else made

    def _named(self, variable: Variable, name: str) -> Variable:
        variable.name, variable.path = name, f"{self.name}/{name}"
        return variable

    def get_weights(self) -> list:
        """Return the values of `variables` as numpy arrays."""
        return [variable.numpy() for variable in self.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the values of `variables`.

        Raises:
            ValueError: if the number or a shape differs, or before `build`.
        """
        if not self.built:
            raise ValueError(f"{self.name} has no slots yet: call build(model.trainable_variables) first.")
        if len(weights) != len(self.variables):
            raise ValueError(f"{self.name} has {len(self.variables)} variables; set_weights got {len(weights)} arrays.")
        for variable, weight in zip(self.variables, weights, strict=True):
            variable.assign(weight)

    # The step.

    def apply_gradients(self, grads_and_vars: Any) -> Variable:
        """Update the weights.

        Args:
            grads_and_vars: pairs of gradient and variable.

        Returns:
            The step count, a Variable.
        """
        pairs = list(grads_and_vars)
        gradients, variables = [gradient for gradient, _ in pairs], [variable for _, variable in pairs]
        if runs_compiled(self, gradients):
            update_program(self, gradients, variables)([one for one in gradients if one is not None])
        else:
            self.apply(gradients, variables)
        return self._iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Update the weights with their gradients.

        Args:
            grads: one gradient per weight; None leaves the weight unchanged, with a warning.
            trainable_variables: the weights; may be omitted after `build`.

        Raises:
            ValueError: if all gradients are None, if there are more or fewer gradients than weights, or if the
                optimizer was built for other weights.
        """
        if len(grads) == 0:
            return
        weights = self._weights_of(grads, trainable_variables)
        gradients, variables = _with_gradients(grads, weights)
        if self.has("loss_scale_factor"):
            gradients = [gradient / self.loss_scale_factor for gradient in gradients]
        if self.gradient_accumulation_steps:
            self._accumulate(gradients, variables)
        else:
            self._update(gradients, variables)
        if self.use_ema:
            self._average(weights)
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.value))
        self._iterations.assign_add(1)

    def _weights_of(self, gradients: Sequence[Any], variables: Sequence[Variable] | None) -> list[Variable]:
        """Return the weights that the gradients belong to; build slots for new ones."""
        if variables is None and not self.built:
            raise ValueError(
                f"{self.name} does not know the weights yet: call build(variables), or apply(grads, variables)."
            )
        variables = self._trainable_variables if variables is None else list(variables)
        if len(gradients) != len(variables):
            raise ValueError(f"{self.name} got {len(gradients)} gradients for {len(variables)} weights.")
        self.prepare(variables)
        return variables

    def _accumulate(self, gradients: list, variables: list[Variable]) -> None:
        """Sum the gradients; on the last of `gradient_accumulation_steps` calls, update with their mean."""
        steps = self.gradient_accumulation_steps or 1
        accumulators = [self._slots["gradient_accumulator"][id(variable)] for variable in variables]
        last = (self._iterations.value + 1) % steps == 0
        sums = [gradient + slot.value for gradient, slot in zip(gradients, accumulators, strict=True)]
        for slot, total in zip(accumulators, sums, strict=True):
            slot.assign(jnp.where(last, 0, total))
        means = [total / steps for total in sums]
        when(last, lambda: self._update(means, variables))

    def _update(self, gradients: list, variables: list[Variable]) -> None:
        # Keras 2's decay; a decay of 0 divides by exactly 1.
        rate = _value(self.learning_rate) / (1.0 + self.decay * _value(self._iterations).astype(jnp.float32))
        for variable in variables:
            decay = self.weight_decay_of(variable)
            if decay is not None:
                variable.assign(variable.value - variable.value * decay * rate)
        self.update_all(self._clipped(gradients), variables, rate)

    def _clipped(self, gradients: list) -> list:
        by_global = ("global_clipnorm", self._by_global_norm)
        clips = [("clipvalue", self._by_value), ("clipnorm", self._by_norm), by_global]
        if era.holds("clipnorm is of all gradients"):
            clips = [("clipnorm", self._by_norm), ("clipvalue", self._by_value), by_global]
        for name, clip in clips:
            if self.has(name):
                gradients = clip(gradients)
        return gradients

    def _by_value(self, gradients: list) -> list:
        return [jnp.clip(gradient, -self.clipvalue, self.clipvalue) for gradient in gradients]

    def _by_norm(self, gradients: list) -> list:
        if era.holds("clipnorm is of all gradients"):
            return _with_norm(gradients, self.clipnorm)
        return [
            gradient * self.clipnorm / jnp.maximum(jnp.sqrt(jnp.sum(jnp.square(gradient))), self.clipnorm)
            for gradient in gradients
        ]

    def _by_global_norm(self, gradients: list) -> list:
        return _with_norm(gradients, self.global_clipnorm)

    def weight_decay_of(self, variable: Variable) -> Any:
        """Return the weight decay of one weight, or None."""
        return self.weight_decay if self.has("weight_decay") and self.may_decay(variable) else None

    def may_decay(self, variable: Variable) -> bool:
        """Return whether a weight is subject to weight decay; see `exclude_from_weight_decay`."""
        excluded, pattern = self._excluded
        return id(variable) not in excluded and not (pattern and re.search(pattern, variable.name))

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Exclude weights from weight decay.

        Args:
            var_list: variables to exclude.
            var_names: regular expressions; variables whose names match one are excluded.

        Raises:
            ValueError: after `build`.
        """
        if self.built:
            raise ValueError("exclude_from_weight_decay must be called before the optimizer is built.")
        self._excluded = frozenset(map(id, var_list or ())), "|".join(var_names) if var_names else None

    def update_all(self, gradients: list, variables: list[Variable], rate: Any) -> None:
        """Update all weights, by calling `update_step` for each."""
        for gradient, variable in zip(gradients, variables, strict=True):
            self.update_step(gradient, variable, rate)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one weight and its slots with `update`."""
        key = id(variable)
        names = [name for group in self.slots() for name in group]
        slots = {name: self._slots[name][key] for name in names if key in self._slots.get(name, ())}
        old = {name: slot.value for name, slot in slots.items()}
        value, new = self.update(jnp.asarray(gradient, dtype=variable.dtype), variable.value, learning_rate, **old)
        variable.assign(value)
        for name, slot in slots.items():
            slot.assign(new[name])

    @any_signature
    def update(self, gradient: Any, value: Any, rate: Any, **slots: Any) -> tuple[Any, dict[str, Any]]:
        """Return the new value of a weight and of its slots, by name: the update rule, on arrays.

        Args:
            gradient: of the shape of the weight.
            value: the weight.
            rate: the learning rate, a scalar.
            **slots: the slots of the weight.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method update(self, gradient, value, rate, **slots).")

    def _average(self, variables: list[Variable]) -> None:
        """Update the averages (initially the weights); at overwrite steps, copy them to the weights."""
        count = _value(self.iterations)
        momentum = jnp.where(count == 0, 0.0, self.ema_momentum)
        frequency = self.ema_overwrite_frequency
        for variable in variables:
            slot = self._slots["average"][id(variable)]
            slot.assign(momentum * slot.value + (1 - momentum) * variable.value)
            if frequency:
                variable.assign(jnp.where((count + 1) % frequency == 0, slot.value, variable.value))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Copy the averages to the weights, if `use_ema`; `fit` does so at its end."""
        if self.use_ema:
            for variable in var_list:
                variable.assign(self._slots["average"][id(variable)].value)

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list, list]:
        """Return the values of weights and optimizer variables after a step; nothing is changed.

        Args:
            optimizer_variables: values of `variables`.
            grads: one gradient per weight.
            trainable_variables: values of the weights.

        Returns:
            The new values of the weights, and those of `variables`.

        Raises:
            ValueError: before `build`, or if the numbers differ.
        """
        if not self.built:
            raise ValueError(f"{self.name} has no slots yet: call build(trainable_variables) before stateless_apply.")
        weights, own = self._trainable_variables, self.variables
        if len(optimizer_variables) != len(own) or len(trainable_variables) != len(weights):
            raise ValueError(
                f"{self.name} has {len(own)} variables and {len(weights)} weights; stateless_apply got "
                f"{len(optimizer_variables)} and {len(trainable_variables)} values."
            )
        values = [jnp.asarray(array_of(value)) for value in (*trainable_variables, *optimizer_variables)]
        with bound([*weights, *own], values):
            self.apply([array_of(gradient) for gradient in grads])
            return list(read(weights)), list(read(own))

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss times `loss_scale_factor`; `apply` divides the gradients by it."""
        return loss * self.loss_scale_factor if self.has("loss_scale_factor") else loss

    def assign(self, variable: Variable, value: Any) -> None:
        """Set a variable (used by custom optimizers)."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a variable."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a variable."""
        variable.assign_sub(value)

    # Configs.

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments with their current values."""
        config = {name: self._argument(name, given) for name, given in self._arguments.items()}
        return {key: value for key, value in config.items() if not (key in self.ours and value == self.ours[key])}

    def _argument(self, name: str, given: Any) -> Any:
        if name != "learning_rate":
            return serialization.serialize(getattr(self, name, given))
        rate = self._learning_rate
        return (
            as_written(self._numbers[name] or 0.0, rate._value)
            if isinstance(rate, Variable)
            else serialization.serialize(rate)
        )

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> "Optimizer":
        """Return an optimizer built from these arguments; its slots start from scratch."""
        with registry.CustomObjectScope(custom_objects or {}):
            return serialization.construct(cls, config)


def _with_norm(gradients: list, largest: Any) -> list:
    """Return gradients whose norm, of all of them together, is at most `largest`."""
    norm = jnp.sqrt(sum(jnp.sum(jnp.square(gradient)) for gradient in gradients))
    # norm - norm is 0, but NaN for an infinite norm: the failure must show.
    scale = largest * jnp.minimum(1.0 / norm, 1.0 / largest) + (norm - norm)
    return [gradient * scale for gradient in gradients]


def _value(number: Any) -> Any:
    return number.value if isinstance(number, Variable) else jnp.asarray(number)


def _takes_step(function: Callable) -> bool:
    if isinstance(function, LearningRateSchedule):
        return True
    parameters = inspect.signature(function).parameters.values()
    return any(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


def _with_gradients(gradients: Sequence[Any], variables: list[Variable]) -> tuple[list, list[Variable]]:
    """Return the gradients that are not None and their weights; warn about the others."""
    present = [
        (gradient, variable) for gradient, variable in zip(gradients, variables, strict=True) if gradient is not None
    ]
    if not present:
        raise ValueError(
            "No gradients provided for any variable: all are None, so the loss does not depend on any of the weights."
        )
    missing = [variable.path for gradient, variable in zip(gradients, variables, strict=True) if gradient is None]
    if missing:
        warnings.warn(
            f"Gradients do not exist for variables {missing}: the loss does not depend on them.", stacklevel=4
        )
    return [jnp.asarray(gradient) for gradient, _ in present], [variable for _, variable in present]


__all__ = [
    "Optimizer",
]
