# Keras 2: mnist_mlp, RMSprop(), history, evaluate by index, predict_classes, summary, count_params
'''Trains a simple deep NN on the MNIST dataset.
'''
from __future__ import print_function

import keras
from keras.datasets import mnist
from keras.models import Sequential
from keras.layers import Dense, Dropout
from keras.optimizers import RMSprop

batch_size = 64
num_classes = 10
epochs = 2

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train[:640].reshape(640, 784)
x_test = x_test[:192].reshape(192, 784)
x_train = x_train.astype('float32')
x_test = x_test.astype('float32')
x_train /= 255
x_test /= 255
y_test_classes = y_test[:192]
y_train = keras.utils.to_categorical(y_train[:640], num_classes)
y_test = keras.utils.to_categorical(y_test[:192], num_classes)

model = Sequential()
model.add(Dense(32, activation='relu', input_shape=(784,)))
model.add(Dropout(0.2))
model.add(Dense(32, activation='relu'))
model.add(Dropout(0.2))
model.add(Dense(num_classes, activation='softmax'))
model.summary()
model.compile(loss='categorical_crossentropy', optimizer=RMSprop(), metrics=['accuracy'])
history = model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, verbose=1, validation_data=(x_test, y_test))
score = model.evaluate(x_test, y_test, verbose=0)
print('Test loss:', score[0])
print('Test accuracy:', score[1])

classes = model.predict_classes(x_test)
assert abs(score[1] - (classes == y_test_classes).mean()) < 1e-6
assert score[1] > 0.4
assert history.epoch == [0, 1] and history.params['epochs'] == 2 and history.params['samples'] == 640
for key in ('loss', 'acc', 'val_loss', 'val_acc', 'accuracy', 'val_accuracy'):
    assert key in history.history and len(history.history[key]) == 2
assert abs(history.history['val_acc'][-1] - score[1]) < 1e-6
assert model.count_params() == 784 * 32 + 32 + 32 * 32 + 32 + 32 * 10 + 10
assert model.metrics_names[0] == 'loss' and len(model.metrics_names) == 2
assert model.optimizer.get_config()['rho'] == 0.9
