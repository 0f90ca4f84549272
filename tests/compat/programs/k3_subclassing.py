# Keras 3: layers and models by subclassing with keras.ops, add_loss, self.seed_generator, VAE with Sampling layer, register_keras_serializable
import keras
import numpy as np
from keras import ops, layers


@keras.saving.register_keras_serializable()
class Linear(keras.layers.Layer):
    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True)
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", trainable=True)

    def call(self, inputs):
        return ops.matmul(inputs, self.w) + self.b

    def get_config(self):
        config = super().get_config()
        config.update({"units": self.units})
        return config


class Sampling(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        z_mean, z_log_var = inputs
        batch = ops.shape(z_mean)[0]
        dim = ops.shape(z_mean)[1]
        epsilon = keras.random.normal(shape=(batch, dim), seed=self.seed_generator)
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon


class Encoder(layers.Layer):
    def __init__(self, latent_dim=2, intermediate_dim=8, name="encoder", **kwargs):
        super().__init__(name=name, **kwargs)
        self.dense_proj = layers.Dense(intermediate_dim, activation="relu")
        self.dense_mean = layers.Dense(latent_dim)
        self.dense_log_var = layers.Dense(latent_dim)
        self.sampling = Sampling()

    def call(self, inputs):
        x = self.dense_proj(inputs)
        z_mean = self.dense_mean(x)
        z_log_var = self.dense_log_var(x)
        z = self.sampling((z_mean, z_log_var))
        return z_mean, z_log_var, z


class VariationalAutoEncoder(keras.Model):
    def __init__(self, original_dim, name="autoencoder", **kwargs):
        super().__init__(name=name, **kwargs)
        self.original_dim = original_dim
        self.encoder = Encoder()
        self.decoder = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(original_dim, activation="sigmoid")])

    def call(self, inputs):
        z_mean, z_log_var, z = self.encoder(inputs)
        reconstructed = self.decoder(z)
        kl_loss = -0.5 * ops.mean(z_log_var - ops.square(z_mean) - ops.exp(z_log_var) + 1)
        self.add_loss(kl_loss)
        return reconstructed


vae = VariationalAutoEncoder(20)
vae.compile(keras.optimizers.Adam(learning_rate=1e-2), loss=keras.losses.MeanSquaredError())
x = np.random.rand(80, 20).astype("float32")
h = vae.fit(x, x, epochs=3, batch_size=20, verbose=0)
assert h.history["loss"][-1] < h.history["loss"][0]
assert not np.allclose(vae.predict(x, verbose=0), vae.predict(x, verbose=0))
layer = Linear(3)
y = layer(ops.ones((2, 5)))
assert layer.weights == [layer.w, layer.b] and y.shape == (2, 3)
twin = keras.layers.deserialize(keras.layers.serialize(layer))
assert type(twin) is Linear and twin.units == 3
model = keras.Sequential([keras.Input((5,)), Linear(2)])
model.save("linear.keras")
loaded = keras.saving.load_model("linear.keras")
assert np.allclose(loaded.predict(np.eye(5), verbose=0), model.predict(np.eye(5), verbose=0))
assert keras.models.load_model("linear.keras").layers[0].units == 2
