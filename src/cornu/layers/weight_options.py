"""The options that a layer's constructor takes for each of its weights: initializer, regularizer, constraint."""

from typing import Any

from cornu import constraints, initializers, regularizers
from cornu.core.layer import Layer
from cornu.core.variable import Variable


def keep_options(layer: Layer, weight: str, initializer: Any, regularizer: Any, constraint: Any) -> None:
    """Keep how to make a weight, for example as `kernel_initializer`, `kernel_regularizer`, `kernel_constraint`.

    Args:
        layer: The layer whose constructor got the options.
        weight: The part of the options' names that is before ``_initializer``.
        initializer: A name, config, object, function or array, as `initializers.get` takes it.
        regularizer: As `regularizers.get` takes it.
        constraint: As `constraints.get` takes it.

    Raises:
        ValueError: An unknown name.
        TypeError: Neither a name nor a config nor a callable.
    """
    setattr(layer, f"{weight}_initializer", initializers.get(initializer))
    setattr(layer, f"{weight}_regularizer", regularizers.get(regularizer))
    setattr(layer, f"{weight}_constraint", constraints.get(constraint))


def make_weight(layer: Layer, weight: str, shape: tuple[int, ...], name: str | None = None, **more: Any) -> Variable:
    """Make a weight with the options that `keep_options` kept.

    Args:
        layer: The layer that gets the weight.
        weight: The name under which the options were kept.
        shape: The sizes of the weight's axes.
        name: The weight's own name, if it is not `weight`.
        more: Other arguments of `Layer.add_weight`, and those that replace an option.

    Returns:
        The new variable.
    """
    options = {option: getattr(layer, f"{weight}_{option}") for option in ("initializer", "regularizer", "constraint")}
    return layer.add_weight(name=name or weight, shape=shape, **(options | more))
