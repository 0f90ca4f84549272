"""Models as pickles: their config, arrays, and references to the custom classes and functions that they need."""

import pickle
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cornu.core import registry
from cornu.core.layer import check_functions
from cornu.core.scope import changed
from cornu.core.serialization import serialize, serialize_object
from cornu.core.variable import Variable, at_one_moment
from cornu.layers.feature_preprocessing.vocabulary import vocabularies_in_configs
from cornu.optimizers.base import making_slots
from cornu.saving import documents
from cornu.saving.assets import assets_of, set_assets
from cornu.saving.class_names import class_names_of, give
from cornu.saving.compiling import compile_arguments
from cornu.saving.source import Source


class Packed(NamedTuple):
    """What a pickle of a model holds."""

    entry: dict[str, Any]  # class and config
    compiled: dict[str, Any] | None  # what `compile` was given
    trained: list[bool] | None  # `trainable` of each layer when the model was compiled
    trainable: list[bool]  # and now
    weights: list[np.ndarray]
    optimizer: list[np.ndarray]
    prepared: bool  # whether the optimizer has its slots
    class_names: list[str] | None
    assets: dict[str, bytes]  # of layers, such as vocabularies: a custom layer's config does not have them
    custom: dict[str, Any]  # classes and functions by their names in the config: a pickle refers to them


def all_variables(model: Any) -> list[Variable]:
    """Return the variables of a model and of its optimizer."""
    return [*model.variables, *(model.optimizer.all_variables if model.optimizer is not None else ())]


def pack(model: Any) -> Packed:
    """Return all that makes a model, as plain data and references.

    Raises PicklingError if the model has no config.
    """
    custom: dict[str, Any] = {}
    try:
        with changed(custom=custom), at_one_moment(lambda: all_variables(model)), vocabularies_in_configs():
            entry = serialize_object(model, with_compile_config=False)
            compiled = serialize(model.get_compile_config()) if model.compiled else None
            weights = [variable.numpy() for variable in model.variables]
            with making_slots:
                prepared = bool(compiled) and model.optimizer.built
                kept = model.optimizer.all_variables if compiled else []
            state = [variable.numpy() for variable in kept]
    except (TypeError, ValueError, NotImplementedError) as error:
        raise pickle.PicklingError(
            f"Model {model.name!r} ({type(model).__name__}) cannot be pickled: {error}"
        ) from error
    flags = [flag for _, flag in model.compiled_flags] if model.compiled else None
    names, assets = class_names_of(model), assets_of(model)
    return Packed(entry, compiled, flags, _flags(model), weights, state, prepared, names, assets, custom)


def pickled(model: Any) -> tuple:
    """Return what ``__reduce__`` does for a model. Raises PicklingError that names what cannot be pickled."""
    for layer in model._flatten_layers():
        check_functions(layer)
    packed = pack(model)
    for thing in packed.custom.values():
        if getattr(thing, "__name__", "") == "<lambda>":
            raise pickle.PicklingError(
                f"Model {model.name!r} cannot be pickled: it was compiled with a lambda, and a pickle refers to "
                "functions by name.\nDefine it with def at the top of a module."
            )
    return unpack, tuple(packed)


def unpack(*values: Any) -> Any:
    """Return the model that `pack` took apart. Raises UnpicklingError if its class makes other weights now."""
    packed, source = Packed(*values), Source("a pickle", "Cornu")
    model = documents.model_of(packed.entry, packed.custom, source)
    set_assets(model, packed.assets, source)
    if packed.compiled is not None and packed.trained is not None:
        _set_flags(model, packed.trained)
        with registry.CustomObjectScope(packed.custom):
            model.compile(**compile_arguments(packed.compiled))
        if packed.prepared:
            model.optimizer.prepare(model.trainable_variables)
        _assign(model, "optimizer", model.optimizer.all_variables, packed.optimizer)
    _set_flags(model, packed.trainable)
    _assign(model, "model", model.variables, packed.weights)
    give(model, packed.class_names, "the pickle")
    return model


def _assign(model: Any, what: str, variables: Sequence[Variable], arrays: Sequence[np.ndarray]) -> None:
    shapes, given = [variable.shape for variable in variables], [array.shape for array in arrays]
    if shapes != given:
        raise pickle.UnpicklingError(
            f"The pickle of model {model.name!r} has {len(given)} arrays for its {what}, which now has {len(shapes)}: "
            f"{str(given)[:200]}, and {str(shapes)[:200]}.\nThe class has changed, or makes other layers each time."
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _flags(model: Any) -> list[bool]:
    return [layer._trainable for layer in model._flatten_layers()]


def _set_flags(model: Any, flags: Sequence[bool]) -> None:
    layers = model._flatten_layers()
    if len(layers) == len(flags):
        for layer, flag in zip(layers, flags, strict=True):
            layer._trainable = flag
