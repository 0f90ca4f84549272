# Keras 2: own initializer, regularizer, activation, loss and metric as functions, Activation(function), get_custom_objects
import numpy as np
import keras
from keras.models import Sequential
from keras.layers import Dense, Activation, Lambda
from keras import backend as K
from keras.utils.generic_utils import get_custom_objects


def my_init(shape, dtype=None):
    return K.random_normal(shape, dtype=dtype) * 0.01


def l1_reg(weight_matrix):
    return 0.01 * K.sum(K.abs(weight_matrix))


def swish(x, beta=1):
    return x * K.sigmoid(beta * x)


def rmse(y_true, y_pred):
    return K.sqrt(K.mean(K.square(y_pred - y_true), axis=-1))


def r2(y_true, y_pred):
    SS_res = K.sum(K.square(y_true - y_pred))
    SS_tot = K.sum(K.square(y_true - K.mean(y_true)))
    return 1 - SS_res / (SS_tot + K.epsilon())


def precision(y_true, y_pred):
    true_positives = K.sum(K.round(K.clip(y_true * y_pred, 0, 1)))
    predicted_positives = K.sum(K.round(K.clip(y_pred, 0, 1)))
    return true_positives / (predicted_positives + K.epsilon())


get_custom_objects().update({'swish': Activation(swish)})
model = Sequential()
model.add(Dense(8, input_dim=4, kernel_initializer=my_init, kernel_regularizer=l1_reg, activation=swish))
model.add(Activation(K.tanh))
model.add(Dense(4, activation='swish'))
model.add(Lambda(lambda x: x ** 2))
model.add(Dense(1))
model.compile(loss=rmse, optimizer='adam', metrics=[r2, 'mae', precision, keras.metrics.mean_squared_error])
x = np.random.rand(50, 4)
y = x.sum(axis=1, keepdims=True)
h = model.fit(x, y, epochs=2, verbose=0, batch_size=25)
values = model.evaluate(x, y, verbose=0, batch_size=50)
p = model.predict(x)
kernel = model.layers[0].get_weights()[0]
assert abs(values[0] - np.abs(p - y).mean() - 0.01 * np.abs(kernel).sum()) < 1e-4
assert abs(values[1] - (1 - ((y - p) ** 2).sum() / ((y - y.mean()) ** 2).sum())) < 1e-3
assert abs(values[2] - np.abs(p - y).mean()) < 1e-5
assert abs(values[4] - ((p - y) ** 2).mean()) < 1e-5
for name in ('r2', 'precision', 'mean_squared_error', 'mae', 'mean_absolute_error'):
    assert name in h.history, (name, sorted(h.history))
