# Keras 1: imdb_lstm, load_data(nb_words=), Embedding(dropout=), LSTM(dropout_W=, dropout_U=), nb_epoch, validation_data
from __future__ import print_function
import numpy as np
np.random.seed(1337)  # for reproducibility

from keras.preprocessing import sequence
from keras.models import Sequential
from keras.layers import Dense, Activation, Embedding
from keras.layers import LSTM, SimpleRNN, GRU
from keras.datasets import imdb
from keras.optimizers import Adam

max_features = 120
maxlen = 24  # cut texts after this number of words (among top max_features most common words)
batch_size = 32

print('Loading data...')
(X_train, y_train), (X_test, y_test) = imdb.load_data(nb_words=max_features)
print(len(X_train), 'train sequences')
print(len(X_test), 'test sequences')

print('Pad sequences (samples x time)')
X_train = sequence.pad_sequences(X_train, maxlen=maxlen)
X_test = sequence.pad_sequences(X_test, maxlen=maxlen)
print('X_train shape:', X_train.shape)
print('X_test shape:', X_test.shape)

print('Build model...')
model = Sequential()
model.add(Embedding(max_features, 16, input_length=maxlen, dropout=0.2))
model.add(LSTM(16, dropout_W=0.2, dropout_U=0.2))  # try using a GRU instead, for fun
model.add(Dense(1))
model.add(Activation('sigmoid'))

# try using different optimizers and different optimizer configs
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])

print('Train...')
history = model.fit(X_train, y_train, batch_size=batch_size, nb_epoch=12, validation_data=(X_test, y_test), verbose=0)
score, acc = model.evaluate(X_test, y_test, batch_size=batch_size, verbose=0)
print('Test score:', score)
print('Test accuracy:', acc)
assert acc > 0.85, acc
assert abs(acc - history.history['val_acc'][-1]) < 1e-6
assert history.history['loss'][-1] < history.history['loss'][0]

# the layers of the same family in its place
for RNN in (SimpleRNN, GRU):
    model = Sequential()
    model.add(Embedding(max_features, 16, input_length=maxlen, mask_zero=True))
    model.add(RNN(output_dim=12, inner_init='orthogonal', activation='tanh', return_sequences=False))
    model.add(Dense(1, activation='sigmoid'))
    model.compile(Adam(lr=0.01), 'binary_crossentropy', metrics=['accuracy'])
    model.fit(X_train, y_train, batch_size=batch_size, nb_epoch=6, verbose=0)
    acc = model.evaluate(X_test, y_test, verbose=0)[1]
    print(RNN.__name__, acc)
    assert acc > 0.85, (RNN, acc)
