"""No kind of convolution compiles to a naive loop on CPU, in the forward pass or its gradients."""

import re

import jax
import jax.numpy as jnp
import pytest

from cornu import layers, ops
from cornu.core.jax_internals import compiler_options
from cornu.kernels import convolution_cpu, depthwise_cpu, grouped_cpu
from cornu.kernels.compiler import plain_forms
from cornu.kernels.convolution import convolution, depthwise_convolution, transposed_convolution
from cornu.kernels.geometry import native

FORMS = {
    "dense": lambda x, k: convolution(x, k),
    "same": lambda x, k: convolution(x, k, 1, "same"),
    "strides": lambda x, k: convolution(x, k, 2, "same"),
    "strides beyond the window": lambda x, k: convolution(x, k, 3),
    "dilation": lambda x, k: convolution(x, k, 1, "same", 2),
    "causal": lambda x, k: convolution(x, k, 1, "causal", 2),
    "channels first": lambda x, k: convolution(x, k, data_format="channels_first"),
    "transposed": lambda x, k: transposed_convolution(x, k, 2, "same"),
    "transposed, no strides": lambda x, k: transposed_convolution(x, k),
    "transposed, dilation": lambda x, k: transposed_convolution(x, k, dilation=2),
    "transposed, channels first": lambda x, k: transposed_convolution(x, k, 2, data_format="channels_first"),
    "four groups": lambda x, k: convolution(x, k, 1, "same", groups=4),
    "four groups, strides": lambda x, k: convolution(x, k, 2, "same", groups=4),
    "four groups, channels first": lambda x, k: convolution(x, k, groups=4, data_format="channels_first"),
    "depthwise": lambda x, k: depthwise_convolution(x, k, 1, "same"),
    "depthwise, strides": lambda x, k: depthwise_convolution(x, k, 2),
    "depthwise, dilation": lambda x, k: depthwise_convolution(x, k, 1, "same", 2),
    "depthwise, channels first": lambda x, k: depthwise_convolution(x, k, data_format="channels_first"),
    "unfold": lambda x, k: ops.unfold(x, 3) * k,
}
KINDS = [
    ("dense", (8, 16, 16, 4), (3, 3, 4, 8)),
    ("dense", (8, 16, 16, 32), (3, 3, 32, 32)),
    ("dense", (8, 16, 16, 16), (1, 1, 16, 24)),
    ("dense", (8, 40, 16), (5, 16, 24)),
    ("same", (8, 2, 2, 16), (3, 3, 16, 24)),  # the window is larger than the image
    ("same", (8, 2, 2, 32), (3, 3, 32, 32)),
    ("same", (8, 3, 16), (5, 16, 24)),
    ("same", (4, 2, 2, 2, 8), (3, 3, 3, 8, 8)),
    ("strides", (8, 16, 16, 16), (3, 3, 16, 24)),
    ("strides", (8, 16, 16, 16), (1, 1, 16, 24)),
    ("strides", (8, 8, 8, 16), (5, 5, 16, 24)),  # larger than its outputs' space, in the input's gradient
    ("strides", (8, 30, 16), (3, 16, 24)),
    ("strides", (4, 6, 10, 10, 8), (3, 3, 3, 8, 8)),
    ("strides beyond the window", (8, 11, 11, 16), (2, 2, 16, 24)),
    ("dilation", (8, 16, 16, 16), (3, 3, 16, 24)),
    ("dilation", (4, 6, 6, 6, 8), (2, 2, 2, 8, 8)),
    ("causal", (8, 30, 16), (3, 16, 24)),
    ("channels first", (8, 16, 12, 12), (3, 3, 16, 24)),
    ("transposed", (8, 9, 9, 16), (3, 3, 24, 16)),
    ("transposed", (8, 2, 2, 16), (4, 4, 24, 16)),
    ("transposed", (8, 9, 16), (3, 24, 16)),
    ("transposed", (4, 4, 4, 4, 8), (3, 3, 3, 8, 8)),
    ("transposed, no strides", (8, 4, 4, 16), (3, 3, 24, 16)),
    ("transposed, dilation", (8, 9, 9, 16), (3, 3, 24, 16)),
    ("transposed, channels first", (8, 16, 9, 9), (3, 3, 24, 16)),
    ("four groups", (8, 16, 16, 64), (3, 3, 16, 32)),
    ("four groups", (8, 16, 16, 8), (1, 1, 2, 8)),
    ("four groups", (8, 2, 2, 32), (3, 3, 8, 32)),
    ("four groups", (8, 20, 16), (3, 4, 8)),
    ("four groups", (4, 4, 6, 6, 16), (3, 3, 3, 4, 8)),
    ("four groups, strides", (8, 16, 16, 32), (3, 3, 8, 32)),
    ("four groups, channels first", (8, 32, 12, 12), (3, 3, 8, 16)),
    ("depthwise", (8, 16, 16, 24), (3, 3, 24, 1)),
    ("depthwise", (8, 16, 16, 24), (7, 7, 24, 2)),
    ("depthwise", (8, 2, 2, 24), (3, 3, 24, 1)),
    ("depthwise", (8, 16, 24), (3, 24, 1)),
    ("depthwise, strides", (8, 16, 16, 24), (3, 3, 24, 1)),
    ("depthwise, dilation", (8, 16, 16, 24), (3, 3, 24, 2)),
    ("depthwise, channels first", (8, 24, 12, 12), (3, 3, 24, 1)),
    ("unfold", (8, 3, 12, 12), ()),
]
LAYERS = [
    (lambda: layers.SeparableConv1D(8, 3, depth_multiplier=2), (4, 12, 16)),
    (lambda: layers.SeparableConv2D(8, 3, strides=2), (4, 12, 12, 16)),
    (lambda: layers.Conv2D(32, 3, groups=16), (4, 8, 8, 16)),  # one group for each channel
    (lambda: layers.Conv2D(24, 3, padding="same", dtype="float16"), (4, 8, 8, 16)),
    (lambda: layers.Conv2D(24, 3, strides=2, dtype="mixed_bfloat16"), (4, 8, 8, 16)),
    (lambda: layers.DepthwiseConv2D(3, dtype="mixed_bfloat16"), (4, 8, 8, 16)),
    (lambda: layers.ConvLSTM2D(8, 3, padding="same"), (2, 3, 8, 8, 4)),
    (lambda: layers.MaxPooling2D(3, 2, "same"), (4, 8, 8, 16)),
    (lambda: layers.MaxPooling3D(2), (4, 4, 4, 4, 16)),
    (lambda: layers.AveragePooling2D(3, 2, "same"), (4, 8, 8, 16)),
    (lambda: layers.UpSampling2D(2, interpolation="bilinear"), (4, 8, 8, 16)),
]

#: The order of axes that XLA's CPU backend runs with matrix products; it transposes into it what it can.
FAST_LABELS = {"b0f_0io->b0f", "b01f_01io->b01f"}
#: Reversed windows are those of operands that XLA lets swap places, when the window is larger than the input.
NAIVE = re.compile("(feature|batch)_group_count=|rhs_reversal=|select-and-scatter")


def naive(function, *arrays):
    """Return the operations that XLA's CPU backend runs as naive loops, in a program with the function's gradients.

    These are convolutions in groups of channels or images, in another order of axes, of reversed windows, or in other
    dtypes than float32, and the gradient of a maximum over windows.
    """
    step = jax.value_and_grad(lambda *p: jnp.sum(jnp.sin(function(*p).astype(jnp.float32))), range(len(arrays)))
    text = jax.jit(step, compiler_options=compiler_options()).lower(*arrays).compile().as_text()
    found = []
    for line in text.splitlines():
        if " convolution(" in line:
            labels = re.search(r"dim_labels=([^,\s]+)", line)[1]
            if NAIVE.search(line) or labels not in FAST_LABELS or " = f32[" not in line:
                found.append(line)
        elif " select-and-scatter(" in line:
            found.append(line)
    return found


@pytest.mark.parametrize(("kind", "shape", "kernel"), KINDS)
def test_no_naive_loop(kind, shape, kernel):
    assert not naive(FORMS[kind], jnp.ones(shape), jnp.ones(kernel))


@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_no_naive_loop_in_layers(make, shape):
    layer = make()
    layer.build(shape)
    states = [variable.value for variable in layer.non_trainable_variables]

    def outputs(x, *weights):
        return layer.stateless_call(list(weights), states, x)[0]

    assert not naive(outputs, jnp.ones(shape), *(variable.value for variable in layer.trainable_variables))


def test_naive_loops_are_found():
    with plain_forms():
        assert naive(FORMS["four groups"], jnp.ones((8, 16, 16, 64)), jnp.ones((3, 3, 16, 32)))
        assert naive(FORMS["depthwise"], jnp.ones((8, 16, 16, 24)), jnp.ones((3, 3, 24, 1)))
        assert naive(FORMS["same"], jnp.ones((8, 2, 2, 16)), jnp.ones((3, 3, 16, 24)))


@pytest.mark.parametrize(
    ("rules", "rule", "kind", "shape", "kernel"),
    [
        (depthwise_cpu, "depthwise", "depthwise", (6, 12, 12, 24), (3, 3, 24, 1)),
        (grouped_cpu, "grouped", "four groups", (6, 12, 12, 16), (3, 3, 4, 8)),
        (convolution_cpu, "_xla_s_own", "same", (6, 2, 2, 16), (3, 3, 16, 24)),
    ],
)
def test_without_its_rule_a_kind_is_naive(rules, rule, kind, shape, kernel, monkeypatch):
    monkeypatch.setattr(rules, rule, native)
    assert naive(FORMS[kind], jnp.ones(shape), jnp.ones(kernel))
