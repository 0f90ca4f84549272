# Keras 3: structured data with FeatureSpace, a data frame with text, tf.data, a model to train and one for inference
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras.utils import FeatureSpace

keras.utils.set_random_seed(3)
rng = np.random.default_rng(3)
n = 400
dataframe = pd.DataFrame({
    "age": rng.integers(20, 80, n),
    "sex": rng.integers(0, 2, n),
    "chol": rng.normal(200, 30, n),
    "thal": rng.choice(["fixed", "normal", "reversible"], n),
})
dataframe["target"] = ((dataframe.age > 50) & (dataframe.thal != "normal")).astype(int)
val_dataframe = dataframe.sample(frac=0.2, random_state=1337)
train_dataframe = dataframe.drop(val_dataframe.index)


def dataframe_to_dataset(dataframe):
    dataframe = dataframe.copy()
    labels = dataframe.pop("target")
    ds = tf.data.Dataset.from_tensor_slices((dict(dataframe), labels))
    return ds.shuffle(buffer_size=len(dataframe))


train_ds = dataframe_to_dataset(train_dataframe).batch(32)
val_ds = dataframe_to_dataset(val_dataframe).batch(32)
feature_space = FeatureSpace(
    features={
        "sex": "integer_categorical",
        "thal": "string_categorical",
        "age": FeatureSpace.float_discretized(num_bins=12),
        "chol": "float_normalized",
    },
    crosses=[("thal", "age")],
    crossing_dim=32,
    output_mode="concat",
)
feature_space.adapt(train_ds.map(lambda x, _: x))
for x, _ in train_ds.take(1):
    preprocessed_x = feature_space(x)
    assert preprocessed_x.dtype == tf.float32 and preprocessed_x.shape[0] == 32

preprocess = lambda x, y: (feature_space(x), y)
preprocessed_train_ds = train_ds.map(preprocess, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
preprocessed_val_ds = val_ds.map(preprocess, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
dict_inputs = feature_space.get_inputs()
encoded_features = feature_space.get_encoded_features()
x = keras.layers.Dense(32, activation="relu")(encoded_features)
predictions = keras.layers.Dense(1, activation="sigmoid")(x)
training_model = keras.Model(inputs=encoded_features, outputs=predictions)
training_model.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
inference_model = keras.Model(inputs=dict_inputs, outputs=predictions)
history = training_model.fit(preprocessed_train_ds, epochs=10, validation_data=preprocessed_val_ds, verbose=2)
assert history.history["val_accuracy"][-1] > 0.85

sample = {"age": 70, "sex": 1, "chol": 200.0, "thal": "fixed"}
input_dict = {name: keras.ops.convert_to_tensor([value]) for name, value in sample.items()}
assert inference_model.predict(input_dict)[0][0] > 0.5
sample["thal"] = "normal"
input_dict = {name: keras.ops.convert_to_tensor([value]) for name, value in sample.items()}
assert inference_model.predict(input_dict)[0][0] < 0.5
