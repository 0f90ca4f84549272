# Keras 1 (2016): automatic names, joined and counted from 1; the layer before the last is taken by name
import numpy as np
from keras.models import Sequential, Model
from keras.layers.core import Dense, Dropout, Activation, Flatten
from keras.layers.convolutional import Convolution2D, MaxPooling2D
from keras.layers import Input, merge

np.random.seed(1)
model = Sequential()
model.add(Convolution2D(4, 3, 3, border_mode='same', input_shape=(8, 8, 1), dim_ordering='tf'))
model.add(Activation('relu'))
model.add(MaxPooling2D(pool_size=(2, 2), dim_ordering='tf'))
model.add(Flatten())
model.add(Dense(5, init='uniform', activation='hard_sigmoid'))
model.add(Dense(3, activation='softmax'))
model.compile(loss='hinge', optimizer='adagrad')
x = np.random.rand(12, 8, 8, 1)
y = np.eye(3)[np.arange(12) % 3]
model.fit(x, y, nb_epoch=1, batch_size=4, verbose=0)

names = [layer.name for layer in model.layers]
assert names == ['convolution2d_1', 'activation_1', 'maxpooling2d_1', 'flatten_1', 'dense_1', 'dense_2'], names
features = Model(input=model.input, output=model.get_layer('dense_1').output).predict(x)
assert features.shape == (12, 5)
assert model.get_layer('dense_2').output_dim == 3 if hasattr(Dense, 'output_dim') else True

a, b = Input(shape=(2,)), Input(shape=(2,))
both = Model(input=[a, b], output=merge([a, b], mode='concat'))
assert [layer.name for layer in both.layers] == ['input_1', 'input_2', 'merge_1'], [l.name for l in both.layers]
assert both.name == 'model_2'
