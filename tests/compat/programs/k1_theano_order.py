# Keras 1: dim_ordering='th' layer by layer, ZeroPadding2D, subsample, MaxPooling2D(strides=), UpSampling2D
import numpy as np
from keras.models import Sequential
from keras.layers import Convolution2D, MaxPooling2D, AveragePooling2D, ZeroPadding2D, UpSampling2D, Flatten, Dense, Activation
from keras.optimizers import RMSprop

model = Sequential()
model.add(ZeroPadding2D((1, 1), input_shape=(1, 28, 28), dim_ordering='th'))
model.add(Convolution2D(4, 3, 3, activation='relu', dim_ordering='th', name='conv1'))
model.add(MaxPooling2D((2, 2), strides=(2, 2), dim_ordering='th'))
model.add(Convolution2D(6, 5, 3, subsample=(2, 1), border_mode='same', init='he_normal', dim_ordering='th'))
model.add(AveragePooling2D(pool_size=(7, 7), border_mode='same', dim_ordering='th'))
model.add(UpSampling2D(size=(2, 2), dim_ordering='th'))
model.add(Flatten())
model.add(Dense(2, activation='sigmoid'))
model.compile(RMSprop(lr=0.002), 'binary_crossentropy')
model.summary()

shapes = [layer.output_shape for layer in model.layers]
assert shapes[:6] == [(None, 1, 30, 30), (None, 4, 28, 28), (None, 4, 14, 14), (None, 6, 7, 14), (None, 6, 1, 2), (None, 6, 2, 4)], shapes
assert model.get_layer('conv1').get_weights()[0].shape == (3, 3, 1, 4)
x = np.random.rand(16, 1, 28, 28)
y = np.random.randint(0, 2, (16, 2))
h = model.fit(x, y, nb_epoch=1, batch_size=8, verbose=0)
assert list(h.history) == ['loss']
assert model.predict(x).shape == (16, 2)
assert abs(float(model.optimizer.lr.get_value() if hasattr(model.optimizer.lr, 'get_value') else model.optimizer.lr) - 0.002) < 1e-7
