# Keras 2.0 (2017): recurrent layers by their old files, cuDNN's layers, and a decoder with attention over its own input
from __future__ import print_function

import numpy as np
from keras import activations, initializers
from keras import backend as K
from keras.engine import InputSpec
from keras.engine.topology import Layer
from keras.layers import CuDNNGRU, Dense, Input
from keras.layers.cudnn_recurrent import CuDNNLSTM
from keras.layers.recurrent import GRU, LSTM, Recurrent, SimpleRNN, _time_distributed_dense
from keras.layers.wrappers import Bidirectional, TimeDistributed
from keras.models import Model, Sequential
from keras.optimizers import Adam

assert issubclass(LSTM, Layer) and not issubclass(Dense, Recurrent)


class AttentionDecoder(Recurrent):
    def __init__(self, units, output_dim, activation='tanh', kernel_initializer='glorot_uniform', name='decoder', **kwargs):
        self.units = units
        self.output_dim = output_dim
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        super(AttentionDecoder, self).__init__(**kwargs)
        self.name = name
        self.return_sequences = True

    def build(self, input_shape):
        self.batch_size, self.timesteps, self.input_dim = input_shape
        if self.stateful:
            super(AttentionDecoder, self).reset_states()
        self.states = [None, None]  # y, s
        self.V_a = self.add_weight(shape=(self.units,), name='V_a', initializer='normal')
        self.W_a = self.add_weight(shape=(self.units, self.units), name='W_a', initializer=self.kernel_initializer)
        self.U_a = self.add_weight(shape=(self.input_dim, self.units), name='U_a', initializer=self.kernel_initializer)
        self.b_a = self.add_weight(shape=(self.units,), name='b_a', initializer='zeros')
        self.C_s = self.add_weight(shape=(self.input_dim, self.units), name='C_s', initializer=self.kernel_initializer)
        self.U_s = self.add_weight(shape=(self.units, self.units), name='U_s', initializer='orthogonal')
        self.W_o = self.add_weight(shape=(self.units, self.output_dim), name='W_o', initializer=self.kernel_initializer)
        self.W_s = self.add_weight(shape=(self.input_dim, self.units), name='W_s', initializer=self.kernel_initializer)
        self.input_spec = [InputSpec(shape=(self.batch_size, self.timesteps, self.input_dim))]
        self.built = True

    def call(self, x):
        self.x_seq = x
        self._uxpb = _time_distributed_dense(self.x_seq, self.U_a, b=self.b_a, input_dim=self.input_dim,
                                             timesteps=self.timesteps, output_dim=self.units)
        return super(AttentionDecoder, self).call(x)

    def get_initial_state(self, inputs):
        s0 = activations.tanh(K.dot(inputs[:, 0], self.W_s))
        y0 = K.zeros_like(inputs)
        y0 = K.sum(y0, axis=(1, 2))
        y0 = K.expand_dims(y0)
        y0 = K.tile(y0, [1, self.output_dim])
        return [y0, s0]

    def step(self, x, states):
        ytm, stm = states
        _stm = K.repeat(stm, self.timesteps)
        _Wxstm = K.dot(_stm, self.W_a)
        et = K.dot(activations.tanh(_Wxstm + self._uxpb), K.expand_dims(self.V_a))
        at = K.exp(et)
        at_sum = K.sum(at, axis=1)
        at_sum_repeated = K.repeat(at_sum, self.timesteps)
        at /= at_sum_repeated
        context = K.squeeze(K.batch_dot(at, self.x_seq, axes=1), axis=1)
        st = self.activation(K.dot(stm, self.U_s) + K.dot(context, self.C_s))
        yt = activations.softmax(K.dot(st, self.W_o))
        return yt, [yt, st]

    def compute_output_shape(self, input_shape):
        return (None, self.timesteps, self.output_dim)


np.random.seed(1)
x = np.eye(6)[np.random.randint(6, size=(64, 5))]
y = x[:, ::-1]
model = Sequential()
model.add(LSTM(24, input_shape=(5, 6), return_sequences=True))
model.add(AttentionDecoder(24, 6))
assert model.output_shape == (None, 5, 6)
model.compile(loss='categorical_crossentropy', optimizer=Adam(lr=0.01), metrics=['acc'])
losses = model.fit(x, y, epochs=15, batch_size=16, verbose=0).history['loss']
assert losses[-1] < losses[0] - 0.2, losses
assert len(model.layers[1].get_weights()) == 8 and model.layers[1].name == 'decoder'

start = Input((5, 6))
h = Bidirectional(CuDNNLSTM(4, return_sequences=True))(start)
h = CuDNNGRU(3, return_sequences=True, kernel_initializer='he_normal')(h)
out = TimeDistributed(Dense(2))(SimpleRNN(4, return_sequences=True)(h))
other = Model(start, out)
other.compile('rmsprop', 'mse')
other.train_on_batch(x, np.zeros((64, 5, 2)))
assert other.predict(x).shape == (64, 5, 2)

gru = GRU(2)
gru(start)
assert not gru.reset_after and [w.shape for w in gru.get_weights()] == [(6, 6), (2, 6), (6,)]
assert gru.name == 'gru_1' and gru.get_config()['implementation'] == 1
