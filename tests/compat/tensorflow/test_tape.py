"""Programs with `tf.GradientTape` get the gradients that JAX gives for the same functions."""

import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import cornu
from cornu import layers, losses, metrics, models, optimizers
from cornu.compat.tensorflow import recording
from cornu.compat.tensorflow.function import Function
from cornu.compat.tensorflow.tape import GradientTape
from cornu.core.variable import Variable

X = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
Y = np.random.default_rng(1).normal(size=(24, 2)).astype("float32")


def test_gradients_of_variables():
    w, b = Variable([1.0, 2.0, 3.0]), Variable(0.5)
    with GradientTape(persistent=True) as tape:
        product = w * w + b
        total = jnp.sum(product * 2)
    by_name = tape.gradient(total, {"w": w, "b": [b]})
    np.testing.assert_allclose(by_name["w"], [4, 8, 12])
    assert float(by_name["b"][0]) == 6
    np.testing.assert_allclose(tape.gradient(product, w), [2, 4, 6])  # entries are summed
    np.testing.assert_allclose(tape.gradient(product, w, output_gradients=jnp.array([1.0, 0.0, 2.0])), [2, 0, 12])


@pytest.mark.parametrize("inside", [False, True])
def test_a_program_that_returns_its_input_or_a_result_twice_counts_once(inside):
    twice = jax.jit(lambda x: (x, x * 2, x * 2), inline=True)
    same = jax.jit(lambda x: x, inline=True)
    w = Variable([1.0, 3.0])

    def slopes():
        with GradientTape(persistent=True) as tape:
            kept, doubled, again = twice(same(w.value))
            first, total = jnp.sum(same(kept)), jnp.sum(doubled)
        return tape.gradient(first, w), tape.gradient(total, w), again

    first, total, _ = Function(slopes)() if inside else slopes()
    assert (first.tolist(), total.tolist()) == ([1, 1], [2, 2])


def test_gradients_of_named_arrays_and_of_what_the_block_computed():
    x = jnp.array([1.0, 2.0])
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        hidden, other = x**2, x
        out = hidden**2 + other
    np.testing.assert_allclose(tape.gradient(out, x), 4 * x**3 + 1)
    assert tape.gradient(out, Variable(np.array([1]))) is None  # of whole numbers


def test_gradients_by_what_the_block_computed():
    x, apart = jnp.array([1.0, 2.0]), jnp.array([1.0])
    with GradientTape(persistent=True) as tape:
        tape.watch([x, apart])
        hidden = x + apart * 0
        hidden = hidden**2
        also = hidden
        out = hidden**2 + also
        other, third = x * 2, out * 3
        unused = apart * 2
    np.testing.assert_allclose(tape.gradient(out, hidden), 2 * x**2 + 1)
    of_both = tape.gradient(out, [x, hidden])  # a source on the way to another one does not cut it off
    np.testing.assert_allclose(of_both[0], 2 * x * (2 * x**2 + 1))
    np.testing.assert_allclose(of_both[1], 2 * x**2 + 1)
    assert tape.gradient(other, apart) is None
    assert tape.gradient(third, [other, unused]) == [None, None]
    np.testing.assert_array_equal(tape.gradient(third, other, unconnected_gradients="zero"), [0, 0])


def test_second_derivatives():
    x = Variable(3.0)
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = x**3
        first = inner.gradient(y, x)
    assert float(first) == 27
    assert float(outer.gradient(first, x)) == 18


def test_gradient_inside_its_block():
    x = Variable(2.0)
    with GradientTape() as tape:
        y = x * x
        found = tape.gradient(y, x)
    assert float(found) == 4


def test_names_of_functions_loops_and_collections_in_the_block():
    scale, kept, w = 3.0, [], Variable(2.0)

    def scaled(value):
        return scale * value

    with GradientTape() as tape:
        for factor in (1.0, 2.0):
            kept.append(scaled(w) * factor)
        loss = sum([1 * part for part in kept], 0.0)
    assert float(tape.gradient(loss, w)) == 9
    assert len(kept) == 2  # what ran again added to a copy
    assert not any(isinstance(part, jax.core.Tracer) for part in kept)


def test_random_numbers_and_moving_averages_move_once():
    cornu.utils.set_random_seed(1)
    model = models.Sequential([layers.Input((4,)), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(2)])
    noise = np.random.normal(size=2)  # between seeding and the block
    with GradientTape() as tape:
        drawn = np.random.normal(size=2).astype("float32")
        out = model(X, training=True)
        loss = jnp.sum((out * drawn) ** 2)
    after = [variable.numpy() for variable in model.variables]
    gradients = tape.gradient(loss, model.trainable_variables)
    assert not np.array_equal(np.random.normal(size=2), drawn)
    assert noise.shape == (2,)
    for variable, value in zip(model.variables, after, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    bias = gradients[-1]
    np.testing.assert_allclose(bias, 2 * np.sum(out, axis=0) * drawn**2, rtol=1e-4)  # the same mask, the same noise


def test_a_loop_of_ones_own_equals_fit():
    def network():
        cornu.utils.set_random_seed(3)
        return models.Sequential([layers.Input((4,)), layers.Dense(8, activation="tanh"), layers.Dense(2)])

    fitted, looped = network(), network()
    fitted.compile(optimizers.Adam(0.01), "mse")
    history = fitted.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history["loss"]
    optimizer, loss_function, mean = optimizers.Adam(0.01), losses.MeanSquaredError(), metrics.Mean()
    for epoch in range(2):
        mean.reset_state()
        for start in range(0, 24, 8):
            with GradientTape() as tape:
                predictions = looped(X[start : start + 8], training=True)
                loss = loss_function(Y[start : start + 8], predictions)
            gradients = tape.gradient(loss, looped.trainable_weights)
            optimizer.apply_gradients(zip(gradients, looped.trainable_weights, strict=True))
            mean(loss)
        assert float(mean.result()) == pytest.approx(history[epoch], rel=1e-4)
    for one, other in zip(fitted.get_weights(), looped.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


class Ordinary(models.Model):
    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(8, activation="relu", kernel_regularizer="l2", activity_regularizer="l1")
        self.drop = layers.Dropout(0.3, seed=5)
        self.out = layers.Dense(2)

    def call(self, x, training=False):
        return self.out(self.drop(self.hidden(x), training=training))


class WithCompiledLoss(Ordinary):
    def train_step(self, data):
        x, y = data
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        self.compiled_metrics.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


class WithComputeLoss(Ordinary):
    def train_step(self, data):
        x, y = data
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        self.compiled_metrics.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


@pytest.mark.parametrize("kind", [WithCompiledLoss, WithComputeLoss])
@pytest.mark.parametrize("eagerly", [False, True])
def test_a_train_step_of_keras_2_equals_the_ordinary_one(kind, eagerly):
    def trained(cls):
        cornu.utils.set_random_seed(2)
        model = cls()
        model.compile(optimizers.Adam(0.01), "mse", metrics=["mae"], run_eagerly=eagerly)
        history = model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
        return history, model

    expected, ordinary = trained(Ordinary)
    found, model = trained(kind)
    assert list(found) == list(expected) == ["loss", "mae"]
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4)
    for one, other in zip(ordinary.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(ordinary.evaluate(X, Y, verbose=0), rel=1e-4)


class Adversaries(models.Model):
    """Two networks, two optimizers, two tapes: the usual program, which has no `call`."""

    def __init__(self):
        super().__init__()
        self.generator = models.Sequential([layers.Input((3,)), layers.Dense(8, activation="relu"), layers.Dense(4)])
        self.judge = models.Sequential([layers.Input((4,)), layers.Dense(8, activation="relu"), layers.Dense(1)])
        self.judge_loss, self.generator_loss = metrics.Mean(name="judge"), metrics.Mean(name="generator")

    @property
    def metrics(self):
        return [self.judge_loss, self.generator_loss]

    def compile(self, judge_optimizer, generator_optimizer):
        super().compile()
        self.judge_optimizer, self.generator_optimizer = judge_optimizer, generator_optimizer
        self.loss_function = losses.BinaryCrossentropy(from_logits=True)

    def train_step(self, real):
        rows = real.shape[0]
        noise = cornu.random.normal((rows, 3), seed=4)
        with GradientTape() as judge_tape, GradientTape() as generator_tape:
            faked = self.generator(noise, training=True)
            on_real, on_faked = self.judge(real, training=True), self.judge(faked, training=True)
            judged = self.loss_function(jnp.ones((rows, 1)), on_real) + self.loss_function(
                jnp.zeros((rows, 1)), on_faked
            )
            deceived = self.loss_function(jnp.ones((rows, 1)), on_faked)
        of_judge = judge_tape.gradient(judged, self.judge.trainable_weights)
        of_generator = generator_tape.gradient(deceived, self.generator.trainable_weights)
        self.judge_optimizer.apply_gradients(zip(of_judge, self.judge.trainable_weights, strict=True))
        self.generator_optimizer.apply_gradients(zip(of_generator, self.generator.trainable_weights, strict=True))
        self.judge_loss.update_state(judged)
        self.generator_loss.update_state(deceived)
        return {"judge": self.judge_loss.result(), "generator": self.generator_loss.result()}


def adversaries(**options):
    cornu.utils.set_random_seed(6)
    model = Adversaries()
    model.compile(optimizers.Adam(0.01), optimizers.RMSprop(0.002))
    return model, model.fit(X, batch_size=8, shuffle=False, verbose=0, **options).history


def by_hand(epochs):
    """Train as `Adversaries` does, with gradients by `jax.grad` and one step after the other."""
    cornu.utils.set_random_seed(6)
    model = Adversaries()
    judge, generator = model.judge.trainable_weights, model.generator.trainable_weights
    judge_optimizer, generator_optimizer = optimizers.Adam(0.01), optimizers.RMSprop(0.002)
    loss_function = losses.BinaryCrossentropy(from_logits=True)

    def both(of_judge, of_generator, real, noise):
        faked, _ = model.generator.stateless_call(of_generator, [], noise)
        on_real, _ = model.judge.stateless_call(of_judge, [], real)
        on_faked, _ = model.judge.stateless_call(of_judge, [], faked)
        one, zero = jnp.ones((len(real), 1)), jnp.zeros((len(real), 1))
        return loss_function(one, on_real) + loss_function(zero, on_faked), loss_function(one, on_faked)

    means = []
    for _ in range(epochs):
        for start in range(0, 24, 8):
            noise = cornu.random.normal((8, 3), seed=4)
            values = [v.value for v in judge], [v.value for v in generator], X[start : start + 8], noise
            means.append(both(*values))
            of_judge = jax.grad(lambda *args: both(*args)[0])(*values)
            of_generator = jax.grad(lambda *args: both(*args)[1], argnums=1)(*values)
            judge_optimizer.apply(of_judge, judge)
            generator_optimizer.apply(of_generator, generator)
    return model, np.mean(means[-3:], axis=0)


def test_two_tapes_two_optimizers_and_no_call():
    model, history = adversaries(epochs=3)
    expected, last = by_hand(3)
    assert list(history) == ["judge", "generator"]
    np.testing.assert_allclose([history["judge"][-1], history["generator"][-1]], last, rtol=1e-4)
    for one, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)
    assert int(model.judge_optimizer.iterations) == int(model.generator_optimizer.iterations) == 9
    before = model.judge.get_weights()
    model.judge_optimizer.learning_rate = 0.0  # seen by the compiled program
    model.fit(X, batch_size=8, verbose=0)
    np.testing.assert_array_equal(before[0], model.judge.get_weights()[0])


def test_steps_from_a_generator_and_single_batches():
    model, _ = adversaries(epochs=1)
    model.fit(({"x": X}["x"][i : i + 8] for i in (0, 8, 16)), verbose=0)
    logs = model.train_on_batch(X, return_dict=True)
    assert set(logs) == {"judge", "generator"}
    assert int(model.judge_optimizer.iterations) == 7


# ---- where programs use tapes


def test_values_are_there_while_the_tape_records():
    w = Variable(1.0)
    with GradientTape() as tape:
        y = w * 2
        y = y * 2 if float(y) > 1 else y
        seen = np.array(y)
    assert float(tape.gradient(y, w)) == 4
    assert seen == 4


def test_a_tape_needs_no_source():
    names = {"GradientTape": GradientTape, "w": Variable(2.0)}
    exec("with GradientTape() as tape:\n    y = w * 3\ng = tape.gradient(y, w)", names)
    assert float(names["g"]) == 3
    through = lambda tape, w: (tape.__enter__(), w * w, tape.__exit__(None, None, None))[1]  # noqa: E731
    tape, w = GradientTape(), Variable(5.0)
    assert float(tape.gradient(through(tape, w), w)) == 10


def test_a_tape_gives_gradients_once_unless_persistent():
    w = Variable(1.0)
    with GradientTape() as tape:
        y = w * 2
    tape.gradient(y, w)
    with pytest.raises(RuntimeError, match="can only be used to compute one set of gradients"):
        tape.gradient(y, w)
    with tape, pytest.raises(ValueError, match="already recording"):
        tape.__enter__()
    with pytest.raises(ValueError, match="needs a tensor or a variable; got a str"), GradientTape() as tape:
        tape.watch(["text"])
    with pytest.raises(ValueError, match="not recording"), GradientTape().stop_recording():
        pass


def test_arrays_that_nobody_watches_have_no_gradient():
    x, w = jnp.array(2.0), Variable(3.0)
    with GradientTape(persistent=True) as tape:
        y = x * w
    assert tape.gradient(y, x) is None
    assert float(tape.gradient(y, w)) == 2
    with GradientTape(watch_accessed_variables=False) as tape:
        y = w * w
    assert tape.gradient(y, w) is None
    with GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(w)
        y = w * w
    assert tape.watched_variables() == (w,)
    assert float(tape.gradient(y, w)) == 6


def test_recording_stops_and_starts_again():
    w = Variable(3.0)
    with GradientTape(persistent=True) as tape:
        y = w * w
        with tape.stop_recording():
            unseen = y * y
        z = y + unseen
    assert float(tape.gradient(z, w)) == 6
    assert tape.gradient(unseen, w) is None
    with tape:
        tape.reset()
        again = w * 5
    assert tape.gradient(z, w) is None
    assert float(tape.gradient(again, w)) == 5


def test_the_same_structure_is_compiled_once():
    w, before = Variable(3.0), None
    for factor in (2.0, 3.0, 4.0):
        with GradientTape() as tape:
            y = w * factor + jnp.sin(w)
        tape.gradient(y, w)
        w.assign_add(1.0)
        assert before in (None, len(recording._FUNCTIONS))
        before = len(recording._FUNCTIONS)


def test_tapes_of_a_loop_are_given_free():
    w, seen = Variable(1.0), []
    for _ in range(3):
        with GradientTape() as tape:
            tape.watch(w)
            y = w * 2
        tape.gradient(y, w)
        seen.append(weakref.ref(tape))
    gc.collect()
    assert [one() is None for one in seen] == [True, True, False]
