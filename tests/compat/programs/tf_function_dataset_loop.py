# TensorFlow 2: a tf.function that loops over a data set, AutoGraph's if and while, tf.Module, metrics, tf.print
import numpy as np
import tensorflow as tf

x = np.linspace(-1, 1, 200).astype('float32')[:, None]
y = 3. * x + 2. + np.random.RandomState(0).normal(size=x.shape).astype('float32') * 0.1
dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(200).batch(20)


class MyModule(tf.Module):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.w = tf.Variable(5.0, name='w')
        self.b = tf.Variable(0.0, name='b')

    def __call__(self, x):
        return self.w * x + self.b


model = MyModule(name='linear')
assert len(model.trainable_variables) == 2 and model.w.shape.as_list() == []
mean_loss = tf.keras.metrics.Mean()


@tf.function
def train_epoch(dataset, learning_rate):
    steps = 0
    loss = tf.constant(0.0)
    for x, y in dataset:
        with tf.GradientTape() as t:
            loss = tf.reduce_mean(tf.square(y - model(x)))
        dw, db = t.gradient(loss, [model.w, model.b])
        model.w.assign_sub(learning_rate * dw)
        model.b.assign_sub(learning_rate * db)
        mean_loss.update_state(loss)
        steps += 1
        if steps % 5 == 0:
            tf.print('step', steps, 'loss', loss)
    return loss


for epoch in range(8):
    loss = train_epoch(dataset, tf.constant(0.2))
    print(f'epoch {epoch}: {loss.numpy():.4f}')
assert abs(model.w.numpy() - 3.) < 0.2 and abs(model.b.numpy() - 2.) < 0.2, model.variables
assert mean_loss.count.numpy() == 80


@tf.function
def newton(v):
    guess = v
    while tf.abs(guess * guess - v) > 1e-4:
        guess = 0.5 * (guess + v / guess)
    if tf.reduce_any(guess > 2.0):
        return guess, True
    return guess, False


root, large = newton(tf.constant(9.0))
assert abs(float(root) - 3.0) < 1e-3 and bool(large)


class Trainer(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = tf.keras.layers.Dense(1, kernel_regularizer='l2')
        self.loss_tracker = tf.keras.metrics.Mean(name='loss')

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self(x, training=True) - y)) + sum(self.losses)
        self.optimizer.apply_gradients(zip(tape.gradient(loss, self.trainable_variables), self.trainable_variables))
        self.loss_tracker.update_state(loss)
        return {'loss': self.loss_tracker.result()}


trainer = Trainer()
trainer.compile(optimizer=tf.keras.optimizers.SGD(0.1))
losses = trainer.fit(dataset, epochs=4, verbose=0).history['loss']
assert losses[-1] < losses[0], losses
