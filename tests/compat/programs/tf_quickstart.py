# tf.keras: quickstart with tf.keras.*, Flatten(input_shape), SparseCategoricalCrossentropy(from_logits=True), tf.nn.softmax, Softmax model
from __future__ import absolute_import, division, print_function, unicode_literals
import tensorflow as tf
import numpy as np

print("TensorFlow version:", tf.__version__)
mnist = tf.keras.datasets.mnist
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = x_train[:320] / 255.0, x_test[:100] / 255.0
y_train, y_test = y_train[:320], y_test[:100]
tf.random.set_seed(1)
model = tf.keras.models.Sequential([
    tf.keras.layers.Flatten(input_shape=(28, 28)),
    tf.keras.layers.Dense(16, activation='relu'),
    tf.keras.layers.Dropout(0.2),
    tf.keras.layers.Dense(10)
])
predictions = model(x_train[:1]).numpy()
probabilities = tf.nn.softmax(predictions).numpy()
loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
first = loss_fn(y_train[:1], predictions).numpy()
assert abs(first + np.log(probabilities[0, y_train[0]])) < 1e-5
model.compile(optimizer='adam', loss=loss_fn, metrics=['accuracy'])
model.fit(x_train, y_train, epochs=2)
loss, acc = model.evaluate(x_test, y_test, verbose=2)
probability_model = tf.keras.Sequential([model, tf.keras.layers.Softmax()])
out = probability_model(x_test[:5])
assert np.allclose(np.sum(out.numpy(), axis=1), 1, atol=1e-5)
assert abs(acc - (model.predict(x_test).argmax(1) == y_test).mean()) < 1e-6
assert abs(probabilities.sum() - 1) < 1e-5
predictions = probability_model.predict(x_test)
assert np.argmax(predictions[0]) == np.argmax(predictions, axis=1)[0]
