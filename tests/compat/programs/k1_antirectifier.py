# Keras 1: a layer of one's own with get_output_shape_for and call(x, mask=None), and K functions in it
from __future__ import print_function
import numpy as np
from keras.models import Sequential
from keras.layers import Dense, Dropout, Layer, Activation
from keras.engine.topology import Layer as TopologyLayer
from keras.datasets import mnist
from keras import backend as K
from keras.utils import np_utils


class Antirectifier(Layer):
    def get_output_shape_for(self, input_shape):
        shape = list(input_shape)
        assert len(shape) == 2  # only valid for 2D tensors
        shape[-1] *= 2
        return tuple(shape)

    def call(self, x, mask=None):
        x -= K.mean(x, axis=1, keepdims=True)
        x = K.l2_normalize(x, axis=1)
        pos = K.relu(x)
        neg = K.relu(-x)
        return K.concatenate([pos, neg], axis=1)


class Scale(TopologyLayer):
    def __init__(self, output_dim, **kwargs):
        self.output_dim = output_dim
        super(Scale, self).__init__(**kwargs)

    def build(self, input_shape):
        self.W = self.add_weight(shape=(input_shape[1], self.output_dim), initializer='uniform', trainable=True, name='W')
        self.b = self.add_weight((self.output_dim,), initializer='zero', name='b')
        super(Scale, self).build(input_shape)

    def call(self, x, mask=None):
        return K.dot(x, self.W) + self.b

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], self.output_dim)


(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_train = X_train[:200].reshape(200, 784).astype('float32') / 255
Y_train = np_utils.to_categorical(y_train[:200], 10)
model = Sequential()
model.add(Dense(8, input_shape=(784,)))
model.add(Antirectifier())
model.add(Dropout(0.1))
model.add(Scale(6))
model.add(Antirectifier())
model.add(Dense(10))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer='rmsprop', metrics=['accuracy'])
model.fit(X_train, Y_train, batch_size=50, nb_epoch=1, verbose=0)
assert model.layers[1].output_shape == (None, 16)
assert model.layers[3].output_shape == (None, 6)
assert model.layers[3].get_weights()[0].shape == (16, 6)
assert model.count_params() == 784 * 8 + 8 + 16 * 6 + 6 + 12 * 10 + 10
half = K.function([model.layers[0].input, K.learning_phase()], [model.layers[1].output])([X_train, 0])[0]
assert np.allclose((half ** 2).sum(1), 1.0, atol=1e-3) and (half >= 0).all()
