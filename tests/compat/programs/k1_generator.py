# Keras 1: fit_generator(samples_per_epoch=, nb_epoch=, nb_val_samples=), evaluate_generator(val_samples=), predict_generator
import numpy as np
from keras.models import Sequential
from keras.layers.core import Dense, Activation
from keras.callbacks import Callback, LambdaCallback

np.random.seed(2)
seen = []


def batches(size):
    while 1:
        x = np.random.rand(size, 6)
        seen.append(size)
        yield x, (x.sum(axis=1) > 3).astype('float32').reshape(-1, 1)


class LossHistory(Callback):
    def on_train_begin(self, logs={}):
        self.losses = []

    def on_batch_end(self, batch, logs={}):
        self.losses.append(logs.get('loss'))


model = Sequential([Dense(4, input_dim=6), Activation('tanh'), Dense(1), Activation('sigmoid')])
model.compile('adam', 'binary_crossentropy', metrics=['accuracy'])
losses = LossHistory()
ends = []
h = model.fit_generator(batches(10), samples_per_epoch=50, nb_epoch=3, verbose=0, callbacks=[losses, LambdaCallback(
    on_epoch_end=lambda epoch, logs: ends.append((epoch, [logs['acc'], logs['val_acc'], logs['loss'], logs['val_loss']])))],
    validation_data=batches(5), nb_val_samples=10, nb_worker=1, max_q_size=2)
assert len(losses.losses) == 15, len(losses.losses)
assert all(isinstance(float(one), float) for one in losses.losses)
assert ends[-1][0] == 2 and len(ends[-1][1]) == 4, ends
score = model.evaluate_generator(batches(10), val_samples=20)
assert len(score) == 2
assert model.predict_generator(((x for x in [np.ones((4, 6))] * 3)), val_samples=12).shape == (12, 1)
