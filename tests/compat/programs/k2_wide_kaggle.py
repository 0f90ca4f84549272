# Keras 2: notebook-script habits: model.fit positional arguments, LambdaCallback, np.argmax of predict, loss as a list, K.get_session-free, Dense(units=), model.optimizer.get_config, evaluate with batch_size and verbose by position
import numpy as np
import pandas as pd
import keras
from keras.models import Sequential, Model
from keras.layers import Dense, Dropout, Flatten, Conv2D, MaxPool2D, BatchNormalization, InputLayer, Activation, GlobalAvgPool2D
from keras.callbacks import LambdaCallback
from keras.utils import to_categorical
from keras.utils.np_utils import to_categorical as tc

frame = pd.DataFrame(np.random.randint(0, 256, (40, 64)))
frame['label'] = np.random.randint(0, 3, 40)
Y = frame['label']
X = frame.drop(labels=['label'], axis=1)
X = X / 255.0
X = X.values.reshape(-1, 8, 8, 1)
Y = to_categorical(Y, num_classes=3)
model = Sequential()
model.add(InputLayer((8, 8, 1)))
model.add(Conv2D(filters=2, kernel_size=(5, 5), padding='Same', activation='relu'))
model.add(MaxPool2D(pool_size=(2, 2), strides=(2, 2)))
model.add(BatchNormalization())
model.add(Activation(keras.activations.relu))
model.add(Flatten())
model.add(Dense(units=3, activation="softmax"))
model.compile(optimizer=keras.optimizers.RMSprop(lr=0.001, rho=0.9, epsilon=1e-08, decay=0.0), loss="categorical_crossentropy", metrics=["accuracy"])
ends = []
history = model.fit(X, Y, 20, 2, 2, [LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(logs['acc']))], 0.1)
assert len(ends) == 2
results = np.argmax(model.predict(X), axis=1)
results = pd.Series(results, name="Label")
score = model.evaluate(X, Y, 20, 0)
assert abs(score[1] - (results.values == Y.argmax(1)).mean()) < 1e-6
simple = Sequential([Dense(3, input_shape=(64,)), Activation('softmax')])
simple.compile('adam', ['categorical_crossentropy'], ['accuracy'])
simple.fit(frame.drop('label', axis=1) / 255., Y, epochs=1, verbose=0)
assert simple.predict(frame.drop('label', axis=1)).shape == (40, 3)
