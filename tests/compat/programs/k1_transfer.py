# Keras 1 and 2: transfer learning, feature and classification layers in two lists, frozen layers, recompile
from __future__ import print_function
import numpy as np
from keras.datasets import mnist
from keras.models import Sequential
from keras.layers import Dense, Dropout, Activation, Flatten, Convolution2D, MaxPooling2D
from keras.utils import np_utils
from keras import backend as K

(X, y), _ = mnist.load_data()
X, y = X[:500], y[:500]
input_shape = (28, 28, 1) if K.image_data_format() == 'channels_last' else (1, 28, 28)


def train_model(model, x, y):
    x = x.reshape((x.shape[0],) + input_shape).astype('float32') / 255
    Y = np_utils.to_categorical(y, 5)
    model.compile(loss='categorical_crossentropy', optimizer='adadelta', metrics=['accuracy'])
    model.fit(x, Y, batch_size=50, nb_epoch=1, verbose=0, validation_data=(x, Y))
    score = model.evaluate(x, Y, batch_size=50, verbose=0)
    print('Test accuracy:', score[1])


feature_layers = [
    Convolution2D(4, 3, 3, border_mode='valid', input_shape=input_shape),
    Activation('relu'),
    MaxPooling2D(pool_size=(2, 2)),
    Dropout(0.25),
    Flatten(),
]
classification_layers = [Dense(8), Activation('relu'), Dropout(0.5), Dense(5), Activation('softmax')]
model = Sequential(feature_layers + classification_layers)
train_model(model, X[y < 5][:150], y[y < 5][:150])
for l in feature_layers:
    l.trainable = False
frozen, free = feature_layers[0].get_weights(), classification_layers[0].get_weights()
train_model(model, X[y >= 5][:150], y[y >= 5][:150] - 5)
assert all(np.array_equal(a, b) for a, b in zip(frozen, feature_layers[0].get_weights()))
assert not np.allclose(free[0], classification_layers[0].get_weights()[0])
assert len(model.trainable_weights) == 4 and len(model.non_trainable_weights) == 2
