# tf.keras 2.4 to 2.15: a GAN as a Model without call, its own compile, and a train_step with a tape for each network
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

discriminator = keras.Sequential([keras.Input(shape=(28, 28, 1)), layers.Flatten(), layers.Dense(16), layers.LeakyReLU(alpha=0.2), layers.Dense(1)], name='discriminator')
generator = keras.Sequential([keras.Input(shape=(8,)), layers.Dense(16), layers.LeakyReLU(alpha=0.2), layers.Dense(784, activation='sigmoid'), layers.Reshape((28, 28, 1))], name='generator')


class GAN(keras.Model):
    def __init__(self, discriminator, generator, latent_dim):
        super(GAN, self).__init__()
        self.discriminator = discriminator
        self.generator = generator
        self.latent_dim = latent_dim

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super(GAN, self).compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        self.loss_fn = loss_fn

    def train_step(self, real_images):
        if isinstance(real_images, tuple):
            real_images = real_images[0]
        batch_size = tf.shape(real_images)[0]
        random_latent_vectors = tf.random.normal(shape=(batch_size, self.latent_dim))
        generated_images = self.generator(random_latent_vectors)
        combined_images = tf.concat([generated_images, real_images], axis=0)
        labels = tf.concat([tf.ones((batch_size, 1)), tf.zeros((batch_size, 1))], axis=0)
        labels += 0.05 * tf.random.uniform(tf.shape(labels))
        with tf.GradientTape() as tape:
            predictions = self.discriminator(combined_images)
            d_loss = self.loss_fn(labels, predictions)
        grads = tape.gradient(d_loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(zip(grads, self.discriminator.trainable_weights))
        random_latent_vectors = tf.random.normal(shape=(batch_size, self.latent_dim))
        misleading_labels = tf.zeros((batch_size, 1))
        with tf.GradientTape() as tape:
            predictions = self.discriminator(self.generator(random_latent_vectors))
            g_loss = self.loss_fn(misleading_labels, predictions)
        grads = tape.gradient(g_loss, self.generator.trainable_weights)
        self.g_optimizer.apply_gradients(zip(grads, self.generator.trainable_weights))
        return {'d_loss': d_loss, 'g_loss': g_loss}


(x_train, _), (x_test, _) = keras.datasets.mnist.load_data()
all_digits = np.reshape(x_train[:256].astype('float32') / 255.0, (-1, 28, 28, 1))
dataset = tf.data.Dataset.from_tensor_slices(all_digits)
dataset = dataset.shuffle(buffer_size=1024).batch(64)
gan = GAN(discriminator=discriminator, generator=generator, latent_dim=8)
gan.compile(d_optimizer=keras.optimizers.Adam(learning_rate=0.003), g_optimizer=keras.optimizers.Adam(learning_rate=0.0003), loss_fn=keras.losses.BinaryCrossentropy(from_logits=True))
before = generator.get_weights()[0]
history = gan.fit(dataset, epochs=4, verbose=2).history
assert list(history) == ['d_loss', 'g_loss']
assert history['d_loss'][-1] < history['d_loss'][0], history
assert not np.allclose(before, generator.get_weights()[0])
assert int(gan.d_optimizer.iterations) == int(gan.g_optimizer.iterations) == 16
