# Keras 2: lr= and decay= in every optimizer, K.get_value and K.set_value of optimizer.lr, defaults of the era
import numpy as np
from keras import backend as K
from keras import optimizers
from keras.models import Sequential
from keras.layers import Dense
from keras.optimizers import SGD, Adam, Adagrad, Adadelta, Adamax, Nadam, RMSprop


def line(optimizer):
    model = Sequential([Dense(1, use_bias=False, kernel_initializer='zeros', input_shape=(1,))])
    model.compile(loss='mae', optimizer=optimizer)
    return model


x, y = np.ones((1, 1)), np.ones((1, 1)) * 100
model = line(SGD(lr=1.0, decay=1.0))
steps = []
for i in range(4):
    before = model.get_weights()[0][0, 0]
    model.train_on_batch(x, y)
    steps.append(model.get_weights()[0][0, 0] - before)
assert np.allclose(steps, [1, 1 / 2., 1 / 3., 1 / 4.], atol=1e-4), steps

defaults = dict(SGD=0.01, Adam=0.001, Adagrad=0.01, Adadelta=1.0, Adamax=0.002, Nadam=0.002, RMSprop=0.001)
for name, value in defaults.items():
    optimizer = getattr(optimizers, name)()
    assert abs(float(K.get_value(optimizer.lr)) - value) < 1e-7, (name, K.get_value(optimizer.lr))
for name in defaults:
    optimizer = getattr(optimizers, name)(lr=0.25)
    assert abs(float(K.get_value(optimizer.lr)) - 0.25) < 1e-7, name
    assert abs(optimizers.get(name.lower()).get_config()['learning_rate'] - defaults[name]) < 1e-7
opt = Adam(0.0002, 0.5)
assert abs(opt.beta_1 - 0.5) < 1e-7 and abs(float(K.get_value(opt.lr)) - 0.0002) < 1e-9
opt = Adam(lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=None, decay=0.0, amsgrad=False)
opt = SGD(lr=0.01, decay=1e-6, momentum=0.9, nesterov=True, clipnorm=1.)
sgd = SGD(lr=1.0)
model = line(sgd)
K.set_value(model.optimizer.lr, 0.5)
model.train_on_batch(x, y)
assert np.allclose(model.get_weights()[0], 0.5)
model.optimizer.lr = 2.0
model.train_on_batch(x, y)
assert np.allclose(model.get_weights()[0], 2.5)
model.optimizer.lr.assign(4.0)
model.train_on_batch(x, y)
assert np.allclose(model.get_weights()[0], 6.5)
import keras
assert type(keras.optimizers.get({'class_name': 'RMSprop', 'config': {'lr': 0.01}})).__name__ == 'RMSprop'
