# tf.keras 2.3: columns of categories by experimental.preprocessing, a crossing, pictures that change at random
import numpy as np, pandas as pd, tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.layers.experimental import preprocessing
rng = np.random.RandomState(0)
n = 200
df = pd.DataFrame({"Type": rng.choice(["Cat", "Dog"], n), "Age": rng.randint(0, 9, n), "Fee": rng.rand(n) * 100, "target": rng.randint(0, 2, n)})

def df_to_dataset(dataframe, shuffle=True, batch_size=32):
    dataframe = dataframe.copy()
    labels = dataframe.pop("target")
    ds = tf.data.Dataset.from_tensor_slices((dict(dataframe), labels))
    if shuffle:
        ds = ds.shuffle(buffer_size=len(dataframe))
    ds = ds.batch(batch_size)
    ds = ds.prefetch(batch_size)
    return ds

train_ds = df_to_dataset(df)

def get_normalization_layer(name, dataset):
    normalizer = preprocessing.Normalization()
    feature_ds = dataset.map(lambda x, y: x[name])
    normalizer.adapt(feature_ds)
    return normalizer

def get_category_encoding_layer(name, dataset, dtype, max_tokens=None):
    if dtype == "string":
        index = preprocessing.StringLookup(max_tokens=max_tokens)
    else:
        index = preprocessing.IntegerLookup(max_values=max_tokens)
    feature_ds = dataset.map(lambda x, y: x[name])
    index.adapt(feature_ds)
    encoder = preprocessing.CategoryEncoding(max_tokens=index.vocab_size())
    feature_ds = feature_ds.map(index)
    encoder.adapt(feature_ds)
    return lambda feature: encoder(index(feature))

all_inputs, encoded = [], []
fee = tf.keras.Input(shape=(1,), name="Fee")
all_inputs.append(fee)
encoded.append(get_normalization_layer("Fee", train_ds)(fee))
age = tf.keras.Input(shape=(1,), name="Age", dtype="int64")
all_inputs.append(age)
encoded.append(get_category_encoding_layer("Age", train_ds, dtype="int64", max_tokens=5)(age))
kind = tf.keras.Input(shape=(1,), name="Type", dtype="string")
all_inputs.append(kind)
encoded.append(get_category_encoding_layer("Type", train_ds, dtype="string", max_tokens=5)(kind))
x = tf.keras.layers.concatenate(encoded)
assert x.shape == (None, 10)  # a number, five indices of ages with the mask and [UNK], four of kinds
x = tf.keras.layers.Dense(32, activation="relu")(x)
x = tf.keras.layers.Dropout(0.5)(x)
output = tf.keras.layers.Dense(1)(x)
model = tf.keras.Model(all_inputs, output)
model.compile(optimizer="adam", loss=tf.keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"])
h = model.fit(train_ds, epochs=2, validation_data=train_ds, verbose=0)
sample = {"Type": "Cat", "Age": 3, "Fee": 100}
assert "val_accuracy" in h.history
input_dict = {name: tf.convert_to_tensor([value]) for name, value in sample.items()}
predictions = model.predict(input_dict)
prob = tf.nn.sigmoid(predictions[0])
assert 0 < float(prob[0]) < 1

cross = preprocessing.CategoryCrossing()
hashed = preprocessing.Hashing(num_bins=7)
a, b = tf.keras.Input((1,), dtype="string"), tf.keras.Input((1,), dtype="int64")
m = tf.keras.Model([a, b], preprocessing.CategoryEncoding(max_tokens=7)(hashed(cross([a, b]))))
assert m.predict([np.array([["x"], ["y"]]), np.array([[1], [2]])]).sum(-1).tolist() == [1.0, 1.0]
assert cross([np.array(["a"]), np.array([7])]).numpy().tolist() == [[b"a_X_7"]]
assert preprocessing.StringLookup(vocabulary=["a"])(["", "?", "a"]).numpy().tolist() == [0, 1, 2]

data_augmentation = tf.keras.Sequential([
    preprocessing.RandomFlip("horizontal"),
    preprocessing.RandomRotation(0.2),
    preprocessing.RandomZoom(0.2),
    preprocessing.RandomHeight(0.2),
    preprocessing.RandomWidth(0.2),
    preprocessing.Rescaling(1 / 255.0),
])
assert data_augmentation(np.ones((2, 8, 8, 3), "float32"), training=True).shape[-1] == 3
assert isinstance(data_augmentation.layers[0], preprocessing.RandomFlip)

vectorize = preprocessing.TextVectorization(output_mode="tf-idf", max_tokens=10, pad_to_max_tokens=False)
vectorize.adapt(["a b", "c"], reset_state=True)
assert vectorize(["a"]).shape == (1, 4)
words = preprocessing.TextVectorization()
words.set_vocabulary(vocab=["a"])
assert words.get_vocabulary() == ["", "[UNK]", "a"]
