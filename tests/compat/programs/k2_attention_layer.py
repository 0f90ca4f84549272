# Keras 2: an attention layer of one's own over LSTM and GRU: add_weight, K.dot, K.tanh, K.squeeze, K.softmax, K.sum, masks
from __future__ import print_function
import numpy as np
from keras import backend as K
from keras import initializers, regularizers
from keras.engine.topology import Layer
from keras.layers import Input, Embedding, LSTM, GRU, Dense, Bidirectional
from keras.models import Model, load_model
from keras.optimizers import Adam

np.random.seed(5)


class AttentionWithContext(Layer):
    """Weighs the steps of a sequence by a learned context, and returns their weighted sum."""

    def __init__(self, init='glorot_uniform', W_regularizer=None, return_attention=False, **kwargs):
        self.supports_masking = True
        self.init = initializers.get(init)
        self.W_regularizer = regularizers.get(W_regularizer)
        self.return_attention = return_attention
        super(AttentionWithContext, self).__init__(**kwargs)

    def build(self, input_shape):
        assert len(input_shape) == 3
        self.W = self.add_weight((input_shape[-1], input_shape[-1]), initializer=self.init, name='{}_W'.format(self.name), regularizer=self.W_regularizer)
        self.b = self.add_weight((input_shape[-1],), initializer='zero', name='{}_b'.format(self.name))
        self.u = self.add_weight((input_shape[-1], 1), initializer=self.init, name='{}_u'.format(self.name))
        super(AttentionWithContext, self).build(input_shape)

    def compute_mask(self, input, input_mask=None):
        # do not pass the mask to the next layers
        return None

    def call(self, x, mask=None):
        uit = K.tanh(K.dot(x, self.W) + self.b)
        ait = K.squeeze(K.dot(uit, self.u), -1)
        a = K.exp(ait - K.max(ait, axis=1, keepdims=True))
        # apply mask after the exp; it will be re-normalized next
        if mask is not None:
            a *= K.cast(mask, K.floatx())
        a /= K.cast(K.sum(a, axis=1, keepdims=True) + K.epsilon(), K.floatx())
        a = K.expand_dims(a)
        result = K.sum(x * a, axis=1)
        if self.return_attention:
            return [result, a]
        return result

    def compute_output_shape(self, input_shape):
        if self.return_attention:
            return [(input_shape[0], input_shape[-1]), (input_shape[0], input_shape[1], 1)]
        return input_shape[0], input_shape[-1]

    def get_config(self):
        config = {'return_attention': self.return_attention}
        base_config = super(AttentionWithContext, self).get_config()
        return dict(list(base_config.items()) + list(config.items()))


class SoftAttention(Layer):
    """The shorter kind, with K.softmax."""

    def build(self, input_shape):
        self.W = self.add_weight(name='att_weight', shape=(input_shape[-1], 1), initializer='normal')
        self.b = self.add_weight(name='att_bias', shape=(input_shape[1], 1), initializer='zeros')
        super(SoftAttention, self).build(input_shape)

    def call(self, x):
        e = K.squeeze(K.tanh(K.dot(x, self.W) + self.b), axis=-1)
        alpha = K.softmax(e)
        alpha = K.expand_dims(alpha, axis=-1)
        return K.sum(x * alpha, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])


# One step of each sequence says what the class is: the number after the mark 9.
rows, steps = 400, 14
x = np.random.randint(1, 9, size=(rows, steps))
lengths = np.random.randint(6, steps + 1, size=rows)
places = np.array([np.random.randint(0, length - 1) for length in lengths])
x[np.arange(rows), places] = 9
y = (x[np.arange(rows), places + 1] > 4).astype('int')
for row, length in enumerate(lengths):
    x[row, length:] = 0

inputs = Input(shape=(steps,), dtype='int32')
embedded = Embedding(10, 8, mask_zero=True)(inputs)
h = Bidirectional(LSTM(12, return_sequences=True))(embedded)
summed, weights = AttentionWithContext(return_attention=True, name='attention')(h)
outputs = Dense(1, activation='sigmoid')(summed)
model = Model(inputs=inputs, outputs=outputs)
model.compile(loss='binary_crossentropy', optimizer=Adam(lr=0.01), metrics=['acc'])
model.summary()
history = model.fit(x[:320], y[:320], epochs=20, batch_size=16, verbose=0)
loss, acc = model.evaluate(x[320:], y[320:], verbose=0)
print('accuracy', acc)
assert acc > 0.9, (acc, history.history)

attention = Model(inputs, weights).predict(x[320:])
assert attention.shape == (80, steps, 1)
assert np.allclose(attention.sum(axis=1), 1, atol=1e-3)
assert attention[x[320:] == 0].max() == 0
near = [attention[i, p:p + 3, 0].sum() for i, p in enumerate(places[320:])]
print('attention near the mark', np.mean(near), 'by chance', np.mean(3. / lengths[320:]))
assert np.mean(near) > 1.5 * np.mean(3. / lengths[320:])

model.save('attention.h5')
again = load_model('attention.h5', custom_objects={'AttentionWithContext': AttentionWithContext})
assert np.allclose(again.predict(x), model.predict(x), atol=1e-6)

inputs = Input(shape=(steps,), dtype='int32')
h = GRU(16, return_sequences=True)(Embedding(10, 8)(inputs))
outputs = Dense(1, activation='sigmoid')(SoftAttention()(h))
model = Model(inputs, outputs)
model.compile(Adam(0.01), 'binary_crossentropy', metrics=['accuracy'])
history = model.fit(x, y, epochs=25, batch_size=32, verbose=0)
assert model.output_shape == (None, 1)
assert history.history['loss'][-1] < 0.7 * history.history['loss'][0], history.history['loss']
