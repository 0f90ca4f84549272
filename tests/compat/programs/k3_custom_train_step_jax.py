# Keras 3: custom train_step and test_step on JAX with stateless_call, compute_loss_and_updates, stateless metrics
import os
os.environ["KERAS_BACKEND"] = "jax"
import jax
import keras
import numpy as np


class CustomModel(keras.Model):
    def compute_loss_and_updates(self, trainable_variables, non_trainable_variables, metrics_variables, x, y, sample_weight, training=False):
        y_pred, non_trainable_variables = self.stateless_call(trainable_variables, non_trainable_variables, x, training=training)
        loss = self.compute_loss(x, y, y_pred, sample_weight)
        return loss, (y_pred, non_trainable_variables, metrics_variables)

    def train_step(self, state, data):
        (trainable_variables, non_trainable_variables, optimizer_variables, metrics_variables) = state
        x, y = data
        grad_fn = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
        (loss, (y_pred, non_trainable_variables, metrics_variables)), grads = grad_fn(
            trainable_variables, non_trainable_variables, metrics_variables, x, y, None, training=True)
        (trainable_variables, optimizer_variables) = self.optimizer.stateless_apply(optimizer_variables, grads, trainable_variables)
        new_metrics_vars = []
        logs = {}
        for metric in self.metrics:
            this_metric_vars = metrics_variables[len(new_metrics_vars): len(new_metrics_vars) + len(metric.variables)]
            if metric.name == "loss":
                this_metric_vars = metric.stateless_update_state(this_metric_vars, loss)
            else:
                this_metric_vars = metric.stateless_update_state(this_metric_vars, y, y_pred)
            logs[metric.name] = metric.stateless_result(this_metric_vars)
            new_metrics_vars += this_metric_vars
        state = (trainable_variables, non_trainable_variables, optimizer_variables, new_metrics_vars)
        return logs, state


inputs = keras.Input(shape=(8,))
outputs = keras.layers.Dense(1, kernel_initializer="zeros")(inputs)
model = CustomModel(inputs, outputs)
model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", metrics=[keras.metrics.MeanAbsoluteError(name="mae")])
x = np.random.random((60, 8)).astype("float32")
y = x.sum(axis=1, keepdims=True)
h = model.fit(x, y, epochs=3, batch_size=20, verbose=0)
assert h.history["loss"][-1] < h.history["loss"][0] and len(h.history["mae"]) == 3, h.history
plain = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1, kernel_initializer="zeros")])
plain.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
model.set_weights(plain.get_weights())
model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
model.fit(x, y, epochs=1, batch_size=20, verbose=0, shuffle=False)
plain.fit(x, y, epochs=1, batch_size=20, verbose=0, shuffle=False)
assert np.allclose(model.get_weights()[0], plain.get_weights()[0], atol=1e-5)
