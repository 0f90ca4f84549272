# Keras 1 and 2: net2net, weights=[...] given to layers, teacher and student, layer weights moved by hand
from __future__ import print_function
import numpy as np
from keras.models import Sequential
from keras.layers import Conv2D, MaxPooling2D, Dense, Flatten
from keras.optimizers import SGD
from keras.datasets import mnist
import keras

(x_train, y_train), _ = mnist.load_data()


def preprocess_input(x):
    return x.astype('float32').reshape((-1, 28, 28, 1)) / 255


x = preprocess_input(x_train[:128])
y = keras.utils.to_categorical(y_train[:128])


def wider2net_fc(teacher_w1, teacher_b1, teacher_w2, new_width):
    np.random.seed(1)
    n = new_width - teacher_w1.shape[1]
    index = np.random.randint(teacher_w1.shape[1], size=n)
    factors = np.bincount(index)[index] + 1.
    student_w1 = np.concatenate((teacher_w1, teacher_w1[:, index]), axis=1)
    student_b1 = np.concatenate((teacher_b1, teacher_b1[index]), axis=0)
    new_w2 = teacher_w2[index, :] / factors[:, np.newaxis]
    student_w2 = np.concatenate((teacher_w2, new_w2), axis=0)
    student_w2[index, :] = new_w2
    return student_w1, student_b1, student_w2


teacher = Sequential()
teacher.add(Conv2D(3, 3, input_shape=(28, 28, 1), padding='same', name='conv1'))
teacher.add(MaxPooling2D(2, name='pool1'))
teacher.add(Flatten(name='flatten'))
teacher.add(Dense(8, activation='relu', name='fc1'))
teacher.add(Dense(10, activation='softmax', name='fc2'))
teacher.compile(loss='categorical_crossentropy', optimizer=SGD(lr=0.01, momentum=0.9), metrics=['accuracy'])
teacher.fit(x, y, epochs=1, verbose=0)

w1, b1 = teacher.get_layer('fc1').get_weights()
w2, b2 = teacher.get_layer('fc2').get_weights()
new_w1, new_b1, new_w2 = wider2net_fc(w1, b1, w2, 12)
student = Sequential()
student.add(Conv2D(3, 3, input_shape=(28, 28, 1), padding='same', name='conv1',
                   weights=teacher.get_layer('conv1').get_weights()))
student.add(MaxPooling2D(2, name='pool1'))
student.add(Flatten(name='flatten'))
student.add(Dense(12, activation='relu', name='fc1', weights=[new_w1, new_b1]))
student.add(Dense(10, activation='softmax', name='fc2'))
student.get_layer('fc2').set_weights([new_w2, b2])
for layer in student.layers:
    print(layer.name, [w.shape for w in layer.get_weights()])
assert np.allclose(teacher.predict(x), student.predict(x), atol=1e-5)
student.compile(loss='categorical_crossentropy', optimizer=SGD(lr=0.001, momentum=0.9), metrics=['accuracy'])
h = student.fit(x, y, epochs=1, validation_data=(x, y), verbose=0)
assert 'val_acc' in h.history
# deeper: an identity layer leaves the function as it is
deeper = Sequential()
deeper.add(Dense(6, input_dim=4, activation='relu'))
before = deeper.predict(np.eye(4))
deeper.add(Dense(6, init='identity', activation='relu', name='fc_deeper'))
assert np.allclose(before, deeper.predict(np.eye(4)))
