# Keras 2: GAN in functions, flag set for all layers around each call, tqdm-free loop, RandomNormal initializer
import numpy as np
from keras.models import Model, Sequential
from keras.layers import Input
from keras.layers.core import Dense, Dropout
from keras.layers.advanced_activations import LeakyReLU
from keras.optimizers import Adam
from keras import initializers

randomDim = 8
adam = Adam(lr=0.0002, beta_1=0.5)
generator = Sequential()
generator.add(Dense(16, input_dim=randomDim, kernel_initializer=initializers.RandomNormal(stddev=0.02)))
generator.add(LeakyReLU(0.2))
generator.add(Dense(20, activation='tanh'))
generator.compile(loss='binary_crossentropy', optimizer=adam)
discriminator = Sequential()
discriminator.add(Dense(16, input_dim=20, kernel_initializer=initializers.RandomNormal(stddev=0.02)))
discriminator.add(LeakyReLU(0.2))
discriminator.add(Dropout(0.3))
discriminator.add(Dense(1, activation='sigmoid'))
discriminator.compile(loss='binary_crossentropy', optimizer=adam)
discriminator.trainable = False
ganInput = Input(shape=(randomDim,))
x = generator(ganInput)
ganOutput = discriminator(x)
gan = Model(inputs=ganInput, outputs=ganOutput)
gan.compile(loss='binary_crossentropy', optimizer=adam)


def set_trainability(model, trainable=False):
    model.trainable = trainable
    for layer in model.layers:
        layer.trainable = trainable


def weights(model):
    return np.concatenate([w.ravel() for w in model.get_weights()])


dLosses, gLosses = [], []
for e in range(3):
    noise = np.random.normal(0, 1, size=[10, randomDim])
    imageBatch = np.random.rand(10, 20)
    X = np.concatenate([imageBatch, generator.predict(noise)])
    yDis = np.zeros(20)
    yDis[:10] = 0.9
    d, g = weights(discriminator), weights(generator)
    discriminator.trainable = True
    dloss = discriminator.train_on_batch(X, yDis)
    assert not np.allclose(d, weights(discriminator)) and np.array_equal(g, weights(generator))
    noise = np.random.normal(0, 1, size=[10, randomDim])
    yGen = np.ones(10)
    discriminator.trainable = False
    d = weights(discriminator)
    gloss = gan.train_on_batch(noise, yGen)
    assert np.array_equal(d, weights(discriminator)) and not np.allclose(g, weights(generator))
    dLosses.append(dloss)
    gLosses.append(gloss)
print('last', dLosses[-1], gLosses[-1])

# the same with a function that sets all layers
set_trainability(discriminator, True)
d = weights(discriminator)
discriminator.train_on_batch(X, yDis)
assert not np.allclose(d, weights(discriminator))
set_trainability(discriminator, False)
g, d = weights(generator), weights(discriminator)
gan.train_on_batch(noise, yGen)
assert np.array_equal(d, weights(discriminator)) and not np.allclose(g, weights(generator))
