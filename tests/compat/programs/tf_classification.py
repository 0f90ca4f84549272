# tf.keras: classification of images, keras from tensorflow, tf.nn.relu as activation, tf.train.AdamOptimizer, tf.logging
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
import numpy as np
import matplotlib.pyplot as plt

tf.get_logger().setLevel('ERROR')
(train_images, train_labels), (test_images, test_labels) = keras.datasets.mnist.load_data()
train_images, train_labels = train_images[:200] / 255.0, train_labels[:200]
test_images, test_labels = test_images[:50] / 255.0, test_labels[:50]
model = keras.Sequential([
    keras.layers.Flatten(input_shape=(28, 28)),
    keras.layers.Dense(16, activation=tf.nn.relu),
    keras.layers.Dense(10, activation=tf.nn.softmax)
])
model.compile(optimizer=tf.train.AdamOptimizer(), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(train_images, train_labels, epochs=2)
test_loss, test_acc = model.evaluate(test_images, test_labels)
print('Test accuracy:', test_acc)
predictions = model.predict(test_images)
img = np.expand_dims(test_images[0], 0)
predictions_single = model.predict(img)
assert predictions_single.shape == (1, 10) and np.allclose(predictions_single[0], predictions[0], atol=1e-5)
assert abs(test_acc - (predictions.argmax(1) == test_labels).mean()) < 1e-6
assert type(model.optimizer).__name__ == 'Adam' and abs(float(model.optimizer.learning_rate) - 0.001) < 1e-8
