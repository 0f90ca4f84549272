# tf.keras: the autoregressive forecast of the time series tutorial: an LSTMCell in an RNN with warmup, WindowGenerator with split_window in map
import numpy as np
import pandas as pd
import tensorflow as tf

tf.keras.utils.set_random_seed(0)
t = np.arange(300)
df = pd.DataFrame({"T": np.sin(t / 8), "p": np.cos(t / 5), "day": (t % 24) / 24}).astype("float32")
train_df, val_df, test_df = df[:200], df[200:250], df[250:]
num_features = df.shape[1]


class WindowGenerator():
    def __init__(self, input_width, label_width, shift, train_df=train_df, val_df=val_df, test_df=test_df,
                 label_columns=None):
        self.train_df, self.val_df, self.test_df = train_df, val_df, test_df
        self.label_columns = label_columns
        if label_columns is not None:
            self.label_columns_indices = {name: i for i, name in enumerate(label_columns)}
        self.column_indices = {name: i for i, name in enumerate(train_df.columns)}
        self.input_width, self.label_width, self.shift = input_width, label_width, shift
        self.total_window_size = input_width + shift
        self.input_slice = slice(0, input_width)
        self.label_start = self.total_window_size - self.label_width
        self.labels_slice = slice(self.label_start, None)

    def split_window(self, features):
        inputs = features[:, self.input_slice, :]
        labels = features[:, self.labels_slice, :]
        if self.label_columns is not None:
            labels = tf.stack([labels[:, :, self.column_indices[name]] for name in self.label_columns], axis=-1)
        inputs.set_shape([None, self.input_width, None])
        labels.set_shape([None, self.label_width, None])
        return inputs, labels

    def make_dataset(self, data):
        data = np.array(data, dtype=np.float32)
        ds = tf.keras.utils.timeseries_dataset_from_array(
            data=data, targets=None, sequence_length=self.total_window_size, sequence_stride=1, shuffle=True,
            batch_size=32)
        ds = ds.map(self.split_window)
        return ds

    @property
    def train(self):
        return self.make_dataset(self.train_df)

    @property
    def val(self):
        return self.make_dataset(self.val_df)

    @property
    def example(self):
        result = getattr(self, "_example", None)
        if result is None:
            result = next(iter(self.train))
            self._example = result
        return result


OUT_STEPS = 5
multi_window = WindowGenerator(input_width=12, label_width=OUT_STEPS, shift=OUT_STEPS)
assert multi_window.train.element_spec[0].shape.as_list()[1:] == [12, 3]


class FeedBack(tf.keras.Model):
    def __init__(self, units, out_steps):
        super().__init__()
        self.out_steps = out_steps
        self.units = units
        self.lstm_cell = tf.keras.layers.LSTMCell(units)
        self.lstm_rnn = tf.keras.layers.RNN(self.lstm_cell, return_state=True)
        self.dense = tf.keras.layers.Dense(num_features)

    def warmup(self, inputs):
        x, *state = self.lstm_rnn(inputs)
        prediction = self.dense(x)
        return prediction, state

    def call(self, inputs, training=None):
        predictions = []
        prediction, state = self.warmup(inputs)
        predictions.append(prediction)
        for n in range(1, self.out_steps):
            x = prediction
            x, state = self.lstm_cell(x, states=state, training=training)
            prediction = self.dense(x)
            predictions.append(prediction)
        predictions = tf.stack(predictions)
        predictions = tf.transpose(predictions, [1, 0, 2])
        return predictions


feedback_model = FeedBack(units=8, out_steps=OUT_STEPS)
prediction, state = feedback_model.warmup(multi_window.example[0])
assert prediction.shape == (32, 3) and len(state) == 2
assert feedback_model(multi_window.example[0]).shape == (32, OUT_STEPS, 3)
early_stopping = tf.keras.callbacks.EarlyStopping(monitor="val_loss", patience=2, mode="min")
feedback_model.compile(loss=tf.keras.losses.MeanSquaredError(), optimizer=tf.keras.optimizers.Adam(0.01),
                       metrics=[tf.keras.metrics.MeanAbsoluteError()])
history = feedback_model.fit(multi_window.train, epochs=3, validation_data=multi_window.val,
                             callbacks=[early_stopping], verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]
performance = feedback_model.evaluate(multi_window.val, verbose=0, return_dict=True)
assert set(performance) == {"loss", "mean_absolute_error"}


class ResidualWrapper(tf.keras.Model):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def call(self, inputs, *args, **kwargs):
        delta = self.model(inputs, *args, **kwargs)
        return inputs + delta


wide = WindowGenerator(input_width=12, label_width=12, shift=1)
residual = ResidualWrapper(tf.keras.Sequential([
    tf.keras.layers.LSTM(8, return_sequences=True),
    tf.keras.layers.Dense(num_features, kernel_initializer=tf.initializers.zeros())]))
residual.compile(loss="mse", optimizer="adam")
assert residual.fit(wide.train, epochs=1, verbose=0).history["loss"][0] < 1
print("feedback")
