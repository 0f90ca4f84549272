"""The loop over time steps that every recurrent layer is: `RNN` over a cell."""

from collections.abc import Callable
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu.core import control, era, registry
from cornu.core.graph import SymbolicTensor, leaves
from cornu.core.input_spec import InputSpec
from cornu.core.layer import BASE_ARGUMENTS, Layer
from cornu.core.layer_options import LayerOptions
from cornu.core.ownership import declares, is_library
from cornu.core.rows_apart import layer_keeps_rows_apart
from cornu.core.scope import changed, joined, scope
from cornu.core.shapes import shape_of
from cornu.core.signature import call_signature
from cornu.core.variable import Variable, plain, restored
from cornu.kernels.padded_steps import real_steps, without_first
from cornu.kernels.recurrent import Loop, over_time, time_first
from cornu.layers.recurrent.any_cell import call_cell, check_cell, first_states, output_size
from cornu.layers.recurrent.cell import Cell, Noise, noise_of
from cornu.layers.recurrent.stacked_cells import StackedRNNCells


@registry.LAYERS.add()
class RNN(Layer):
    """Go over the time steps of sequences with a cell, which keeps a state from step to step.

    A cell is a layer or object with ``call(inputs, states)``, which returns the output of a step and the new states,
    and a ``state_size``: an integer, or a list of integers or shapes, one for each state. It may also have an
    ``output_size`` and ``get_initial_state(batch_size)``. Its ``call`` may take `training` and `constants`.

    Args:
        cell: The cell, or a list of cells, of which each gets the outputs of the one before.
        return_sequences: Whether to return the outputs of all steps, not of the last one only.
        return_state: Whether to return the last states after the outputs.
        go_backwards: Whether to begin with the last step. Outputs are in the order in which they are computed.
        stateful: Whether the last states of each row are the first ones of the same row in the next batch. The size of
            the batch has to be known then: ``Input(batch_shape=...)``.
        unroll: Whether to compile the steps one after the other instead of as a loop. It needs a known number of steps.
        zero_output_for_mask: Whether outputs of masked steps are zero; else they repeat the output before.
        **kwargs: Arguments of `Layer`; `time_major` of tf.keras: whether the first axis of sequences is the time; and
            `num_constants`: how many tensors at the end of a list of inputs are constants.

    Call arguments:
        sequences: ``(batch, time, ...)``, or a list with the initial states (and constants) behind them.
        initial_state: The first states, a tensor or a list; None are zeros.
        mask: Booleans ``(batch, time)``. A masked step changes no state.
        training: Whether the cell trains.
        constants: Tensors that the cell gets in each step, a list.

    Returns:
        The last output ``(batch, ...)``, or all outputs ``(batch, time, ...)``; with `return_state` a tuple of them and
        the states.

    Raises:
        ValueError: The cell has no ``call`` or no ``state_size``; the inputs have no time axis; the initial states do
            not fit; `stateful` with an unknown batch size; `unroll` with an unknown number of steps.

    Follows https://keras.io/api/layers/recurrent_layers/rnn/

    >>> import numpy as np
    >>> from cornu.layers import GRUCell
    >>> RNN(GRUCell(4), return_sequences=True)(np.ones((2, 10, 8))).shape
    (2, 10, 4)
    """

    _keywords = (*BASE_ARGUMENTS, "activity_regularizer", "num_constants", "time_major")
    supports_masking = True
    states: Any

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        if "input_dim" in kwargs:
            kwargs.setdefault("input_length", None)
        self._number_of_constants = kwargs.pop("num_constants", None) or 0  # type: ignore[typeddict-item]
        self.time_major = bool(kwargs.pop("time_major", False))  # type: ignore[typeddict-item]
        super().__init__(**kwargs)
        self.cell = check_cell(StackedRNNCells(cell) if isinstance(cell, (list, tuple)) else cell)
        self.return_sequences, self.return_state = bool(return_sequences), bool(return_state)
        self.go_backwards, self.unroll = bool(go_backwards), bool(unroll)
        self.stateful = bool(stateful)
        self.zero_output_for_mask = bool(zero_output_for_mask)
        self.input_spec = self.cell.sequences_spec() if isinstance(self.cell, Cell) else InputSpec(min_ndim=3)
        self.states = None

    @property
    def keeps_rows_apart(self) -> bool:  # type: ignore[override]
        """Whether each row of the outputs depends on the same row of the inputs alone."""
        return not self.time_major and isinstance(self.cell, Layer) and layer_keeps_rows_apart(self.cell, 2)

    @property
    def leaves_steps_out(self) -> bool:
        """Whether steps can be padded: a loop masks them. Of custom cells it is not known what else they do in them."""
        return not (self.unroll or self.time_major) and all(
            is_library(type(part)) for part in (self.cell, *_parts(self.cell))
        )

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states, a list."""
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    @property
    def output_size(self) -> Any:
        """The size of the cell's outputs."""
        return output_size(self.cell)

    # ---- calling

    def __call__(self, sequences: Any, *args: Any, **kwargs: Any) -> Any:
        """Call the layer; states and constants may be in a list behind the sequences, as in Keras 2."""
        sequences = take_apart(sequences, kwargs, self._number_of_constants)
        if kwargs.get("constants") is not None:
            self._number_of_constants = len(leaves(kwargs["constants"]))
        return super().__call__(sequences, *args, **kwargs)

    def _check_and_build(self, args: tuple, kwargs: dict[str, Any]) -> None:
        sequences = call_signature(type(self)).first(args, kwargs)
        check_sequences(self, sequences)
        if self.unroll and shape_of(sequences)[0 if self.time_major else 1] is None:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) has unroll=True, and the number of time steps of its "
                f"inputs is unknown: {tuple(shape_of(sequences))}.\nLeave unroll out, or set the number in Input(shape="
                "(time, features))."
            )
        super()._check_and_build(args, kwargs)

    def build(self, sequences_shape: tuple, initial_state_shape: Any = None, constants_shape: Any = None) -> None:
        axis = 1 if self.time_major else 0
        batch = sequences_shape[axis]
        if batch is None and self._batch_input_shape is not None:
            batch = self._batch_input_shape[axis]
        if isinstance(self.cell, Layer) and not self.cell.built:
            step = (batch, *sequences_shape[2:])
            listed = constants_shape is not None and era.holds("cells are built for their constants")
            self.cell.build([step, *constants_shape] if listed else step)
            self.cell.built = True
        if isinstance(self.cell, Cell):
            self.input_spec = self.cell.sequences_spec()
        if self.stateful and self.states is None:
            if batch is None:
                raise ValueError(
                    f"Layer {self.name!r} ({type(self).__name__}) has stateful=True: its states have one row for each "
                    "row of a batch, and the batch size is unknown.\nSet it: Input(batch_shape=(32, time, features)), "
                    "or batch_input_shape in the first layer of a Sequential model."
                )
            with jax.ensure_compile_time_eval():  # a model may be built inside a trace
                first = self.get_initial_state(batch_size=batch)
            self.states = jax.tree.map(self._state_variable, first)

    def _state_variable(self, value: jax.Array) -> Variable:
        variable = Variable(value, trainable=False, autocast=False, name="rnn_state")
        variable.path = joined(self._path(), variable.name)
        variable.is_weight = False  # no part of a model's file
        return variable

    def get_initial_state(self, inputs: Any = None, batch_size: int | None = None) -> list[Any]:
        """Return the states before the first step: those that the cell gives, else zeros.

        Args:
            inputs: The sequences; the batch size is theirs if `batch_size` is None.
            batch_size: Size of the batch.
        """
        if isinstance(inputs, int):  # get_initial_state(batch_size)
            inputs, batch_size = None, inputs
        batch = inputs.shape[0] if batch_size is None else batch_size
        states = first_states(self.cell, batch, self.compute_dtype, inputs)
        return list(states) if isinstance(states, (list, tuple)) else [states]

    def call(
        self,
        sequences: jax.Array,
        initial_state: Any = None,
        mask: Any = None,
        training: bool = False,
        constants: Any = None,
    ) -> Any:
        mask = _mask_of_steps(mask[0] if isinstance(mask, (list, tuple)) else mask)
        if self.time_major:
            sequences, mask = time_first(sequences), None if mask is None else time_first(mask)
        states = self._first_states(sequences, initial_state)
        loop = Loop(self.go_backwards, self.unroll, self.return_sequences, self.zero_output_for_mask)
        length = scope.length  # None: no step is padded
        if length is not None:
            mask = real_steps(mask, length, sequences.shape)
        shape = (sequences.shape[0], *sequences.shape[2:])  # of one step
        noise = noise_of(self.cell, shape, training) if isinstance(self.cell, Layer) else {}
        with changed(noise=noise, length=None):
            if self._runs_at_once() and constants is None:
                own = noise.get(id(self.cell), Noise())
                output, states = self.cell.run(sequences, states, mask, own, loop)
            else:
                output, states = self._step_by_step(sequences, states, mask, training, constants, loop)
        if self._goes_on(sequences):
            for variable, state in zip(self._state_variables(), leaves(states), strict=True):
                variable.assign(state)
        if self.return_sequences and self.go_backwards:
            output = jax.tree.map(lambda array: without_first(array, length), output)
        if self.time_major and self.return_sequences:
            output = jax.tree.map(time_first, output)
        return (output, *states) if self.return_state else output

    def _runs_at_once(self) -> bool:
        """Return whether the cell is one of the library's, which computes all steps by itself."""
        cell = self.cell
        return (
            isinstance(cell, Cell)
            and declares(cell, "computes_all_steps", "call", "step", "__call__")
            and (cell.dtype_policy.name == self.dtype_policy.name)
        )

    def _first_states(self, sequences: jax.Array, initial_state: Any) -> list[Any]:
        dtype = getattr(self.cell, "compute_dtype", self.compute_dtype)
        if initial_state is not None:
            given = list(initial_state) if isinstance(initial_state, (list, tuple)) else [initial_state]
            expected = jax.eval_shape(lambda: self._begin(sequences))
            return self._checked(jax.tree.map(lambda state: _in_dtype(state, dtype), given), expected)
        if self._goes_on(sequences):
            self._check_batch(sequences.shape[0])
            states = plain(self.states)
        else:
            states = self._begin(sequences)
        return jax.tree.map(lambda state: _in_dtype(state, dtype), states)

    def _goes_on(self, sequences: jax.Array) -> bool:
        """Return whether the states go on from batch to batch; not while shapes are inferred for an unknown batch."""
        batch = sequences.shape[0]
        return self.stateful and (batch not in scope.probes or batch == self.fixed_batch_size)

    def _begin(self, sequences: jax.Array) -> list[Any]:
        """Return the states before the first step of sequences."""
        more = {"inputs": sequences} if getattr(self.cell, "sizes_states_by_inputs", False) else {}
        return self.get_initial_state(batch_size=sequences.shape[0], **more)

    def _checked(self, states: list[Any], expected: list[Any]) -> list[Any]:
        """Return initial states in the nesting of the cell's; ValueError if number or shapes differ."""
        flat, places = leaves(states), jax.tree.leaves(expected)
        shapes, wanted = [tuple(state.shape) for state in flat], [tuple(place.shape) for place in places]
        if shapes != wanted:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) has {len(wanted)} state{'s' * (len(wanted) != 1)} of "
                f"shape {', '.join(map(str, wanted))}; initial_state has {len(shapes)}, of shape "
                f"{', '.join(map(str, shapes))}.\nGive one array for each state, with a row for each row of the batch."
            )
        return jax.tree.unflatten(jax.tree.structure(expected), flat)

    def _check_batch(self, batch: int) -> None:
        expected = self.fixed_batch_size
        if expected != batch:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) is stateful for batches of {expected} rows; got a batch "
                f"of {batch}.\nUse batch_size={expected} and a number of rows that is a multiple of it."
            )

    def _step_by_step(
        self, sequences: Any, states: Any, mask: Any, training: Any, constants: Any, loop: Loop
    ) -> tuple[Any, list[Any]]:
        call = call_cell(self.cell, training, constants)

        def step(inputs: Any, states: Any) -> tuple[Any, Any]:
            output, after = call(inputs, states)
            after = after if isinstance(after, (list, tuple)) else [after]
            return output, self._like(states, after)

        traced = any(isinstance(leaf, jax.core.Tracer) for leaf in leaves((sequences, states, constants)))
        first = None  # a library cell's output is its first state
        uses_last = mask is not None or not loop.sequences
        if uses_last and sequences.shape[1] and not isinstance(self.cell, Cell):
            first = _zeros_like_output(step, sequences, states)
        return over_time(step, sequences, states, mask, loop, first, control.scan if traced else _in_turn)

    def _like(self, before: Any, after: Any) -> Any:
        """Return new states in the nesting and dtypes of the last ones; ValueError if their shapes changed."""
        old, new = leaves(before), leaves(plain(after))
        shapes, wanted = [jnp.shape(state) for state in new], [state.shape for state in old]
        if shapes != wanted:
            raise ValueError(
                f"The cell of layer {self.name!r}, {type(self.cell).__name__}, was called with states of shape "
                f"{', '.join(map(str, wanted))} and returned {', '.join(map(str, shapes)) or 'none'}.\n"
                "It must return its output and a list of new states, which have the shapes that state_size says."
            )
        cast = [jnp.asarray(state, like.dtype) for state, like in zip(new, old, strict=True)]
        return jax.tree.unflatten(jax.tree.structure(before), cast)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the outputs, which sequences alone have; states have none."""
        mask = mask_of_outputs(self, previous_mask)
        return [mask, *[None] * len(self.state_size)] if self.return_state else mask

    # ---- states

    @property
    def fixed_batch_size(self) -> int | None:
        """The number of rows that every batch has to have: that of the states of a stateful layer, else None."""
        return None if self.states is None else self._state_variables()[0].shape[0]

    def _state_variables(self) -> list[Variable]:
        return jax.tree.leaves(self.states, is_leaf=lambda leaf: isinstance(leaf, Variable))

    def reset_states(self, states: Any = None) -> None:
        """Set the states of a stateful layer, to zeros or to given values.

        Args:
            states: An array for each state, each ``(batch, ...)``; None are the cell's first states.

        Raises:
            AttributeError: The layer is not stateful.
            ValueError: The layer is not built yet, or the states do not fit.
        """
        if not self.stateful:
            raise AttributeError(
                f"Layer {self.name!r} ({type(self).__name__}) is not stateful: it has no states to reset. It would be "
                "with stateful=True."
            )
        if self.states is None:
            raise ValueError(f"Layer {self.name!r} ({type(self).__name__}) has no states before it is built.")
        variables = self._state_variables()
        expected = self.get_initial_state(batch_size=variables[0].shape[0])
        if states is not None:
            states = list(states) if isinstance(states, (list, tuple)) else [states]
            states = self._checked(jax.tree.map(jnp.asarray, states), expected)
        for variable, value in zip(variables, leaves(expected if states is None else states), strict=True):
            variable.assign(value)

    def reset_state(self) -> None:
        """Set the states of a stateful layer to the cell's first ones. Other layers have nothing to reset."""
        if self.states is not None:
            self.reset_states()

    # ---- config

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self._number_of_constants:
            config["num_constants"] = self._number_of_constants
        if self.time_major:
            config["time_major"] = True
        return config | {"zero_output_for_mask": self.zero_output_for_mask}


class OfCell(Layer):
    """The part of `SimpleRNN`, `LSTM` and `GRU` that makes their cell, and gives its options as the layer's own."""

    cell: Cell

    @staticmethod
    def _of_cell(kwargs: Any) -> dict[str, Any]:
        """Return those of a layer's arguments that its cell takes, too."""
        return {name: kwargs[name] for name in ("dtype", "trainable") if name in kwargs}

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        of_cell = self.cell.get_config()
        own = set(of_cell) - {"name", "trainable", "dtype"}
        config = {name: of_cell[name] if name in own else value for name, value in config.items() if name != "cell"}
        not_kept = {"use_cudnn"} | ({"implementation"} if config.get("implementation") == 2 else set())
        return {name: value for name, value in config.items() if name not in not_kept}


def option_of_cell(name: str) -> property:
    def get(layer: OfCell) -> Any:
        return getattr(layer.cell, name)

    def put(layer: OfCell, value: Any) -> None:
        setattr(layer.cell, name, value)

    return property(get, put, doc=f"`{name}` of the cell.")


for _name in (
    *("units", "activation", "recurrent_activation", "use_bias", "unit_forget_bias", "reset_after", "implementation"),
    *("kernel_initializer", "recurrent_initializer", "bias_initializer", "kernel_regularizer", "recurrent_regularizer"),
    *("bias_regularizer", "kernel_constraint", "recurrent_constraint", "bias_constraint"),
    *("dropout", "recurrent_dropout", "seed", "kernel", "recurrent_kernel", "bias"),
):
    setattr(OfCell, _name, option_of_cell(_name))


def _zeros_like_output(step: Callable, sequences: Any, states: Any) -> Any:
    """Return what a masked first step gives: zeros of the form of the cell's output."""
    with restored():
        output, _ = jax.eval_shape(lambda *given: plain(step(*given)), sequences[:, 0], states)
    return jax.tree.map(lambda array: jnp.zeros(array.shape, array.dtype), output)


def _in_turn(step: Callable, init: Any, xs: Any, reverse: bool = False, unroll: Any = 1) -> tuple[Any, Any]:
    """Compute what `jax.lax.scan` does, in Python: for arrays outside of a compiled program."""
    length = len(leaves(xs)[0])
    carry, outputs = init, []
    for number in reversed(range(length)) if reverse else range(length):
        carry, output = step(carry, jax.tree.map(lambda array, number=number: array[number], xs))
        outputs.append(output)
    outputs = outputs[::-1] if reverse else outputs
    return carry, jax.tree.map(lambda *arrays: jnp.stack(arrays), *outputs) if outputs else None


# ---- tensors


def check_sequences(layer: Layer, sequences: Any) -> None:
    """Raise ValueError if the inputs of a recurrent layer have no time axis."""
    shape = tuple(shape_of(sequences))
    if len(shape) > 2:
        return
    title = f"Layer {layer.name!r} ({type(layer).__name__})"
    node = sequences.node if isinstance(sequences, SymbolicTensor) else None
    before = getattr(node, "operation", None)
    if isinstance(before, Layer) and getattr(before, "return_sequences", None) is False:
        raise ValueError(
            f"{title} takes sequences (batch, time, features); layer {before.name!r} ({type(before).__name__}) before "
            f"it returns its last output only, of shape {shape}.\nGive {before.name!r} return_sequences=True."
        )
    raise ValueError(
        f"{title} takes sequences (batch, time, features); it was called with shape {shape}.\n"
        "A recurrent layer before it needs return_sequences=True. Data of one feature per time step get their last "
        "axis by x[..., None]."
    )


def take_apart(sequences: Any, kwargs: dict[str, Any], constants: int = 0) -> Any:
    """Return the sequences of a call ``layer([sequences, *states, *constants])``, and put the others into `kwargs`."""
    if not (isinstance(sequences, (list, tuple)) and sequences):
        return sequences
    sequences, *others = sequences
    count = len(others) - min(constants, len(others))
    for name, found in (("initial_state", others[:count]), ("constants", others[count:])):
        if found:
            kwargs[name] = found
    mask = kwargs.get("mask")
    if isinstance(mask, (list, tuple)):
        kwargs["mask"] = mask[0]
    return sequences


def mask_of_outputs(layer: Any, mask: Any) -> Any:
    """Return the mask of a recurrent layer's outputs: that of its sequences if it returns sequences, else None."""
    masks = leaves(mask)
    return masks[0] if masks and layer.return_sequences else None


def _mask_of_steps(mask: Any) -> Any:
    """Return a mask ``(batch, time)`` of booleans: a step is kept if any of its entries is."""
    if mask is None:
        return None
    mask = jnp.asarray(mask).astype(bool)
    return mask.any(axis=tuple(range(2, mask.ndim))) if mask.ndim > 2 else mask


def _in_dtype(state: Any, dtype: Any) -> jax.Array:
    state = jnp.asarray(state)
    return state.astype(dtype) if jnp.issubdtype(state.dtype, jnp.floating) else state


def _parts(cell: Any) -> Any:
    return cell._flatten_layers() if isinstance(cell, Layer) else []


__all__ = ["RNN"]
