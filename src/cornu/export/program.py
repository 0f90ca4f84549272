"""A model's prediction as a pure program of its weights and inputs, with an unknown batch size."""

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import export
from jax.extend.core import ClosedJaxpr

from cornu.core.dtype_policies import array_dtype
from cornu.core.engine_errors import plain_message
from cornu.core.graph import SymbolicTensor, leaves
from cornu.core.jax_internals import without_unused
from cornu.core.randomness import ambient_seed
from cornu.core.scope import calling, changed
from cornu.core.shapes import is_shape, tensors_of_shapes
from cornu.core.variable import Variable, bound, plain, read, untouched
from cornu.kernels.compiler import plain_forms

BATCH = "batch"


class Argument(NamedTuple):
    """An input of a program: its name, its shape (None: unknown) and its dtype."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


class Program(NamedTuple):
    """A traced model.

    `closed` takes the values of `variables`, then the inputs, and returns the outputs in order; unknown sizes are
    symbolic in it. `outputs` is the structure of the outputs, with the index of each in its place.
    """

    model_name: str
    inputs: list[Argument]
    variables: list[Variable]
    closed: ClosedJaxpr
    output_names: list[str]
    outputs: Any

    @property
    def structs(self) -> list[jax.ShapeDtypeStruct]:
        """Shapes and dtypes of the inputs, with symbolic sizes."""
        avals = self.closed.in_avals[len(self.variables) :]
        return [jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in avals]


def program_of(model: Any, input_signature: Any = None) -> Program:
    """Trace a model as it predicts.

    `input_signature` describes the inputs if the model does not know them itself, or fixes sizes: a list
    with one entry for each argument of ``call``, each with a shape and a dtype (`InputSpec`, `KerasTensor`, an array),
    or a list or dictionary of such. Raises ValueError if that is missing or does not fit, or the model needs
    to know the size of its batch.
    """
    tensors = arguments_of(model, input_signature)
    inputs = _named(model, leaves(tensors))
    _check_numbers(model, tensors)
    with _explained(model, tensors):
        if not model.built:
            model.compute_output_spec(*tensors)
        return _trace(model, tensors, inputs)


def arguments_of(model: Any, signature: Any) -> list[Any]:
    """Return the arguments of a model's ``call`` as symbolic tensors, each with its name or None."""
    network = getattr(model, "_network", None)
    if signature is None and network is not None:
        return [network.inputs]
    if signature is None and getattr(model, "_build_shape", None) is not None:
        return [
            jax.tree.map(_any_batch, tensors_of_shapes(shape, model.compute_dtype), is_leaf=_is_tensor)
            for shape in model._build_shapes.values()
            if shape is not None
        ]
    if signature is None:
        raise ValueError(
            f"The model {model.name!r} does not know its inputs yet. Call it on data first, or describe them: "
            'input_signature=[keras.InputSpec(shape=(None, 28, 28), dtype="float32")].'
        )
    arguments = list(signature) if isinstance(signature, (list, tuple)) and not is_shape(signature) else [signature]
    if network is not None and len(arguments) == len(network.flat_inputs) > 1:
        arguments = [arguments]
    tensors = [_tensors(argument) for argument in arguments]
    if network is not None and len(leaves(tensors)) != len(network.flat_inputs):
        raise ValueError(
            f"input_signature describes {len(leaves(tensors))} inputs; the model {model.name!r} takes "
            f"{len(network.flat_inputs)}: {network.input_names}."
        )
    return tensors


def _tensors(thing: Any) -> Any:
    if is_shape(thing):
        return SymbolicTensor(thing, "float32", name=" ")
    if isinstance(thing, dict):
        return {key: _tensors(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [_tensors(item) for item in thing]
    shape = getattr(thing, "shape", None)
    if shape is None:
        raise ValueError(
            f"input_signature has {thing!r}, which has no shape. Use an InputSpec(shape=(None, ...), dtype=...) for "
            "each input."
        )
    shape = [None if size is None or (axis == 0 and _is_array(thing)) else int(size) for axis, size in enumerate(shape)]
    return SymbolicTensor(shape, array_dtype(thing.dtype or "float32"), name=getattr(thing, "name", None) or " ")


def _is_array(thing: Any) -> bool:
    return isinstance(thing, (np.ndarray, jax.Array))


def _is_tensor(leaf: Any) -> bool:
    return isinstance(leaf, SymbolicTensor)


def _any_batch(tensor: SymbolicTensor) -> SymbolicTensor:
    return SymbolicTensor((None, *tensor.shape[1:]), tensor.dtype, name=" ")


def _named(model: Any, tensors: list[SymbolicTensor]) -> list[Argument]:
    """Name each input: by the functional model, by its given name, or by a number."""
    network = getattr(model, "_network", None)
    names = [tensor.name for tensor in tensors] if network is None else network.input_names
    found: list[str] = []
    for number, name in enumerate(names, 1):
        name = f"input_{number}" if not name.strip() else name
        found.append(f"{name}_{number}" if name in found else name)
    return [Argument(name, tuple(t.shape), t.dtype) for name, t in zip(found, tensors, strict=True)]


def _check_numbers(model: Any, tensors: Any) -> None:
    """Raise ValueError if a model takes text, or has a layer that computes with numpy."""
    behind = "Export the model behind it: keras.Model(layer.output, model.output)"
    whole = "Or save the whole model as .keras, which `cornu serve` takes."
    texts = [tensor.name for tensor in leaves(tensors) if tensor.dtype == "string"]
    if texts:
        raise ValueError(
            f"The model {model.name!r} takes text ({', '.join(map(repr, texts))}), which an exported program cannot "
            f"hold.\n{behind} of the layer for strings. {whole}"
        )
    for layer in model._flatten_layers():
        if layer.on_host:
            raise ValueError(
                f"Layer {layer.name!r} ({type(layer).__name__}) of the model {model.name!r} computes with numpy, which "
                f"an exported program cannot.\n{behind}. {whole}"
            )


@contextlib.contextmanager
def _explained(model: Any, tensors: Any) -> Iterator[None]:
    """Return the error for a model that cannot be traced with unknown sizes."""
    try:
        yield
    except Exception as error:
        shapes = [tuple(tensor.shape) for tensor in leaves(tensors)]
        fixed = [tuple(size or 1 for size in shape) for shape in shapes]
        specs = ", ".join(
            f"keras.InputSpec(shape={shape}, dtype={t.dtype!r})"
            for shape, t in zip(fixed, leaves(tensors), strict=True)
        )
        raise ValueError(
            f"The model {model.name!r} cannot be traced for inputs of shape {shapes}: {plain_message(error)}\n"
            "If something in it needs to know the number of rows (or another size that is None here), fix the sizes: "
            f"input_signature=[{specs}]."
        ) from error


def _trace(model: Any, tensors: list[Any], inputs: list[Argument]) -> Program:
    ambient = ambient_seed()
    variables = [*model.variables, ambient]
    seen: dict[str, Any] = {}

    def predict(values: list[Any], arrays: list[Any]) -> list[Any]:
        given = iter(arrays)
        args = jax.tree.map(lambda _: next(given), tensors, is_leaf=_is_tensor)
        own = changed(values={}, losses={}, ambient=ambient)
        with bound(variables, values), own, calling(None, None), _naming(model):
            outputs = plain(model(*args, training=False))
        seen["outputs"] = outputs
        return jax.tree.leaves(outputs)

    with untouched(variables), plain_forms():
        closed = _with_symbols(lambda structs: jax.make_jaxpr(predict)(read(variables), structs), inputs)
    outputs = seen["outputs"]
    closed, used = without_unused(closed, [True] * len(variables) + [False] * len(inputs))
    numbers = iter(range(len(closed.jaxpr.outvars)))
    return Program(
        model.name,
        inputs,
        [variable for variable, needed in zip(variables, used, strict=False) if needed],
        closed,
        _output_names(model, outputs),
        _plain_structure(jax.tree.map(lambda _: next(numbers), outputs)),
    )


def _with_symbols(trace: Callable[[list], ClosedJaxpr], inputs: list[Argument]) -> ClosedJaxpr:
    """Trace with each unknown size independent of the others; if they must agree, with one for each axis."""
    unknown = [axis for argument in inputs for axis, size in enumerate(argument.shape) if size is None and axis]
    if len(unknown) > len(set(unknown)):
        try:
            return trace(_structs(inputs, shared=False))
        except Exception:  # whatever a custom layer raises if two sizes differ
            return trace(_structs(inputs, shared=True))
    return trace(_structs(inputs, shared=True))


def _structs(inputs: list[Argument], shared: bool) -> list[jax.ShapeDtypeStruct]:
    scope = export.SymbolicScope()

    def size(number: int, axis: int, known: int | None) -> str:
        if known is not None:
            return str(known)
        return BATCH if axis == 0 else f"size_{axis}" if shared else f"size_{number}_{axis}"

    found = []
    for number, argument in enumerate(inputs):
        text = ", ".join(size(number, axis, known) for axis, known in enumerate(argument.shape))
        shape = export.symbolic_shape(f"({text},)" if argument.shape else "()", scope=scope)
        found.append(jax.ShapeDtypeStruct(shape, np.dtype(argument.dtype)))
    return found


@contextlib.contextmanager
def _naming(model: Any) -> Iterator[None]:
    """Label each layer's operations with its name, so that a message can name the layer.

    Cells of recurrent layers, which compute all steps without their ``call``, are in the layer's name.
    """
    layers = [
        layer
        for layer in model._flatten_layers()
        if layer is not model and "call" not in vars(layer) and not getattr(layer, "computes_all_steps", False)
    ]
    for layer in layers:
        object.__setattr__(layer, "call", jax.named_scope(re.sub(r"[^\w.-]", "_", layer.name))(layer.call))
    try:
        yield
    finally:
        for layer in layers:
            object.__delattr__(layer, "call")


def _output_names(model: Any, outputs: Any) -> list[str]:
    network = getattr(model, "_network", None)
    if network is not None:
        names = network.output_names
    elif isinstance(outputs, dict):
        names = [str(key) for key in sorted(outputs)]
    else:
        names = []
    count = len(jax.tree.leaves(outputs))
    return names if len(names) == count else [f"output_{number + 1}" for number in range(count)]


def _plain_structure(structure: Any) -> Any:
    """Return nested lists and dictionaries with string keys, as in JSON."""
    if isinstance(structure, dict):
        return {str(key): _plain_structure(value) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return [_plain_structure(item) for item in structure]
    return structure
