# Keras 1: init=, output_dim=, W_regularizer, W_constraint, positional Dense arguments, SGD(decay, nesterov), show_accuracy
import numpy as np
from keras.models import Sequential
from keras.layers.core import Dense, Activation, Dropout
from keras.layers.normalization import BatchNormalization
from keras.layers.advanced_activations import PReLU, LeakyReLU
from keras.regularizers import l2, activity_l2
from keras.constraints import maxnorm
from keras.optimizers import SGD
from keras.utils.np_utils import to_categorical

np.random.seed(0)
X = np.random.rand(120, 20).astype('float32')
labels = np.random.randint(0, 3, size=(120,))
Y = to_categorical(labels, nb_classes=3)

model = Sequential()
model.add(Dense(output_dim=12, input_dim=20, init='glorot_uniform', W_regularizer=l2(0.01), activity_regularizer=activity_l2(0.0)))
model.add(LeakyReLU(alpha=0.3))
model.add(BatchNormalization(mode=0, epsilon=1e-6, momentum=0.9))
model.add(Dense(8, init='uniform', W_constraint=maxnorm(2.), bias=False))
model.add(PReLU())
model.add(Dropout(p=0.5))
model.add(Dense(3, 'normal'))
model.add(Activation('softmax'))

sgd = SGD(lr=0.1, decay=1e-2, momentum=0.9, nesterov=True)
model.compile(loss='categorical_crossentropy', optimizer=sgd, class_mode='categorical', metrics=['accuracy'])
model.fit(X, Y, nb_epoch=2, batch_size=30, show_accuracy=True, verbose=2, validation_split=0.25)
score = model.evaluate(X, Y, batch_size=30, show_accuracy=True, verbose=0)
print('score', score)
classes = model.predict_classes(X, batch_size=30, verbose=0)
proba = model.predict_proba(X, batch_size=30, verbose=0)

assert len(score) == 2
assert classes.shape == (120,) and (classes == proba.argmax(1)).all()
assert model.layers[3].bias is None if hasattr(model.layers[3], 'bias') else True
assert len(model.layers[3].get_weights()) == 1
norms = np.sqrt((model.layers[3].get_weights()[0] ** 2).sum(axis=0))
assert (norms <= 2.0001).all()
assert abs(float(sgd.decay) - 0.01) < 1e-7 and sgd.nesterov
assert abs(model.layers[2].momentum - 0.9) < 1e-9
