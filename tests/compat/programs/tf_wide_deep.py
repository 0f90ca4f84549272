# tf.keras 2: wide and deep, two inputs: columns of a table through preprocessing layers, and the functional interface
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

rng = np.random.RandomState(0)
rows = 240
ages = rng.randint(18, 80, (rows, 1)).astype('float32')
incomes = rng.lognormal(10, 0.5, (rows, 1)).astype('float32')
jobs = rng.choice(['nurse', 'baker', 'pilot', 'clerk'], (rows, 1))
codes = rng.randint(1, 6, (rows, 1)).astype('int64')
target = ((ages > 45) ^ (jobs == 'pilot')).astype('float32')
frame = {'age': ages, 'income': incomes, 'job': jobs, 'code': codes}

tf.random.set_seed(1)
dataset = tf.data.Dataset.from_tensor_slices((frame, target)).shuffle(rows, seed=3).batch(24).prefetch(tf.data.AUTOTUNE)


def numeric(name):
    layer = layers.Normalization(axis=None)
    layer.adapt(dataset.map(lambda x, y: x[name]))
    return layer


def category(name, dtype):
    index = layers.StringLookup() if dtype == 'string' else layers.IntegerLookup()
    index.adapt(dataset.map(lambda x, y: x[name]))
    return index, layers.CategoryEncoding(num_tokens=index.vocabulary_size(), output_mode='one_hot')


inputs, deep, wide, indices = {}, [], [], {}
for name in ('age', 'income'):
    inputs[name] = keras.Input(shape=(1,), name=name)
    deep.append(numeric(name)(inputs[name]))
for name, dtype in (('job', 'string'), ('code', 'int64')):
    inputs[name] = keras.Input(shape=(1,), name=name, dtype=dtype)
    index, encode = category(name, dtype)
    indices[name] = index(inputs[name])
    wide.append(encode(indices[name]))
buckets = layers.Discretization(bin_boundaries=[30., 45., 60.])(inputs['age'])
wide.append(layers.CategoryEncoding(num_tokens=4, output_mode='one_hot')(buckets))
crossed = layers.HashedCrossing(num_bins=32, output_mode='one_hot')((inputs['job'], tf.cast(buckets, tf.int64)))
wide.append(crossed)
embedded = layers.Flatten()(layers.Embedding(6, 3)(indices['job']))
deep = layers.concatenate(deep + [embedded])
for units in (16, 8):
    deep = layers.Dense(units, activation='relu')(deep)
both = layers.concatenate([layers.concatenate(wide), deep])
output = layers.Dense(1, activation='sigmoid', name='bought')(both)
model = keras.Model(inputs, output, name='wide_and_deep')
model.compile(optimizer=keras.optimizers.Adam(0.02), loss='binary_crossentropy', metrics=['accuracy'])
history = model.fit(dataset, epochs=8, validation_data=dataset, verbose=0)
assert history.history['val_accuracy'][-1] > 0.85, history.history
model.save('wide.keras')
again = keras.models.load_model('wide.keras')
sample = {'age': 60., 'income': 30000., 'job': 'baker', 'code': 2}
rows = {name: tf.convert_to_tensor([value]) for name, value in sample.items()}
assert np.allclose(model.predict(rows, verbose=0), again.predict(rows, verbose=0), atol=1e-6)
assert float(tf.squeeze(again.predict(rows, verbose=0))) > 0.5

try:
    keras.experimental.WideDeepModel(None, None)
    raise SystemExit('WideDeepModel is there')
except NotImplementedError as error:
    assert 'keras.layers.add' in str(error), error
