"""Cornu, Keras 3 on any backend, and Keras 2: one program for all, as their users would write it."""

import importlib
import os
import time

import numpy as np

from benchmarks.peers import keras_networks, keras_sequences, network_graphs, tasks


class Peer:
    """Trains one model at a time with ``fit``."""

    def __init__(self, module):
        self.keras = importlib.import_module(module)
        self.model = None

    def versions(self):
        names = {"jax": ["jax", "jaxlib"], "tensorflow": ["tensorflow"], "torch": ["torch"]}
        backend = "jax" if self.keras.__name__ == "cornu" else os.environ.get("KERAS_BACKEND", "tensorflow")
        modules = [importlib.import_module(name) for name in [self.keras.__name__, *names[backend]]]
        return {module.__name__: module.__version__ for module in modules}

    def build(self, task, batch, x, y):
        """Make and compile the model."""
        self.task, self.batch, self.x, self.y = task, batch, x, y
        if self.keras.__name__ != "cornu":
            self.keras.backend.clear_session()
        name, arguments = task.optimizer[0], task.optimizer[1:]
        optimizer = getattr(self.keras.optimizers, name)(*arguments)
        if tasks.is_network(task):
            self.model = keras_networks.model(self.keras, task.layers)
            self.model.compile(loss=network_graphs.loss(task.layers), optimizer=optimizer)
            return
        self.model = self.keras.models.Sequential([self._input(task)])
        for layer in task.layers:
            self.model.add(self._layer(*layer))
        self.model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])

    def pictures(self, folder, side, batch):
        """Return a function that reads the pictures in a folder once, and returns the mean of a function of batches."""
        data = self.keras.utils.image_dataset_from_directory(folder, image_size=(side, side), batch_size=batch, seed=1)
        return lambda function: float(np.mean([function(x) for x, _ in data]))

    def parameters(self):
        """Return the number of weights."""
        return self.model.count_params()

    def use(self, x, y):
        """Take other rows."""
        self.x, self.y = x, y

    def _input(self, task):
        if keras_sequences.is_stateful(task):
            return self.keras.layers.InputLayer(batch_shape=(1, *task.shape))
        return self.keras.layers.InputLayer(task.shape)

    def _layer(self, kind, *arguments):
        layers = self.keras.layers
        if kind in keras_sequences.KINDS:
            return keras_sequences.layer(self.keras, kind, *arguments)
        if kind == "dense":
            return layers.Dense(arguments[0], activation=arguments[1])
        if kind == "conv":
            return layers.Conv2D(arguments[0], (3, 3), activation=arguments[1])
        if kind == "pool":
            return layers.MaxPooling2D((2, 2))
        if kind == "dropout":
            return layers.Dropout(arguments[0])
        if kind == "norm":
            return layers.BatchNormalization()
        return layers.Activation("relu") if kind == "relu" else layers.Flatten()

    def reset(self, seed):
        """Put the seed's initial weights in, and make the optimizer forget."""
        if tasks.is_network(self.task):
            keras_networks.load(self.model, self.task.layers, seed)
        else:
            self.model.set_weights(tasks.initial_weights(self.task, seed))
        optimizer = self.model.optimizer
        if hasattr(optimizer, "variables"):
            for variable in optimizer.variables:
                if "learning_rate" not in variable.name:
                    variable.assign(np.zeros(variable.shape, str(variable.dtype)))
        else:  # Keras 2
            optimizer.set_weights([np.zeros_like(weight) for weight in optimizer.get_weights()])

    def epochs(self, count):
        """Train; returns the seconds of each epoch (from its beginning to its end, without what `fit` does once)."""
        clock = self._clock()
        history = self.model.fit(
            self.x, self.y, batch_size=self.batch, epochs=count, verbose=0, callbacks=[clock]
        ).history
        self.processor = clock.processor
        return clock.seconds, [float(loss) for loss in history["loss"]]

    def _clock(self):
        class Clock(self.keras.callbacks.Callback):
            def __init__(self):
                super(Clock, self).__init__()
                self.begins, self.ends, self.processor = [], [], []

            @property
            def seconds(self):
                return [self.ends[epoch] - self.begins[epoch] for epoch in range(len(self.ends))]

            def on_epoch_begin(self, epoch, logs=None):
                self.processor.append(-time.process_time())
                self.begins.append(time.perf_counter())

            def on_epoch_end(self, epoch, logs=None):
                self.ends.append(time.perf_counter())
                self.processor[-1] += time.process_time()

        return Clock()

    def kept_epochs(self, count, folder=None):
        """Train, with a backup in `folder` after each epoch; returns seconds between two beginnings, and of waiting."""
        clock = self._clock()
        backup = [self.keras.callbacks.BackupAndRestore(folder)] if folder else []
        self.model.fit(self.x, self.y, batch_size=self.batch, epochs=count, verbose=0, callbacks=[clock, *backup])
        waits = [clock.begins[epoch + 1] - clock.ends[epoch] for epoch in range(count - 1)]
        return [clock.seconds[epoch] + wait for epoch, wait in enumerate(waits)], waits

    def fit_from(self, source, count):
        """Train from a "generator", or from the arrays that there are; returns the seconds of each epoch."""
        clock, steps = self._clock(), len(self.x) // self.batch
        if source == "generator":
            self.model.fit(self._batches(), steps_per_epoch=steps, epochs=count, verbose=0, callbacks=[clock])
        else:
            self.model.fit(self.x, self.y, batch_size=self.batch, epochs=count, verbose=0, callbacks=[clock])
        return clock.seconds

    def _batches(self):
        """Yield batches for ever, copied as a generator's are that makes them."""
        while True:
            for start in range(0, len(self.x) - self.batch + 1, self.batch):
                stop = start + self.batch
                yield np.array(self.x[start:stop]), np.array(self.y[start:stop])

    def predict(self, rows):
        """Return the outputs for the first rows, in batches as the library chooses them (Keras: of 32)."""
        return np.asarray(self.model.predict(self.x[:rows], verbose=0))

    def predict_all(self):
        """Return the outputs for all rows, in the batches of training."""
        return np.asarray(self.model.predict(self.x, batch_size=self.batch, verbose=0))

    def call(self, rows):
        """Return the outputs for the first rows by a call of the model."""
        return self.keras.ops.convert_to_numpy(self.model(self.x[:rows]))

    def evaluate(self, rows):
        """Return loss and accuracy on the first rows, in batches as the library chooses them (Keras: of 32)."""
        return [float(value) for value in self.model.evaluate(self.x[:rows], self.y[:rows], verbose=0)]
