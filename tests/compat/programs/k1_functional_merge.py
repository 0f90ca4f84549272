# Keras 1: Model(input=, output=), merge(mode=...), several inputs and outputs, loss by name
import numpy as np
from keras.layers import Input, Dense, merge, Embedding, Flatten
from keras.models import Model

main_input = Input(shape=(10,), dtype='int32', name='main_input')
x = Embedding(output_dim=6, input_dim=50, input_length=10)(main_input)
x = Flatten()(x)
auxiliary_output = Dense(1, activation='sigmoid', name='aux_output')(x)
auxiliary_input = Input(shape=(5,), name='aux_input')
y = merge([x, auxiliary_input], mode='concat')
y = Dense(8, activation='relu')(y)
z = merge([y, Dense(8)(y)], mode='sum')
z = merge([z, y], mode='mul', name='product')
z = merge([z, y], mode='ave')
z = merge([z, y], mode='max')
d = merge([z, y], mode='dot', dot_axes=1)
e = merge([z, y], mode=lambda ab: ab[0] - ab[1], output_shape=lambda s: s[0])
f = merge([e, d], mode='concat', concat_axis=1)
main_output = Dense(1, activation='sigmoid', name='main_output')(f)
model = Model(input=[main_input, auxiliary_input], output=[main_output, auxiliary_output])
model.compile(optimizer='rmsprop', loss='binary_crossentropy', loss_weights=[1., 0.2])

a = np.random.randint(0, 50, (40, 10))
b = np.random.rand(40, 5)
t = np.random.randint(0, 2, (40, 1))
model.fit([a, b], [t, t], nb_epoch=1, batch_size=20, verbose=0)
model.compile(optimizer='rmsprop',
              loss={'main_output': 'binary_crossentropy', 'aux_output': 'binary_crossentropy'},
              loss_weights={'main_output': 1., 'aux_output': 0.2})
h = model.fit({'main_input': a, 'aux_input': b}, {'main_output': t, 'aux_output': t}, nb_epoch=1, batch_size=20, verbose=0)
print(sorted(h.history))
assert model.metrics_names == ['loss', 'main_output_loss', 'aux_output_loss'], model.metrics_names
total = model.evaluate([a, b], [t, t], batch_size=40, verbose=0)
assert len(total) == 3 and abs(total[0] - (total[1] + 0.2 * total[2])) < 1e-5, total
assert model.get_layer('product').output_shape == (None, 8)
assert [o.shape for o in model.predict([a, b])] == [(40, 1), (40, 1)]
assert sorted(h.history) == ['aux_output_loss', 'loss', 'main_output_loss']
