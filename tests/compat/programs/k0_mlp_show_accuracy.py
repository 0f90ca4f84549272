# Keras 0.3: accuracy asked for by show_accuracy=True, compile without metrics, train_on_batch(accuracy=True), positional init
from __future__ import absolute_import
from __future__ import print_function
import numpy as np
np.random.seed(1337)
from keras.models import Sequential
from keras.layers.core import Dense, Dropout, Activation
from keras.optimizers import SGD, Adam, RMSprop
from keras.utils import np_utils

X_train = np.random.rand(100, 30)
y_train = np.random.randint(0, 5, 100)
Y_train = np_utils.to_categorical(y_train, 5)
model = Sequential()
model.add(Dense(16, input_shape=(30,)))
model.add(Activation('relu'))
model.add(Dropout(0.2))
model.add(Dense(5, 'uniform'))
model.add(Activation('softmax'))
rms = RMSprop()
model.compile(loss='categorical_crossentropy', optimizer=rms)
hist = model.fit(X_train, Y_train, batch_size=25, nb_epoch=2, show_accuracy=True, verbose=2, validation_data=(X_train, Y_train))
score = model.evaluate(X_train, Y_train, batch_size=25, show_accuracy=True, verbose=0)
print('Test score:', score[0])
print('Test accuracy:', score[1])
loss, acc = model.train_on_batch(X_train, Y_train, accuracy=True)
assert hist.history['acc'] and hist.history['val_acc']
assert 0 <= score[1] <= 1
assert abs(score[1] - np.mean(hist.history['val_acc'][-1:])) < 1e-6
assert abs(model.layers[3].get_weights()[0]).max() <= 0.5
