# Keras 2: K.set_image_dim_ordering('th') / set_image_data_format('channels_first') for the whole program, to_categorical from np_utils
import numpy
from keras.datasets import mnist
from keras.models import Sequential
from keras.layers import Dense, Dropout, Flatten
from keras.layers.convolutional import Conv2D, MaxPooling2D
from keras.utils import np_utils
from keras import backend as K
K.set_image_dim_ordering('th')
assert K.image_data_format() == 'channels_first'

seed = 7
numpy.random.seed(seed)
(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_train = X_train[:100].reshape(100, 1, 28, 28).astype('float32') / 255
y_train = np_utils.to_categorical(y_train[:100])
num_classes = y_train.shape[1]


def baseline_model():
    model = Sequential()
    model.add(Conv2D(3, (5, 5), input_shape=(1, 28, 28), activation='relu'))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Dropout(0.2))
    model.add(Flatten())
    model.add(Dense(num_classes, activation='softmax'))
    model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
    return model


model = baseline_model()
model.fit(X_train, y_train, validation_data=(X_train, y_train), epochs=1, batch_size=50, verbose=2)
scores = model.evaluate(X_train, y_train, verbose=0)
print("CNN Error: %.2f%%" % (100 - scores[1] * 100))
assert [l.output_shape for l in model.layers[:2]] == [(None, 3, 24, 24), (None, 3, 12, 12)]
