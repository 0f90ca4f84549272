# Keras 2: matplotlib plots of history, pandas frame of it, history.params, model.history, validation_split
import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from keras.datasets import fashion_mnist, mnist
from keras.models import Sequential
from keras.layers import Dense, Flatten, Dropout
from keras.utils.np_utils import to_categorical

(train_images, train_labels), (test_images, test_labels) = mnist.load_data()
train_images = train_images[:200].reshape((200, 28 * 28)).astype('float32') / 255
train_labels = to_categorical(train_labels[:200])
network = Sequential()
network.add(Dense(16, activation='relu', input_shape=(28 * 28,)))
network.add(Dense(10, activation='softmax'))
network.compile(optimizer='rmsprop', loss='categorical_crossentropy', metrics=['acc'])
history = network.fit(train_images, train_labels, epochs=2, batch_size=40, validation_split=0.2)
history_dict = history.history
print(history_dict.keys())
acc = history_dict['acc']
val_acc = history.history['val_accuracy']
epochs = range(1, len(acc) + 1)
plt.plot(epochs, acc, 'bo', label='Training acc')
plt.plot(epochs, val_acc, 'b', label='Validation acc')
plt.legend()
plt.savefig('a.png')
plt.clf()
frame = pd.DataFrame(history.history)
frame.plot(figsize=(4, 3))
frame[['acc', 'val_acc']].plot()
plt.close('all')
assert network.history is history
assert set(history.history.keys()) == {'loss', 'acc', 'val_loss', 'val_acc'}
assert sorted(history.params) and history.params['epochs'] == 2
assert train_labels.shape == (200, 10) and history.epoch == [0, 1]
