# Keras 2: imdb_bidirectional_lstm, load_data(num_words=), Bidirectional(LSTM), saved with save_weights and loaded
from __future__ import print_function
import numpy as np

from keras.preprocessing import sequence
from keras.models import Sequential, model_from_json
from keras.layers import Dense, Dropout, Embedding, LSTM, Bidirectional
from keras.datasets import imdb

np.random.seed(3)
max_features = 120
# cut texts after this number of words
maxlen = 24
batch_size = 32

print('Loading data...')
(x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=max_features)
print(len(x_train), 'train sequences')
print(len(x_test), 'test sequences')

print('Pad sequences (samples x time)')
x_train = sequence.pad_sequences(x_train, maxlen=maxlen)
x_test = sequence.pad_sequences(x_test, maxlen=maxlen)
print('x_train shape:', x_train.shape)
print('x_test shape:', x_test.shape)
y_train = np.array(y_train)
y_test = np.array(y_test)

model = Sequential()
model.add(Embedding(max_features, 16, input_length=maxlen))
model.add(Bidirectional(LSTM(12, dropout=0.1, recurrent_dropout=0.1)))
model.add(Dropout(0.5))
model.add(Dense(1, activation='sigmoid'))
model.compile('adam', 'binary_crossentropy', metrics=['accuracy'])

print('Train...')
model.fit(x_train, y_train, batch_size=batch_size, epochs=8, validation_data=[x_test, y_test], verbose=2)
loss, acc = model.evaluate(x_test, y_test, verbose=0)
print('Test accuracy:', acc)
assert model.layers[1].output_shape == (None, 24)
assert acc > 0.9, acc

with open('model.json', 'w') as f:
    f.write(model.to_json())
model.save_weights('model.h5')
loaded = model_from_json(open('model.json').read())
loaded.load_weights('model.h5')
assert np.allclose(loaded.predict(x_test), model.predict(x_test), atol=1e-6)
forward, backward = loaded.layers[1].forward_layer, loaded.layers[1].backward_layer
assert not forward.go_backwards and backward.go_backwards
assert [w.shape for w in loaded.layers[1].get_weights()] == [(16, 48), (12, 48), (48,)] * 2
