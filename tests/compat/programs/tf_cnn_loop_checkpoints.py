# tf.keras: a CNN trained by an eager loop that prints loss.numpy() inside the tape, tf.train.CheckpointManager, tf.summary
import os
import tempfile

import numpy as np
import tensorflow as tf
from tensorflow.keras import Model
from tensorflow.keras.layers import Conv2D, Dense, Flatten, MaxPooling2D

(x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data()
x_train, y_train, x_test, y_test = x_train[:320] / 255.0, y_train[:320], x_test[:100] / 255.0, y_test[:100]
x_train = x_train[..., tf.newaxis].astype("float32")
x_test = x_test[..., tf.newaxis].astype("float32")
train_ds = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(320, seed=1).batch(32)
test_ds = tf.data.Dataset.from_tensor_slices((x_test, y_test)).batch(50)


class MyModel(Model):
    def __init__(self):
        super(MyModel, self).__init__()
        self.conv1 = Conv2D(8, 3, strides=2, activation='relu')
        self.pool = MaxPooling2D()
        self.flatten = Flatten()
        self.d1 = Dense(32, activation='relu')
        self.d2 = Dense(10)

    def call(self, x):
        x = self.pool(self.conv1(x))
        return self.d2(self.d1(self.flatten(x)))


tf.random.set_seed(2)
model = MyModel()
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.Adam(0.01)
train_loss = tf.keras.metrics.Mean(name='train_loss')
test_accuracy = tf.keras.metrics.SparseCategoricalAccuracy(name='test_accuracy')

folder = tempfile.mkdtemp()
writer = tf.summary.create_file_writer(os.path.join(folder, 'logs'))
ckpt = tf.train.Checkpoint(step=tf.Variable(1), optimizer=optimizer, net=model)
manager = tf.train.CheckpointManager(ckpt, os.path.join(folder, 'tf_ckpts'), max_to_keep=2)
ckpt.restore(manager.latest_checkpoint)
assert manager.latest_checkpoint is None

printed, grads = [], None
for epoch in range(3):
    train_loss.reset_state()
    for images, labels in train_ds:
        with tf.GradientTape() as tape:
            predictions = model(images, training=True)
            loss = loss_object(labels, predictions)
            printed.append(loss.numpy())
            if int(ckpt.step) % 10 == 0:
                print('step', int(ckpt.step), 'loss', loss.numpy(), f'{loss:.3f}')
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        train_loss(loss)
        ckpt.step.assign_add(1)
    with writer.as_default():
        tf.summary.scalar('loss', train_loss.result(), step=epoch)
        tf.summary.image('first', x_train[:1], step=epoch)
        tf.summary.histogram('gradient', grads[0], step=epoch)
    print('Saved checkpoint for step {}: {}'.format(int(ckpt.step), manager.save()))
for images, labels in test_ds:
    test_accuracy.update_state(labels, model(images, training=False))
assert all(isinstance(one, np.floating) for one in printed)
assert np.mean(printed[-5:]) < 0.6 * np.mean(printed[:5]), printed
assert test_accuracy.result() > 0.5, test_accuracy.result()
assert [os.path.basename(one) for one in manager.checkpoints] == ['ckpt-2', 'ckpt-3']
assert os.listdir(os.path.join(folder, 'logs'))

again = MyModel()  # without weights: they come when it is built
new_optimizer = tf.keras.optimizers.Adam(0.01)
new = tf.train.Checkpoint(step=tf.Variable(0), optimizer=new_optimizer, net=again)
status = new.restore(tf.train.latest_checkpoint(os.path.join(folder, 'tf_ckpts')))
np.testing.assert_allclose(again(x_test[:4]).numpy(), model(x_test[:4]).numpy(), rtol=1e-4, atol=1e-5)
assert int(new.step) == int(ckpt.step) == 31
for one, optimizer_of_one in ((model, optimizer), (again, new_optimizer)):
    with tf.GradientTape() as tape:
        loss = loss_object(y_train[:32], one(x_train[:32]))
    optimizer_of_one.apply_gradients(zip(tape.gradient(loss, one.trainable_variables), one.trainable_variables))
np.testing.assert_allclose(again(x_test[:4]).numpy(), model(x_test[:4]).numpy(), rtol=1e-3, atol=1e-4)
