"""`K.function` and `K.gradients`: parts of the graph as functions of data, and derivatives as new parts of it."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.backend.calls import value_of
from cornu.core import graph
from cornu.core.forks import check_process
from cornu.core.graph import SymbolicTensor
from cornu.core.layer import Layer
from cornu.core.ownership import is_library
from cornu.core.randomness import ambient_seed
from cornu.core.scope import calling, changed, scope
from cornu.core.tracking import unique
from cornu.core.variable import Seed, Variable, bound, read, write
from cornu.layers import Lambda

_phase: list[SymbolicTensor] = []


def learning_phase() -> Any:
    """Return 1 in training and 0 otherwise; outside calls, a symbolic tensor for `function`."""
    in_a_call = False if scope.depth else None
    for known in (scope.training, scope.learning_phase, in_a_call):
        if known is not None:
            return int(bool(known))
    if not _phase:
        _phase.append(SymbolicTensor((), "int32", name="keras_learning_phase"))
    return _phase[0]


def set_learning_phase(value: Any) -> None:
    """Let all models train (1) or not (0) from here on, unless a call sets it explicitly."""
    if value not in (0, 1):
        raise ValueError(f"The learning phase must be 0 (test) or 1 (train); got {value!r}.")
    scope.learning_phase = bool(value)


def placeholder(
    shape: Sequence[int | None] | None = None, ndim: int | None = None, dtype: Any = None, sparse: bool = False,
    name: str | None = None, ragged: bool = False,
) -> SymbolicTensor:  # fmt: skip
    """Return a symbolic tensor for data passed to a `function`."""
    if shape is None and ndim is None:
        raise ValueError("placeholder needs a shape, for example (None, 784), or ndim, the number of axes.")
    return SymbolicTensor((None,) * (ndim or 0) if shape is None else tuple(shape), dtype, name=name)


def variables_of(nodes: Sequence[graph.Node]) -> list[Variable]:
    """Return the variables that nodes use: those of layers, and those among arguments."""
    found: list[Variable] = []
    for node in nodes:
        operation = node.operation
        found += getattr(operation, "variables", None) or getattr(getattr(operation, "function", None), "variables", [])
        found += [leaf for leaf in _leaves((node.args, node.kwargs)) if isinstance(leaf, Variable)]
    return unique(found)


def _leaves(structure: Any) -> list:
    return jax.tree.leaves(structure, is_leaf=lambda leaf: isinstance(leaf, (SymbolicTensor, Variable)))


def _may_hide_variables(nodes: Sequence[graph.Node]) -> bool:
    """Return whether some node is a custom function, which may use untracked variables."""
    return any(isinstance(node.operation, Lambda) or not (isinstance(node.operation, Layer)
               or is_library(node.operation.function) or _is_jaxs(node.operation.function))
               for node in nodes)  # fmt: skip


def _is_jaxs(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).startswith(("jax", "_operator"))


class Function:
    """What `function` returns: call it with a list of arrays, get a list of arrays."""

    def __init__(self, inputs: Any, outputs: Any, updates: Any = None) -> None:
        self.single = not isinstance(outputs, (list, tuple))
        self.inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        self.updates = [update for update in updates or [] if isinstance(update, tuple)]
        self.outputs = [outputs] if self.single else list(outputs)
        wanted = [*self.outputs, *(new for _, new in self.updates)]
        self.wanted = wanted
        given = [tensor for tensor in self.inputs if isinstance(tensor, SymbolicTensor)]
        given += [tensor.stands_for for tensor in given if tensor.stands_for is not None]
        self.nodes = graph.sorted_nodes([one for one in wanted if isinstance(one, SymbolicTensor)], given)
        self.ambient = ambient_seed()
        self.variables = unique([*variables_of(self.nodes), self.ambient])
        self.seeds = [variable for variable in self.variables if isinstance(variable, Seed)]
        self._run = self._compute if _may_hide_variables(self.nodes) else jax.jit(self._compute, static_argnums=2)

    def _compute(self, state: Any, arrays: list, training: bool | None) -> tuple[list, Any]:
        with bound(self.variables, state), changed(values={}, ambient=self.ambient), calling(training, None):
            values = {id(tensor): array for tensor, array in zip(self.inputs, arrays, strict=True)}
            for tensor, array in zip(self.inputs, arrays, strict=True):
                if (replaced := getattr(tensor, "stands_for", None)) is not None:
                    values[id(replaced)] = array
            graph.run_nodes(self.nodes, values)
            results = [
                values[id(one)] if isinstance(one, SymbolicTensor) else jnp.asarray(_plain(one)) for one in self.wanted
            ]
            return results, read(self.seeds)

    def __call__(self, inputs: Any) -> Any:
        """Compute the outputs as numpy arrays, for arrays in the order of the inputs."""
        check_process("K.function")
        given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        if len(given) != len(self.inputs):
            raise ValueError(f"This function expects a list of {len(self.inputs)} inputs; got {len(given)}.")
        training = None
        arrays = []
        for tensor, value in zip(self.inputs, given, strict=True):
            if not isinstance(tensor, SymbolicTensor) or (_phase and tensor is _phase[0]):
                training, value = bool(value), int(value)
            arrays.append(jnp.asarray(_plain(value), getattr(tensor, "dtype", None)))
        results, seeds = self._run(read(self.variables), arrays, training)
        write(self.seeds, seeds)
        count = len(self.outputs)
        for (variable, _), value in zip(self.updates, results[count:], strict=True):
            variable.assign(value)
        outputs = [np.array(result) for result in results[:count]]
        return outputs[0] if self.single else outputs


def _plain(value: Any) -> Any:
    return value._value if isinstance(value, Variable) else value


def function(inputs: Any, outputs: Any, updates: Any = None, name: str | None = None, **_: Any) -> Function:
    """Return a function from data for symbolic inputs to the values of symbolic outputs.

    `inputs` may end with ``K.learning_phase()``: its value, 0 or 1, says whether layers run in training mode. `updates`
    are pairs (variable, new symbolic value). Raises ValueError if an output needs an input that is missing.
    """
    return Function(inputs, outputs, updates)


def gradients(loss: Any, variables: Any) -> list[Any]:
    """Return the gradients of a symbolic loss (its sum) with respect to symbolic tensors or variables.

    Raises GraphNeededError (a TypeError) for a loss that is not a symbolic tensor.
    """
    if not isinstance(loss, SymbolicTensor):
        raise graph.GraphNeededError(
            f"K.gradients expects a symbolic loss, made from a model's input and output; got {type(loss).__name__}.\n"
            "For values, use jax.grad of a function."
        )
    wanted = list(variables) if isinstance(variables, (list, tuple)) else [variables]
    sources = _sources(loss)
    return [
        _by_variable(loss, one, sources) if isinstance(one, Variable) else _by_tensor(loss, one, sources)
        for one in wanted
    ]


def _sources(tensor: SymbolicTensor) -> list[SymbolicTensor]:
    """Return the symbolic inputs that `tensor` depends on."""
    found: dict[int, SymbolicTensor] = {}
    stack, seen = [tensor], set()
    while stack:
        one = stack.pop()
        if id(one) not in seen:
            seen.add(id(one))
            if one.node is None or not one.node.inputs:
                found[id(one)] = one
            else:
                stack.extend(one.node.inputs)
    return list(found.values())


def _named(function: Callable, nodes: Sequence[graph.Node]) -> Callable:
    function.__name__ = "gradients"
    function.variables = variables_of(nodes)  # type: ignore[attr-defined]
    return function


def _by_tensor(loss: SymbolicTensor, by: SymbolicTensor, sources: list[SymbolicTensor]) -> Any:
    nodes = graph.sorted_nodes([loss], [*sources, by])

    def gradient(given: list, value: Any) -> Any:
        def total(value: Any) -> Any:
            values = {id(tensor): one for tensor, one in zip(sources, given, strict=True)} | {id(by): value}
            graph.run_nodes(nodes, values)
            return jnp.sum(values[id(loss)])

        return jax.grad(total)(value)

    return graph.apply(_named(gradient, nodes), (sources, by), {})


def _by_variable(loss: SymbolicTensor, by: Variable, sources: list[SymbolicTensor]) -> Any:
    nodes = graph.sorted_nodes([loss], sources)

    def gradient(given: list) -> Any:
        def total(value: Any) -> Any:
            with bound([by], [value]):
                values = {id(tensor): one for tensor, one in zip(sources, given, strict=True)}
                graph.run_nodes(nodes, values)
                return jnp.sum(values[id(loss)])

        return jax.grad(total)(by._value)

    return graph.apply(_named(gradient, nodes), (sources,), {})


def get_value(x: Any) -> np.ndarray:
    """Return the value of a variable or array as numpy."""
    return value_of(x)


def batch_get_value(tensors: Sequence[Any]) -> list[np.ndarray]:
    """Return the values of several variables or arrays."""
    return [value_of(tensor) for tensor in tensors]


def set_value(x: Any, value: Any) -> None:
    """Set a variable; TypeError for anything else."""
    if not hasattr(x, "assign"):
        raise TypeError(f"K.set_value expects a variable (K.variable, a weight, optimizer.lr); got {type(x).__name__}.")
    x.assign(value)


def batch_set_value(tuples: Sequence[tuple[Any, Any]]) -> None:
    """Set several variables."""
    for x, value in tuples:
        set_value(x, value)


def update(x: Any, new_x: Any) -> Any:
    """Set a variable now; a symbolic new value is kept as a pair, for the `updates` of a `function`."""
    if isinstance(new_x, SymbolicTensor):
        return x, new_x
    x.assign(new_x)
    return x


def update_add(x: Any, increment: Any) -> Any:
    """Add to a variable."""
    return _changed_by(x, increment, 1)


def update_sub(x: Any, decrement: Any) -> Any:
    """Subtract from a variable."""
    return _changed_by(x, decrement, -1)


def _changed_by(x: Any, change: Any, sign: int) -> Any:
    if isinstance(change, SymbolicTensor):
        return x, change * sign + x
    return update(x, x + sign * jnp.asarray(_plain(change)))


def moving_average_update(x: Any, value: Any, momentum: float) -> Any:
    """Set a variable to ``x * momentum + value * (1 - momentum)``."""
    if isinstance(value, SymbolicTensor):
        return x, value * (1.0 - momentum) + x * momentum
    return update(x, x * momentum + jnp.asarray(_plain(value)) * (1.0 - momentum))
