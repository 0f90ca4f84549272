"""The forms for CPU compute what the plain loop does, with all derivatives."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu.kernels import recurrent, recurrent_cpu
from cornu.kernels.compiler import plain_forms
from cornu.kernels.recurrent import Loop

BATCH, TIME, FEATURES, UNITS = 3, 5, 7, 12  # of the sizes for which `lstm` takes one product for all steps
TANH, SIGMOID = jnp.tanh, jax.nn.sigmoid
LOOPS = {
    "last": Loop(),
    "sequences": Loop(sequences=True),
    "backwards": Loop(reverse=True, sequences=True),
    "backwards, last": Loop(reverse=True),
    "unrolled": Loop(unroll=True, sequences=True),
    "zero masked": Loop(sequences=True, zero_masked=True),
}


def arrays(kind, bias=True):
    """Return the inputs, states and weights of a layer, by argument."""
    random = np.random.default_rng(0)
    gates = {"lstm": 4, "gru": 3, "simple_rnn": 1}[kind]

    def array(*shape):
        return jnp.asarray(random.normal(size=shape).astype("float32"))

    found = {"inputs": array(BATCH, TIME, FEATURES), "hidden": array(BATCH, UNITS)}
    if kind == "lstm":
        found["cell"] = array(BATCH, UNITS)
    found |= {"kernel": array(FEATURES, gates * UNITS), "recurrent_kernel": array(UNITS, gates * UNITS)}
    found["bias"] = array(gates * UNITS) if bias else None
    if kind == "gru":
        found["recurrent_bias"] = array(gates * UNITS) if bias else None
    return found


def layer(kind, loop, mask=None, noises=(None, None), activation=TANH, gate=SIGMOID, reset_after=True):
    options = {"activation": activation, "loop": loop, "mask": mask, "input_noise": noises[0], "noise": noises[1]}
    if kind != "simple_rnn":
        options["recurrent_activation"] = gate
    if kind == "gru":
        options["reset_after"] = reset_after
    return functools.partial(getattr(recurrent, kind), **options)


def loss(run, given):
    outputs, states = run(**given)
    return sum(
        (jnp.sin(3 * each) * jnp.cos(jnp.arange(each.size)).reshape(each.shape)).sum() for each in (outputs, *states)
    )


def plainly(function, *args):
    with plain_forms():
        return jax.jit(function)(*args)


def check(function, *args, tolerance=2e-6):
    ours, plain = jax.jit(function)(*args), plainly(lambda *args: function(*args), *args)
    for one, other in zip(jax.tree.leaves(ours), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance * max(1, float(abs(other).max())))


def test_products_before_the_loop(monkeypatch):
    monkeypatch.setattr(recurrent_cpu, "LARGE", 1)
    run = layer("lstm", Loop(sequences=True))
    check(lambda given: (run(**given), jax.grad(functools.partial(loss, run))(given)), arrays("lstm"))


def test_the_form_depends_on_the_sizes():
    assert recurrent_cpu.has_large_kernels(jnp.zeros((32, 80, 128)), jnp.zeros((128, 512)))
    assert not recurrent_cpu.has_large_kernels(jnp.zeros((32, 400, 16)), jnp.zeros((16, 256)))


MASK = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [0, 0, 0, 0, 0]], bool)


def noise(parts, size):
    return jnp.asarray(np.random.default_rng(1).integers(0, 2, (parts, BATCH, size)) * 2.0, "float32")


CASES = [("lstm", loop, masked) for loop in LOOPS for masked in (False, True)]
CASES += [(kind, loop, True) for kind in ("gru", "simple_rnn") for loop in ("last", "backwards")]


@pytest.mark.parametrize(("kind", "loop", "masked"), CASES)
def test_results_and_gradients(kind, loop, masked):
    run = layer(kind, LOOPS[loop], jnp.asarray(MASK) if masked else None)
    check(lambda given: (run(**given), jax.grad(functools.partial(loss, run))(given)), arrays(kind))


@pytest.mark.parametrize(
    "options",
    [
        {"noises": (noise(1, FEATURES), None)},
        {"noises": (noise(4, FEATURES), noise(4, UNITS))},
        {"noises": (None, noise(1, UNITS))},
        {"activation": jax.nn.relu},
        {"gate": jax.nn.hard_sigmoid},
        {"mask": jnp.asarray([[True] * TIME] * BATCH)},
    ],
)
def test_dropout_and_other_activations(options):
    check(jax.value_and_grad(functools.partial(loss, layer("lstm", Loop(), **options))), arrays("lstm"))


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("parts", [1, 3])
def test_dropout_of_a_gru(parts, reset_after):
    noises = (noise(parts, FEATURES), noise(parts, UNITS))
    run = layer("gru", Loop(), noises=noises, reset_after=reset_after)
    check(jax.value_and_grad(functools.partial(loss, run)), arrays("gru"))


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_without_bias(kind):
    check(jax.value_and_grad(functools.partial(loss, layer(kind, Loop(sequences=True)))), arrays(kind, bias=False))


@pytest.mark.parametrize("name", ["inputs", "hidden", "kernel", "bias"])
def test_the_gradient_of_one_argument(name):
    given, run = arrays("lstm"), layer("lstm", Loop(reverse=True, sequences=True))
    check(jax.grad(lambda value: loss(run, given | {name: value})), given[name])


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_forward_mode_second_derivatives_and_vmap(kind):
    given, run = arrays(kind), layer(kind, Loop(sequences=True))
    function = functools.partial(loss, run)
    check(lambda given: jax.jvp(function, (given,), (given,)), given, tolerance=1e-5)
    check(lambda given: jax.jvp(jax.grad(function), (given,), (given,)), given, tolerance=2e-5)

    def squared(kernel):
        slope = jax.grad(lambda inputs: loss(run, given | {"inputs": inputs, "recurrent_kernel": kernel}))
        return (slope(given["inputs"]) ** 2).sum()

    check(jax.grad(squared), given["recurrent_kernel"], tolerance=2e-5)
    check(jax.vmap(jax.grad(lambda kernel: loss(run, given | {"kernel": kernel}))), jnp.stack([given["kernel"]] * 2))


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_half_precision_keeps_its_dtype(kind):
    given = {name: value.astype("bfloat16") for name, value in arrays(kind).items()}
    gradient = jax.grad(lambda given: loss(layer(kind, Loop()), given).astype("float32"))(given)
    assert all(each.dtype == "bfloat16" for each in gradient.values())


def test_a_layer_of_no_steps_returns_its_first_state():
    given = arrays("lstm") | {"inputs": jnp.zeros((BATCH, 0, FEATURES))}
    outputs, (hidden, cell) = layer("lstm", Loop())(**given)
    np.testing.assert_array_equal(outputs, given["hidden"])
    np.testing.assert_array_equal(hidden, given["hidden"])
    np.testing.assert_array_equal(cell, given["cell"])
