"""No kind of convolution compiles to a naive loop on CPU, in the forward pass or its gradients."""

import re

import jax
import jax.numpy as jnp
import pytest

from cornu.kernels.compiler import plain_forms
from cornu.kernels.convolution import convolution, depthwise_convolution, transposed_convolution

LAYERS = {
    "dense": lambda x, k: convolution(x, k),
    "strides": lambda x, k: convolution(x, k, 2, "same"),
    "dilation": lambda x, k: convolution(x, k, 1, "same", 2),
    "channels first": lambda x, k: convolution(x, k, data_format="channels_first"),
    "transposed": lambda x, k: transposed_convolution(x, k, 2, "same"),
    "four groups": lambda x, k: convolution(x, k, 1, "same", groups=4),
    "depthwise": lambda x, k: depthwise_convolution(x, k, 1, "same"),
    "depthwise, strides": lambda x, k: depthwise_convolution(x, k, 2),
}
KINDS = [
    ("dense", (8, 16, 16, 4), (3, 3, 4, 8)),
    ("dense", (8, 16, 16, 32), (3, 3, 32, 32)),
    ("dense", (8, 16, 16, 16), (1, 1, 16, 24)),
    ("dense", (8, 40, 16), (5, 16, 24)),
    ("strides", (8, 16, 16, 16), (3, 3, 16, 24)),
    ("dilation", (8, 16, 16, 16), (3, 3, 16, 24)),
    ("channels first", (8, 16, 12, 12), (3, 3, 16, 24)),
    ("transposed", (8, 9, 9, 16), (3, 3, 24, 16)),
    ("four groups", (8, 16, 16, 64), (3, 3, 16, 32)),
    ("four groups", (8, 16, 16, 8), (1, 1, 2, 8)),
    ("strides", (4, 6, 10, 10, 8), (3, 3, 3, 8, 8)),
    ("depthwise", (8, 16, 16, 24), (3, 3, 24, 1)),
    ("depthwise", (8, 16, 16, 24), (7, 7, 24, 2)),
    ("depthwise", (8, 16, 24), (3, 24, 1)),
    ("depthwise, strides", (8, 16, 16, 24), (3, 3, 24, 1)),
]


#: The order of axes that XLA's CPU backend runs with matrix products; it transposes into it what it can.
FAST_LABELS = {"b0f_0io->b0f", "b01f_01io->b01f"}


def naive(function, x, kernel):
    """Return the compiled program's convolutions that XLA's CPU backend runs as naive loops.

    These have groups of channels or of images, or another order of axes.
    """
    step = jax.jit(jax.value_and_grad(lambda x, k: jnp.sum(jnp.sin(function(x, k))), (0, 1)))
    found = []
    for line in step.lower(x, kernel).compile().as_text().splitlines():
        if " convolution(" in line:
            labels = re.search(r"dim_labels=([^,\s]+)", line)[1]
            if re.search("(feature|batch)_group_count=", line) or labels not in FAST_LABELS:
                found.append(line)
    return found


@pytest.mark.parametrize(("kind", "shape", "kernel"), KINDS)
def test_no_naive_loop(kind, shape, kernel):
    assert not naive(LAYERS[kind], jnp.ones(shape), jnp.ones(kernel))


def test_naive_loops_are_found():
    with plain_forms():
        for kind in ("four groups", "depthwise"):
            shape, kernel = next((jnp.ones(shape), jnp.ones(kernel)) for name, shape, kernel in KINDS if name == kind)
            assert naive(LAYERS[kind], shape, kernel)
