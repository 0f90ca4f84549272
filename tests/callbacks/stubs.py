"""Stand-ins that let a callback be told of epochs without training."""

import numpy as np

from cornu.callbacks.logs import Logs


class Optimizer:
    """Has a learning rate that may be set."""

    def __init__(self, rate=0.1):
        self.learning_rate = rate


class Model:
    """Has weights that change each epoch, and notes what is saved under which name."""

    stop_training = False
    metrics = ()

    def __init__(self, rate=0.1):
        self.optimizer = Optimizer(rate)
        self.weights, self.saved = [np.zeros(1)], []

    def get_weights(self):
        return [weight.copy() for weight in self.weights]

    def set_weights(self, weights):
        self.weights = weights

    def save(self, path, overwrite=True):
        self.saved.append(("model", path))

    def save_weights(self, path, overwrite=True):
        self.saved.append(("weights", path))


def drive(callback, values, name="val_loss", model=None, params=None):
    """Tell a callback of epochs with these values until it stops; return the model and the epochs' logs."""
    model = model or Model()
    callback.set_model(model)
    callback.set_params(params or {"epochs": len(values)})
    callback.on_train_begin({})
    seen = []
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch, {})
        model.weights = [np.full(1, epoch + 1.0)]
        logs = Logs({} if value is None else {name: value})
        callback.on_epoch_end(epoch, logs)
        seen.append(logs)
        if model.stop_training:
            break
    callback.on_train_end({})
    return model, seen
