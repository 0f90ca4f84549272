# Keras 2: VAE with a layer of one's own that adds the loss in call, compile(loss=None), fit(x) without targets
import numpy as np
from keras.layers import Input, Dense, Lambda, Layer
from keras.models import Model
from keras import backend as K
from keras import metrics

batch_size, original_dim, latent_dim = 20, 12, 2
epsilon_std = 1.0
x = Input(shape=(original_dim,))
h = Dense(8, activation='relu')(x)
z_mean = Dense(latent_dim)(h)
z_log_var = Dense(latent_dim)(h)


def sampling(args):
    z_mean, z_log_var = args
    epsilon = K.random_normal(shape=(K.shape(z_mean)[0], latent_dim), mean=0., stddev=epsilon_std)
    return z_mean + K.exp(z_log_var / 2) * epsilon


z = Lambda(sampling, output_shape=(latent_dim,))([z_mean, z_log_var])
x_decoded_mean = Dense(original_dim, activation='sigmoid')(Dense(8, activation='relu')(z))


class CustomVariationalLayer(Layer):
    def __init__(self, **kwargs):
        self.is_placeholder = True
        super(CustomVariationalLayer, self).__init__(**kwargs)

    def vae_loss(self, x, x_decoded_mean):
        xent_loss = original_dim * metrics.binary_crossentropy(x, x_decoded_mean)
        kl_loss = - 0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
        return K.mean(xent_loss + kl_loss)

    def call(self, inputs):
        x = inputs[0]
        x_decoded_mean = inputs[1]
        loss = self.vae_loss(x, x_decoded_mean)
        self.add_loss(loss, inputs=inputs)
        return x


y = CustomVariationalLayer()([x, x_decoded_mean])
vae = Model(x, y)
vae.compile(optimizer='rmsprop', loss=None)
data = np.random.rand(100, original_dim)
kept = vae.get_weights()
h = vae.fit(data, shuffle=True, epochs=3, batch_size=batch_size, validation_data=(data, None), verbose=0)
print(h.history)
assert h.history['loss'][-1] < h.history['loss'][0]
assert 5 < h.history['loss'][0] < 30
assert all(not np.allclose(a, b) for a, b in zip(kept[::2], vae.get_weights()[::2]))
encoder = Model(x, z_mean)
assert encoder.predict(data, batch_size=batch_size).shape == (100, 2)
