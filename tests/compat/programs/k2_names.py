# Keras 2 (2019): automatic names counted from 1, a loss by output name, formulas of then, weights by name
import numpy as np
from keras.models import Model, Sequential
from keras.layers import Input, Dense, Flatten, Conv2D, BatchNormalization, UpSampling2D, Activation
from keras.utils import np_utils
from keras import optimizers, activations

np.random.seed(2)
image = Input(shape=(4, 4, 1))
x = Conv2D(2, (3, 3), activation='relu')(image)
x = Flatten()(x)
x = Dense(6, activation='relu')(x)
first = Dense(3, activation='softmax')(x)
second = Dense(1)(x)
model = Model(inputs=image, outputs=[first, second])
assert [layer.name for layer in model.layers] == ['input_1', 'conv2d_1', 'flatten_1', 'dense_1', 'dense_2', 'dense_3']
assert model.name == 'model_1'
assert model.get_layer('dense_1').units == 6
model.compile(optimizer=optimizers.SGD(lr=0.1, clipnorm=0.5, clipvalue=0.1),
              loss={'dense_2': 'categorical_crossentropy', 'dense_3': 'mse'}, metrics={'dense_2': 'accuracy'})
data = np.random.rand(6, 4, 4, 1)
hist = model.fit(data, [np_utils.to_categorical(np.arange(6) % 3), np.ones(6)], epochs=2, verbose=0)
assert 'dense_2_acc' in hist.history and 'dense_3_loss' in hist.history

s = Sequential([Activation('hard_sigmoid', input_shape=(1,))])
assert np.allclose(s.predict(np.array([[2.0]])), 0.9)
assert np.allclose(Sequential([Dense(1, activation=activations.hard_sigmoid, kernel_initializer='ones', input_shape=(1,))])
                   .predict(np.array([[2.0]])), 0.9)
up = Sequential([UpSampling2D((1, 2), interpolation='bilinear', input_shape=(1, 2, 1))])
assert np.allclose(up.predict(np.array([0., 4.]).reshape(1, 1, 2, 1)).ravel(), [0, 2, 4, 4])

bn = Sequential([BatchNormalization(momentum=0.5, input_shape=(1,))])
bn.compile('sgd', 'mse')
bn.train_on_batch(np.array([[0.], [2.]]), np.zeros((2, 1)))
assert np.allclose(bn.get_weights()[2], 1) and np.allclose(bn.get_weights()[3], 2, atol=0.01), bn.get_weights()
hinge = Sequential([Dense(1, kernel_initializer='zeros', bias_initializer='ones', input_shape=(1,))])
hinge.compile('sgd', 'hinge')
assert np.allclose(hinge.evaluate(np.ones((4, 1)), np.zeros((4, 1)), verbose=0), 1)
weighted = Sequential([Dense(1, kernel_initializer='zeros', input_shape=(1,))])
weighted.compile(optimizers.SGD(lr=0.0), 'mse')
assert np.allclose(weighted.train_on_batch(np.ones((4, 1)), 2 * np.ones((4, 1)), sample_weight=np.array([1., 0, 0, 0])), 4)
