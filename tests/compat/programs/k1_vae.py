# Keras 1: variational autoencoder, Lambda sampling, loss that closes over symbolic tensors, batch_shape, objectives
import numpy as np
from keras.layers import Input, Dense, Lambda
from keras.models import Model
from keras import backend as K
from keras import objectives
from keras.datasets import mnist

batch_size = 50
original_dim = 784
latent_dim = 2
intermediate_dim = 16
nb_epoch = 2
epsilon_std = 1.0

x = Input(batch_shape=(batch_size, original_dim))
h = Dense(intermediate_dim, activation='relu')(x)
z_mean = Dense(latent_dim)(h)
z_log_var = Dense(latent_dim)(h)


def sampling(args):
    z_mean, z_log_var = args
    epsilon = K.random_normal(shape=(batch_size, latent_dim), mean=0., std=epsilon_std)
    return z_mean + K.exp(z_log_var / 2) * epsilon


z = Lambda(sampling, output_shape=(latent_dim,))([z_mean, z_log_var])
decoder_h = Dense(intermediate_dim, activation='relu')
decoder_mean = Dense(original_dim, activation='sigmoid')
x_decoded_mean = decoder_mean(decoder_h(z))


def vae_loss(x, x_decoded_mean):
    xent_loss = original_dim * objectives.binary_crossentropy(x, x_decoded_mean)
    kl_loss = - 0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
    return xent_loss + kl_loss


vae = Model(x, x_decoded_mean)
vae.compile(optimizer='rmsprop', loss=vae_loss)
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train[:200].astype('float32').reshape((200, 784)) / 255.
x_test = x_test[:100].astype('float32').reshape((100, 784)) / 255.
before = [w.copy() for w in vae.get_weights()]
hist = vae.fit(x_train, x_train, shuffle=True, nb_epoch=nb_epoch, batch_size=batch_size, validation_data=(x_test, x_test), verbose=2)
encoder = Model(x, z_mean)
x_test_encoded = encoder.predict(x_test, batch_size=batch_size)
decoder_input = Input(shape=(latent_dim,))
generator = Model(decoder_input, decoder_mean(decoder_h(decoder_input)))
grid = generator.predict(np.array([[0.0, 0.5]]))
assert x_test_encoded.shape == (100, 2) and grid.shape == (1, 784)
assert 300 < hist.history['loss'][-1] < 560, hist.history
assert hist.history['loss'][-1] < hist.history['loss'][0]
changed = [not np.allclose(a, b) for a, b in zip(before, vae.get_weights())]
assert all(changed), changed  # the divergence reaches z_log_var too
