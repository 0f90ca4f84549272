# Keras 2: k-fold by hand with a model built in a function, K.clear_session, boston-like regression, mae history, np.mean over folds
import numpy as np
from keras import models, layers, regularizers
from keras import backend as K

np.random.seed(4)
train_data = np.random.rand(60, 13)
train_targets = train_data.dot(np.arange(13.)) / 10
mean = train_data.mean(axis=0)
train_data -= mean
std = train_data.std(axis=0)
train_data /= std


def build_model():
    model = models.Sequential()
    model.add(layers.Dense(8, activation='relu', kernel_regularizer=regularizers.l2(0.001), input_shape=(train_data.shape[1],)))
    model.add(layers.Dense(1))
    model.compile(optimizer='rmsprop', loss='mse', metrics=['mae'])
    return model


k = 3
num_val_samples = len(train_data) // k
num_epochs = 3
all_mae_histories = []
for i in range(k):
    print('processing fold #', i)
    val_data = train_data[i * num_val_samples: (i + 1) * num_val_samples]
    val_targets = train_targets[i * num_val_samples: (i + 1) * num_val_samples]
    partial = np.concatenate([train_data[:i * num_val_samples], train_data[(i + 1) * num_val_samples:]], axis=0)
    targets = np.concatenate([train_targets[:i * num_val_samples], train_targets[(i + 1) * num_val_samples:]], axis=0)
    K.clear_session()
    model = build_model()
    history = model.fit(partial, targets, validation_data=(val_data, val_targets), epochs=num_epochs, batch_size=10, verbose=0)
    all_mae_histories.append(history.history['val_mean_absolute_error'])
    assert history.history['val_mae'] == history.history['val_mean_absolute_error']
    assert model.layers[0].name == 'dense_1' or model.layers[0].name == 'dense'
average = [np.mean([x[i] for x in all_mae_histories]) for i in range(num_epochs)]
val_mse, val_mae = model.evaluate(val_data, val_targets, verbose=0)
assert len(average) == 3 and average[-1] < average[0]
assert abs(val_mae - np.abs(model.predict(val_data).ravel() - val_targets).mean()) < 1e-4
