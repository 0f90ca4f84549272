# Keras 3: a training loop of one's own in JAX: stateless_call, optimizer.stateless_apply, variables assigned at the end
import jax
import keras
import numpy as np


def get_model():
    inputs = keras.Input(shape=(784,), name="digits")
    x1 = keras.layers.Dense(16, activation="relu")(inputs)
    x2 = keras.layers.Dropout(0.1)(x1)
    outputs = keras.layers.Dense(10, name="predictions")(x2)
    return keras.Model(inputs=inputs, outputs=outputs)


model = get_model()
(x_train, y_train), _ = keras.datasets.mnist.load_data()
x_train = np.reshape(x_train[:256], (-1, 784)).astype("float32") / 255
y_train = keras.utils.to_categorical(y_train[:256])
optimizer = keras.optimizers.Adam(learning_rate=1e-2)
loss_fn = keras.losses.CategoricalCrossentropy(from_logits=True)
train_acc_metric = keras.metrics.CategoricalAccuracy()


def compute_loss_and_updates(trainable_variables, non_trainable_variables, metric_variables, x, y):
    y_pred, non_trainable_variables = model.stateless_call(trainable_variables, non_trainable_variables, x, training=True)
    loss = loss_fn(y, y_pred)
    metric_variables = train_acc_metric.stateless_update_state(metric_variables, y, y_pred)
    return loss, (non_trainable_variables, metric_variables)


grad_fn = jax.value_and_grad(compute_loss_and_updates, has_aux=True)


@jax.jit
def train_step(state, data):
    trainable_variables, non_trainable_variables, optimizer_variables, metric_variables = state
    x, y = data
    (loss, (non_trainable_variables, metric_variables)), grads = grad_fn(trainable_variables, non_trainable_variables, metric_variables, x, y)
    trainable_variables, optimizer_variables = optimizer.stateless_apply(optimizer_variables, grads, trainable_variables)
    return loss, (trainable_variables, non_trainable_variables, optimizer_variables, metric_variables)


optimizer.build(model.trainable_variables)
state = (model.trainable_variables, model.non_trainable_variables, optimizer.variables, train_acc_metric.variables)
losses = []
for epoch in range(3):
    for step in range(4):
        data = (x_train[step * 64:(step + 1) * 64], y_train[step * 64:(step + 1) * 64])
        loss, state = train_step(state, data)
        losses.append(float(loss))
trainable_variables, non_trainable_variables, optimizer_variables, metric_variables = state
for variable, value in zip(train_acc_metric.variables, metric_variables):
    variable.assign(value)
for variable, value in zip(model.trainable_variables, trainable_variables):
    variable.assign(value)
for variable, value in zip(model.non_trainable_variables, non_trainable_variables):
    variable.assign(value)
accuracy = (model.predict(x_train, verbose=0).argmax(1) == y_train.argmax(1)).mean()
assert np.mean(losses[-4:]) < np.mean(losses[:4]) * 0.8, losses
assert accuracy > 0.4 and 0 < float(train_acc_metric.result()) < 1
