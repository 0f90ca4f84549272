"""Training loops as TensorFlow programs write them: a step with GradientTape, run eagerly or under ``tf.function``."""

import importlib
import time

import numpy as np

ABOUT = {
    "mlp": "20-64-64-10, batch 32, Adam",
    "cnn": "28x28: conv 16, pool, conv 32, pool, dense 10; batch 64, Adam",
    "gan": "generator 16-64-64, discriminator 64-64-1, two tapes, batch 64",
    "vae": "64-64-8-64-64, batch 64, reparameterized",
    "dqn": "8-64-64-4, target network, batch 64, RMSprop",
}


def tensorflow(module):
    """Return `tensorflow`: Cornu's stand-in for the peer ``cornu``."""
    if module == "cornu":
        importlib.import_module("cornu").install_as_keras()
    return importlib.import_module("tensorflow")


def _random(*shape):
    return np.random.RandomState(len(shape)).normal(size=shape).astype("float32")


def _dense(tf, inputs, *units, last=None):
    layers = [tf.keras.layers.Dense(size, activation="relu") for size in units[:-1]]
    return tf.keras.Sequential([tf.keras.Input((inputs,)), *layers, tf.keras.layers.Dense(units[-1], activation=last)])


def _classifier(tf, model, x, classes):
    loss_function = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = tf.keras.optimizers.Adam(0.001)
    y = np.random.RandomState(1).randint(0, classes, len(x)).astype("int32")

    def step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_function(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step, (tf.constant(x), tf.constant(y)), model


def mlp(tf):
    return _classifier(tf, _dense(tf, 20, 64, 64, 10), _random(32, 20), 10)


def cnn(tf):
    layers = tf.keras.layers
    model = tf.keras.Sequential([
        tf.keras.Input((28, 28, 1)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(10),
    ])  # fmt: skip
    return _classifier(tf, model, _random(64, 28, 28, 1), 10)


def gan(tf):
    generator, discriminator = _dense(tf, 16, 64, 64), _dense(tf, 64, 64, 1)
    cross_entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    of_generator, of_discriminator = tf.keras.optimizers.Adam(1e-4), tf.keras.optimizers.Adam(1e-4)

    def step(images):
        noise = tf.random.normal([64, 16])
        with tf.GradientTape() as generator_tape, tf.GradientTape() as discriminator_tape:
            generated = generator(noise, training=True)
            real, fake = discriminator(images, training=True), discriminator(generated, training=True)
            generator_loss = cross_entropy(tf.ones_like(fake), fake)
            real_loss = cross_entropy(tf.ones_like(real), real)
            discriminator_loss = real_loss + cross_entropy(tf.zeros_like(fake), fake)
        for tape, loss, model, optimizer in (
            (generator_tape, generator_loss, generator, of_generator),
            (discriminator_tape, discriminator_loss, discriminator, of_discriminator),
        ):
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return generator_loss

    return step, (tf.constant(_random(64, 64)),), None


def vae(tf):
    encoder, decoder = _dense(tf, 64, 64, 16), _dense(tf, 8, 64, 64)
    optimizer = tf.keras.optimizers.Adam(1e-3)

    def step(x):
        with tf.GradientTape() as tape:
            mean, logvar = tf.split(encoder(x), num_or_size_splits=2, axis=1)
            z = mean + tf.exp(logvar * 0.5) * tf.random.normal(shape=(64, 8))
            decoded = decoder(z)
            likelihood = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(logits=decoded, labels=x), axis=1)
            divergence = -0.5 * tf.reduce_sum(1 + logvar - tf.square(mean) - tf.exp(logvar), axis=1)
            loss = tf.reduce_mean(likelihood + divergence)
        variables = encoder.trainable_variables + decoder.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    return step, (tf.constant(np.abs(_random(64, 64)) % 1),), None


def dqn(tf):
    online, target = _dense(tf, 8, 64, 64, 4), _dense(tf, 8, 64, 64, 4)
    optimizer = tf.keras.optimizers.RMSprop(2.5e-4)
    loss_function = tf.keras.losses.Huber()

    def step(states, actions, rewards, following, done):
        future = tf.reduce_max(target(following), axis=1)
        wanted = rewards + 0.99 * future * (1.0 - done)
        masks = tf.one_hot(actions, 4)
        with tf.GradientTape() as tape:
            values = tf.reduce_sum(tf.multiply(online(states), masks), axis=1)
            loss = loss_function(wanted, values)
        gradients = tape.gradient(loss, online.trainable_variables)
        optimizer.apply_gradients(zip(gradients, online.trainable_variables, strict=True))
        return loss

    rows = np.random.RandomState(3)
    actions, done = rows.randint(0, 4, 64).astype("int32"), rows.randint(0, 2, 64).astype("float32")
    given = _random(64, 8), actions, rows.normal(size=64).astype("float32"), _random(64, 8), done
    return step, tuple(map(tf.constant, given)), None


TASKS = {"mlp": mlp, "cnn": cnn, "gan": gan, "vae": vae, "dqn": dqn}


class Loop:
    """One task's step, made with a module's `tensorflow`."""

    def __init__(self, module, name):
        tf = tensorflow(module)
        tf.keras.utils.set_random_seed(1)
        self.step, self.given, self.model = TASKS[name](tf)
        self.compiled = tf.function(self.step)

    def steps(self, how, count):
        """Return the seconds of `count` steps, eagerly or compiled, and the last loss."""
        step = self.compiled if how == "function" else self.step
        began = time.perf_counter()
        for _ in range(count):
            loss = step(*self.given)
        value = float(loss)
        return time.perf_counter() - began, value

    def fit(self, count):
        """Return the seconds of so many steps of ``model.fit`` on data of that many batches."""
        x, y = (np.concatenate([np.asarray(part)] * count) for part in self.given)
        if not getattr(self.model, "compiled_for_fit", False):
            self.model.compile("adam", loss="sparse_categorical_crossentropy")
            self.model.compiled_for_fit = True
            self.model.fit(x, y, batch_size=len(x) // count, verbose=0)
        began = time.perf_counter()
        self.model.fit(x, y, batch_size=len(x) // count, verbose=0)
        return time.perf_counter() - began
