"""`keras.backend`, often imported as K: array functions of Keras 1 and 2, on arrays, variables and symbolic tensors.

Functions that are not defined here are in the other files of this folder; those that `cornu.ops` also has are made
from the table in `rows.py`.
"""

# The names of the other files are K's too.
# ruff: noqa: F401, F811, I001, E501
# fmt: off
import contextlib
import os
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.tensorflow import functions as tf
from cornu.compat.backend.arrays import (
    batch_dot, batch_flatten, cast_to_floatx, clip, gather, one_hot, repeat, reshape, resize_images, resize_volumes,
    slice, spatial_2d_padding, spatial_3d_padding, sqrt, temporal_padding,
)
from cornu.compat.backend.calls import is_concrete, shape, tensor_function, value_of
from cornu.compat.backend.from_rows import functions_of
from cornu.compat.backend.graph import (
    batch_get_value, batch_set_value, function, get_value, gradients, learning_phase, moving_average_update, placeholder,
    set_learning_phase, set_value, update, update_add, update_sub,
)
from cornu.compat.backend.networks import (
    bias_add, binary_crossentropy, conv2d_transpose, conv3d_transpose, ctc_batch_cost, foldl, foldr, in_test_phase,
    in_train_phase, local_conv1d, local_conv2d, map_fn, normalize_batch_in_training, pool2d, pool3d, rnn,
    sparse_categorical_crossentropy, stop_gradient, switch,
)
from cornu.compat.backend.rows import OLD_KEYWORDS, ROWS
from cornu.compat.tensorflow.settings import get_session, set_session
from cornu.core import names
from cornu.core.graph import SymbolicTensor
from cornu.core.public import offer
from cornu.core.dtype_policies import array_dtype, standardize_dtype
from cornu.core.randomness import random_key
from cornu.core.scope import scope
from cornu.core.settings import (
    epsilon, floatx, image_data_format, set_epsilon, set_floatx, set_image_data_format, standardize_data_format,
)
from cornu.core.variable import Variable
from cornu.ops import crossentropy, ctc_beams
from cornu.kernels import random_bits as draws
# fmt: on

globals().update(functions_of(ROWS, __name__, OLD_KEYWORDS))  # the functions of `cornu.ops` with other names
normalize_data_format = standardize_data_format


def backend() -> str:
    """Return ``"tensorflow"``, or ``"jax"`` if the environment variable KERAS_BACKEND is ``jax``.

    Programs use this to choose an axis order, a kernel layout, or session setup: Cornu follows TensorFlow's. A program
    that is written for Keras 3 on JAX sets the variable itself.
    """
    return "jax" if os.environ.get("KERAS_BACKEND") == "jax" else "tensorflow"


def image_dim_ordering() -> str:
    """Return ``"tf"`` for channels last, ``"th"`` for channels first."""
    return "tf" if image_data_format() == "channels_last" else "th"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Set the default order of image axes: ``"tf"`` (channels last) or ``"th"`` (channels first)."""
    known = {"tf": "channels_last", "th": "channels_first"}
    if dim_ordering not in known:
        raise ValueError(f"set_image_dim_ordering expects 'tf' (channels last) or 'th' (first); got {dim_ordering!r}.")
    set_image_data_format(known[dim_ordering])


# ---- variables and constants


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    """Return a variable. A layer trains it only if it is among the layer's ``trainable_weights``, as in Keras 2."""
    dtype = array_dtype(dtype) if dtype is not None or not hasattr(value, "dtype") else None
    dtype = floatx() if dtype is None and np.dtype(value.dtype).kind == "f" else dtype
    value = value.value if isinstance(value, Variable) else value
    return Variable(jnp.asarray(value, dtype), trainable=False, name=name, constraint=constraint)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> jax.Array:
    """Return an array, broadcast to `shape` if given."""
    result = jnp.asarray(value, array_dtype(dtype))
    return result if shape is None else jnp.broadcast_to(result, shape)


@tensor_function
def _filled(shape: Any, dtype: Any, value: float) -> jax.Array:
    return jnp.full([int(size) for size in shape], value, array_dtype(dtype))


def _kept(array: Any, name: str | None) -> Any:
    """Return an array as it is inside a layer or loss; outside of any, return a variable, as Keras 2 did."""
    return variable(array, name=name) if scope.depth == 0 and is_concrete(array) else array


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Return zeros of `shape`: a variable, or an array inside of layers and losses."""
    return _kept(_filled(shape, dtype, 0), name)


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Return ones of `shape`: a variable, or an array inside of layers and losses."""
    return _kept(_filled(shape, dtype, 1), name)


def eye(size: Any, dtype: Any = None, name: str | None = None) -> jax.Array:
    """Return the identity matrix, or for two sizes a matrix with ones on its diagonal."""
    rows, columns = size if isinstance(size, (tuple, list)) else (size, size)
    return jnp.eye(rows, columns, dtype=array_dtype(dtype))


# ---- random numbers: new ones in each call and each training step


@tensor_function
def random_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: int | None = None, std: Any = None
) -> jax.Array:
    """Return normally distributed numbers (`std` is Keras 1's name of `stddev`)."""
    numbers = draws.normal(random_key(seed, moves_on=True), _whole(shape), array_dtype(dtype))
    return numbers * (stddev if std is None else std) + mean


@tensor_function
def random_uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: int | None = None, low: Any = None,
    high: Any = None,
) -> jax.Array:  # fmt: skip
    """Return uniform random numbers (`low` and `high` are Keras 1's names)."""
    minval, maxval = (minval if low is None else low), (maxval if high is None else high)
    key, dtype = random_key(seed, moves_on=True), array_dtype(dtype)
    if "int" in dtype:
        return jax.random.randint(key, _whole(shape), minval, maxval, dtype)
    return (draws.uniform(key, _whole(shape)) * (maxval - minval) + minval).astype(dtype)


@tensor_function
def random_binomial(shape: Any, p: float = 0.0, dtype: Any = None, seed: int | None = None) -> jax.Array:
    """Return ones with probability `p`, else zeros."""
    numbers = draws.uniform(random_key(seed, moves_on=True), _whole(shape))
    return (numbers < p).astype(array_dtype(dtype))


random_bernoulli = random_binomial


@tensor_function
def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: int | None = None
) -> jax.Array:
    """Return normally distributed numbers within two standard deviations of the mean."""
    key = random_key(seed, moves_on=True)
    return jax.random.truncated_normal(key, -2.0, 2.0, _whole(shape), array_dtype(dtype)) * stddev + mean


def random_uniform_variable(
    shape: Any, low: float, high: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Variable:
    """Return a variable initialized with uniform random numbers."""
    return variable(random_uniform(shape, low, high, dtype, seed), name=name)


def random_normal_variable(
    shape: Any, mean: float, scale: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Variable:
    """Return a variable initialized with normally distributed numbers."""
    return variable(random_normal(shape, mean, scale, dtype, seed), name=name)


@tensor_function
def dropout(x: Any, level: float, noise_shape: Any = None, seed: int | None = None) -> jax.Array:
    """Set a fraction `level` of the elements to zero and scale up the rest."""
    return draws.dropout(jnp.asarray(x), random_key(seed, moves_on=True), level, noise_shape)


def _whole(shape: Any) -> tuple[int, ...]:
    return tuple(int(size) for size in shape)


# ---- what a tensor is


def int_shape(x: Any) -> tuple | None:
    """Return the shape as a tuple, with None for unknown axes."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def ndim(x: Any) -> int:
    """Return the number of axes."""
    return len(int_shape(x) or ())


def dtype(x: Any) -> str:
    """Return the name of the dtype."""
    return standardize_dtype(x.dtype)


def count_params(x: Any) -> int:
    """Return the number of values."""
    return int(np.prod(int_shape(x) or ()))


def size(x: Any) -> int:
    """Return the number of values."""
    return count_params(x)


def eval(x: Any) -> np.ndarray:
    """Return the value of a variable or array as numpy."""
    return value_of(x)


def is_keras_tensor(x: Any) -> bool:
    """Return whether `x` is a symbolic tensor."""
    return isinstance(x, SymbolicTensor)


def is_placeholder(x: Any) -> bool:
    """Return whether `x` is a symbolic input."""
    return isinstance(x, SymbolicTensor) and (x.node is None or not x.node.inputs)


def is_tensor(x: Any) -> bool:
    """Return whether `x` is an array, a variable or a symbolic tensor."""
    return isinstance(x, (SymbolicTensor, jax.Array, Variable))


def is_variable(x: Any) -> bool:
    """Return whether `x` is a variable."""
    return isinstance(x, Variable)


def is_sparse(tensor: Any) -> bool:
    """Return False: there are no sparse tensors here."""
    return False


def to_dense(tensor: Any) -> Any:
    """Return the tensor: all are dense."""
    return tensor


@tensor_function
def print_tensor(x: Any, message: str = "", summarize: int = 3) -> Any:
    """Return `x`, and print it when it is computed."""
    jax.debug.print("{message} {x}", message=message, x=x)
    return x


@tensor_function
def ctc_decode(
    y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100, top_paths: int = 1
) -> tuple[list, jax.Array]:
    """Return label arrays (rows, steps), padded with -1, and scores; the last class is the blank.

    A beam search writes equal labels that follow each other once, as that of Keras 2.
    """
    logits = jnp.log(jnp.asarray(y_pred) + epsilon())
    strategy = "greedy" if greedy else "beam_search"
    labels, scores = crossentropy.ctc_decode(logits, input_length, strategy, beam_width, top_paths, mask_index=-1)
    return list(labels if greedy else ctc_beams.only(labels, ctc_beams.differ_from_the_last(labels))), scores


# ---- the session


def clear_session() -> None:
    """Reset the numbers in names and the learning phase."""
    names.forget_names()
    scope.learning_phase = None


def get_uid(prefix: str = "") -> int:
    """Return 1, 2, 3, ... for each call with `prefix`."""
    return names.unique_number(prefix)


def reset_uids() -> None:
    """Reset the numbers in names."""
    names.forget_names()


def manual_variable_initialization(value: bool) -> None:
    """Do nothing: variables have values from the start."""


@contextlib.contextmanager
def name_scope(name: str, *_: Any) -> Iterator[str]:
    """Enter a ``with`` block that only groups names."""
    yield name


def learning_phase_scope(value: int) -> contextlib.AbstractContextManager:
    """Enter a ``with`` block in which models train (1) or not (0)."""
    return _LearningPhase(value)


class _LearningPhase:
    def __init__(self, value: int) -> None:
        self.value = value

    def __enter__(self) -> None:
        self.before = scope.learning_phase
        set_learning_phase(self.value)

    def __exit__(self, *_: object) -> None:
        scope.learning_phase = self.before


def symbolic(function: Any) -> Any:
    """Return the function (a decorator of Keras 2.3)."""
    return function


offer(
    globals(),
    {
        "SymbolicTensor",
        "Variable",
        "array_dtype",
        "functions_of",
        "is_concrete",
        "random_key",
        "tensor_function",
        "value_of",
    },
)
