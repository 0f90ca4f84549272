"""What a layer holds: its weights and sublayers, and how to list, read and set them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from cornu.core import budget, dtype_policies, registry
from cornu.core.ownership import is_library
from cornu.core.placement import on_host
from cornu.core.scope import changed, inside, joined, scope
from cornu.core.serialization import Recorded, get
from cornu.core.spellings import old_keywords
from cornu.core.tracking import parts, unique
from cornu.core.variable import Variable, read


class _Path:
    """The names of the layers around a layer when it was first called or built, and its own; None before that.

    It can be overwritten: a custom layer may use the name for something else.
    """

    def __get__(self, layer: "HoldsWeights | None", _: type) -> "str | _Path | None":
        if layer is None:
            return self
        return None if layer._around is None else layer._path()


class HoldsWeights(metaclass=Recorded):
    """The part of `Layer` that manages weights and sublayers."""

    built: bool
    name: str
    _dtype_policy: dtype_policies.DTypePolicy
    _weights: list[Variable]
    _losses: list[Any]
    _arguments: dict[str, Any]  # of the constructor call, by `Recorded`
    _trainable = True
    _initialized = False
    _around: str | None = None  # the names of the layers around this one when it was first called or built
    path = _Path()
    revision = 0  #: of the class: how often layers were changed that compiled programs may have in them

    def naming(self) -> AbstractContextManager[None]:
        """Return a context in which new variables get this layer's path."""
        self._find_place()
        return inside(self._path())

    def _find_place(self) -> None:
        if self._around is None:
            self._around = scope.path

    def _path(self) -> str:
        return joined(scope.path if self._around is None else self._around, self.name)

    @old_keywords("add_weight", name_first="Layer.add_weight")
    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Make a weight of this layer.

        Args:
            shape: its sizes, all known; a number for one axis, nothing for a scalar.
            initializer: its first values; None is glorot-uniform for floats, zeros otherwise.
            dtype: its dtype; None is the layer's `variable_dtype`.
            trainable: whether training changes it.
            autocast: whether calls see it in the layer's `compute_dtype`.
            regularizer: a penalty that is added to the loss.
            constraint: what it must obey after each update.
            aggregation: how replicas are joined; accepted for compatibility.
            layout: a `TensorLayout`, how to split it over devices; by default, the current distribution says it.
            overwrite_with_gradient: must be False.
            name: its name in the layer.

        Returns:
            The weight, a `Variable`.

        Raises:
            TypeError: for a keyword that is not among these.
            ValueError: for `overwrite_with_gradient`.

        >>> from cornu.layers import Layer
        >>> Layer(name="scale").add_weight(shape=(2,), initializer="ones", name="factor").path
        'scale/factor'
        """
        if overwrite_with_gradient:
            raise ValueError("add_weight(overwrite_with_gradient=True) cannot be followed: leave it out.")
        dtype = dtype_policies.standardize_dtype(dtype or self._dtype_policy.variable_dtype)
        shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(int(size) for size in shape or ())
        budget.take(f"Layer {self.name!r}", name, shape)
        initializer = initializer or ("glorot_uniform" if dtype_policies.is_float(dtype) else "zeros")
        initializer = get(initializer, registry.INITIALIZERS)
        if scope.budget is not None and scope.budget.replaces_values and is_library(type(self)):
            initializer = getattr(initializer, "without_values", initializer)
        variable = Variable(
            initializer,
            shape=shape,
            dtype=dtype,
            trainable=trainable,
            autocast=autocast,
            name=name or "variable",
            regularizer=get(regularizer, registry.REGULARIZERS),
            constraint=get(constraint, registry.CONSTRAINTS),
            layout=layout,
        )
        variable.path = joined(self._path(), variable.name)
        variable._frozen = not self._trainable
        self._weights.append(variable)
        return variable

    add_variable = add_weight

    def sublayers(self) -> "list[HoldsWeights]":
        """Return the layers that this one holds."""
        return [layer for layer in parts(self, HoldsWeights) if layer is not self]

    def _own_variables(self) -> list[Variable]:
        return unique([*self._weights, *parts(self, Variable)])

    def _flatten_layers(self) -> "list[HoldsWeights]":
        """Return this layer and all layers inside it, each once."""
        found: dict[int, HoldsWeights] = {}
        stack: list[HoldsWeights] = [self]
        while stack:
            layer = stack.pop()
            if id(layer) not in found:
                found[id(layer)] = layer
                stack.extend(reversed(layer.sublayers()))
        return list(found.values())

    def sharing(self) -> AbstractContextManager[None]:
        """Return a context in which configs say which layers are in several places of this one, as files need it."""
        places: dict[int, int] = {}
        for layer in self._flatten_layers():
            for sublayer in layer.sublayers():
                places[id(sublayer)] = places.get(id(sublayer), 0) + 1
        repeated = [key for key, count in places.items() if count > 1]
        return changed(shared_ids={key: number for number, key in enumerate(repeated, 1)})

    @property
    def variables(self) -> list[Variable]:
        """All variables, including random keys: the layer's trainable ones, its others, then those of sublayers."""
        result = []
        for layer in self._flatten_layers():
            result += _trainable_first(layer._own_variables())
        return unique(result)

    @property
    def weights(self) -> list[Variable]:
        """The variables without random keys, in Keras's order."""
        return [variable for variable in self.variables if variable.is_weight]

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training changes; empty if `trainable` is False."""
        return unique(v for v in _trainable_in(self, set()))

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """All variables that gradients do not change."""
        trainable = {id(variable) for variable in self.trainable_variables}
        return [variable for variable in self.variables if id(variable) not in trainable]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return self.trainable_variables

    @trainable_weights.setter
    def trainable_weights(self, variables: Sequence[Variable]) -> None:
        for variable in variables:
            variable.trainable = variable.made_trainable = True
        self._weights = unique([*self._weights, *variables])

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that gradients do not change (without random keys)."""
        return [variable for variable in self.non_trainable_variables if variable.is_weight]

    @non_trainable_weights.setter
    def non_trainable_weights(self, variables: Sequence[Variable]) -> None:
        for variable in variables:
            variable.trainable = variable.made_trainable = False
        self._weights = unique([*self._weights, *variables])

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights. Setting it sets all sublayers and weights too."""
        return scope.flags.get(id(self), self._trainable) if scope.flags else self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._flatten_layers() if self._initialized else [self]:
            if id(layer) in scope.flags:  # while a step is traced, for the rest of the trace
                scope.flags[id(layer)] = bool(value)
            else:
                layer._trainable = bool(value)
                for variable in layer._own_variables():
                    variable._frozen = not value
                    variable._trains = variable._trains or (bool(value) and variable.made_trainable)

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of the weights as numpy arrays."""
        return [np.array(on_host(array)) for array in read(self.weights)]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the weights from a list of arrays, as `get_weights` returns; ValueError if number or shapes differ."""
        variables = self.weights
        if len(weights) != len(variables):
            hint = "" if self.built else " It is not built yet: call it on data first."
            raise ValueError(
                f"{self.name!r} has {len(variables)} weights; set_weights got {len(weights)}.{hint}\n"
                f"Expected shapes: {[variable.shape for variable in variables]}."
            )
        for variable, value in zip(variables, weights, strict=True):
            if np.shape(value) != variable.shape:
                raise ValueError(f"Weight {variable.path!r} has shape {variable.shape}; got {np.shape(value)}.")
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)

    def kept_variables(self) -> list[Variable]:
        """Return this layer's own variables in the order of files: trainable ones first, without random keys."""
        return _trainable_first([variable for variable in self._own_variables() if variable.is_weight])

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Put this layer's own arrays for a file into `store`. A custom layer may choose other arrays."""
        store.update({str(number): variable.numpy() for number, variable in enumerate(self.kept_variables())})

    def load_own_variables(self, store: dict[str, Any]) -> None:
        """Set this layer's variables from what `save_own_variables` put into `store`."""
        own = self.kept_variables()
        if len(store) != len(own):
            raise ValueError(f"{self.name!r} has {len(own)} weights; the file has {len(store)}.")
        for number, variable in enumerate(own):
            variable.assign(store[str(number)])

    def count_params(self) -> int:
        """Return the number of values in all weights; ValueError before the layer is built."""
        if not self.built:
            raise ValueError(f"{self.name!r} has no weights yet: build it with build(input_shape), or call it on data.")
        return sum(variable.size for variable in self.weights)


def _trainable_first(variables: list[Variable]) -> list[Variable]:
    """Return variables in the order of weights and files: those made to be trained, then the others."""
    return sorted(variables, key=lambda variable: not variable.made_trainable)


def _trainable_in(layer: HoldsWeights, seen: set[int]) -> list[Variable]:
    """Return the trainable variables of a layer and of its trainable sublayers."""
    if id(layer) in seen or not scope.flags.get(id(layer), layer._trainable):
        return []
    seen.add(id(layer))
    result = [variable for variable in layer._own_variables() if variable._trains]
    for sublayer in layer.sublayers():
        result += _trainable_in(sublayer, seen)
    return result
