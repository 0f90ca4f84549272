# Keras 2: model.add_loss beside compile's loss, add_metric-free, targets as inputs, multiply by layers, shared Embedding centers, K.stop_gradient
import numpy as np
from keras.layers import Input, Dense, Embedding, Lambda, Flatten
from keras.models import Model
from keras import backend as K
import keras.losses

image, label = Input(shape=(12,)), Input(shape=(1,))
features = Dense(2, activation='linear', name='features')(image)
probabilities = Dense(3, activation='softmax', name='out')(features)
centers = Embedding(3, 2)(label)
distance = Lambda(lambda x: K.sum(K.square(x[0] - x[1][:, 0]), 1, keepdims=True), name='l2_loss')([features, centers])
model = Model(inputs=[image, label], outputs=[probabilities, distance])
model.compile(optimizer='sgd', loss=['sparse_categorical_crossentropy', lambda y_true, y_pred: y_pred], loss_weights=[1, 0.2], metrics={'out': 'accuracy'})
x, y = np.random.rand(30, 12), np.random.randint(0, 3, 30)
model.fit([x, y], [y, np.random.rand(30, 1)], epochs=1, batch_size=10, verbose=0)
total = model.evaluate([x, y], [y, np.zeros((30, 1))], verbose=0, batch_size=30)
p, d = model.predict([x, y])
assert abs(total[2] - d.mean()) < 1e-4 and abs(total[0] - total[1] - 0.2 * total[2]) < 1e-4

plain = Model(image, probabilities)
penalty = K.mean(K.square(features))
plain.add_loss(0.5 * penalty)
plain.compile('sgd', 'sparse_categorical_crossentropy')
loss = plain.evaluate(x, y, verbose=0, batch_size=30)
f = Model(image, features).predict(x)
expected = -np.log(plain.predict(x)[np.arange(30), y]).mean() + 0.5 * (f ** 2).mean()
assert abs(loss - expected) < 1e-4, (loss, expected)
