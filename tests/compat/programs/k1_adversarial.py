# Keras 1: GAN on Python 2 habits: make_trainable, BatchNormalization(mode=0), D frozen after its compile, Adam(lr=, beta_1=)
import numpy as np
from keras.models import Sequential
from keras.layers.core import Reshape, Dense, Dropout, Activation, Flatten
from keras.layers.advanced_activations import LeakyReLU
from keras.layers.convolutional import Convolution2D, UpSampling2D
from keras.layers.normalization import BatchNormalization
from keras.optimizers import Adam, SGD

np.random.seed(0)


def generator_model():
    model = Sequential()
    model.add(Dense(input_dim=6, output_dim=16))
    model.add(Activation('tanh'))
    model.add(Dense(2 * 7 * 7))
    model.add(BatchNormalization(mode=0))
    model.add(Activation('tanh'))
    model.add(Reshape((7, 7, 2), input_shape=(2 * 7 * 7,)))
    model.add(UpSampling2D(size=(2, 2)))
    model.add(Convolution2D(2, 5, 5, border_mode='same'))
    model.add(Activation('tanh'))
    model.add(UpSampling2D(size=(2, 2)))
    model.add(Convolution2D(1, 5, 5, border_mode='same'))
    model.add(Activation('tanh'))
    return model


def discriminator_model():
    model = Sequential()
    model.add(Convolution2D(3, 5, 5, subsample=(2, 2), border_mode='same', input_shape=(28, 28, 1)))
    model.add(LeakyReLU(0.2))
    model.add(Flatten())
    model.add(Dropout(0.3))
    model.add(Dense(1))
    model.add(Activation('sigmoid'))
    return model


def generator_containing_discriminator(generator, discriminator):
    model = Sequential()
    model.add(generator)
    discriminator.trainable = False
    model.add(discriminator)
    return model


discriminator = discriminator_model()
generator = generator_model()
discriminator_on_generator = generator_containing_discriminator(generator, discriminator)
d_optim = SGD(lr=0.05, momentum=0.9, nesterov=True)
g_optim = SGD(lr=0.05, momentum=0.9, nesterov=True)
generator.compile(loss='binary_crossentropy', optimizer='SGD')
discriminator_on_generator.compile(loss='binary_crossentropy', optimizer=g_optim)
discriminator.trainable = True
discriminator.compile(loss='binary_crossentropy', optimizer=d_optim)

kernel = lambda m: m.get_weights()[0].copy()
real = np.random.rand(8, 28, 28, 1) * 2 - 1
for index in range(2):
    noise = np.random.uniform(-1, 1, (8, 6))
    fake = generator.predict(noise, verbose=0)
    X = np.concatenate((real, fake))
    y = [1] * 8 + [0] * 8
    d, g = kernel(discriminator), kernel(generator)
    d_loss = discriminator.train_on_batch(X, y)
    assert not np.allclose(d, kernel(discriminator)) and np.allclose(g, kernel(generator))
    discriminator.trainable = False
    d = kernel(discriminator)
    g_loss = discriminator_on_generator.train_on_batch(noise, [1] * 8)
    assert np.allclose(d, kernel(discriminator)) and not np.allclose(g, kernel(generator))
    discriminator.trainable = True
    print('batch %d d_loss : %f g_loss : %f' % (index, d_loss, g_loss))
assert np.isscalar(d_loss) or np.ndim(d_loss) == 0
