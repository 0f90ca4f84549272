# Keras 1: Merge layer on top of two Sequential models; objectives; initializations; model.add(Dense(.., init='normal'))
import numpy as np
from keras.models import Sequential
from keras.layers import Dense, Merge, Activation
from keras.layers.noise import GaussianNoise, GaussianDropout
from keras import objectives, initializations
from keras.objectives import mean_squared_error

left = Sequential()
left.add(Dense(7, input_dim=12, init='normal', activation='relu'))
right = Sequential()
right.add(Dense(5, input_dim=9, activation='tanh'))
right.add(GaussianNoise(sigma=0.1))
model = Sequential()
model.add(Merge([left, right], mode='concat'))
model.add(GaussianDropout(p=0.1))
model.add(Dense(4))
model.add(Activation('softmax'))
model.compile(optimizer='rmsprop', loss=objectives.categorical_crossentropy, metrics=['accuracy'])

a, b = np.random.rand(50, 12), np.random.rand(50, 9)
y = np.eye(4)[np.random.randint(0, 4, 50)]
h = model.fit([a, b], y, nb_epoch=2, batch_size=25, verbose=0, validation_split=0.2)
assert model.predict([a, b]).shape == (50, 4)
assert model.count_params() == 12 * 7 + 7 + 9 * 5 + 5 + 12 * 4 + 4, model.count_params()
assert all(len(h.history[key]) == 2 for key in ['acc', 'loss', 'val_acc', 'val_loss'])
