# Keras 2: Masking, Embedding(mask_zero=True), sample_weight_mode='temporal', TimeDistributed loss per step, K.rnn-free
import numpy as np
from keras.models import Sequential, Model
from keras.layers import Masking, Dense, TimeDistributed, Embedding, Input, Lambda, GlobalAveragePooling1D, Layer
from keras import backend as K

x = np.zeros((4, 3, 2))
x[:, 0] = 1
model = Sequential()
model.add(Masking(mask_value=0., input_shape=(3, 2)))
model.add(TimeDistributed(Dense(1, kernel_initializer='ones')))
model.compile(loss='mse', optimizer='sgd', sample_weight_mode='temporal')
loss = model.evaluate(x, np.zeros((4, 3, 1)), verbose=0)
plain = np.array([4.0] * 4).mean()
assert abs(loss - plain) < 1e-4 or abs(loss - plain / 3) < 1e-4, loss
w = np.zeros((4, 3))
w[:2, 0] = 1
model.train_on_batch(x, np.ones((4, 3, 1)), sample_weight=w)


class MeanOfMasked(Layer):
    def __init__(self, **kwargs):
        self.supports_masking = True
        super(MeanOfMasked, self).__init__(**kwargs)

    def compute_mask(self, input, input_mask=None):
        return None

    def call(self, x, mask=None):
        if mask is not None:
            mask = K.cast(mask, K.floatx())
            mask = K.expand_dims(mask, -1)
            return K.sum(x * mask, axis=1) / K.sum(mask, axis=1)
        return K.mean(x, axis=1)

    def compute_output_shape(self, input_shape):
        return input_shape[0], input_shape[2]


inp = Input(shape=(None,), dtype='int32')
e = Embedding(5, 3, mask_zero=True, name='e')(inp)
m = Model(inp, MeanOfMasked()(e))
table = m.get_layer('e').get_weights()[0]
out = m.predict(np.array([[1, 2, 0, 0], [3, 0, 0, 0]]))
assert np.allclose(out[0], table[1:3].mean(0), atol=1e-5) and np.allclose(out[1], table[3], atol=1e-5)
