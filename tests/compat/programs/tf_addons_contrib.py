# tf.keras 2: layers, losses and optimizers of tensorflow_addons and keras_contrib, data of tensorflow_datasets
import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa
import tensorflow_datasets as tfds
from keras_contrib.layers.normalization.instancenormalization import InstanceNormalization

(ds_train, ds_test), ds_info = tfds.load('mnist', split=['train[:1%]', 'test[:50]'], shuffle_files=True,
                                         as_supervised=True, with_info=True)
assert ds_info.features['label'].num_classes == 10 and ds_info.splits['train'].num_examples == 60000


def normalize_img(image, label):
    return tf.cast(image, tf.float32) / 255., tf.one_hot(label, 10)


ds_train = ds_train.map(normalize_img, num_parallel_calls=tf.data.AUTOTUNE).cache().shuffle(600).batch(50)
ds_test = ds_test.map(normalize_img).batch(50)
model = tf.keras.Sequential([
    tf.keras.layers.Conv2D(8, 5, strides=2, activation=tfa.activations.mish, input_shape=(28, 28, 1)),
    InstanceNormalization(axis=-1),
    tf.keras.layers.Conv2D(8, 3, strides=2),
    tfa.layers.GroupNormalization(groups=4, axis=3),
    tf.keras.layers.ReLU(),
    tf.keras.layers.Flatten(),
    tfa.layers.WeightNormalization(tf.keras.layers.Dense(10, activation='sigmoid')),
])
optimizer = tfa.optimizers.Lookahead(tfa.optimizers.AdamW(learning_rate=0.01, weight_decay=1e-5), sync_period=5)
model.compile(optimizer=optimizer, loss=tfa.losses.SigmoidFocalCrossEntropy(),
              metrics=['categorical_accuracy', tfa.metrics.F1Score(num_classes=10, average='macro')])
history = model.fit(ds_train, epochs=4, validation_data=ds_test, verbose=0)
assert history.history['loss'][-1] < 0.5 * history.history['loss'][0], history.history
assert history.history['val_categorical_accuracy'][-1] > 0.6, history.history
assert 0 < history.history['val_f1_score'][-1] <= 1

averaged = tfa.optimizers.SWA(tf.keras.optimizers.SGD(0.1), start_averaging=0, average_period=1)
w = tf.Variable([1.0])
for gradient in (1.0, 1.0):
    averaged.apply_gradients([(tf.constant([gradient]), w)])
averaged.assign_average_vars([w])
assert np.allclose(w.numpy(), [0.85]), w.numpy()
try:
    tfa.text.crf_log_likelihood
    raise SystemExit('tfa.text is there')
except AttributeError as error:
    assert 'TimeDistributed' in str(error)
