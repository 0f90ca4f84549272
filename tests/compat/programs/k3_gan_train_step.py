# Keras 3 on JAX: GAN as one model with two optimizers in its own compile, trained by train_on_batch of two models and py loops
import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(1)
latent_dim = 4
discriminator = keras.Sequential([keras.Input((10,)), layers.Dense(8), layers.LeakyReLU(negative_slope=0.2), layers.Dropout(0.2), layers.Dense(1)], name="discriminator")
generator = keras.Sequential([keras.Input((latent_dim,)), layers.Dense(8), layers.LeakyReLU(negative_slope=0.2), layers.Dense(10, activation="tanh")], name="generator")


class GAN(keras.Model):
    def __init__(self, discriminator, generator, latent_dim):
        super().__init__()
        self.discriminator = discriminator
        self.generator = generator
        self.latent_dim = latent_dim
        self.seed_generator = keras.random.SeedGenerator(1337)
        self.d_loss_metric = keras.metrics.Mean(name="d_loss")

    def call(self, batch):
        noise = keras.random.normal((batch.shape[0], self.latent_dim), seed=self.seed_generator)
        return self.discriminator(self.generator(noise))


gan = GAN(discriminator, generator, latent_dim)
scores = gan(np.zeros((6, 10)))
assert scores.shape == (6, 1)
assert len(gan.trainable_variables) == 8 and len(gan.discriminator.trainable_variables) == 4
assert not np.allclose(gan(np.zeros((6, 10))), scores)
assert any(metric.name == "d_loss" for metric in gan.metrics)
bce = keras.losses.BinaryCrossentropy(from_logits=True)
discriminator.compile("adam", bce)
z = keras.Input((latent_dim,))
discriminator.trainable = False
stacked = keras.Model(z, discriminator(generator(z)))
stacked.compile("adam", bce)
d, g = discriminator.get_weights()[0], generator.get_weights()[0]
stacked.train_on_batch(np.random.rand(8, 4), np.ones((8, 1)))
assert np.array_equal(d, discriminator.get_weights()[0]) and not np.allclose(g, generator.get_weights()[0])
