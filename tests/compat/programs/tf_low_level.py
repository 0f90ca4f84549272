# TensorFlow 2 without layers: tf.Variable, tf.nn.conv2d, max_pool, dropout, moments, l2_loss, tf.Module, gather_nd and masks
import numpy as np
import tensorflow as tf

(x_train, y_train), _ = tf.keras.datasets.mnist.load_data()
x_train = np.expand_dims(x_train[:256].astype(np.float32) / 255.0, -1)
y_train = tf.cast(y_train[:256], tf.int32)
random_normal = tf.random_normal_initializer(stddev=0.1, seed=4)
weights = {
    'wc1': tf.Variable(random_normal([5, 5, 1, 8])),
    'wc2': tf.Variable(random_normal([5, 5, 8, 16])),
    'out': tf.Variable(random_normal([7 * 7 * 16, 10])),
}
biases = {'bc1': tf.Variable(tf.zeros([8])), 'bc2': tf.Variable(tf.zeros([16])), 'out': tf.Variable(tf.zeros([10]))}


def conv2d(x, W, b, strides=1):
    x = tf.nn.conv2d(x, W, strides=[1, strides, strides, 1], padding='SAME')
    x = tf.nn.bias_add(x, b)
    return tf.nn.relu(x)


def maxpool2d(x, k=2):
    return tf.nn.max_pool(x, ksize=[1, k, k, 1], strides=[1, k, k, 1], padding='SAME')


def conv_net(x, is_training=False):
    x = tf.reshape(x, [-1, 28, 28, 1])
    x = maxpool2d(conv2d(x, weights['wc1'], biases['bc1']))
    x = maxpool2d(conv2d(x, weights['wc2'], biases['bc2']))
    x = tf.reshape(x, [tf.shape(x)[0], -1])
    if is_training:
        x = tf.nn.dropout(x, rate=0.1)
    return tf.add(tf.matmul(x, weights['out']), biases['out'])


optimizer = tf.optimizers.Adam(0.005)
trainable_variables = list(weights.values()) + list(biases.values())


@tf.function
def run_optimization(x, y):
    with tf.GradientTape() as g:
        pred = conv_net(x, is_training=True)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=pred))
        loss += 1e-4 * tf.add_n([tf.nn.l2_loss(w) for w in weights.values()])
    gradients = g.gradient(loss, trainable_variables)
    gradients = [tf.clip_by_norm(one, 5.0) for one in gradients]
    optimizer.apply_gradients(zip(gradients, trainable_variables))
    return loss


def accuracy(y_pred, y_true):
    correct_prediction = tf.equal(tf.argmax(y_pred, 1), tf.cast(y_true, tf.int64))
    return tf.reduce_mean(tf.cast(correct_prediction, tf.float32), axis=-1)


data = tf.data.Dataset.from_tensor_slices((x_train, y_train)).repeat().shuffle(256).batch(64).prefetch(1)
losses = []
for step, (batch_x, batch_y) in enumerate(data.take(30), 1):
    losses.append(run_optimization(batch_x, batch_y))
    if step % 10 == 0:
        print("step: %i, loss: %f, accuracy: %f" % (step, losses[-1], accuracy(conv_net(batch_x), batch_y)))
assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5]), losses
assert accuracy(conv_net(x_train), y_train) > 0.7
assert np.mean(tf.nn.in_top_k(targets=y_train, predictions=conv_net(x_train), k=3)) > 0.85

batch_mean, batch_var = tf.nn.moments(tf.constant(x_train), axes=[0, 1, 2])
scaled = tf.nn.batch_normalization(x_train, batch_mean, batch_var, offset=None, scale=None, variance_epsilon=1e-3)
assert abs(float(tf.reduce_mean(scaled))) < 1e-4 and abs(float(tf.math.reduce_std(scaled)) - 1) < 0.01


class Attention(tf.Module):
    """Scaled scores of one query for each row, with masks made of lengths."""

    def __init__(self, units, name=None):
        super().__init__(name=name)
        self.W = tf.Variable(tf.random.normal([4, units], stddev=0.3), name='W')
        self.calls = tf.Variable(0, trainable=False)

    @tf.function(input_signature=[tf.TensorSpec([None, None, 4], tf.float32), tf.TensorSpec([None], tf.int32)])
    def __call__(self, keys, lengths):
        self.calls.assign_add(1)
        scores = tf.einsum('btd,du->btu', keys, self.W)
        scores = tf.reduce_sum(scores, -1)
        mask = tf.sequence_mask(lengths, tf.shape(keys)[1], dtype=tf.float32)
        scores += (1.0 - mask) * -1e9
        return tf.nn.softmax(scores, axis=-1)


attention = Attention(3)
chances = attention(tf.random.normal([2, 5, 4]), tf.constant([2, 5]))
assert np.allclose(tf.reduce_sum(chances, 1), 1.0) and np.all(chances[0, 2:].numpy() == 0)
assert len(attention.trainable_variables) == 1 and int(attention.calls) == 1
causal = tf.linalg.band_part(tf.ones([3, 3]), -1, 0)
assert causal.numpy().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
best = tf.argmax(chances, axis=-1, output_type=tf.int32)
picked = tf.gather_nd(chances, tf.stack([tf.range(2), best], axis=1))
assert np.allclose(picked, tf.reduce_max(chances, axis=1))
values, indices = tf.math.top_k(chances, k=2)
assert np.all(values[:, 0] == picked) and np.all(indices[:, 0] == best)
table = tf.Variable(tf.zeros([4, 2]))
table.scatter_nd_add([[0], [3], [3]], tf.ones([3, 2]))
table[1, 0].assign(7.0)
assert table.numpy().tolist() == [[1, 1], [7, 0], [0, 0], [2, 2]]
