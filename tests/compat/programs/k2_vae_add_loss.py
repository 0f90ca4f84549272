# Keras 2: VAE with K.shape, K.int_shape, K.random_normal in a Lambda, add_loss(K.mean(...)) and compile(optimizer=) without loss
from __future__ import absolute_import, division, print_function
from keras.layers import Lambda, Input, Dense
from keras.models import Model
from keras.datasets import mnist
from keras.losses import mse, binary_crossentropy
from keras.utils import plot_model
from keras import backend as K
import numpy as np
import matplotlib.pyplot as plt
import argparse
import os


def sampling(args):
    """Reparameterization trick by sampling from an isotropic unit Gaussian."""
    z_mean, z_log_var = args
    batch = K.shape(z_mean)[0]
    dim = K.int_shape(z_mean)[1]
    epsilon = K.random_normal(shape=(batch, dim))
    return z_mean + K.exp(0.5 * z_log_var) * epsilon


(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test, y_test = x_train[:300], x_test[:100], y_test[:100]
image_size = x_train.shape[1]
original_dim = image_size * image_size
x_train = np.reshape(x_train, [-1, original_dim]).astype('float32') / 255
x_test = np.reshape(x_test, [-1, original_dim]).astype('float32') / 255

inputs = Input(shape=(original_dim,), name='encoder_input')
x = Dense(16, activation='relu')(inputs)
z_mean = Dense(2, name='z_mean')(x)
z_log_var = Dense(2, name='z_log_var')(x)
z = Lambda(sampling, output_shape=(2,), name='z')([z_mean, z_log_var])
encoder = Model(inputs, [z_mean, z_log_var, z], name='encoder')
encoder.summary()
plot_model(encoder, to_file='vae_mlp_encoder.png', show_shapes=True)
latent_inputs = Input(shape=(2,), name='z_sampling')
x = Dense(16, activation='relu')(latent_inputs)
outputs = Dense(original_dim, activation='sigmoid')(x)
decoder = Model(latent_inputs, outputs, name='decoder')
outputs = decoder(encoder(inputs)[2])
vae = Model(inputs, outputs, name='vae_mlp')

parser = argparse.ArgumentParser()
parser.add_argument("-w", "--weights", help="Load h5 model trained weights")
parser.add_argument("-m", "--mse", help="Use mse loss instead of binary cross entropy (default)", action='store_true')
args = parser.parse_args()
if args.mse:
    reconstruction_loss = mse(inputs, outputs)
else:
    reconstruction_loss = binary_crossentropy(inputs, outputs)
reconstruction_loss *= original_dim
kl_loss = 1 + z_log_var - K.square(z_mean) - K.exp(z_log_var)
kl_loss = K.sum(kl_loss, axis=-1)
kl_loss *= -0.5
vae_loss = K.mean(reconstruction_loss + kl_loss)
vae.add_loss(vae_loss)
vae.compile(optimizer='adam')
vae.summary()
before = vae.get_weights()
history = vae.fit(x_train, epochs=2, batch_size=50, validation_data=(x_test, None), verbose=2)
vae.save_weights('vae_mlp_mnist.h5')
z_mean_, _, _ = encoder.predict(x_test, batch_size=50)
plt.figure(figsize=(4, 3))
plt.scatter(z_mean_[:, 0], z_mean_[:, 1], c=y_test)
plt.colorbar()
plt.savefig('vae_mean.png')
plt.show()
assert z_mean_.shape == (100, 2)
assert history.history['loss'][1] < history.history['loss'][0]
assert 250 < history.history['val_loss'][-1] < 560
assert len(before) == 10 and all(not np.allclose(a, b) for a, b in zip(before[0::2], vae.get_weights()[0::2]))
one = encoder.predict(x_test)[2]
two = encoder.predict(x_test)[2]
assert not np.allclose(one, two)  # sampling goes on
again = [w.copy() for w in vae.get_weights()]
vae.set_weights([w * 0 for w in again])
vae.load_weights('vae_mlp_mnist.h5')
assert all(np.array_equal(a, b) for a, b in zip(again, vae.get_weights()))
