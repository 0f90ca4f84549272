# Keras 2: WGAN idioms: loss of K.mean(y_true * y_pred), weight clipping with set_weights, critic trained several times, RMSprop(lr=)
import numpy as np
import keras.backend as K
from keras.layers import Input, Dense, Dropout
from keras.layers import BatchNormalization, LeakyReLU
from keras.models import Sequential, Model
from keras.optimizers import RMSprop


def wasserstein_loss(y_true, y_pred):
    return K.mean(y_true * y_pred)


optimizer = RMSprop(lr=0.00005)
critic = Sequential()
critic.add(Dense(8, input_shape=(6,)))
critic.add(BatchNormalization(momentum=0.8))
critic.add(LeakyReLU(alpha=0.2))
critic.add(Dropout(0.25))
critic.add(Dense(1))
img = Input(shape=(6,))
critic = Model(img, critic(img))
critic.compile(loss=wasserstein_loss, optimizer=optimizer, metrics=['accuracy'])
generator = Sequential([Dense(6, input_dim=3)])
z = Input(shape=(3,))
critic.trainable = False
combined = Model(z, critic(generator(z)))
combined.compile(loss=wasserstein_loss, optimizer=optimizer, metrics=['accuracy'])
valid, fake = -np.ones((10, 1)), np.ones((10, 1))
for epoch in range(2):
    for _ in range(2):
        noise = np.random.normal(0, 1, (10, 3))
        before = [w.copy() for w in critic.get_weights()]
        d_loss_real = critic.train_on_batch(np.random.rand(10, 6), valid)
        d_loss_fake = critic.train_on_batch(generator.predict(noise), fake)
        d_loss = 0.5 * np.add(d_loss_fake, d_loss_real)
        assert not np.allclose(before[0], critic.get_weights()[0])
        for l in critic.layers:
            weights = l.get_weights()
            weights = [np.clip(w, -0.01, 0.01) for w in weights]
            l.set_weights(weights)
    frozen = critic.get_weights()[0].copy()
    g_loss = combined.train_on_batch(noise, valid)
    assert np.array_equal(frozen, critic.get_weights()[0])
    print("%d [D loss: %f] [G loss: %f]" % (epoch, 1 - d_loss[0], 1 - g_loss[0]))
assert max(abs(w).max() for w in critic.get_weights()) <= 0.0101 + 0.02
