# Keras 1 and 2: siamese network, Lambda distance, contrastive loss and accuracy with K, create_base_network by Sequential
from __future__ import print_function
import random
import numpy as np
from keras.datasets import mnist
from keras.models import Sequential, Model
from keras.layers import Dense, Dropout, Input, Lambda
from keras.optimizers import RMSprop
from keras import backend as K


def euclidean_distance(vects):
    x, y = vects
    return K.sqrt(K.maximum(K.sum(K.square(x - y), axis=1, keepdims=True), K.epsilon()))


def eucl_dist_output_shape(shapes):
    shape1, shape2 = shapes
    return (shape1[0], 1)


def contrastive_loss(y_true, y_pred):
    margin = 1
    return K.mean(y_true * K.square(y_pred) + (1 - y_true) * K.square(K.maximum(margin - y_pred, 0)))


def accuracy(y_true, y_pred):
    return K.mean(K.equal(y_true, K.cast(y_pred < 0.5, y_true.dtype)))


def compute_accuracy(predictions, labels):
    return labels[predictions.ravel() < 0.5].mean()


def create_base_network(input_dim):
    seq = Sequential()
    seq.add(Dense(16, input_shape=(input_dim,), activation='relu'))
    seq.add(Dropout(0.1))
    seq.add(Dense(16, activation='relu'))
    return seq


(X_train, y_train), _ = mnist.load_data()
X_train = X_train[:300].reshape(300, 784).astype('float32') / 255
pairs, labels = [], []
random.seed(3)
for i in range(300):
    same = [j for j in range(300) if y_train[j] == y_train[i]]
    other = [j for j in range(300) if y_train[j] != y_train[i]]
    pairs += [[X_train[i], X_train[random.choice(same)]], [X_train[i], X_train[random.choice(other)]]]
    labels += [1, 0]
pairs, labels = np.array(pairs), np.array(labels)

input_dim = 784
base_network = create_base_network(input_dim)
input_a = Input(shape=(input_dim,))
input_b = Input(shape=(input_dim,))
processed_a = base_network(input_a)
processed_b = base_network(input_b)
distance = Lambda(euclidean_distance, output_shape=eucl_dist_output_shape)([processed_a, processed_b])
model = Model(input=[input_a, input_b], output=distance)
rms = RMSprop()
model.compile(loss=contrastive_loss, optimizer=rms, metrics=[accuracy])
h = model.fit([pairs[:, 0], pairs[:, 1]], labels, batch_size=60, nb_epoch=3, verbose=0)
pred = model.predict([pairs[:, 0], pairs[:, 1]])
acc = compute_accuracy(pred, labels)
loss, measured = model.evaluate([pairs[:, 0], pairs[:, 1]], labels, batch_size=600, verbose=0)
hand = np.mean(labels * pred.ravel() ** 2 + (1 - labels) * np.maximum(1 - pred.ravel(), 0) ** 2)
print('accuracy %0.2f%%' % (100 * acc))
assert abs(loss - hand) < 1e-5, (loss, hand)
assert abs(measured - np.mean((pred.ravel() < 0.5) == labels)) < 1e-5
assert sorted(h.history) == ['accuracy', 'loss'], sorted(h.history)
assert h.history['loss'][-1] < h.history['loss'][0]
assert model.count_params() == 784 * 16 + 16 + 16 * 16 + 16
