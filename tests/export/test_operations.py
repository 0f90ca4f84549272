"""Operations that models of one's own may use, each as an ONNX file: onnxruntime agrees with JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import cornu
from cornu import layers
from export.test_onnx import assert_agrees


class Computes(layers.Layer):
    """A layer that computes a function of its input, and of a weight where the function takes two arguments."""

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function

    def build(self, input_shape):
        self.table = self.add_weight(shape=(4, 3), initializer="glorot_uniform", name="table")

    def call(self, inputs):
        two = self.function.__code__.co_argcount == 2
        return self.function(inputs, self.table.value) if two else self.function(inputs)


def rows_first(found):
    """Return what a scan gives with the rows as the first axis of both parts."""
    return found[0], jnp.swapaxes(found[1], 0, 1)


@jax.custom_vjp
def with_own_gradient(x):
    return x * 2


with_own_gradient.defvjp(lambda x: (x * 2, None), lambda _, upstream: (upstream * 2,))


def polynomial(x, coefficients):
    """`jax.lax.polynomial`, which JAX has from 0.12 on."""
    return lax.polynomial(x, coefficients) if hasattr(lax, "polynomial") else jnp.polyval(coefficients[::-1], x)


def one_minus_square(x):
    """`jax.lax.one_minus_square`, which JAX has from 0.12 on."""
    return lax.one_minus_square(x) if hasattr(lax, "one_minus_square") else 1 - x * x


UNARY = [
    jnp.negative, jnp.sign, jnp.floor, jnp.ceil, jnp.round, jnp.exp, jnp.exp2, jnp.sin, jnp.cos, jnp.tan, jnp.sinh,
    jnp.cosh, jnp.tanh, jnp.arctan, jnp.arcsinh, jnp.cbrt, jnp.square, jnp.abs, jnp.expm1, jnp.isfinite, jnp.isnan,
    jax.nn.sigmoid, jax.nn.softplus, jax.nn.gelu, jax.nn.silu, jax.nn.selu, lax.erf, lax.erfc, lax.round,
    jax.nn.log_softmax, jax.nn.hard_swish, jax.nn.mish, jax.nn.relu6, jnp.trunc, one_minus_square,
]  # fmt: skip
POSITIVE = [jnp.sqrt, jnp.log, jnp.log1p, lax.rsqrt, jnp.log2, jnp.arccosh, jnp.reciprocal]

FUNCTIONS = {
    # arithmetic of several values and types
    "atan2": lambda x: jnp.arctan2(x, x[:, ::-1]),
    "power": lambda x: jnp.abs(x) ** 1.7 + x**3 + x**-2.0,
    "polynomial": lambda x: polynomial(x, jnp.array([1.0, 0.0, -0.5, 2.0])),
    "polynomial of arrays": lambda x: polynomial(x, [x[:1], 1.0, x * 2]) if hasattr(lax, "polynomial") else x,
    "remainders": lambda x: jnp.mod(x, 0.7) + jnp.fmod(x, 0.7) + jnp.floor_divide(x, 0.3),
    "whole numbers": lambda x: (x * 10).astype("int32") // 3 + (x * 10).astype("int32") % 4,
    "bytes": lambda x: (
        (jnp.abs(x) * 10).astype("uint8") * jnp.uint8(30) + jnp.maximum((x * 9).astype("int8"), 3).astype("uint8")
    ),
    "bits": lambda x: ((x * 99).astype("int32") & 12) | ((x * 99).astype("int32") ^ 5) | ~(x * 9).astype("int32"),
    "truth values": lambda x: ((x > 0) & (x < 1)) | ~(x <= 0.5) ^ (x >= 2) | (x != x),
    "clip": lambda x: jnp.clip(x, -0.3, 0.4) + lax.clamp(-0.1, x, 0.2),
    "where": lambda x: jnp.where(x > 0, x, jnp.where(x < -1, 2.0, -x)),
    "where of truth values": lambda x: jnp.where(x > 0, x > 1, x < -1),
    "several cases": lambda x: lax.select_n((jnp.abs(x) * 2).astype("int32") % 3, x, x * 2, x * 3),
    "select by a number": lambda x: lax.select_n(jnp.array(True), x, x * 2),
    "to and from float16": lambda x: x.astype("float16").astype("float32") * 2,
    "bfloat16": lambda x: (x.astype("bfloat16") * jnp.bfloat16(2)).astype("float32") * 0 + 1,
    # shapes
    "transpose and reshape": lambda x: jnp.swapaxes(x, 1, 2).reshape(-1, 2, 3, 2),
    "rows joined": lambda x: x.reshape(-1, 3).reshape(-1, 12),
    "rows kept": lambda x: x.reshape(x.shape[0], -1),
    "flip and roll": lambda x: jnp.roll(x[:, ::-1], 1, axis=2),
    "steps": lambda x: x[:, 1::2, -2:],
    "pads": lambda x: jnp.pad(x, ((0, 0), (1, 2), (0, 1)), constant_values=7),
    "pads inside": lambda x: lax.pad(x, 0.5, ((0, 0, 0), (1, -1, 2), (-1, 2, 0))),
    "pads of truth values": lambda x: jnp.pad(x > 0, ((0, 0), (1, 2), (0, 1))),
    "mirror": lambda x: jnp.pad(x, ((0, 0), (1, 2), (1, 1)), mode="reflect"),
    "stack and split": lambda x: jnp.stack(jnp.split(x, 2, axis=1), axis=-1),
    "tile": lambda x: jnp.tile(x, (1, 2, 3)),
    "repeat": lambda x: jnp.repeat(x, 2, axis=1),
    "counting": lambda x: x + jnp.arange(3.0) + jnp.arange(4)[:, None] + jnp.arange(x.shape[0])[:, None, None],
    "zeros": lambda x: jnp.zeros_like(x) + jnp.ones((x.shape[0], 1, 1)),
    "narrow outputs": lambda x: jnp.broadcast_to(jnp.arange(3.0), x.shape),
    "number of rows": lambda x: x * x.shape[0] / x.shape[0],
    "triangle": lambda x: jnp.tril(x),
    # reductions
    "sums": lambda x: x.sum(1) + x.mean(2)[:, :3] + x.prod(1) + x.std(1),
    "extremes": lambda x: x.max(1) - x.min(1),
    "any and all": lambda x: (x > 0).any(1) | (x > -1).all(1),
    "sum of bytes": lambda x: (x > 0).astype("uint8").sum(1),
    "argmax": lambda x: x.argmax(1) - x.argmin(-1)[:, :3],
    "running sums": lambda x: jnp.cumsum(x, 1) + lax.cumsum(x, 2, reverse=True),
    "running products": lambda x: jnp.cumprod(x, 1) + lax.cummax(x, 1) + lax.cummin(x, 2, reverse=True),
    "running logsumexp": lambda x: lax.cumlogsumexp(x, 1),
    "logsumexp": lambda x: jax.nn.logsumexp(x, axis=(1, 2)),
    "sort": lambda x: jnp.sort(x, axis=1),
    "argsort": lambda x: jnp.argsort(x, axis=2),
    "argsort downwards": lambda x: jnp.argsort(x, axis=1, descending=True),
    "top k": lambda x: lax.top_k(x, 2),
    "median": lambda x: jnp.median(x, axis=1),
    # products
    "matmul": lambda x, w: x @ w.T,
    "matmul from the left": lambda x, w: w.T @ x,
    "matmul of both": lambda x: x @ jnp.swapaxes(x, 1, 2),
    "matmul transposed": lambda x: jnp.swapaxes(x, 1, 2) @ x,
    "einsum": lambda x, w: jnp.einsum("bij,ij->b", x, w),
    "einsum of rows": lambda x, w: jnp.einsum("bij,kj->bki", x, w),
    "outer": lambda x: jnp.einsum("bi,bj->bij", x[:, 0], x[:, 1]),
    "tensordot": lambda x, w: jnp.tensordot(x, w, 2),
    "product of whole numbers": lambda x: (x * 9).astype("int32") @ jnp.arange(6, dtype="int32").reshape(3, 2),
    "convolution with steps apart": lambda x: lax.conv_general_dilated(
        x, jnp.ones((2, 3, 5)), (2,), ((1, 3),), (3,), (2,), ("NHC", "HIO", "NHC")
    ),
    "convolution cut": lambda x: lax.conv_general_dilated(
        x, jnp.ones((2, 3, 5)), (1,), ((-1, 0),), dimension_numbers=("NHC", "HIO", "NHC")
    ),
    "largest of windows": lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2), (1, 1, 1), "SAME"),
    "sums of windows": lambda x: lax.reduce_window(x, 0.0, lax.add, (1, 3, 1), (1, 2, 1), ((0, 0), (2, 1), (0, 0))),
    "largest of windows apart": lambda x: lax.reduce_window(
        x, -jnp.inf, lax.max, (1, 2, 1), (1, 1, 1), ((0, 0), (1, 0), (0, 0)), (1, 2, 1), (1, 2, 1)
    ),
    "smallest of windows": lambda x: lax.reduce_window(x, jnp.inf, lax.min, (1, 3, 1), (1, 1, 1), "VALID"),
    # places
    "rows of a table": lambda x, w: w[jnp.clip((x[:, 0] * 3).astype("int32"), 0, 3)],
    "rows beyond a table": lambda x, w: jnp.take(w, (x[:, 0] * 3).astype("int32"), axis=0),
    "columns of a table": lambda x, w: jnp.swapaxes(
        jnp.take(w, (x[:, 0] * 3).astype("int32"), axis=1, mode="clip"), 0, 1
    ),
    "points of a table": lambda x, w: w[(jnp.abs(x[:, 0]) * 3).astype("int32") % 4, 1],
    "columns of the input": lambda x: x[:, jnp.array([2, 0]), :],
    "columns at the end": lambda x: x[..., jnp.array([2, 0, -1])],
    "points of the input": lambda x: x[:, jnp.array([2, 0]), jnp.array([1, 1])],
    "along an axis": lambda x: jnp.take_along_axis(x, jnp.argsort(x, axis=1), axis=1),
    "a row for each": lambda x: x[jnp.arange(x.shape[0]), (jnp.abs(x[:, 0, 0]) * 3).astype("int32") % 4],
    "one hot": lambda x: jax.nn.one_hot((x[:, 0] * 3).astype("int32"), 4),
    "set a column": lambda x: x.at[:, 1].set(0.0),
    "add to columns": lambda x: x.at[:, jnp.array([0, 2, 0])].add(1.0),
    "set one entry": lambda x: x.at[:, 1, 2].multiply(3.0),
    "set columns": lambda x: x.at[:, 1:3].set(0.0),
    "add to a part": lambda x: x.at[:, 1:3, 1:].add(x[:, 2:, :2]),
    "a place for each": lambda x: jax.vmap(lambda row: row.at[jnp.argmax(row[:, 0])].set(0.0))(x),
    "a part for each": lambda x: jax.vmap(lambda row: lax.dynamic_slice_in_dim(row, jnp.argmax(row[:, 0]), 2, 0))(x),
    "where it would stand": lambda x: jnp.searchsorted(jnp.array([-1.0, 0.0, 1.0]), x),
    "a part": lambda x: lax.dynamic_slice_in_dim(x, (jnp.abs(x[0, 0, 0]) * 0).astype("int32") + 9, 2, axis=1),
    "put a part": lambda x: lax.dynamic_update_slice_in_dim(x, x[:, :2] * 2, 1, axis=1),
    # loops and branches
    "scan": lambda x, w: rows_first(
        lax.scan(lambda h, row: (jnp.tanh(h @ w[:3] + row), h), jnp.zeros((x.shape[0], 3)), jnp.swapaxes(x, 0, 1))
    ),
    "scan backwards": lambda x: rows_first(
        lax.scan(lambda h, row: (h + row, h * 2), x[:, 0], jnp.swapaxes(x, 0, 1), reverse=True)
    ),
    "scan that keeps its last state": lambda x: lax.scan(
        lambda h, row: (h + row, None), x[:, 0], jnp.swapaxes(x, 0, 1)
    )[0],
    "counted scan": lambda x: rows_first(lax.scan(lambda h, _: (h * 2, h), x, length=3)),
    "counted scan backwards": lambda x: rows_first(lax.scan(lambda h, _: (h * 2, h), x, length=3, reverse=True)),
    "for loop": lambda x: lax.fori_loop(0, 3, lambda i, h: h + x * i, x),
    "while": lambda x: lax.while_loop(lambda s: s[0] < 5, lambda s: (s[0] + 2, s[1] * 2 + x), (0, x))[1],
    "branches": lambda x: lax.cond(x.shape[0] * jnp.ones(()) > 0, lambda y: y * 2, lambda y: y - 1, x),
    "three branches": lambda x: lax.switch(
        jnp.array(1) + (x[0, 0, 0] * 0).astype("int32"), [lambda y: y, lambda y: y * 2, lambda y: y * 3], x
    ),
    "inner loops": lambda x: rows_first(
        lax.scan(lambda h, row: (lax.fori_loop(0, 2, lambda i, a: a + row, h), h), x[:, 0], jnp.swapaxes(x, 0, 1))
    ),
    # programs within programs
    "jit": lambda x: jax.jit(lambda y: y * 2)(x),
    "checkpoint": lambda x: jax.checkpoint(lambda y: jnp.sin(y))(x),
    "custom derivative": lambda x: jax.nn.relu(x) + with_own_gradient(x),
    "stop gradient": lambda x: lax.stop_gradient(x) + lax.optimization_barrier(x),
}
FUNCTIONS |= {f"{f.__name__} of any": lambda x, f=f: f(x * 3) for f in UNARY}
FUNCTIONS |= {f"{f.__name__} of positive": lambda x, f=f: f(jnp.abs(x) + 1.01) for f in POSITIVE}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_operation(tmp_path, name):
    start = cornu.Input((4, 3))
    function = FUNCTIONS[name]
    if function.__code__.co_argcount == 2 and len(function.__defaults__ or ()) == 1:
        found = function
        function = lambda x: found(x)  # noqa: E731
    model = cornu.Model(start, Computes(function)(start))
    model.export(tmp_path / "m.onnx")
    x = np.random.default_rng(2).standard_normal((5, 4, 3)).astype("float32")
    assert_agrees(tmp_path / "m.onnx", model, x)
