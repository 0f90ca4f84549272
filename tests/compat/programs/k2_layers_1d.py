# Keras 2: Conv1D on sequences, Embedding, GlobalAveragePooling1D, GlobalMaxPool1D, MaxPool1D, SpatialDropout1D, pad_sequences
import numpy as np
from keras.models import Sequential
from keras.layers import (Dense, Embedding, Conv1D, GlobalAveragePooling1D, GlobalMaxPooling1D, MaxPooling1D, SpatialDropout1D,
                          ZeroPadding1D, Cropping1D, UpSampling1D, Flatten, Dropout)
from keras.preprocessing import sequence
from keras.preprocessing.sequence import pad_sequences

rows = [[1, 2, 3], [4], [], [5, 6, 7, 8, 9, 10, 11]]
x = sequence.pad_sequences(rows, maxlen=6)
assert x[0].tolist() == [0, 0, 0, 1, 2, 3] and x[3].tolist() == [6, 7, 8, 9, 10, 11]
assert pad_sequences(rows, 6, padding='post', truncating='post')[3].tolist() == [5, 6, 7, 8, 9, 10]
y = np.array([0, 1, 1, 0])
model = Sequential()
model.add(Embedding(20, 8, input_length=6))
model.add(SpatialDropout1D(0.2))
model.add(Conv1D(5, 3, padding='valid', activation='relu', strides=1))
model.add(MaxPooling1D(2))
model.add(ZeroPadding1D(1))
model.add(UpSampling1D(2))
model.add(Cropping1D((1, 1)))
model.add(GlobalMaxPooling1D())
model.add(Dense(1, activation='sigmoid'))
model.compile('adam', 'binary_crossentropy', metrics=['accuracy'])
model.fit(x, y, epochs=1, batch_size=2, verbose=0, validation_data=(x, y))
assert [l.output_shape for l in model.layers] == [(None, 6, 8), (None, 6, 8), (None, 4, 5), (None, 2, 5), (None, 4, 5), (None, 8, 5), (None, 6, 5), (None, 5), (None, 1)]

fast = Sequential()
fast.add(Embedding(20, 4, input_length=6, weights=[np.ones((20, 4))], trainable=False))
fast.add(GlobalAveragePooling1D())
fast.add(Dense(1, activation='sigmoid'))
fast.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
fast.fit(x, y, epochs=1, verbose=0)
assert (fast.layers[0].get_weights()[0] == 1).all()
assert np.allclose(fast.layers[0].get_weights()[0].shape, (20, 4))
