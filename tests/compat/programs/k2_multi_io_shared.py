# Keras 2: shared layers, concatenate, add, dot, nested model called twice, compute_output_shape, get_output_at, TimeDistributed
import numpy as np
import keras
from keras.layers import Input, Dense, Flatten, concatenate, add, average, maximum, subtract, dot, Concatenate, Add, TimeDistributed, Reshape, Permute, RepeatVector
from keras.models import Model, Sequential
from keras.layers.merge import concatenate as c2, Multiply

a, b = Input(shape=(6,)), Input(shape=(6,))
shared = Dense(4, name='shared')
ea, eb = shared(a), shared(b)
assert shared.get_output_at(0) is ea and shared.get_output_at(1) is eb
merged = concatenate([ea, eb], axis=-1)
merged = c2([merged, add([ea, eb]), average([ea, eb]), maximum([ea, eb]), subtract([ea, eb]), Multiply()([ea, eb]), dot([ea, eb], axes=-1, normalize=True)])
model = Model(inputs=[a, b], outputs=[Dense(1, activation='sigmoid')(merged), dot([ea, eb], axes=1, normalize=True)])
x1, x2 = np.random.rand(20, 6), np.random.rand(20, 6)
p, cosine = model.predict([x1, x2])
k, bias = shared.get_weights()
u, v = x1.dot(k) + bias, x2.dot(k) + bias
assert np.allclose(cosine.ravel(), (u * v).sum(1) / np.linalg.norm(u, axis=1) / np.linalg.norm(v, axis=1), atol=1e-4)
assert model.layers[-1].output_shape == (None, 1)
assert K_shape(merged) == (None, 29) if False else keras.backend.int_shape(merged) == (None, 8 + 4 * 5 + 1)
assert len([l for l in model.layers if l.name == 'shared']) == 1

vision = Sequential([Dense(3, input_shape=(5,), activation='relu')])
video = Input(shape=(4, 5))
encoded = TimeDistributed(vision)(video)
out = Permute((2, 1))(encoded)
out = Flatten()(out)
m = Model(video, RepeatVector(3)(out))
data = np.random.rand(2, 4, 5)
assert m.output_shape == (None, 3, 12)
assert np.allclose(m.predict(data)[1, 0].reshape(3, 4).T, vision.predict(data[1]), atol=1e-5)
assert m.count_params() == 18
