"""What an expert would write in JAX without any Keras: an epoch of an MLP is one compiled `lax.scan`, with optax."""

import functools
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from benchmarks.peers import tasks

ACTIVATIONS = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid}


def forward(task, weights, averages, x, key, training):
    """Return the logits and the new moving averages of batch normalization."""
    weights, averages, kept = iter(weights), iter(averages), []
    for layer, _, _ in tasks.walk(task):
        kind = layer[0]
        if kind == "dense":
            x = x @ next(weights) + next(weights)
        elif kind == "conv":
            kernel = next(weights)
            x = lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
            x = x + next(weights)
        elif kind == "norm":
            x, moved = _normalized(x, next(weights), next(weights), next(averages), next(averages), training)
            kept += moved
        elif kind == "pool":
            x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        elif kind == "dropout" and training:
            key, own = jax.random.split(key)
            x = jnp.where(jax.random.bernoulli(own, 1 - layer[1], x.shape), x / (1 - layer[1]), 0)
        elif kind == "flatten":
            x = x.reshape(len(x), -1)
        elif kind == "lstm":
            x = _lstm(x, next(weights), next(weights), next(weights))
        activation = layer[2] if kind in ("dense", "conv") else kind
        x = ACTIVATIONS.get(activation, lambda x: x)(x)
    return x, kept


def _lstm(x, kernel, recurrent_kernel, bias):
    def step(state, inputs):
        i, f, g, o = jnp.split(inputs @ kernel + state[0] @ recurrent_kernel + bias, 4, axis=-1)
        cell = jax.nn.sigmoid(f) * state[1] + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(cell), cell), None

    start = jnp.zeros((len(x), recurrent_kernel.shape[0]))
    return lax.scan(step, (start, start), x.swapaxes(0, 1))[0][0]


def _normalized(x, scale, shift, mean, variance, training):
    kept = [mean, variance]
    if training:
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        kept = [0.99 * kept[0] + 0.01 * mean, 0.99 * kept[1] + 0.01 * variance]
    return (x - mean) * lax.rsqrt(variance + 1e-3) * scale + shift, kept


class Peer:
    """Trains one model at a time with one compiled call per epoch."""

    def versions(self):
        return {"jax": jax.__version__, "jaxlib": jax.lib.__version__, "optax": optax.__version__}

    def build(self, task, batch, x, y):
        """Put the data on the device and make the compiled functions."""
        self.task, self.batch = task, batch
        self.x, self.y = jnp.asarray(x), jnp.asarray(y.argmax(1))
        self.host = x
        name, rate, *rest = task.optimizer
        self.optimizer = {
            "SGD": lambda: optax.sgd(rate),
            "Adam": lambda: optax.adam(rate, eps=1e-7),
            "RMSprop": lambda: optax.rmsprop(rate, decay=rest[0], eps=1e-7),
            "Adadelta": lambda: optax.adadelta(rate, rho=rest[0], eps=1e-7),
        }[name]()
        # XLA's convolution gradients on CPU are many times slower inside a loop: there an expert leaves the scan.
        convolves = any(layer[0] == "conv" for layer in task.layers)
        self._run = self._epoch_of_calls if convolves else jax.jit(self._epoch, donate_argnums=0)
        self._one = jax.jit(self._step, donate_argnums=0)
        self._forward = jax.jit(lambda weights, averages, x: jax.nn.softmax(self._logits(weights, averages, x)))
        self._score = jax.jit(self._scored)

    def _logits(self, weights, averages, x):
        return forward(self.task, weights, averages, x, None, False)[0]

    def reset(self, seed):
        """Put the seed's initial weights in, and make a new optimizer state."""
        weights, averages = [], []
        values = iter(tasks.initial_weights(self.task, seed))
        for layer, _, _ in tasks.walk(self.task):
            if layer[0] in ("dense", "conv", "norm"):
                weights += [jnp.asarray(next(values)), jnp.asarray(next(values))]
            elif layer[0] == "lstm":
                weights += [jnp.asarray(next(values)) for _ in range(3)]
            if layer[0] == "norm":
                averages += [jnp.asarray(next(values)), jnp.asarray(next(values))]
        # XLA's own generator: threefry's bits for dropout would cost a third of a small model's step.
        self.state = (weights, averages, self.optimizer.init(weights), jax.random.key(seed, impl="rbg"))

    def _step(self, state, rows, x, y):
        weights, averages, slots, key = state
        key, own = jax.random.split(key)

        def loss(weights):
            out, kept = forward(self.task, weights, averages, x[rows], own, True)
            each = optax.softmax_cross_entropy_with_integer_labels(out, y[rows])
            return each.mean(), (kept, each.sum(), (out.argmax(1) == y[rows]).sum())

        gradients, (averages, total, right) = jax.grad(loss, has_aux=True)(weights)
        updates, slots = self.optimizer.update(gradients, slots, weights)
        return (optax.apply_updates(weights, updates), averages, slots, key), (total, right)

    def _epoch(self, state, x, y):
        *rest, key = state
        key, own = jax.random.split(key)
        order = jax.random.permutation(own, len(x))
        whole = len(x) // self.batch
        rows = order[: whole * self.batch].reshape(whole, self.batch)
        state, (totals, right) = lax.scan(lambda state, rows: self._step(state, rows, x, y), (*rest, key), rows)
        total, right = totals.sum(), right.sum()
        if len(x) % self.batch:
            state, (more, also) = self._step(state, order[whole * self.batch :], x, y)
            total, right = total + more, right + also
        return state, total, right

    def _epoch_of_calls(self, state, x, y):
        *rest, key = state
        key, own = jax.random.split(key)
        order, state = jax.random.permutation(own, len(x)), (*rest, key)
        totals = []
        for start in range(0, len(x), self.batch):
            state, found = self._one(state, order[start : start + self.batch], x, y)
            totals.append(found)
        return state, sum(total for total, _ in totals), sum(right for _, right in totals)

    def epochs(self, count):
        """Train; returns the seconds and the mean loss of each epoch."""
        seconds, losses = [], []
        for _ in range(count):
            began = time.perf_counter()
            self.state, total, right = self._run(self.state, self.x, self.y)
            losses.append(float(total) / len(self.x))
            assert 0 <= int(right) <= len(self.x)
            seconds.append(time.perf_counter() - began)
        return seconds, losses

    def predict(self, rows):
        """Return the outputs for the first rows, all at once."""
        return np.asarray(self._forward(self.state[0], self.state[1], self.host[:rows]))

    def _scored(self, weights, averages, x, y):
        def totals(x, y):
            out = self._logits(weights, averages, x)
            each = optax.softmax_cross_entropy_with_integer_labels(out, y)
            return each.sum(), (out.argmax(1) == y).sum()

        whole = len(x) // 32
        batches = x[: whole * 32].reshape(whole, 32, *x.shape[1:]), y[: whole * 32].reshape(whole, 32)
        loss, right = lax.map(lambda batch: totals(*batch), batches)
        rest = totals(x[whole * 32 :], y[whole * 32 :])
        return loss.sum() + rest[0], right.sum() + rest[1]

    def evaluate(self, rows):
        """Return loss and accuracy on the first rows, in batches of 32."""
        total, right = self._score(self.state[0], self.state[1], self.x[:rows], self.y[:rows])
        return [float(total) / rows, float(right) / rows]

    def product(self, size):
        """Return a function that multiplies two float32 matrices and waits."""
        a, b = (jnp.asarray(np.random.RandomState(i).normal(size=(size, size)).astype("float32")) for i in (0, 1))
        multiply = jax.jit(functools.partial(jnp.matmul, precision="highest"))
        return lambda: multiply(a, b).block_until_ready()
