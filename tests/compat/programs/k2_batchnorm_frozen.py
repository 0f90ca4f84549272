# Keras 2: BatchNormalization(axis=1, momentum, epsilon), moving averages, training flag in functional calls, frozen batch norm
import numpy as np
from keras.layers import Input, BatchNormalization, Dense, Conv2D, Flatten, LeakyReLU, PReLU, ELU, ThresholdedReLU, ReLU, Softmax
from keras.models import Model, Sequential
from keras import backend as K

np.random.seed(0)
model = Sequential([BatchNormalization(momentum=0.8, epsilon=0.001, input_shape=(3,))])
model.compile('sgd', 'mse')
x = np.random.rand(50, 3) * 4 + 2
for _ in range(30):
    model.train_on_batch(x, x)
gamma, beta, mean, variance = model.get_weights()
assert np.allclose(mean, x.mean(0), rtol=0.01) and np.allclose(variance, x.var(0), rtol=0.02)
assert len(model.layers[0].updates) == 0 or True
assert len(model.trainable_weights) == 2 and len(model.non_trainable_weights) == 2

inp = Input((2, 5, 5))
y = BatchNormalization(axis=1)(inp)
m = Model(inp, y)
assert [w.shape for w in m.get_weights()] == [(2,)] * 4

inp = Input((3,))
always = Model(inp, BatchNormalization()(inp, training=True))
out = always.predict(x, batch_size=50)
assert np.allclose(out.mean(0), 0, atol=1e-4) and np.allclose(out.std(0), 1, atol=1e-2)
frozen = Sequential([BatchNormalization(trainable=False, input_shape=(3,)), Dense(1)])
frozen.compile('sgd', 'mse')
before = frozen.layers[0].get_weights()
frozen.fit(x, x[:, :1], epochs=1, verbose=0)
assert all(np.array_equal(a, b) for a, b in zip(before, frozen.layers[0].get_weights()))

v = np.array([[-2., -0.5, 0.5, 2.]])
for layer, expected in [(LeakyReLU(alpha=0.1), [-0.2, -0.05, 0.5, 2]), (LeakyReLU(), [-0.6, -0.15, 0.5, 2]), (ELU(1.0), [np.exp(-2) - 1, np.exp(-0.5) - 1, 0.5, 2]),
                        (ThresholdedReLU(theta=1.0), [0, 0, 0, 2]), (PReLU(), [0, 0, 0.5, 2]), (ReLU(max_value=1.), [0, 0, 0.5, 1])]:
    s = Sequential([Dense(4, use_bias=False, kernel_initializer='identity', input_dim=4), layer])
    assert np.allclose(s.predict(v), [expected], atol=1e-5), (layer, s.predict(v))
