# tf.keras: ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, own LearningRateSchedule, Huber, metrics classes, AUC
import tensorflow as tf
import numpy as np
from tensorflow.keras.optimizers import schedules

lr_schedule = tf.keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=2, decay_rate=0.5, staircase=True)
model = tf.keras.Sequential([tf.keras.layers.Dense(1, use_bias=False, kernel_initializer='zeros', input_shape=(1,))])
model.compile(optimizer=tf.keras.optimizers.SGD(learning_rate=lr_schedule), loss='mae')
x, y = np.ones((1, 1), 'float32'), np.ones((1, 1), 'float32') * 10
positions = []
for _ in range(5):
    model.train_on_batch(x, y)
    positions.append(float(model.get_weights()[0][0, 0]))
assert np.allclose(positions, np.cumsum([0.1, 0.1, 0.05, 0.05, 0.025]), atol=1e-5), positions


class Warm(tf.keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, size, warmup_steps=4):
        super(Warm, self).__init__()
        self.size = tf.cast(size, tf.float32)
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        arg1 = tf.math.rsqrt(step + 1)
        arg2 = (step + 1) * (self.warmup_steps ** -1.5)
        return tf.math.rsqrt(self.size) * tf.math.minimum(arg1, arg2)


rate = Warm(16)
assert abs(float(rate(0)) - 0.25 * 4 ** -1.5) < 1e-6
model.compile(tf.keras.optimizers.Adam(rate, beta_1=0.9, beta_2=0.98, epsilon=1e-9), loss=tf.keras.losses.Huber(),
              metrics=[tf.keras.metrics.MeanAbsoluteError(name='mae'), tf.keras.metrics.RootMeanSquaredError()])
h = model.fit(x, y, epochs=2, verbose=0)
assert 'root_mean_squared_error' in h.history and 'mae' in h.history
binary = tf.keras.Sequential([tf.keras.layers.Dense(1, activation='sigmoid', input_dim=2)])
binary.compile('adam', tf.keras.losses.BinaryCrossentropy(label_smoothing=0.1), metrics=[
    tf.keras.metrics.AUC(name='auc'), tf.keras.metrics.Precision(), tf.keras.metrics.Recall(name='r'), tf.keras.metrics.BinaryAccuracy(threshold=0.4), 'acc'])
h = binary.fit(np.random.rand(20, 2), np.random.randint(0, 2, 20), verbose=0, epochs=1)
assert all(key in h.history for key in ('auc', 'r', 'binary_accuracy', 'acc', 'loss')), h.history
