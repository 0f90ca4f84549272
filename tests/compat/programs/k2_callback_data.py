# Keras 2: self.validation_data in callbacks, params, logs of batches (size, batch), val_acc in a checkpoint's name, period, set_model
import glob
import numpy as np
from keras.callbacks import Callback, ModelCheckpoint, LearningRateScheduler, ReduceLROnPlateau, History, TensorBoard, ProgbarLogger
from keras.models import Sequential
from keras.layers import Dense
from keras import backend as K

x = np.random.rand(60, 4)
y = (x.sum(1) > 2).astype(int)


class Metrics(Callback):
    def on_train_begin(self, logs={}):
        self.val_recalls = []
        self.sizes = []

    def on_batch_end(self, batch, logs={}):
        self.sizes.append(logs.get('size'))

    def on_epoch_end(self, epoch, logs={}):
        val_predict = (np.asarray(self.model.predict(self.validation_data[0]))).round()
        val_targ = self.validation_data[1]
        self.val_recalls.append(((val_predict == 1) & (val_targ == 1)).sum() / max(val_targ.sum(), 1))
        assert len(val_targ) == 15 and 'val_acc' in logs


model = Sequential([Dense(1, activation='sigmoid', input_dim=4)])
model.compile('adam', 'binary_crossentropy', metrics=['accuracy'])
metrics = Metrics()
model.fit(x, y, batch_size=20, epochs=4, validation_split=0.25, verbose=0, callbacks=[
    metrics,
    ModelCheckpoint('w-{epoch:02d}-{val_acc:.4f}.hdf5', monitor='val_acc', period=2),
    ModelCheckpoint(filepath='best-{val_loss:.2f}.h5', save_best_only=True, save_weights_only=True),
    LearningRateScheduler(lambda epoch: 1e-3 * 0.9 ** epoch),
    ReduceLROnPlateau(monitor='val_acc', patience=3, verbose=1, factor=0.5, min_lr=0.00001),
    TensorBoard(log_dir='./logs', histogram_freq=0, write_graph=True, write_images=False)])
assert len(metrics.val_recalls) == 4
assert metrics.sizes[:3] == [20, 20, 5] and len(metrics.sizes) == 12, metrics.sizes
names = sorted(glob.glob('w-*.hdf5'))
assert [name[:5] for name in names] == ['w-02-', 'w-04-'], names
assert glob.glob('best-*.h5') and glob.glob('logs/*')
