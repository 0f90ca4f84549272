# tf.keras: basic regression; a data frame, get_dummies, Normalization adapted to it, a linear model and a deep one, saved and loaded
import numpy as np
import pandas as pd
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

tf.random.set_seed(4)
rng = np.random.default_rng(4)
n = 400
raw = pd.DataFrame({"Cylinders": rng.choice([4, 6, 8], n), "Horsepower": rng.normal(105, 35, n), "Origin": rng.integers(1, 4, n)})
raw["MPG"] = 40 - 2 * raw.Cylinders - 0.05 * raw.Horsepower + rng.normal(0, 0.5, n)
dataset = raw.copy()
dataset["Origin"] = dataset["Origin"].map({1: "USA", 2: "Europe", 3: "Japan"})
dataset = pd.get_dummies(dataset, columns=["Origin"], prefix="", prefix_sep="")
train_dataset = dataset.sample(frac=0.8, random_state=0)
test_dataset = dataset.drop(train_dataset.index)
train_features, test_features = train_dataset.copy(), test_dataset.copy()
train_labels, test_labels = train_features.pop("MPG"), test_features.pop("MPG")

normalizer = tf.keras.layers.Normalization(axis=-1)
normalizer.adapt(np.array(train_features).astype(np.float32))
horsepower = np.array(train_features["Horsepower"])
horsepower_normalizer = layers.Normalization(input_shape=[1], axis=None)
horsepower_normalizer.adapt(horsepower)
horsepower_model = tf.keras.Sequential([horsepower_normalizer, layers.Dense(units=1)])
horsepower_model.compile(optimizer=tf.keras.optimizers.Adam(learning_rate=0.1), loss="mean_absolute_error")
assert horsepower_model.predict(horsepower[:10]).shape == (10, 1)
horsepower_model.fit(train_features["Horsepower"], train_labels, epochs=30, verbose=0, validation_split=0.2)


def build_and_compile_model(norm):
    model = keras.Sequential([norm, layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu"), layers.Dense(1)])
    model.compile(loss="mean_absolute_error", optimizer=tf.keras.optimizers.Adam(0.01))
    return model


dnn_model = build_and_compile_model(normalizer)
train = np.array(train_features).astype(np.float32)
test = np.array(test_features).astype(np.float32)
dnn_model.fit(train, train_labels, validation_split=0.2, verbose=0, epochs=40)
error = dnn_model.evaluate(test, test_labels, verbose=0)
assert error < 1.5 < horsepower_model.evaluate(test_features["Horsepower"], test_labels, verbose=0)
dnn_model.save("dnn_model.keras")
reloaded = tf.keras.models.load_model("dnn_model.keras")
assert abs(reloaded.evaluate(test, test_labels, verbose=0) - error) < 1e-5
