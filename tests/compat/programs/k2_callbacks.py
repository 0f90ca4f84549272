# Keras 2: ModelCheckpoint with epoch and metric in the name, EarlyStopping(val_acc), ReduceLROnPlateau, schedules, CSVLogger
import glob
import math
import numpy as np
from keras.models import Sequential, load_model
from keras.layers import Dense
from keras.callbacks import (Callback, CSVLogger, EarlyStopping, History, LambdaCallback, LearningRateScheduler,
                             ModelCheckpoint, ReduceLROnPlateau, TerminateOnNaN)
from keras import backend as K

np.random.seed(1)
x = np.random.rand(80, 5)
y = (x.sum(axis=1) > 2.5).astype(int)


def make():
    model = Sequential()
    model.add(Dense(6, input_dim=5, kernel_initializer='uniform', activation='relu'))
    model.add(Dense(1, activation='sigmoid'))
    model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
    return model


def step_decay(epoch):
    return 0.1 * math.pow(0.5, math.floor((1 + epoch) / 2.0))


class Rates(Callback):
    def __init__(self):
        super(Rates, self).__init__()
        self.rates = []
        self.batches = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.rates.append(float(K.get_value(self.model.optimizer.lr)))

    def on_batch_begin(self, batch, logs={}):
        self.batches += 1

    def on_epoch_end(self, epoch, logs={}):
        assert self.params['epochs'] == 4 or self.params['epochs'] == 50
        assert self.validation_data is None or True


model, rates = make(), Rates()
checkpoint = ModelCheckpoint('weights.{epoch:02d}-{val_loss:.2f}.hdf5', monitor='val_acc', verbose=1, save_best_only=False, mode='max', period=1)
best = ModelCheckpoint('best.h5', monitor='val_acc', verbose=0, save_best_only=True, save_weights_only=True)
model.fit(x, y, validation_split=0.25, epochs=4, batch_size=20, verbose=0,
          callbacks=[LearningRateScheduler(step_decay), rates, checkpoint, best, CSVLogger('log.csv'), TerminateOnNaN()])
assert np.allclose(rates.rates, [step_decay(e) for e in range(4)], atol=1e-6) or np.allclose(rates.rates[1:], [step_decay(e) for e in range(3)], atol=1e-6)
assert rates.batches == 12
files = sorted(glob.glob('weights.*.hdf5'))
assert len(files) == 4 and files[0].startswith('weights.01-'), files
again = load_model(files[-1])
assert np.allclose(again.predict(x), model.predict(x), atol=1e-6)
assert open('log.csv').readline().startswith('epoch,')
model.load_weights('best.h5')

model, rates = make(), Rates()
h = model.fit(x, y, validation_data=(x, y), epochs=50, verbose=0, callbacks=[
    EarlyStopping(monitor='val_acc', min_delta=2.0, patience=2, verbose=1, mode='auto'), rates])
assert len(h.epoch) in (3, 4), h.epoch
model, rates = make(), Rates()
K.set_value(model.optimizer.lr, 1.0)
model.fit(x, y, epochs=4, verbose=0, callbacks=[rates, ReduceLROnPlateau(monitor='loss', factor=0.1, patience=1, epsilon=100., min_lr=0.0)])
assert np.allclose(rates.rates, [1.0, 1.0, 0.1, 0.01], rtol=1e-3), rates.rates
