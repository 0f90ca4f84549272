# Keras 2: denoising convolutional autoencoder, K.int_shape, Conv2DTranspose, stacked models, np.prod shapes, clip of noise
from keras.layers import Activation, Dense, Input
from keras.layers import Conv2D, Flatten
from keras.layers import Reshape, Conv2DTranspose
from keras.models import Model
from keras import backend as K
from keras.datasets import mnist
import numpy as np

np.random.seed(1337)
(x_train, _), (x_test, _) = mnist.load_data()
x_train, x_test = x_train[:96], x_test[:32]
image_size = x_train.shape[1]
x_train = np.reshape(x_train, [-1, image_size, image_size, 1]).astype('float32') / 255
x_test = np.reshape(x_test, [-1, image_size, image_size, 1]).astype('float32') / 255
noise = np.random.normal(loc=0.5, scale=0.5, size=x_train.shape)
x_train_noisy = np.clip(x_train + noise, 0., 1.)

inputs = Input(shape=(image_size, image_size, 1), name='encoder_input')
x = inputs
layer_filters = [2, 3]
for filters in layer_filters:
    x = Conv2D(filters=filters, kernel_size=3, strides=2, activation='relu', padding='same')(x)
shape = K.int_shape(x)
assert shape == (None, 7, 7, 3)
x = Flatten()(x)
latent = Dense(4, name='latent_vector')(x)
encoder = Model(inputs, latent, name='encoder')
encoder.summary()
latent_inputs = Input(shape=(4,), name='decoder_input')
x = Dense(shape[1] * shape[2] * shape[3])(latent_inputs)
x = Reshape((shape[1], shape[2], shape[3]))(x)
for filters in layer_filters[::-1]:
    x = Conv2DTranspose(filters=filters, kernel_size=3, strides=2, activation='relu', padding='same')(x)
x = Conv2DTranspose(filters=1, kernel_size=3, padding='same')(x)
outputs = Activation('sigmoid', name='decoder_output')(x)
decoder = Model(latent_inputs, outputs, name='decoder')
autoencoder = Model(inputs, decoder(encoder(inputs)), name='autoencoder')
autoencoder.compile(loss='mse', optimizer='adam')
h = autoencoder.fit(x_train_noisy, x_train, validation_data=(x_test, x_test), epochs=1, batch_size=32, verbose=0)
assert decoder.output_shape == (None, 28, 28, 1)
assert [l.name for l in autoencoder.layers] == ['encoder_input', 'encoder', 'decoder'], [l.name for l in autoencoder.layers]
assert np.allclose(autoencoder.predict(x_test), decoder.predict(encoder.predict(x_test)), atol=1e-5)
