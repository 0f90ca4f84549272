"""A user's program without a mistake: type checkers find none."""

import numpy as np

import cornu as keras
from cornu.layers import Dense, MaxPool2D

x, y = np.zeros((8, 4)), np.zeros((8, 1))
keras.utils.set_random_seed(1)

model = keras.Sequential([keras.Input(shape=(4,)), Dense(8, activation="relu", input_shape=(4,)), Dense(1, name="out")])
model.add(keras.layers.Dropout(0.5))
model.compile(optimizer=keras.optimizers.Adam(1e-3, clipnorm=1.0), loss="mse", metrics=["mae"])
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=3)
history = model.fit(x, y, epochs=2, batch_size=4, validation_split=0.5, callbacks=[stop], verbose=0)
best = min(history.history["val_loss"])
for epoch, value in zip(history.epoch, history.history["loss"], strict=True):
    print(epoch, value + 1)
scaled = (2 * keras.Variable(x) - 1)[0] / 2 > -keras.Variable(1.0)
loss, error = model.evaluate(x, y, verbose=0)
classes = model.predict(x).argmax(axis=-1)
model.summary()
model.save("model.keras")
keras.models.load_model("model.keras")
assert model.optimizer is not None
model.optimizer.learning_rate = 0.1
for layer in model.layers:
    layer.trainable = False
Dense(1).kernel_regularizer = keras.regularizers.L2(0.01)

inputs = keras.Input((28, 28, 1), name="image")
features = keras.layers.Conv2D(32, (3, 3), strides=2, padding="same", activation=keras.ops.relu)(abs(1 - inputs * 2))
features = keras.layers.Flatten()(MaxPool2D((2, 2))(features))
heads = [keras.layers.Dense(10, kernel_regularizer=keras.regularizers.L2(0.01), name=name)(features) for name in "ab"]
network = keras.Model(inputs=inputs, outputs=heads)
network.compile("sgd", loss={"a": "mse", "b": keras.losses.MeanSquaredError()}, loss_weights=[1, 2])
one, two = network.predict(np.zeros((1, 28, 28, 1)))
(x_train, y_train), _ = keras.datasets.mnist.load_data()
x_train = x_train.reshape(60000, 784).astype("float32") / 255
targets = keras.utils.to_categorical(y_train, 10)


class Scale(keras.layers.Layer):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, shape):
        self.gain = self.add_weight(shape=(shape[-1],), initializer="ones", name="gain")

    def call(self, x, training=None, mask=None):
        return 2 * x * self.gain + keras.backend.epsilon()

    def compute_mask(self, inputs, mask=None):
        return mask

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class Classifier(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(3)

    def call(self, x, training=False):
        return self.hidden(x)

    def train_step(self, data):
        return {"loss": 0.0}


class Counted(keras.metrics.Metric):
    def __init__(self, name="counted", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(1.0)

    def result(self):
        return self.total


class Printer(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print(epoch, logs["loss"], self.model.optimizer.learning_rate)


class Loss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


class Start(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        return np.full(shape, 0.5)


class Penalty(keras.regularizers.Regularizer):
    def __call__(self, weights):
        return 0.1 * keras.ops.sum(weights**2)


class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return keras.ops.minimum(0.1, step / 100)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return np.zeros((2, 4)), np.zeros((2, 1))


Classifier().fit(Batches(), callbacks=[Printer()])
