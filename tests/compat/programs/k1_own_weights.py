# Keras 1: own layers that make their weights by hand: trainable_weights = [...], K.variable, initializations.get(..)(shape, name=), self.init
import numpy as np
from keras import backend as K
from keras import initializations, regularizers, constraints, activations
from keras.engine.topology import Layer
from keras.engine import InputSpec
from keras.models import Sequential
from keras.layers.core import Dense


class MyDense(Layer):
    def __init__(self, output_dim, init='glorot_uniform', activation='linear', **kwargs):
        self.init = initializations.get(init)
        self.activation = activations.get(activation)
        self.output_dim = output_dim
        super(MyDense, self).__init__(**kwargs)

    def build(self, input_shape):
        assert len(input_shape) == 2
        self.input_spec = [InputSpec(dtype=K.floatx(), shape=(None, input_shape[1]))]
        self.W = self.init((input_shape[1], self.output_dim), name='{}_W'.format(self.name))
        self.b = K.zeros((self.output_dim,), name='{}_b'.format(self.name))
        self.trainable_weights = [self.W, self.b]

    def call(self, x, mask=None):
        return self.activation(K.dot(x, self.W) + self.b)

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], self.output_dim)


class Scaled(Layer):
    def build(self, input_shape):
        initial_weight_value = np.ones((input_shape[1],))
        self.scale = K.variable(initial_weight_value)
        self.shift = self.add_weight((input_shape[1],), initializer='zero', name='{}_shift'.format(self.name))
        self.trainable_weights = [self.scale, self.shift]
        super(Scaled, self).build(input_shape)

    def call(self, x, mask=None):
        return x * self.scale + self.shift


model = Sequential()
model.add(MyDense(4, input_shape=(6,), activation='tanh'))
model.add(Scaled())
model.add(Dense(2))
model.compile('sgd', 'mse')
assert model.count_params() == 28 + 8 + 10, model.count_params()
assert [w.shape for w in model.get_weights()] == [(6, 4), (4,), (4,), (4,), (4, 2), (2,)]
x, y = np.random.rand(20, 6), np.random.rand(20, 2)
before = model.get_weights()
model.fit(x, y, nb_epoch=1, verbose=0)
assert all(not np.allclose(a, b) for a, b in zip(before, model.get_weights()))


def my_init(shape, name=None):
    return initializations.normal(shape, scale=0.01, name=name)


layer = Dense(30, input_dim=20, init=my_init)
uniform = Dense(30, input_dim=20, init=lambda shape, name=None: initializations.uniform(shape, scale=0.5, name=name))
model = Sequential([layer, uniform])
assert 0.008 < layer.get_weights()[0].std() < 0.012
assert 0.4 < uniform.get_weights()[0].max() <= 0.5 if uniform.get_weights()[0].shape == (20, 30) else uniform.get_weights()[0].shape == (30, 30)
