# tf.keras 2: tf.Module with methods that are tf.functions, tf.train.Checkpoint, and what tf.saved_model.save says
import numpy as np
import tensorflow as tf


class Dense(tf.Module):
    def __init__(self, in_features, out_features, name=None):
        super().__init__(name=name)
        self.w = tf.Variable(tf.random.normal([in_features, out_features], seed=1), name='w')
        self.b = tf.Variable(tf.zeros([out_features]), name='b')

    def __call__(self, x):
        return tf.nn.relu(tf.matmul(x, self.w) + self.b)


class FlexibleDense(tf.Module):
    def __init__(self, out_features, name=None):
        super().__init__(name=name)
        self.is_built = False
        self.out_features = out_features

    @tf.Module.with_name_scope
    def __call__(self, x):
        if not self.is_built:
            self.w = tf.Variable(tf.random.normal([x.shape[-1], self.out_features], seed=2), name='w')
            self.b = tf.Variable(tf.zeros([self.out_features]), name='b')
            self.is_built = True
        return tf.matmul(x, self.w) + self.b


class Network(tf.Module):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.hidden = [Dense(3, 8), Dense(8, 8)]
        self.top = FlexibleDense(1, name='top')
        self.steps = tf.Variable(0, trainable=False, dtype=tf.int64)
        self.traces = 0

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
    def __call__(self, x):
        self.traces += 1
        for layer in self.hidden:
            x = layer(x)
        return self.top(x)

    @tf.function
    def train(self, x, y, rate=0.05):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self(x) - y))
        for variable, gradient in zip(self.trainable_variables, tape.gradient(loss, self.trainable_variables)):
            variable.assign_sub(rate * gradient)
        self.steps.assign_add(1)
        return loss


network = Network(name='net')
rng = np.random.RandomState(0)
x = tf.constant(rng.rand(32, 3), tf.float32)
y = tf.reduce_sum(x, axis=1, keepdims=True)
network.top(network.hidden[1](network.hidden[0](x)))
assert network.name == 'net' and network.top.name == 'top'
assert len(network.variables) == 7 and len(network.trainable_variables) == 6
assert len(network.submodules) == 3, network.submodules
losses = [float(network.train(x, y)) for _ in range(20)]
assert losses[-1] < 0.1 * losses[0], losses
assert int(network.steps) == 20 and network.steps.read_value().dtype == network.steps.dtype
assert network.traces <= 3, network.traces

checkpoint = tf.train.Checkpoint(model=network)
path = checkpoint.save('./checkpoints/net')
assert tf.train.latest_checkpoint('checkpoints') == 'checkpoints/net-1' and path.endswith('net-1')
kept = network(x).numpy()
for variable in network.trainable_variables:
    variable.assign(tf.zeros_like(variable))
assert not np.allclose(network(x), kept)
checkpoint.restore(path).assert_consumed()
assert np.allclose(network(x), kept)
other = Network()
status = tf.train.Checkpoint(model=other).restore(path)
other(x)
status.assert_existing_objects_matched()
assert np.allclose(other(x), kept)
assert any(name.startswith('model/steps') for name, shape in tf.train.list_variables(path))

try:
    tf.saved_model.save(network, 'saved')
except Exception as error:
    assert 'model.save' in str(error) or 'tf.train.Checkpoint' in str(error), error
else:
    raise SystemExit('a SavedModel was written')
