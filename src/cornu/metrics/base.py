"""The metric: variables that accumulate sums over batches, and a result computed from them."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cornu import initializers
from cornu.core import budget, dtype_policies, registry, settings
from cornu.core.dtype_policies import is_float
from cornu.core.graph import op
from cornu.core.names import to_snake_case, unique_name
from cornu.core.scope import changed, get_mask, scope
from cornu.core.serialization import Recorded, construct, default_config
from cornu.core.signature import any_signature
from cornu.core.spellings import old_keywords
from cornu.core.tracking import parts, unique
from cornu.core.variable import Variable, bound, read
from cornu.losses.base import (
    FUNCTIONS,
    ROWS_APART,
    apply_mask,
    as_arrays,
    check_weights,
    same_rank,
    with_function_found,
    with_function_named,
)
from cornu.ops.numpy import divide_no_nan


class Metric(metaclass=Recorded):
    """Base class of all metrics: a number accumulated over batches.

    A custom metric creates variables in ``__init__`` with `add_variable`, adds a batch to them in
    ``update_state(y_true, y_pred, sample_weight=None)`` (with array functions only), and returns a number, or a
    dictionary of numbers, from ``result()``.

    Args:
        dtype: dtype to compute in, or the name of a policy; None takes ``floatx()``.
        name: name of the metric in logs; None takes the class name in snake case, made unique.

    Follows https://keras.io/api/metrics/base_metric/

    >>> class Largest(Metric):
    ...     def __init__(self, name="largest"):
    ...         super().__init__(name=name)
    ...         self.value = self.add_variable(shape=(), initializer="zeros", name="value")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.value.assign(jnp.maximum(self.value, jnp.max(y_pred)))
    ...     def result(self):
    ...         return self.value.value
    >>> print(Largest()(jnp.zeros(2), jnp.array([0.5, 3.0])))
    3.0
    """

    #: Whether the variables hold sums of what each row adds on its own, so that batches can be added together. A class
    #: declares it beside its `update_state`.
    keeps_rows_apart = False

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or unique_name(to_snake_case(type(self).__name__))
        self.dtype = dtype_policies.get(dtype or settings.floatx()).compute_dtype
        self._own_variables: list[Variable] = []

    def add_variable(
        self,
        shape: Sequence[int] = (),
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Create a variable, which `reset_state` sets to zeros.

        Args:
            shape: shape of the variable.
            initializer: a name, an initializer or a function of shape and dtype.
            dtype: None takes ``floatx()``, so that sums of 16-bit values stay exact.
            aggregation: how replicas are combined; kept for Keras's signature.
            name: name of the variable.
        """
        if isinstance(shape, str):  # Keras 2: add_weight(name, shape, initializer)
            shape, name = (), shape
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        budget.take(f"Metric {self.name!r}", name, shape)
        variable = Variable(
            initializers.get(initializer),
            shape=shape,
            dtype=dtype or settings.floatx(),
            trainable=False,
            autocast=False,
            aggregation=aggregation,
            name=name,
        )
        variable.path = f"{self.name}/{variable.name}"
        self._own_variables.append(variable)
        return variable

    @old_keywords("add_weight", name_first="Metric.add_weight")
    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = None,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Create a variable, as `add_variable` does; `initializer` None means zeros."""
        return self.add_variable(shape, "zeros" if initializer is None else initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The variables of this metric and of the metrics it contains."""
        nested = [variable for metric in parts(self, Metric) for variable in metric.variables]
        return unique([*self._own_variables, *parts(self, Variable), *nested])

    weights = variables
    non_trainable_variables = variables

    def build(self, y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None]) -> None:
        """Create the variables whose shapes depend on the data; most metrics have none."""

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch to the variables."""
        raise NotImplementedError(
            f"{type(self).__name__} does not implement update_state(self, y_true, y_pred, sample_weight)."
        )

    def result(self) -> Any:
        """Return the metric over all batches since the last `reset_state`."""
        raise NotImplementedError(f"{type(self).__name__} does not implement result(self), which returns a number.")

    def reset_state(self) -> None:
        """Set every variable to zeros, those of the metrics inside this one too."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def reset_states(self) -> None:
        """Old name of `reset_state`."""
        self.reset_state()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch and return the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[Array]:
        """Return the variables' values after a batch; the metric itself is unchanged.

        Args:
            metric_variables: values before the batch, in the order of `variables`.
            *args, **kwargs: arguments of `update_state`.

        Raises:
            ValueError: if the number of values differs from that of `variables`.
        """
        with bound(self.variables, self._checked(metric_variables)):
            self.update_state(*args, **kwargs)
            return list(read(self.variables))

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """Return the result for the values `metric_variables`, in the order of `variables`."""
        with bound(self.variables, self._checked(metric_variables)):
            return self.result()

    def stateless_reset_state(self) -> list[Array]:
        """Return the values of `variables` after `reset_state`."""
        with bound(self.variables, read(self.variables)):
            self.reset_state()
            return list(read(self.variables))

    def _checked(self, values: Sequence[Any]) -> list[Any]:
        if len(values) != len(self.variables):
            raise ValueError(f"Metric {self.name!r} has {len(self.variables)} variables; got {len(values)} values.")
        return [jnp.asarray(value.value if isinstance(value, Variable) else value) for value in values]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return default_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Metric":
        """Return a metric built from the arguments in `config`."""
        return construct(cls, config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def samplewise(values: Any, sample_weight: Any, dtype: Any, reduce: Callable = jnp.mean) -> tuple[Array, Array | None]:
    """Return weighted values and the weights, with one entry per sample.

    Args:
        values: ``(batch, ...)``.
        sample_weight: weights that fit `values`, or None.
        dtype: dtype of the result.
        reduce: combines the values of one sample.
    """
    mask = get_mask(values)
    values = jnp.asarray(values, dtype)
    if not values.ndim and np.ndim(sample_weight):  # a mean that the function made itself accepts any, as a loss does
        return values, None
    if sample_weight is not None:
        sample_weight = jnp.asarray(sample_weight, dtype)
        if mask is not None:
            sample_weight = apply_mask(sample_weight, mask, dtype, "sum")
        values, sample_weight = same_rank(values, sample_weight)
        check_weights(sample_weight.shape, values.shape)
        # (batch, time, units) and weights (batch, time) give (batch, time)
        values = reduce(values, axis=tuple(range(sample_weight.ndim, values.ndim)))
        sample_weight = jnp.broadcast_to(sample_weight, values.shape)
        values, sample_weight = values * sample_weight, _per_sample(sample_weight, reduce)
    return _per_sample(values, reduce), sample_weight


def _per_sample(values: Array, reduce: Callable) -> Array:
    if values.ndim <= 1:
        return values
    reduced = reduce(values, axis=tuple(range(1, values.ndim)))  # (batch,)
    if scope.length is None or reduce is not jnp.mean:
        return reduced
    return reduced * (values.shape[1] / scope.length)  # the mean of the steps that are not padded; the others are 0


@registry.METRICS.add()
class Sum(Metric):
    """The weighted sum of values.

    Args:
        name: name of the metric in logs.
        dtype: dtype of the sum; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/reduction_metrics/#sum-class

    >>> print(Sum()([1.0, 3.0], sample_weight=[1, 0]))
    1.0
    """

    keeps_rows_apart = True

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(dtype=self.dtype, name="total")

    @any_signature
    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, _ = samplewise(values, sample_weight, self.dtype, jnp.sum)
        self.total.assign_add(jnp.sum(values))

    def result(self) -> Array:
        return self.total.value


@registry.METRICS.add()
class Mean(Metric):
    """The weighted mean of values.

    Args:
        name: name of the metric in logs.
        dtype: dtype of the sums; None takes ``floatx()``.

    Follows https://keras.io/api/metrics/reduction_metrics/#mean-class

    >>> mean = Mean()
    >>> mean.update_state([1.0, 3.0]); mean.update_state([5.0, 7.0], sample_weight=[1, 0]); print(mean.result())
    3.0
    """

    keeps_rows_apart = True

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(dtype=self.dtype, name="total")
        self.count = self.add_variable(dtype=self.dtype, name="count")

    @any_signature
    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, sample_weight = samplewise(values, sample_weight, self.dtype)
        self.total.assign_add(jnp.sum(values))
        self.count.assign_add(values.size if sample_weight is None else jnp.sum(sample_weight))

    def result(self) -> Array:
        return divide_no_nan(self.total.value, self.count.value)


@registry.METRICS.add()
class MeanMetricWrapper(Mean):
    """The weighted mean of a function ``fn(y_true, y_pred, **kwargs)`` over all samples.

    Args:
        fn: function of targets and predictions that returns one value per sample.
        name: name of the metric in logs; None takes the class name in snake case, made unique.
        dtype: dtype of the sums; None takes ``floatx()``.
        **kwargs: keyword arguments for `fn`, kept as attributes.

    Follows https://keras.io/api/metrics/reduction_metrics/#meanmetricwrapper-class

    >>> print(MeanMetricWrapper(lambda y_true, y_pred: jnp.abs(y_true - y_pred), name="error")([1.0], [0.5]))
    0.5
    """

    keeps_rows_apart = True

    def __init__(self, fn: Callable, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name or unique_name(to_snake_case(type(self).__name__)), dtype)
        self._fn = fn
        self._options = tuple(kwargs)
        vars(self).update(kwargs)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        mask = get_mask(y_pred)
        options = {name: getattr(self, name) for name in self._options}
        with changed(masks=dict(scope.masks)):
            values = self._fn(*_as_column(_in_type(y_true, self.dtype), _in_type(y_pred, self.dtype)), **options)
            if sample_weight is None and mask is not None:
                sample_weight = mask
            elif mask is not None:
                sample_weight = apply_mask(sample_weight, mask, self.dtype, "sum")
            super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        return with_function_named(default_config(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        return construct(cls, with_function_found(config))


def metric_function(function: Callable) -> Callable:
    """Decorate a function of `y_true` and `y_pred` that gives each row a value which depends on this row alone.

    It takes symbolic tensors too, and configs find it by its name.
    """
    function = FUNCTIONS[function.__name__] = op(function)
    ROWS_APART.add(function)
    return function


def _as_column(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Reshape targets ``(batch,)`` to ``(batch, 1)`` if the predictions have that shape.

    Otherwise a custom function would broadcast them to ``(batch, batch)``. Losses do the same.
    """
    column = getattr(y_true, "ndim", None) == 1 and getattr(y_pred, "shape", ())[1:] == (1,)
    return (y_true[:, None] if column else y_true), y_pred


def _in_type(y: Any, dtype: str) -> Any:
    """Return `y` as arrays, floats cast to `dtype`; integers are kept, so that class labels stay exact."""
    return jax.tree.map(lambda array: array.astype(dtype) if is_float(array.dtype) else array, as_arrays(y))


__all__ = [
    "Mean",
    "MeanMetricWrapper",
    "Metric",
    "Sum",
]
