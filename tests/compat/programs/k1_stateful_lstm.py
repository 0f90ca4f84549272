# Keras 1: stateful LSTM with batch_input_shape learns a sine; epochs by hand, each followed by reset_states
'''Predict a damped sine whose target is the mean of the last and the next values.'''
from __future__ import print_function
import numpy as np
from keras.models import Sequential
from keras.layers import Dense, LSTM

np.random.seed(12)
# since we are using stateful rnn tsteps can be set to 1
tsteps = 1
batch_size = 25
epochs = 12
# number of elements ahead that are used to make the prediction
lahead = 1


def gen_wave_amp(amp=1.0, period=80, x0=0, xn=1000, step=1, k=0.001):
    """Generates an absolute sine time series with the amplitude exponentially decreasing"""
    wave = np.zeros(((xn - x0) * step, 1, 1))
    for i in range(len(wave)):
        idx = x0 + i * step
        wave[i, 0, 0] = amp * np.sin(2 * np.pi * idx / period)
        wave[i, 0, 0] = wave[i, 0, 0] * np.exp(-k * idx)
    return wave


print('Generating Data')
wave = gen_wave_amp()
print('Input shape:', wave.shape)
expected_output = np.zeros((len(wave), 1))
for i in range(len(wave) - lahead):
    expected_output[i, 0] = np.mean(wave[i + 1:i + lahead + 1])
print('Output shape')
print(expected_output.shape)

print('Creating Model')
model = Sequential()
model.add(LSTM(16, batch_input_shape=(batch_size, tsteps, 1), return_sequences=True, stateful=True))
model.add(LSTM(16, batch_input_shape=(batch_size, tsteps, 1), return_sequences=False, stateful=True))
model.add(Dense(1))
model.compile(loss='mse', optimizer='rmsprop')

print('Training')
losses = []
for i in range(epochs):
    print('Epoch', i, '/', epochs)
    history = model.fit(wave, expected_output, batch_size=batch_size, verbose=0, nb_epoch=1, shuffle=False)
    losses.append(history.history['loss'][0])
    model.reset_states()

print('Predicting')
predicted_output = model.predict(wave, batch_size=batch_size)
error = np.mean((predicted_output[:-1] - expected_output[:-1]) ** 2)
print('losses', losses, 'error', error)
assert losses[-1] < 0.2 * losses[0], losses
assert error < 0.02, error

# States go on from call to call, and only reset_states forgets them.
model.reset_states()
x = wave[:batch_size]
first = model.predict(x, batch_size=batch_size)
second = model.predict(x, batch_size=batch_size)
assert np.abs(first - second).max() > 1e-4
model.reset_states()
assert np.allclose(model.predict(x, batch_size=batch_size), first, atol=1e-6)
assert np.allclose(model.predict(x, batch_size=batch_size), second, atol=1e-6)
model.layers[0].reset_states()
third = model.predict(x, batch_size=batch_size)
assert np.abs(third - first).max() > 1e-6  # the second layer went on
try:
    model.predict(wave[:batch_size + 1], batch_size=batch_size)
except ValueError as error:
    print(error)
else:
    raise AssertionError('26 rows are no whole number of batches')
