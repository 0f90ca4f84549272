# tf.keras: time series forecasting, timeseries_dataset_from_array for windows and targets, LSTM, EarlyStopping, take(), windows by hand
import numpy as np
import tensorflow as tf
from tensorflow import keras

np.random.seed(2)
tf.random.set_seed(2)

# "Weather" by the hour: a day's and a slow wave, a second series that runs ahead of the first, and noise
hours = np.arange(1600)
pressure = np.sin(2 * np.pi * (hours + 6) / 24) + 0.1 * np.random.randn(1600)
temperature = 10 + 5 * np.sin(2 * np.pi * hours / 24) + np.sin(2 * np.pi * hours / 200) + 0.2 * np.random.randn(1600)
features = np.stack([temperature, pressure], axis=1).astype('float32')

split_fraction = 0.75
train_split = int(split_fraction * features.shape[0])
step = 2
past = 48
future = 6
batch_size = 64
epochs = 6


def normalize(data, train_split):
    data_mean = data[:train_split].mean(axis=0)
    data_std = data[:train_split].std(axis=0)
    return (data - data_mean) / data_std


features = normalize(features, train_split)
train_data = features[:train_split]
val_data = features[train_split:]

start = past + future
end = start + train_split
x_train = train_data
y_train = features[start:end, 0]
sequence_length = int(past / step)

dataset_train = keras.preprocessing.timeseries_dataset_from_array(
    x_train,
    y_train,
    sequence_length=sequence_length,
    sampling_rate=step,
    batch_size=batch_size,
)
x_end = len(val_data) - past - future
label_start = train_split + past + future
x_val = val_data[:x_end]
y_val = features[label_start:, 0]
dataset_val = tf.keras.preprocessing.timeseries_dataset_from_array(
    x_val, y_val, sequence_length=sequence_length, sampling_rate=step, batch_size=batch_size)

for batch in dataset_train.take(1):
    inputs, targets = batch
print("Input shape:", inputs.numpy().shape)
print("Target shape:", targets.numpy().shape)
assert inputs.shape == (64, 24, 2) and targets.shape == (64,)
assert np.allclose(inputs.numpy()[3, :, 0], features[3:51:2, 0])
assert np.allclose(targets.numpy()[3], features[3 + 54, 0])

inputs = keras.layers.Input(shape=(inputs.shape[1], inputs.shape[2]))
lstm_out = keras.layers.LSTM(16)(inputs)
outputs = keras.layers.Dense(1)(lstm_out)
model = keras.Model(inputs=inputs, outputs=outputs)
model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01), loss="mse")
model.summary()

path_checkpoint = "model_checkpoint.h5"
es_callback = keras.callbacks.EarlyStopping(monitor="val_loss", min_delta=0, patience=5)
modelckpt_callback = keras.callbacks.ModelCheckpoint(
    monitor="val_loss", filepath=path_checkpoint, verbose=1, save_weights_only=True, save_best_only=True)
history = model.fit(
    dataset_train,
    epochs=epochs,
    validation_data=dataset_val,
    callbacks=[es_callback, modelckpt_callback],
    verbose=2,
)
assert min(history.history["val_loss"]) < 0.2, history.history
for x, y in dataset_val.take(2):
    print(model.predict(x)[0], y[0].numpy())

# windows by hand, and a forecast of several hours by Dense(horizon)
def windows(series, length, horizon):
    x, y = [], []
    for i in range(len(series) - length - horizon):
        x.append(series[i:i + length])
        y.append(series[i + length:i + length + horizon, 0])
    return np.array(x), np.array(y)


x, y = windows(train_data, 24, 4)
assert x.shape == (1172, 24, 2) and y.shape == (1172, 4)
model = tf.keras.models.Sequential([
    tf.keras.layers.LSTM(16, return_sequences=True, input_shape=x.shape[-2:]),
    tf.keras.layers.LSTM(8, activation='relu'),
    tf.keras.layers.Dense(4),
])
model.compile(optimizer=tf.keras.optimizers.RMSprop(clipvalue=1.0, learning_rate=0.005), loss='mae')
history = model.fit(x, y, batch_size=64, epochs=5, verbose=0, validation_split=0.1)
assert history.history['val_loss'][-1] < 0.45, history.history
