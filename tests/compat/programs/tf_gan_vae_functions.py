# tf.keras: the GAN and VAE loops of the tutorials: two tapes under tf.function, a VAE with reparameterize, checkpoints of losses
import time

import numpy as np
import tensorflow as tf

(train_images, _), _ = tf.keras.datasets.mnist.load_data()
train_images = train_images[:256].reshape(256, 784).astype('float32')
train_images = (train_images - 127.5) / 127.5
BATCH_SIZE, noise_dim = 64, 16
train_dataset = tf.data.Dataset.from_tensor_slices(train_images).shuffle(256).batch(BATCH_SIZE)


def make_generator_model():
    model = tf.keras.Sequential()
    model.add(tf.keras.layers.Dense(32, use_bias=False, input_shape=(noise_dim,)))
    model.add(tf.keras.layers.BatchNormalization())
    model.add(tf.keras.layers.LeakyReLU())
    model.add(tf.keras.layers.Dense(784, activation='tanh'))
    return model


generator = make_generator_model()
discriminator = tf.keras.Sequential([tf.keras.layers.Dense(32), tf.keras.layers.LeakyReLU(),
                                     tf.keras.layers.Dropout(0.3), tf.keras.layers.Dense(1)])
cross_entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)


def discriminator_loss(real_output, fake_output):
    real_loss = cross_entropy(tf.ones_like(real_output), real_output)
    fake_loss = cross_entropy(tf.zeros_like(fake_output), fake_output)
    return real_loss + fake_loss


generator_optimizer = tf.keras.optimizers.Adam(1e-3)
discriminator_optimizer = tf.keras.optimizers.Adam(1e-3)


@tf.function
def train_step(images):
    noise = tf.random.normal([BATCH_SIZE, noise_dim])
    with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
        generated_images = generator(noise, training=True)
        real_output = discriminator(images, training=True)
        fake_output = discriminator(generated_images, training=True)
        gen_loss = cross_entropy(tf.ones_like(fake_output), fake_output)
        disc_loss = discriminator_loss(real_output, fake_output)
    gradients_of_generator = gen_tape.gradient(gen_loss, generator.trainable_variables)
    gradients_of_discriminator = disc_tape.gradient(disc_loss, discriminator.trainable_variables)
    generator_optimizer.apply_gradients(zip(gradients_of_generator, generator.trainable_variables))
    discriminator_optimizer.apply_gradients(zip(gradients_of_discriminator, discriminator.trainable_variables))
    return gen_loss, disc_loss


before = generator.get_weights()
history = []
for epoch in range(3):
    start = time.time()
    for image_batch in train_dataset:
        gen_loss, disc_loss = train_step(image_batch)
        history.append(float(disc_loss))
    print('Time for epoch {} is {} sec'.format(epoch + 1, time.time() - start))
assert np.all(np.isfinite(history)) and history[0] != history[-1], history
assert not np.allclose(before[0], generator.get_weights()[0])
assert not np.allclose(before[3], generator.get_weights()[3])  # the moving mean
assert int(generator_optimizer.iterations) == 12


class CVAE(tf.keras.Model):
    def __init__(self, latent_dim):
        super(CVAE, self).__init__()
        self.latent_dim = latent_dim
        self.encoder = tf.keras.Sequential([tf.keras.layers.InputLayer(input_shape=(784,)),
                                            tf.keras.layers.Dense(64, activation='relu'),
                                            tf.keras.layers.Dense(latent_dim + latent_dim)])
        self.decoder = tf.keras.Sequential([tf.keras.layers.InputLayer(input_shape=(latent_dim,)),
                                            tf.keras.layers.Dense(64, activation='relu'), tf.keras.layers.Dense(784)])

    @tf.function
    def sample(self, eps=None):
        if eps is None:
            eps = tf.random.normal(shape=(5, self.latent_dim))
        return self.decode(eps, apply_sigmoid=True)

    def encode(self, x):
        mean, logvar = tf.split(self.encoder(x), num_or_size_splits=2, axis=1)
        return mean, logvar

    def reparameterize(self, mean, logvar):
        eps = tf.random.normal(shape=mean.shape)
        return eps * tf.exp(logvar * .5) + mean

    def decode(self, z, apply_sigmoid=False):
        logits = self.decoder(z)
        if apply_sigmoid:
            return tf.sigmoid(logits)
        return logits


optimizer = tf.keras.optimizers.Adam(1e-3)


def log_normal_pdf(sample, mean, logvar, raxis=1):
    log2pi = tf.math.log(2. * np.pi)
    return tf.reduce_sum(-.5 * ((sample - mean) ** 2. * tf.exp(-logvar) + logvar + log2pi), axis=raxis)


def compute_loss(model, x):
    mean, logvar = model.encode(x)
    z = model.reparameterize(mean, logvar)
    x_logit = model.decode(z)
    cross_ent = tf.nn.sigmoid_cross_entropy_with_logits(logits=x_logit, labels=x)
    logpx_z = -tf.reduce_sum(cross_ent, axis=[1])
    logpz = log_normal_pdf(z, 0., 0.)
    logqz_x = log_normal_pdf(z, mean, logvar)
    return -tf.reduce_mean(logpx_z + logpz - logqz_x)


@tf.function
def vae_step(model, x, optimizer):
    with tf.GradientTape() as tape:
        loss = compute_loss(model, x)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))


binary = np.where(train_images > 0, 1.0, 0.0).astype('float32')
model = CVAE(2)
elbos = []
for epoch in range(4):
    for train_x in tf.data.Dataset.from_tensor_slices(binary).batch(64):
        vae_step(model, train_x, optimizer)
    loss = tf.keras.metrics.Mean()
    loss(compute_loss(model, binary))
    elbos.append(-loss.result())
    print('Epoch: {}, Test set ELBO: {}'.format(epoch, elbos[-1]))
assert elbos[-1] > elbos[0] + 50, elbos
assert model.sample().shape == (5, 784)
