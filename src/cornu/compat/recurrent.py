"""Old recurrent layers: the base class of Keras 1 and 2.0, the layers of cuDNN, and the base of cells in tf.keras."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

from cornu import layers
from cornu.compat.backend.networks import rnn
from cornu.compat.layers import OldLayer
from cornu.core.graph import leaves
from cornu.core.names import automatic_name
from cornu.core.variable import Variable

_AFTER_UNITS = ("kernel_initializer", "recurrent_initializer", "bias_initializer")
_OPTIONS = (
    *("kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint"),
    *("recurrent_constraint", "bias_constraint", "return_sequences", "return_state", "stateful"),
)


class LayerOfCudnn(OldLayer):
    """A name of a layer of cuDNN in Keras 2: calling it makes today's layer with the arguments that cuDNN needs.

    >>> layer = CuDNNGRU(8)
    >>> type(layer).__name__, layer.reset_after, layer.recurrent_activation.__name__
    ('GRU', True, 'sigmoid')
    """

    def __init__(self, name: str, today: type, names: Sequence[str], **always: Any) -> None:
        super().__init__(name, today, 0)
        self.names, self.always = names, always
        self.__doc__ = f"The name of Keras 2 for a `{today.__name__}` that cuDNN computed."

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make today's layer."""
        if len(args) > len(self.names):
            raise TypeError(f"{self.__name__} takes {len(self.names)} arguments by position; got {len(args)}.")
        given = dict(zip(self.names, args, strict=False)) | kwargs
        return self.today(**({"name": automatic_name(self.__name__)} | given | self.always))


CuDNNLSTM = LayerOfCudnn(
    "CuDNNLSTM",
    layers.LSTM,
    ("units", *_AFTER_UNITS, "unit_forget_bias", *_OPTIONS),
    recurrent_activation="sigmoid",
)
CuDNNGRU = LayerOfCudnn(
    "CuDNNGRU",
    layers.GRU,
    ("units", *_AFTER_UNITS, *_OPTIONS),
    recurrent_activation="sigmoid",
    reset_after=True,
)


class AbstractRNNCell(layers.Layer):
    """The base of cells in tf.keras: a subclass has ``call(inputs, states)``, and the properties of the sizes."""

    def call(self, inputs: Any, states: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no call(inputs, states).")

    @property
    def state_size(self) -> Any:
        """The size of the state, or a list with the size of each state."""
        raise NotImplementedError(f"{type(self).__name__} has no property state_size.")

    @property
    def output_size(self) -> Any:
        """The size of the output."""
        raise NotImplementedError(f"{type(self).__name__} has no property output_size.")

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """Return states of zeros."""
        size, batch = self.state_size, inputs.shape[0] if inputs is not None else batch_size
        shapes = [(batch, *(one if isinstance(one, (list, tuple)) else [one])) for one in leaves(size)]
        zeros = [jnp.zeros(shape, dtype or self.compute_dtype) for shape in shapes]
        return zeros if isinstance(size, (list, tuple)) else zeros[0]


class Recurrent(layers.Layer):
    """The base of recurrent layers in Keras 1 and 2.0.

    A subclass defines ``step(x, states)``, which returns the output of a step and the new states, and sets
    ``self.states`` to a list with None for each state, in ``__init__`` or ``build``. It may define
    ``get_initial_state(inputs)`` (in Keras 1 ``get_initial_states``), ``get_constants(inputs)``, whose tensors each
    step gets behind the states, and ``preprocess_input(inputs)``.

    >>> import numpy as np
    >>> class Sum(Recurrent):
    ...     def __init__(self, units, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.units, self.states = units, [None]
    ...     def step(self, x, states):
    ...         return states[0] + x, [states[0] + x]
    >>> Sum(2)(np.ones((1, 5, 2))).tolist()
    [[5.0, 5.0]]
    """

    supports_masking = True

    def __init__(
        self,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        implementation: int = 0,
        consume_less: str = "cpu",
        **kwargs: Any,
    ) -> None:
        if "input_dim" in kwargs:
            kwargs.setdefault("input_length", None)
        super().__init__(**kwargs)
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful, self.unroll = go_backwards, stateful, unroll
        self.implementation, self.consume_less = implementation, consume_less
        self.states: list[Any] = vars(self).get("states") or [None]

    @property
    def _size(self) -> int:
        return vars(self).get("units") or vars(self).get("output_dim") or 1

    def step(self, x: Any, states: Any) -> tuple[Any, list[Any]]:
        """Return the output of a time step and the new states. A subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} has no step(x, states), which computes one time step.")

    def get_constants(self, inputs: Any, training: Any = None) -> list[Any]:
        """Return what each step gets behind the states."""
        return []

    def preprocess_input(self, inputs: Any, training: Any = None) -> Any:
        """Return what the steps go over."""
        return inputs

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """Return zeros for each state."""
        return [jnp.zeros((inputs.shape[0], self._size), inputs.dtype) for _ in self.states]

    def get_initial_states(self, inputs: Any) -> list[Any]:
        """Return the states before the first step (the name of Keras 1)."""
        return self.get_initial_state(inputs)

    def call(self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        if initial_state is not None:
            states = list(initial_state) if isinstance(initial_state, (list, tuple)) else [initial_state]
        elif self.stateful:
            states = [jnp.asarray(state) for state in self.states]
        else:
            states = self.get_initial_states(inputs)
        constants = _with_training(self.get_constants, inputs, training)
        prepared = _with_training(self.preprocess_input, inputs, training)
        last, outputs, after = rnn(self.step, prepared, states, self.go_backwards, mask, constants, self.unroll)
        if self.stateful:
            for variable, state in zip(self.states, after, strict=True):
                variable.assign(state)
        output = outputs if self.return_sequences else last
        return (output, *after) if self.return_state else output

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the outputs, which sequences alone have."""
        mask = leaves(mask)[0] if self.return_sequences and leaves(mask) else None
        return [mask, *[None] * len(self.states)] if self.return_state else mask

    def reset_states(self, states: Any = None) -> None:
        """Set the states of a stateful layer, to zeros or to given values."""
        if not self.stateful:
            raise AttributeError(f"Layer {self.name!r} ({type(self).__name__}) is not stateful.")
        spec = self.input_spec[0] if isinstance(self.input_spec, (list, tuple)) else self.input_spec
        shape = (self._batch_input_shape or getattr(spec, "shape", None) or [None])[0], self._size
        if any(not isinstance(state, Variable) for state in self.states):
            if shape[0] is None:
                raise ValueError(f"Layer {self.name!r} is stateful: give batch_input_shape with the batch size.")
            self.states = [Variable(jnp.zeros(shape), trainable=False, name="state") for _ in self.states]
            for variable in self.states:
                variable.is_weight = False
        given = [None] * len(self.states) if states is None else leaves(states)
        for variable, value in zip(self.states, given, strict=True):
            variable.assign(jnp.zeros(variable.shape) if value is None else value)


def _with_training(function: Callable[..., Any], inputs: Any, training: Any) -> Any:
    """Call a method that takes `training` in Keras 2, and does not in Keras 1."""
    takes = "training" in inspect.signature(function).parameters
    return function(inputs, training=training) if takes else function(inputs)


def _time_distributed_dense(
    x: Any, w: Any, b: Any = None, dropout: Any = None, input_dim: Any = None, output_dim: Any = None,
    timesteps: Any = None, training: Any = None,
) -> Any:  # fmt: skip
    """Return ``x @ w + b`` for each time step of ``(batch, time, features)``; `dropout` is 0 or None."""
    if dropout:
        raise ValueError(
            f"time_distributed_dense(dropout={dropout!r}) is not supported: use a Dropout layer before it."
        )
    product = jnp.asarray(x) @ jnp.asarray(w)
    return product if b is None else product + jnp.asarray(b)


time_distributed_dense = _time_distributed_dense
