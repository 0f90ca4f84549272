"""Native convolutions and their gradients against XLA's own in float64, and in programs."""

import os
import random
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu.kernels import convolution_cpu
from cornu.kernels.convolution import convolution, transposed_convolution
from cornu.kernels.geometry import Geometry, native, output_space
from cornu.kernels.native import calls, library
from cornu.kernels.native import convolution as native_convolution


@pytest.fixture(scope="module", autouse=True)
def built():
    if not library.available(calls.LIBRARY):
        pytest.skip(f"native kernels: {library.described(calls.LIBRARY)}")


def _arrays(*shapes):
    drawn = np.random.default_rng(0)
    return [jnp.asarray(drawn.normal(size=shape), jnp.float32) for shape in shapes]


def _exact(function, *arrays):
    with jax.enable_x64(True):
        return np.asarray(function(*(jnp.asarray(np.asarray(each), "float64") for each in arrays)))


def _near(found, want, most=4e-6):
    assert found.shape == want.shape
    assert np.abs(found - want).max() <= most * np.abs(want).max()


def _drawn(seed):
    """Draw a geometry with shapes of input and kernel; some have no output."""
    draw = random.Random(seed)
    rank = draw.choice((1, 2, 2))
    numbers = [[draw.choice(most) for _ in range(rank)] for most in ((1, 1, 2, 3), (1, 1, 2, 3), (1, 1, 2))]
    padding = tuple((draw.randint(-2, 3), draw.randint(-2, 3)) for _ in range(rank))
    space = [draw.choice((5, 7, 11, 14, 130)) for _ in range(rank)]
    window = [draw.randint(1, 4) for _ in range(rank)]
    channels, filters = draw.choice((1, 3, 8, 16, 17)), draw.choice((1, 3, 10, 16, 24, 32, 40, 64))
    strides, input_dilation, kernel_dilation = map(tuple, numbers)
    geometry = Geometry(strides, padding, input_dilation, kernel_dilation)
    return geometry, (draw.choice((1, 3, 20)), *space, channels), (*window, channels, filters)


SEEDS = range(12)
PLAIN = Geometry((1, 1), ((0, 0),) * 2, (1, 1), (1, 1))


@pytest.mark.parametrize("seed", SEEDS)
def test_convolution_equals_xla(seed):
    geometry, shape, kernel_shape = _drawn(seed)
    if 0 in output_space(shape[1:-1], kernel_shape[:-2], geometry):
        shape = (shape[0], *(size + 12 for size in shape[1:-1]), shape[-1])
    x, kernel = _arrays(shape, kernel_shape)
    want = _exact(lambda x, kernel: native(x, kernel, geometry), x, kernel)
    _near(native_convolution.convolved(x, kernel, geometry), want)


@pytest.mark.parametrize("seed", SEEDS)
def test_gradient_by_kernel_equals_xla(seed):
    geometry, shape, kernel_shape = _drawn(seed)
    geometry = geometry._replace(input_dilation=(1,) * len(geometry.strides))
    shape = (shape[0], *(size + 12 for size in shape[1:-1]), shape[-1])
    space = output_space(shape[1:-1], kernel_shape[:-2], geometry)
    x, upstream, kernel = _arrays(shape, (shape[0], *space, kernel_shape[-1]), kernel_shape)

    def reference(x, upstream, kernel):
        return jax.vjp(lambda kernel: native(x, kernel, geometry), kernel)[1](upstream)[0]

    want = _exact(reference, x, upstream, kernel)
    _near(native_convolution.gradient_by_kernel(x, upstream, kernel_shape[:-2], geometry), want)


SHAPES = {
    "many tiles": ((4, 26, 26, 32), 64, 0),
    "few channels and filters": ((3, 20, 16, 16), 8, 1),
    "sizes that fill no vector": ((4, 15, 23, 33), 19, 1),
    "rows smaller than a tile": ((30, 3, 15, 17), 40, 1),
    "more padding than the window": ((4, 13, 14, 24), 36, 3),
    "cropped": ((8, 18, 17, 16), 16, -1),
    "sums of few blocks": ((8, 12, 12, 250), 260, 1),
}
WINDOWS = [(name, 3, (1, 1)) for name in SHAPES] + [
    *((name, 5, (1, 1)) for name in ("many tiles", "sizes that fill no vector", "sums of few blocks")),
    ("many tiles", 3, (2, 3)),
    ("few channels and filters", 3, (1, 2)),
    ("sizes that fill no vector", 3, (5, 1)),
    ("many tiles", 5, (2, 2)),
]


@pytest.mark.parametrize(("name", "window", "dilation"), WINDOWS)
def test_winograds_form_equals_xla(name, window, dilation):
    shape, filters, pad = SHAPES[name]
    padding = tuple((pad * by, pad * by + extra) for by, extra in zip(dilation, (0, 1), strict=True))
    geometry = PLAIN._replace(padding=padding, kernel_dilation=dilation)
    x, kernel = _arrays(shape, (window, window, shape[-1], filters))
    (upstream,) = _arrays((shape[0], *output_space(shape[1:-1], (window, window), geometry), filters))

    def passes(x, kernel, upstream):
        by_kernel = native_convolution.gradient_by_kernel(x, upstream, (window, window), geometry)
        return native_convolution.convolved(x, kernel, geometry), by_kernel

    def reference(x, kernel, upstream):
        result, back = jax.vjp(lambda kernel: native(x, kernel, geometry), kernel)
        return result, back(upstream)[0]

    step = jax.jit(passes)
    assert step.lower(x, kernel, upstream).as_text().count("@cornu_convolution_winograd") == 2
    with jax.enable_x64(True):
        doubles = [jnp.asarray(np.asarray(each), "float64") for each in (x, kernel, upstream)]
        wanted = [np.asarray(each) for each in reference(*doubles)]
    for found, want in zip(step(x, kernel, upstream), wanted, strict=True):
        _near(found, want, 4e-6 if window == 3 else 8e-6)


def test_errors_of_winograds_form_are_a_few_times_those_of_a_sum():
    x, kernel = _arrays((4, 26, 26, 32), (3, 3, 32, 32))
    strided = PLAIN._replace(strides=(2, 2))  # every second output, as a plain sum
    want = _exact(lambda x, kernel: native(x, kernel, PLAIN), x, kernel)
    error = np.std(native_convolution.convolved(x, kernel, PLAIN) - want)
    assert error < 4 * np.std(native_convolution.convolved(x, kernel, strided) - want[:, ::2, ::2])


def test_rules_of_winograds_form():
    def used(kernel, outputs, geometry=PLAIN, covered=2.0):
        return native_convolution._saves_products(kernel, outputs, geometry, covered)

    assert used((3, 3, 16, 8), (64, 32, 32))
    assert not used((3, 3, 8, 16), (64, 32, 32))  # few channels
    assert not used((3, 3, 64, 64), (1, 28, 28))  # few tiles
    assert not used((3, 3, 512, 512), (64, 16, 16))  # a large kernel
    assert not used((3, 3, 32, 32), (64, 5, 5))
    assert used((3, 3, 32, 32), (64, 7, 7))
    assert used((5, 5, 32, 32), (64, 32, 32))
    assert not used((5, 5, 16, 32), (64, 32, 32))
    assert not used((7, 7, 32, 32), (64, 32, 32))
    assert not used((3, 5, 32, 32), (64, 32, 32))
    assert not used((3, 32, 32), (64, 32))
    assert not used((3, 3, 32, 32), (64, 32, 32), PLAIN._replace(strides=(2, 1)))
    dilated = PLAIN._replace(kernel_dilation=(4, 4))
    assert used((3, 3, 32, 32), (64, 32, 32), dilated)
    assert not used((3, 3, 32, 32), (64, 10, 10), dilated)


LAYERS = {
    "same": ((8, 16, 16, 32), (3, 3, 32, 32), lambda x, k: convolution(x, k, padding="same")),
    "strides": ((8, 17, 16, 32), (3, 3, 32, 40), lambda x, k: convolution(x, k, 2, "same")),
    "one dimension": ((8, 100, 32), (5, 32, 32), lambda x, k: convolution(x, k, padding="causal")),
    "groups": ((8, 16, 16, 64), (3, 3, 16, 64), lambda x, k: convolution(x, k, padding="same", groups=4)),
    "three dimensions": ((2, 6, 12, 12, 16), (3, 3, 3, 16, 16), lambda x, k: convolution(x, k)),
    "transposed": ((8, 12, 12, 32), (3, 3, 32, 32), lambda x, k: transposed_convolution(x, k, 2, "same")),
}


@pytest.mark.parametrize("name", LAYERS)
def test_both_forms_of_a_layer_agree_in_all_derivatives(name, monkeypatch):
    """The gradients of a gradient penalty pass through every derivative of every pass."""
    shape, kernel_shape, function = LAYERS[name]
    x, kernel = _arrays(shape, kernel_shape)

    def penalty(x, kernel):
        gradients = jax.grad(lambda x, kernel: jnp.mean(jnp.sin(function(x, kernel))), (0, 1))(x, kernel)
        return sum(1e3 * jnp.sum(each**2) for each in gradients)

    def results():
        step = jax.jit(lambda x, kernel: (function(x, kernel), *jax.grad(penalty, (0, 1))(x, kernel)))
        return step.lower(x, kernel).as_text().count("@cornu_convolution"), step(x, kernel)

    calls, found = results()
    assert calls >= 4
    monkeypatch.setattr(library, "available", lambda _: False)
    jax.clear_caches()  # of the inner programs that chose the native form
    calls, want = results()
    jax.clear_caches()
    assert not calls
    for one, other in zip(found, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=5e-5 * np.abs(other).max())


def test_a_layer_equals_keras(real_keras):
    x, kernel = _arrays((4, 20, 20, 32), (3, 3, 32, 48))
    want = np.asarray(real_keras.ops.conv(x, kernel, strides=2, padding="same"))
    _near(convolution(x, kernel, 2, "same"), want, 1e-5)


def test_vmap():
    x, kernels = _arrays((3, 4, 16, 16, 32), (3, 3, 3, 32, 32))
    found = jax.jit(jax.vmap(lambda x, kernel: convolution(x, kernel)))(x, kernels)
    want = jnp.stack([convolution(*pair) for pair in zip(x, kernels, strict=True)])
    np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize(
    ("shape", "kernel", "geometry", "dtype", "suits"),
    [
        ((8, 16, 16, 32), (3, 3, 32, 32), PLAIN, "float32", True),
        ((8, 16, 16, 32), (3, 3, 32, 32), PLAIN, "bfloat16", False),
        ((8, 16, 16, 32), (3, 3, 32, 4), PLAIN, "float32", False),
        ((32, 28, 28, 3), (3, 3, 3, 32), PLAIN, "float32", False),
        ((1, 8, 8, 32), (3, 3, 32, 8), PLAIN, "float32", False),
        ((32, 16, 16, 64), (1, 1, 64, 64), PLAIN, "float32", False),
        ((32, 16, 16, 64), (1, 1, 64, 64), PLAIN._replace(strides=(2, 2)), "float32", True),
        ((8, 14, 14, 256), (3, 3, 256, 256), PLAIN, "float32", True),
        ((8, 14, 14, 512), (3, 3, 512, 512), PLAIN, "float32", False),
    ],
)
def test_rules(shape, kernel, geometry, dtype, suits):
    x, kernel = (jnp.zeros(each, dtype) for each in (shape, kernel))
    assert native_convolution.suits_convolution(x, kernel, geometry) is suits


def test_rules_of_the_gradient():
    x, upstream = jnp.zeros((16, 16, 16, 8)), jnp.zeros((16, 14, 14, 16))
    assert native_convolution.suits_gradient(x, upstream, (3, 3), PLAIN)
    dilated = PLAIN._replace(input_dilation=(2, 2))
    assert not native_convolution.suits_gradient(x, upstream, (3, 3), dilated)
    wide = jnp.zeros((4, 9, 9, 512))
    assert not native_convolution.suits_gradient(wide, wide[:, 1:-1, 1:-1], (3, 3), PLAIN)


def test_several_devices_use_xlas_forms(monkeypatch):
    monkeypatch.setattr(jax, "device_count", lambda: 2)
    x, kernel = _arrays((8, 16, 16, 32), (3, 3, 32, 32))
    assert not native_convolution.suits_convolution(x, kernel, PLAIN)


BITS = """
import hashlib, os, sys
os.sched_setaffinity(0, {int(number) for number in sys.argv[1].split(",")})
import jax, jax.numpy as jnp, numpy as np
from cornu.kernels.convolution import convolution
drawn = np.random.default_rng(0)
x, kernel = (jnp.asarray(drawn.normal(size=shape), "float32") for shape in ((5, 30, 30, 24), (3, 3, 24, 40)))
strides = int(sys.argv[2])
step = jax.jit(jax.value_and_grad(lambda x, k: jnp.sum(convolution(x, k, strides, "same") ** 2), (0, 1)))
assert ("cornu_convolution_winograd" in step.lower(x, kernel).as_text()) == (strides == 1)
print(hashlib.sha256(b"".join(np.asarray(each).tobytes() for each in step(x, kernel)[1])).hexdigest())
"""


@pytest.mark.parametrize("strides", ["1", "2"])
def test_results_do_not_depend_on_the_threads(strides):
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        pytest.skip("one processor")
    used = (str(processors[0]), ",".join(map(str, processors)))
    found = {subprocess.check_output([sys.executable, "-c", BITS, each, strides], text=True) for each in used}
    assert len(found) == 1


def test_a_thousand_calls_from_several_programs_at_once():
    """Programs that share XLA's pool must not wait for each other."""
    from concurrent.futures import ThreadPoolExecutor

    x, kernel = _arrays((4, 12, 12, 32), (3, 3, 32, 32))

    @jax.jit
    def many(x):
        step = lambda _, x: convolution_cpu.convolve(x, kernel, PLAIN._replace(padding=((1, 1), (1, 1)))) / 20  # noqa: E731
        return jax.lax.fori_loop(0, 100, step, x)

    want = many(x)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: many(x), range(10)):
            np.testing.assert_array_equal(found, want)
