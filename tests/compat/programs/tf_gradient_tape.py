# tf.keras: a training loop of one's own with GradientTape, optimizer.apply_gradients, metrics updated by hand
import numpy as np
import tensorflow as tf

(x, y), _ = tf.keras.datasets.mnist.load_data()
x, y = x[:128].reshape(128, 784).astype('float32') / 255., y[:128].astype('int64')
ds = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)
model = tf.keras.Sequential([tf.keras.layers.Dense(16, activation='relu'), tf.keras.layers.Dense(10)])
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.Adam(0.01)
train_loss = tf.keras.metrics.Mean(name='train_loss')
train_accuracy = tf.keras.metrics.SparseCategoricalAccuracy(name='train_accuracy')


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        predictions = model(images, training=True)
        loss = loss_object(labels, predictions)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    train_loss(loss)
    train_accuracy(labels, predictions)


losses = []
for epoch in range(4):
    train_loss.reset_states()
    train_accuracy.reset_states()
    for images, labels in ds:
        train_step(images, labels)
    losses.append(float(train_loss.result()))
    print('Epoch {}, Loss: {}, Accuracy: {}'.format(epoch + 1, train_loss.result(), train_accuracy.result() * 100))
assert losses[-1] < losses[0] * 0.9, losses
w = tf.Variable(3.0)
with tf.GradientTape() as tape:
    z = w * w + 2 * w
assert abs(float(tape.gradient(z, w)) - 8.0) < 1e-5
image = tf.convert_to_tensor(x[:1])
with tf.GradientTape() as tape:
    tape.watch(image)
    best = tf.reduce_max(model(image))
saliency = tape.gradient(best, image)
assert saliency.shape == (1, 784) and np.abs(saliency).max() > 0
