"""Ten steps of an optimizer of ours and of real Keras's, on the same weights and gradients."""

import jax
import jax.numpy as jnp
import numpy as np

from cornu import optimizers
from cornu.core.variable import Variable, bound, read, write

PATHS = ("embedding/table", "dense/kernel", "dense/bias", "cube/kernel")
SHAPES = ((6, 3), (3, 5), (5,), (2, 3, 4))


def first_values():
    generator = np.random.default_rng(3)
    return [generator.normal(size=shape).astype("float32") for shape in SHAPES]


def gradients(steps=10):
    """Give the gradients of each step; those of the fourth are large and those of the sixth zero."""
    generator = np.random.default_rng(5)
    factors = [1.0, 1.0, 0.1, 30.0, 1.0, 0.0, 1.0, 1.0, 0.01, 1.0]
    return [
        [jnp.asarray(generator.normal(size=shape) * factors[step % 10], dtype="float32") for shape in SHAPES]
        for step in range(steps)
    ]


def weights():
    made = [Variable(value) for value in first_values()]
    for variable, path in zip(made, PATHS, strict=True):
        variable.path, variable.name = path, path.split("/")[1]
    return made


def keras_weights(keras):
    made = [keras.Variable(value, name=path.split("/")[1]) for value, path in zip(first_values(), PATHS, strict=True)]
    for variable, path in zip(made, PATHS, strict=True):
        variable._path = path
    return made


def train(optimizer, variables, steps=None):
    """Take the steps one by one, outside of any trace."""
    for step in gradients() if steps is None else steps:
        optimizer.apply(step, variables)
    return values(variables)


def compiled_step(optimizer, variables, traces=None):
    """Return a function that takes one step in a compiled program, as the training engine does."""
    optimizer.prepare(variables)
    everything = [*variables, *optimizer.all_variables]

    @jax.jit
    def run(state, step):
        if traces is not None:
            traces.append(1)
        with bound(everything, state):
            optimizer.apply(step, variables)
            return read(everything)

    return lambda step: write(everything, run(read(everything), step))


def keras_step(optimizer, variables, compiled):
    """Return a function that takes one step; compiled where Keras would compile a branch at each step otherwise."""
    if not compiled:
        return lambda step: optimizer.apply(step, variables)
    run = jax.jit(lambda weights, own, step: optimizer.stateless_apply(own, step, weights))

    def take(step):
        found = run([v.value for v in variables], [v.value for v in optimizer.variables], step)
        for variable, value in zip([*variables, *optimizer.variables], [*found[0], *found[1]], strict=True):
            variable.assign(value)

    return take


def values(variables):
    return [np.asarray(variable) for variable in variables]


def compare_with_keras(keras, name, **arguments):
    """Train ours and Keras's for ten eager steps; weights, slots, their order and their names must agree."""
    ours = getattr(optimizers, name)(name="it", **arguments)
    theirs = getattr(keras.optimizers, name)(name="it", **arguments)
    mine, its = weights(), keras_weights(keras)
    theirs.build(its)
    step = keras_step(theirs, its, compiled="gradient_accumulation_steps" in arguments)
    for number, gradient in enumerate(gradients()):
        ours.apply(gradient, mine)
        step(gradient)
        for path, found, expected in zip(PATHS, values(mine), values(its), strict=True):
            np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-6, err_msg=f"{path} at step {number}")
    assert [v.shape for v in ours.variables] == [tuple(v.shape) for v in theirs.variables]
    for variable, expected in zip(ours.variables, values(theirs.variables), strict=True):
        np.testing.assert_allclose(np.asarray(variable), expected, rtol=2e-6, atol=1e-6, err_msg=variable.path)
    return ours, theirs
