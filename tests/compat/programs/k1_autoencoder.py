# Keras 1: convolutional autoencoder, Model(input, output), encoder and decoder that share layers, nb_epoch, TensorBoard-free
from keras.layers import Input, Dense, Convolution2D, MaxPooling2D, UpSampling2D
from keras.models import Model
from keras.datasets import mnist
import numpy as np

input_img = Input(shape=(28, 28, 1))
x = Convolution2D(4, 3, 3, activation='relu', border_mode='same')(input_img)
x = MaxPooling2D((2, 2), border_mode='same')(x)
x = Convolution2D(2, 3, 3, activation='relu', border_mode='same')(x)
encoded = MaxPooling2D((2, 2), border_mode='same')(x)
x = Convolution2D(2, 3, 3, activation='relu', border_mode='same')(encoded)
x = UpSampling2D((2, 2))(x)
x = Convolution2D(4, 3, 3, activation='relu')(x)
x = UpSampling2D((2, 2))(x)
decoded = Convolution2D(1, 3, 3, activation='sigmoid', border_mode='same')(x)
conv = Model(input_img, decoded)
assert conv.output_shape == (None, 24, 24, 1)

encoding_dim = 8
input_img = Input(shape=(784,))
encoded = Dense(encoding_dim, activation='relu')(input_img)
decoded = Dense(784, activation='sigmoid')(encoded)
autoencoder = Model(input=input_img, output=decoded)
encoder = Model(input=input_img, output=encoded)
encoded_input = Input(shape=(encoding_dim,))
decoder_layer = autoencoder.layers[-1]
decoder = Model(input=encoded_input, output=decoder_layer(encoded_input))
autoencoder.compile(optimizer='adadelta', loss='binary_crossentropy')

(x_train, _), (x_test, _) = mnist.load_data()
x_train = x_train[:256].astype('float32') / 255.
x_test = x_test[:64].astype('float32') / 255.
x_train = x_train.reshape((len(x_train), np.prod(x_train.shape[1:])))
x_test = x_test.reshape((len(x_test), np.prod(x_test.shape[1:])))
h = autoencoder.fit(x_train, x_train, nb_epoch=2, batch_size=64, shuffle=True, validation_data=(x_test, x_test), verbose=0)
codes = encoder.predict(x_test)
images = decoder.predict(codes)
assert np.allclose(images, autoencoder.predict(x_test), atol=1e-5)
assert h.history['loss'][1] < h.history['loss'][0]
assert len(encoder.layers) == 2 and len(autoencoder.layers) == 3
