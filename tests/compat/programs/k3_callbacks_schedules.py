# Keras 3: own callback with every hook, EarlyStopping(restore_best_weights), ModelCheckpoint to .keras, schedules, set_random_seed
import keras
import numpy as np

keras.utils.set_random_seed(812)
a = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)]).get_weights()[0]
keras.utils.set_random_seed(812)
b = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)]).get_weights()[0]
assert np.array_equal(a, b)


class CustomCallback(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append("train begin")

    def on_train_end(self, logs=None):
        self.calls.append("train end")

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append("epoch %d" % epoch)

    def on_epoch_end(self, epoch, logs=None):
        assert "loss" in logs and "val_loss" in logs
        if epoch == 1:
            self.model.stop_training = True

    def on_test_begin(self, logs=None):
        self.calls.append("test begin")

    def on_train_batch_begin(self, batch, logs=None):
        self.calls.append("batch %d" % batch)

    def on_train_batch_end(self, batch, logs=None):
        assert logs["loss"] >= 0

    def on_predict_end(self, logs=None):
        self.calls.append("predict end")


model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
model.compile(optimizer=keras.optimizers.SGD(learning_rate=schedule, momentum=0.9), loss="mean_squared_error", metrics=["mean_absolute_error"])
x, y = np.random.rand(30, 3), np.random.rand(30)
seen = CustomCallback()
h = model.fit(x, y, batch_size=10, epochs=5, verbose=0, callbacks=[seen, keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True, monitor="val_loss")], validation_split=0.5)
assert len(h.epoch) == 2
assert seen.calls.count("test begin") == 2 and seen.calls[0] == "train begin" and seen.calls[-1] == "train end"
assert [c for c in seen.calls if c.startswith("batch")] == ["batch 0", "batch 1"] * 2
model.predict(x, callbacks=[seen], verbose=0)
assert seen.calls[-1] == "predict end"
best = keras.models.load_model("best.keras")
assert abs(best.evaluate(x[15:], y[15:], verbose=0)[0] - min(h.history["val_loss"])) < 1e-5
model.compile(optimizer="sgd", loss="mse")
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=1, restore_best_weights=True, start_from_epoch=0)
h = model.fit(x, y, epochs=9, validation_data=(x, y), verbose=0, callbacks=[stop])
assert len(h.epoch) <= 9 and abs(model.evaluate(x, y, verbose=0) - min(h.history["val_loss"])) < 1e-5
