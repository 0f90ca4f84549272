# Keras 2: fit_generator with steps, Sequence of one's own, evaluate_generator, predict_generator, class_weight, sample_weight
import numpy as np
import keras
from keras.utils import Sequence
from keras.models import Sequential
from keras.layers import Dense

np.random.seed(0)
X = np.random.rand(45, 3)
Y = (X[:, 0] > 0.5).astype('float32')


class Batches(Sequence):
    def __init__(self, x_set, y_set, batch_size):
        self.x, self.y = x_set, y_set
        self.batch_size = batch_size
        self.ended = 0

    def __len__(self):
        return int(np.ceil(len(self.x) / float(self.batch_size)))

    def __getitem__(self, idx):
        batch_x = self.x[idx * self.batch_size:(idx + 1) * self.batch_size]
        batch_y = self.y[idx * self.batch_size:(idx + 1) * self.batch_size]
        return np.array(batch_x), np.array(batch_y)

    def on_epoch_end(self):
        self.ended += 1


def forever():
    while True:
        for i in range(0, 45, 15):
            yield X[i:i + 15], Y[i:i + 15]


model = Sequential([Dense(1, activation='sigmoid', input_shape=(3,))])
model.compile('sgd', 'binary_crossentropy', metrics=['acc'])
batches = Batches(X, Y, 10)
h = model.fit_generator(batches, epochs=2, verbose=1, workers=2, use_multiprocessing=False, validation_data=batches, max_queue_size=5, shuffle=False)
assert batches.ended >= 2
h = model.fit_generator(generator=forever(), steps_per_epoch=3, epochs=2, validation_data=(X, Y), validation_steps=2, class_weight={0: 1., 1: 2.}, verbose=2)
assert len(h.history['val_acc']) == 2
score = model.evaluate_generator(batches, steps=5)
assert np.allclose(score, model.evaluate(X, Y, verbose=0), atol=1e-5), (score, model.evaluate(X, Y, verbose=0))
p = model.predict_generator(batches, steps=len(batches), verbose=1)
assert np.allclose(p, model.predict(X), atol=1e-6)
weighted = model.evaluate(X, Y, sample_weight=np.where(Y == 1, 3.0, 0.0), verbose=0)[0]
# Keras 2 divided the loss of a batch (of 32 and 13 rows) by the fraction of its weights that are not 0
parts = [(-3 * np.log(p[i][Y[i] == 1])).mean() * len(Y[i]) for i in (slice(32), slice(32, 45))]
assert abs(weighted - sum(parts) / 45) < 1e-4, weighted
model.fit(X, Y, sample_weight=np.ones(45), class_weight='auto' if False else {0: 1, 1: 5}, epochs=1, verbose=0)
