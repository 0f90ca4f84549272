"""Comparing a layer with real Keras's: same weights and inputs, then outputs, gradients, losses, shapes, configs."""

import json
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras.src.initializers import random_initializers

from contract.table import call as call_on
from cornu.core import serialization
from cornu.core.graph import SymbolicTensor
from cornu.core.variable import Seed, Variable

# Each program runs once on tiny arrays: compiling it is nearly all of the time.
QUICKLY = {"xla_backend_optimization_level": 0}


def assert_like_keras(
    ours: Any,
    theirs: Any,
    inputs: Any,
    *,
    training: bool | None = None,
    tolerance: float = 2e-5,
    gradients: bool = True,
    shapes: bool = True,
    **call_arguments: Any,
) -> None:
    """Assert that two layers agree on `inputs` (an array, or a list or dictionary of them) once their weights do.

    The weights are set to random values, the same in both. Compared are the names and shapes of the weights, outputs,
    gradients with respect to trainable weights and inputs, new values of the other weights (moving averages), the
    layer's own losses, and the inferred output shapes. `tolerance` is relative to the largest value of each array.
    """
    if training is not None:
        call_arguments["training"] = training
    copy_weights(ours, theirs, inputs, **call_arguments)
    assert_trees_close(
        evaluate(ours, inputs, call_arguments, gradients),
        evaluate(theirs, inputs, call_arguments, gradients),
        tolerance,
    )
    if shapes:
        assert_same_shapes(ours, theirs, inputs)


def copy_weights(ours: Any, theirs: Any, inputs: Any, **call_arguments: Any) -> None:
    """Build both layers by a symbolic call (which compiles nothing) and give them the same random weights, in order."""
    call_arguments = {key: value for key, value in call_arguments.items() if key not in ("training", "mask")}
    symbolic_ours, symbolic_theirs = symbolic(inputs)
    call_on(ours, symbolic_ours, **call_arguments)
    with mock.patch.object(random_initializers, "random", _Undrawn):
        call_on(theirs, symbolic_theirs, **call_arguments)
    assert [weight.shape for weight in ours.weights] == [tuple(weight.shape) for weight in theirs.weights]
    names = [weight.path.split("/")[-1] for weight in theirs.weights]
    assert [weight.name for weight in ours.weights] == names
    random = np.random.default_rng(5)
    values = [_random_weight(random, weight) for weight in theirs.weights]
    theirs.set_weights(values)
    if hasattr(theirs, "finalize_state"):  # Keras's Normalization computes with copies of its weights
        theirs.finalize_state()
    ours.set_weights(values)


class _Undrawn:
    """Keras's random numbers while a layer is built whose weights are replaced anyway: nothing is compiled."""

    @staticmethod
    def make_default_seed() -> int:
        return 0

    @staticmethod
    def uniform(shape: Any, *_: Any, dtype: Any = None, **__: Any) -> jax.Array:
        return jnp.asarray(np.ones(shape), dtype)

    normal = truncated_normal = uniform
    SeedGenerator = keras.random.SeedGenerator


def _random_weight(random: np.random.Generator, weight: Any) -> np.ndarray:
    """Trainable weights of both signs; the others positive, since variances are among them."""
    low = -1.0 if weight.trainable else 0.5
    values = random.uniform(low, 1.0, weight.shape)
    return values if weight.constraint is None else np.asarray(weight.constraint(values.astype("float32")))


def evaluate(layer: Any, inputs: Any, call_arguments: dict[str, Any], gradients: bool = True) -> dict[str, Any]:
    """Return what a layer computes, as one compiled pure function of its weights and inputs.

    The gradients are those of the outputs' inner product with fixed random numbers, plus the layer's own losses.
    """
    others = layer.non_trainable_variables
    kept = [position for position, variable in enumerate(others) if not _is_seed(variable)]

    def scalar(differentiable: tuple) -> tuple:
        trainable, floats = differentiable
        call = _call if isinstance(layer, keras.Layer) else type(layer).stateless_call
        given = _merge(floats, inputs)
        outputs, updated, losses = call(
            layer,
            trainable,
            _values(others),
            *(given if isinstance(given, tuple) else (given,)),
            return_losses=True,
            **call_arguments,
        )
        products = [_product(position, leaf) for position, leaf in enumerate(jax.tree.leaves(outputs))]
        result = {
            "outputs": outputs,
            "updated": [updated[i] for i in kept],
            "losses": [jnp.sum(loss) for loss in losses],
        }
        return sum(products) + sum(result["losses"]), result

    floats = jax.tree.map(lambda leaf: jnp.asarray(leaf) if _is_float(leaf) else None, inputs)
    point = (_values(layer.trainable_variables), floats)
    if not gradients:
        return jax.jit(scalar, compiler_options=QUICKLY)(point)[1]
    found, result = jax.jit(jax.grad(scalar, has_aux=True), compiler_options=QUICKLY)(point)
    return result | {"weight gradients": found[0], "input gradients": found[1]}


def _call(layer: keras.Layer, trainable: list, others: list, *inputs: Any, return_losses: bool, **kwargs: Any) -> tuple:
    """Call a Keras layer as a pure function. (Its ``stateless_call`` leaves casts and activity regularizers out.)"""
    variables = [*layer.trainable_variables, *layer.non_trainable_variables]
    mapping = list(zip(variables, [*trainable, *others], strict=True))
    with keras.StatelessScope(state_mapping=mapping, collect_losses=return_losses) as scope:
        outputs, losses = layer(*inputs, **kwargs), layer.losses
        return outputs, [scope.get_current_value(variable) for variable in layer.non_trainable_variables], losses


def _product(position: int, output: Any) -> Any:
    numbers = np.random.default_rng(position).uniform(-1, 1, output.shape).astype("float32")
    return jnp.sum(output.astype("float32") * numbers)


def _values(variables: Any) -> list:
    return [v._value if isinstance(v, Variable) else v.value for v in variables]


def _is_seed(variable: Any) -> bool:
    return isinstance(variable, Seed) or "seed" in variable.path


def _is_float(leaf: Any) -> bool:
    return jnp.issubdtype(np.asarray(leaf).dtype, jnp.floating)


def _merge(floats: Any, inputs: Any) -> Any:
    """Return `inputs` with its floating arrays replaced by those of `floats`, which has None elsewhere."""
    return jax.tree.map(
        lambda new, old: jnp.asarray(old) if new is None else new, floats, inputs, is_leaf=lambda leaf: leaf is None
    )


def assert_trees_close(ours: Any, theirs: Any, tolerance: float = 2e-5) -> None:
    """Assert that two nested structures of arrays have the same leaves, shapes, dtypes and (nearly) values."""
    found, expected = jax.tree_util.tree_leaves_with_path(ours), jax.tree_util.tree_leaves_with_path(theirs)
    paths = [jax.tree_util.keystr(path) for path, _ in expected]
    assert [jax.tree_util.keystr(path) for path, _ in found] == paths
    for name, (_, value), (_, reference) in zip(paths, found, expected, strict=True):
        assert value.shape == reference.shape, f"{name}: {value.shape} instead of {reference.shape}"
        assert value.dtype == reference.dtype, f"{name}: {value.dtype} instead of {reference.dtype}"
        value, reference = np.asarray(value, "float64"), np.asarray(reference, "float64")
        finite = np.abs(reference[np.isfinite(reference)])
        scale = max(float(finite.max(initial=0)), 1.0)
        np.testing.assert_allclose(value, reference, rtol=tolerance, atol=tolerance * scale, err_msg=name)


def assert_same_shapes(ours: Any, theirs: Any, inputs: Any) -> None:
    """Assert that inferred output shapes agree: of a symbolic call and of ``compute_output_shape``, batch unknown."""
    shapes = jax.tree.map(lambda leaf: (None, *np.shape(leaf)[1:]), inputs)
    symbolic_ours, symbolic_theirs = symbolic(inputs)
    expected = jax.tree.map(lambda tensor: tuple(tensor.shape), call_on(theirs, symbolic_theirs))
    found = jax.tree.map(
        lambda t: tuple(t.shape), call_on(ours, symbolic_ours), is_leaf=lambda t: isinstance(t, SymbolicTensor)
    )
    assert found == expected, f"symbolic call: {found} instead of {expected}"
    shapes = shapes if isinstance(inputs, tuple) else (shapes,)
    computed = jax.tree.map(int_or_none, ours.compute_output_shape(*shapes), is_leaf=lambda size: size is None)
    reference = jax.tree.map(int_or_none, theirs.compute_output_shape(*shapes), is_leaf=lambda size: size is None)
    assert _plain(computed) == _plain(reference), f"compute_output_shape: {computed} instead of {reference}"


def symbolic(inputs: Any) -> tuple[Any, Any]:
    """Return symbolic tensors like `inputs`, with an unknown batch: Cornu's and Keras's."""
    ours = jax.tree.map(lambda leaf: SymbolicTensor((None, *np.shape(leaf)[1:]), leaf.dtype), inputs)
    theirs = jax.tree.map(lambda leaf: keras.Input(np.shape(leaf)[1:], dtype=str(leaf.dtype)), inputs)
    return ours, theirs


def int_or_none(size: Any) -> int | None:
    """Return a size as a plain int; None is an unknown one."""
    return None if size is None else int(size)


def _plain(structure: Any) -> Any:
    """Lists for tuples, so that only sizes count."""
    if isinstance(structure, dict):
        return {key: _plain(value) for key, value in structure.items()}
    return [_plain(item) for item in structure] if isinstance(structure, (list, tuple)) else structure


def assert_configs_cross(ours: Any, theirs: Any) -> None:
    """Assert that Keras reads our config, that we read Keras's, and that both describe the same layer as before."""
    reference = _described(theirs)
    assert _described(keras.layers.deserialize(_through_json(serialization.serialize(ours)))) == reference
    ours_again = serialization.deserialize(_through_json(keras.layers.serialize(theirs)))
    assert type(ours_again) is type(ours)
    assert _described(keras.layers.deserialize(_through_json(serialization.serialize(ours_again)))) == reference


def _through_json(thing: Any) -> Any:
    return json.loads(json.dumps(thing))


def _described(layer: Any) -> Any:
    """Return a Keras layer's config as plain data, without the names that differ from object to object."""
    return _without_names(_through_json(keras.layers.serialize(layer)["config"]))


def _without_names(thing: Any) -> Any:
    if isinstance(thing, list):
        return [_without_names(item) for item in thing]
    if not isinstance(thing, dict):
        return thing
    drop = (
        () if thing.get("class_name") == "DTypePolicy" else ("name", "build_config", "batch_input_shape", "batch_shape")
    )
    return {
        key: value if thing.get("class_name") == "DTypePolicy" else _without_names(value)
        for key, value in thing.items()
        if key not in drop
    }
