"""Unknown axes are tried with small sizes: loops end, and windows, halved and equal axes still fit."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from contract.table import LAYERS
from cornu import layers
from cornu.core.engine_errors import EngineError
from cornu.core.graph import SymbolicTensor, infer
from cornu.core.probes import Probes
from cornu.layers import Conv1D, Conv2D, Dense, Input, Layer
from cornu.models import Model


def inferred(function, *shapes):
    tensors = tuple(SymbolicTensor(shape) for shape in shapes)
    return tuple(infer(function, tensors, {}).shape)


class Recurrence(Layer):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], 5), name="kernel")
        self.recurrent = self.add_weight(shape=(5, 5), name="recurrent")

    def call(self, inputs):
        state = jnp.zeros((inputs.shape[0], 5))
        for t in range(inputs.shape[1]):
            state = jnp.tanh(inputs[:, t] @ self.kernel + state @ self.recurrent)
        return state


class CausalMean(Layer):
    def call(self, inputs):
        steps = inputs.shape[1]
        weights = np.tril(np.ones((steps, steps), "float32"))
        return jnp.einsum("ts,bsd->btd", weights / weights.sum(1, keepdims=True), inputs)


class Pyramid(Layer):
    """Halves five times and comes back, with the halves joined: only multiples of 32 fit."""

    def call(self, x):
        seen = [x]
        for _ in range(5):
            x = x[:, : x.shape[1] // 2 * 2].reshape(x.shape[0], x.shape[1] // 2, 2, -1).mean(2)
            seen.append(x)
        for same in reversed(seen[:-1]):
            x = jnp.repeat(x, 2, axis=1) + same
        return x


@pytest.mark.parametrize(
    ("make", "expected"),
    [(Recurrence, (None, 5)), (CausalMean, (None, None, 3)), (Pyramid, (None, None, 3))],
)
def test_a_layer_that_uses_the_size_of_an_unknown_axis(make, expected):
    x = Input((None, 3))
    y = make()(x)
    assert tuple(y.shape) == expected
    data = np.random.default_rng(0).standard_normal((2, 32, 3)).astype("float32")
    assert Model(x, y).predict(data, verbose=0).shape == jax.eval_shape(make(), data).shape


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (lambda: Conv1D(2, 70), (None, None, 3), (None, None, 2)),
        (lambda: Conv2D(1, 3, strides=32, padding="same"), (None, None, None, 1), (None, None, None, 1)),
        (lambda: layers.AveragePooling1D(100), (None, None, 1), (None, None, 1)),
        (lambda: layers.MaxPooling2D((40, 2)), (None, None, 37, 1), (None, None, 18, 1)),
        (lambda: layers.Cropping1D(90), (None, None, 3), (None, None, 3)),
        (lambda: layers.Lambda(lambda x: x.reshape(-1, 2, x.shape[-1])), (None, 37), (None, 2, 37)),
        (lambda: layers.Lambda(lambda x: x.reshape(x.shape[0], -1, 7)), (None, None, 3), (None, None, 7)),
    ],
)
def test_large_windows_strides_and_divided_axes_fit(layer, shape, expected):
    assert tuple(layer()(SymbolicTensor(shape)).shape) == expected


@pytest.mark.parametrize(
    ("function", "shapes", "expected"),
    [
        (lambda scores, values: scores @ values, [(None, None, None), (None, None, 4)], (None, None, 4)),
        (lambda x, places: x + places, [(None, None, 4), (None, 4)], (None, None, 4)),
        (lambda x: x + jnp.swapaxes(x, 1, 2), [(None, None, None)], (None, None, None)),
        (lambda x: x[:, :100], [(None, None)], (None, None)),
    ],
)
def test_axes_that_must_be_equal_are_tried_equal(function, shapes, expected):
    assert inferred(function, *shapes) == expected


def test_a_bound_among_the_arguments_is_below_the_sizes():
    assert tuple(SymbolicTensor((None, None, 3))[:, :100].shape) == (None, 100, 3)


def test_layers_made_while_tracing_are_built_with_unknown_axes():
    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def call(self, inputs):
            return self.inner(inputs)

    class Inner(Layer):
        def build(self, input_shape):
            self.seen = tuple(input_shape)

        def call(self, inputs):
            return inputs

    for size in (24, 36, 37, 41):
        outer = Outer()
        outer(Input((None, size)))
        assert outer.inner.seen == (None, None, size)


def test_a_build_that_failed_for_one_size_leaves_no_weights():
    class Odd(Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(2,), name="kernel")
            if not hasattr(self, "failed"):
                self.failed = True
                raise ValueError("not this size")

        def call(self, inputs):
            return inputs

    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Odd()

        def call(self, inputs):
            return self.inner(inputs)

    outer = Outer()
    outer(Input((3,)))
    assert len(outer.weights) == 1


def test_what_no_size_fits_is_an_error_of_the_layer():
    with pytest.raises(ValueError, match="dense_of_none"):
        Dense(3, name="dense_of_none")(Input((None,)))
    with pytest.raises(ValueError, match=r"cannot take .*\(None, None, 3\)"):
        layers.Lambda(lambda x: x @ jnp.ones((4, 4)))(Input((None, 3)))


def test_probes_are_small_distinct_and_none_of_the_known_sizes():
    probes = Probes([0, 1, 2], {24, 37, 74, 36})
    for pair in itertools.islice(probes.pairs(), 1):
        sizes = [*pair.first.values(), *pair.second.values()]
        assert len(set(sizes)) == 6
        assert max(sizes) < 200
        assert not set(sizes) & probes.known


UNKNOWN = [
    (name, axes)
    for name, entry in LAYERS.items()
    for count in range(3)
    for axes in itertools.combinations(range(1, max(map(len, entry._shapes())) - 1), count)
]


@pytest.mark.parametrize(("name", "axes"), UNKNOWN)
def test_shapes_with_unknown_axes_are_those_of_calls(name, axes):
    entry = LAYERS[name]

    def tensors(batch, factor):
        """Symbolic tensors, or with a `factor` the structs of arrays whose open axes are that many times as long."""
        dtype = "float32" if entry.highest is None else "int32"
        made = []
        for shape in entry._shapes():
            sizes = [batch if i == 0 else n if i not in axes else factor and n * factor for i, n in enumerate(shape)]
            made.append(jax.ShapeDtypeStruct(sizes, dtype) if factor else SymbolicTensor(sizes, dtype))
        return made if isinstance(entry.shapes, list) else made[0]

    try:
        layer = entry.make(layers)
        found = layer(tensors(None, None))
    except (ValueError, TypeError):
        pytest.skip("this layer needs to know the axis")
    try:
        called = [jax.eval_shape(layer, tensors(*sizes)) for sizes in ((4, 12), (8, 24))]
    except EngineError:
        pytest.skip("sizes of the two tensors must agree, and these do not")
    for one, first, second in zip(*map(jax.tree.leaves, (found, *called)), strict=True):
        assert tuple(one.shape) == tuple(a if a == b else None for a, b in zip(first.shape, second.shape, strict=True))
