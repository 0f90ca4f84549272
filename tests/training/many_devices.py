"""Runs in a process of its own with JAX_NUM_CPU_DEVICES=8, and prints what `test_sharded.py` compares.

Each check returns numbers, or the largest difference between one device and several.
"""

import contextlib
import functools
import json
import sys
import tempfile
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import cornu
from cornu import distribution, layers
from cornu.core.seeds import set_random_seed
from cornu.data import zero_copy
from cornu.training import collectives

ROWS = 43  # with batches of 10, the last one has 3 rows
LABELS = np.arange(ROWS) * 5 % 3
VECTORS = np.random.default_rng(0).normal(size=(ROWS, 8)).astype("float32")
IMAGES = np.random.default_rng(1).normal(size=(ROWS, 6, 6, 1)).astype("float32")
WORDS = np.random.default_rng(2).integers(0, 9, size=(ROWS, 5))
CHECKS: dict[str, Callable[[], Any]] = {}


def check(function: Callable) -> Callable:
    CHECKS[function.__name__] = function
    return function


def parallel(count: int, **options: Any) -> Any:
    return distribution.DataParallel(devices=distribution.list_devices()[:count], **options)


def classifier(*stack: Any, optimizer: Any = "adam", **options: Any) -> Any:
    model = cornu.Sequential([*stack, layers.Dense(3, activation="softmax")], name="classifier")
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    return model


def mlp(**options: Any) -> Any:
    return classifier(layers.Dense(16, activation="relu"), layers.Dropout(0.2), **options)


def cnn() -> Any:
    convolution = layers.Conv2D(4, 3, activation="relu", use_bias=False)
    return classifier(convolution, layers.BatchNormalization(), layers.MaxPooling2D(), layers.Flatten())


def lstm() -> Any:
    return classifier(layers.Embedding(9, 6, mask_zero=True), layers.LSTM(6))


def transformer() -> Any:
    words = layers.Input((5,))
    x = layers.Embedding(9, 8, name="embedding")(words)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(4, 4, name="attention")(x, x))
    hidden = layers.Dense(32, activation="relu", name="up")(x)
    x = layers.LayerNormalization()(x + layers.Dense(8, name="down")(hidden))
    model = cornu.Model(words, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(x)))
    model.compile(cornu.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


MODELS = {"mlp": (mlp, VECTORS), "cnn": (cnn, IMAGES), "lstm": (lstm, WORDS), "transformer": (transformer, WORDS)}


@functools.cache
def trained(name: str, over: Any) -> tuple[Any, list]:
    """Return a model after training, and all numbers that a user sees of it."""
    set_random_seed(3)
    make, x = MODELS[name]
    with scope(over):
        model = make()
        weights = {0: 1.0, 1: 2.0, 2: 0.5}
        history = model.fit(x, LABELS, batch_size=10, epochs=10, verbose=0, class_weight=weights).history
        found = [*model.get_weights(), *map(np.array, history.values())]
        if name in ("mlp", "cnn"):
            found += [np.array(model.evaluate(x, LABELS, verbose=0)), model.predict(x, verbose=0)]
    return model, found


def scope(over: Any) -> Any:
    return contextlib.nullcontext() if over is None else over.scope()


def difference(one: list, other: list) -> float:
    return max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in zip(one, other, strict=True))


def against_one_device(run: Callable[[], Any], over: Any = None) -> float:
    """Return how far what `run` returns differs between one device and four."""
    found = []
    for each in (None, over or parallel(4)):
        set_random_seed(3)
        with scope(each):
            found.append(run())
    return difference(*found)


@check
def equality() -> dict[str, float]:
    found = {}
    for name in MODELS:
        _, one = trained(name, None)
        for count in (2, 8) if name == "mlp" else (4,):
            model, several = trained(name, parallel(count))
            assert model.weights[0]._held.sharding.num_devices == count
            found[f"{name} {count}"] = difference(one, several)
    return found


@check
def communication() -> dict[str, list]:
    found = {}
    for name, (make, x) in MODELS.items():
        with parallel(4).scope():
            model = make()
            operations = collectives.of_training_step(model, x, LABELS, batch_size=12)
        gradients = sum(4 * weight._value.size for weight in model.trainable_weights)
        found[name] = [[operation.kind, operation.nbytes] for operation in operations] + [gradients]
    return found


@check
def split_state() -> dict[str, Any]:
    def wide() -> Any:
        return classifier(layers.Dense(256, activation="relu"), layers.Dense(256, activation="relu"))

    MODELS["wide"] = wide, VECTORS
    (alone, one), (model, several) = (trained("wide", over) for over in (None, parallel(4, shard_state=True)))
    held = [collectives.bytes_by_device(each) for each in (alone, model)]
    return {"difference": difference(one, several), "copied": held[0], "split": held[1]}


@check
def model_parallel() -> dict[str, Any]:
    _, one = trained("transformer", None)
    found = {}
    for shape in ((1, 4), (2, 2)):
        mesh = distribution.DeviceMesh(shape, ["batch", "model"], distribution.list_devices()[:4])
        maps = distribution.LayoutMap(mesh)
        maps[".*up/kernel"], maps[".*up/bias"] = (None, "model"), ("model",)
        maps[".*down/kernel"] = ("model", None)
        maps[".*(query|key|value)/kernel"] = (None, "model", None)
        maps[".*attention_output/kernel"] = ("model", None, None)
        maps[".*embeddings"] = (None, "model")
        maps[".*up/output"] = ("batch", None, "model")
        model, several = trained("transformer", distribution.ModelParallel(layout_map=maps))
        found[str(shape)] = difference(one, several)
        found[f"{shape} held"] = collectives.bytes_by_device(model)
    found["whole"] = sum(4 * variable._form.size for variable in model.learner.variables)
    found["slot"] = str(model.optimizer.variables[3]._held.sharding.spec)
    return found


class Batches(cornu.utils.PyDataset):
    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> tuple:
        return VECTORS[index * 10 : index * 10 + 10], LABELS[index * 10 : index * 10 + 10]


@check
def streams() -> float:
    def run() -> list:
        model = mlp()
        model.fit(Batches(), epochs=2, verbose=0)
        scores = model.evaluate(Batches(), verbose=0)
        return [*model.get_weights(), np.array(scores), model.predict(Batches(), verbose=0)]

    return against_one_device(run)


@check
def single_batches() -> float:
    def run() -> list:
        model, found = mlp(), []
        for rows in (8, 3):
            found += model.train_on_batch(VECTORS[:rows], LABELS[:rows], sample_weight=np.linspace(0, 1, rows))
            found += model.test_on_batch(VECTORS[:rows], LABELS[:rows])
        return [*model.get_weights(), np.array(found), model.predict_on_batch(VECTORS[:5]), model(VECTORS)]

    return against_one_device(run)


@check
def eager_steps() -> float:
    def run() -> list:
        model = mlp(run_eagerly=True)
        model.train_on_batch(VECTORS[:20], LABELS[:20])
        return model.get_weights()

    return against_one_device(run)


class Jax(cornu.Sequential):
    """A custom step in the style of Keras 3 on JAX."""

    def train_step(self, state: Any, data: Any) -> Any:
        weights, others, slots, metrics = state
        x, y = data

        def loss_of(weights: Any, others: Any) -> Any:
            y_pred, others = self.stateless_call(weights, others, x, training=True)
            return self.compute_loss(x, y, y_pred), others

        (loss, others), gradients = jax.value_and_grad(loss_of, has_aux=True)(weights, others)
        weights, slots = self.optimizer.stateless_apply(slots, gradients, weights)
        return {"loss": loss}, (weights, others, slots, metrics)


@check
def custom_steps() -> float:
    def run() -> list:
        model = Jax([layers.Dense(8), layers.Dropout(0.3), layers.Dense(3, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy")
        history = model.fit(VECTORS, LABELS, batch_size=10, epochs=2, verbose=0).history
        return [*model.get_weights(), np.array(history["loss"])]

    return against_one_device(run)


@check
def custom_loop() -> float:
    def run() -> list:
        model = mlp()
        model.build((None, 8))
        optimizer, loss = model.optimizer, cornu.losses.SparseCategoricalCrossentropy()
        optimizer.build(model.trainable_variables)

        @jax.jit
        def step(weights: Any, others: Any, slots: Any, x: Any, y: Any) -> Any:
            def loss_of(weights: Any) -> Any:
                y_pred, after = model.stateless_call(weights, others, x, training=True)
                return loss(y, y_pred), after

            (_, after), gradients = jax.value_and_grad(loss_of, has_aux=True)(weights)
            weights, slots = optimizer.stateless_apply(slots, gradients, weights)
            return weights, after, slots

        groups = model.trainable_variables, model.non_trainable_variables, optimizer.variables
        state = tuple([variable.value for variable in group] for group in groups)
        current = distribution.distribution()
        for start in range(0, 40, 8):
            batch = [array[start : start + 8] for array in (VECTORS, LABELS)]
            if current is not None:
                batch = [distribution.distribute_tensor(one, current.get_data_layout(one.shape)) for one in batch]
            state = step(*state, *batch)
        return [np.asarray(weight) for weight in state[0]]

    return against_one_device(run)


@check
def arrays_in_place() -> float:
    """Large arrays stay where they are; all devices read them there."""
    x = np.random.default_rng(4).normal(size=(100, 32)).astype("float32")
    least, zero_copy.LEAST_BYTES = zero_copy.LEAST_BYTES, 1

    def run() -> list:
        model = mlp()
        model.fit(x, np.arange(100) % 3, batch_size=16, epochs=2, verbose=0)
        return model.get_weights()

    try:
        return against_one_device(run)
    finally:
        zero_copy.LEAST_BYTES = least


@check
def states_of_layers() -> float:
    def run() -> list:
        model = cornu.Sequential([layers.GRU(4, stateful=True, batch_input_shape=(10, 5, 2)), layers.Dense(1)])
        model.compile("sgd", "mse")
        x = np.random.default_rng(5).normal(size=(40, 5, 2)).astype("float32")
        model.fit(x, x[:, 0, :1], batch_size=10, epochs=2, verbose=0, shuffle=False)
        return [*model.get_weights(), model.predict(x, batch_size=10, verbose=0)]

    return against_one_device(run)


class StopError(Exception):
    """Ends the training as a crash does."""


class Stopping(cornu.callbacks.Callback):
    """Crashes in the third epoch, once."""

    stops = True

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == 2 and Stopping.stops:
            raise StopError


@check
def other_devices_go_on() -> dict[str, float]:
    """Training that ends on four devices is resumed on two, and on one; files do not know devices."""
    weights = []
    for over in (parallel(4, shard_state=True), parallel(2), None):
        Stopping.stops = True
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Training continues from a checkpoint made under other conditions")
            for each in (parallel(4, shard_state=True), over):
                set_random_seed(3)
                backup = cornu.callbacks.BackupAndRestore(Path(folder, "backup"))
                with scope(each), contextlib.suppress(StopError):
                    model = wide_mlp()
                    model.fit(VECTORS, LABELS, epochs=4, verbose=0, callbacks=[backup, Stopping()])
                Stopping.stops = False
            file = Path(folder, "model.keras")
            model.save(file)
            weights.append(cornu.models.load_model(file).get_weights())
    set_random_seed(3)
    model = wide_mlp()
    model.fit(VECTORS, LABELS, epochs=4, verbose=0)
    names = ("four, split", "two", "one")
    return {name: difference(model.get_weights(), found) for name, found in zip(names, weights, strict=True)}


def wide_mlp() -> Any:
    return classifier(layers.Dense(256, activation="relu"), layers.Dropout(0.2), layers.Dense(64))


@check
def on_and_off() -> dict[str, Any]:
    """A model goes where the current distribution says, and back, or stays where it was compiled."""
    model = mlp()
    where = lambda: len(model.weights[0]._held.sharding.device_set)  # noqa: E731
    model.predict(VECTORS[:1], verbose=0)
    found = [where()]
    with parallel(4).scope():
        model.predict(VECTORS[:1], verbose=0)
        found.append(where())
    model.train_on_batch(VECTORS[:8], LABELS[:8])
    found.append(where())
    with parallel(2).scope():
        model = mlp()
    model.train_on_batch(VECTORS[:8], LABELS[:8])
    found.append(where())
    return {"devices": found, "sum": float(jnp.sum(model(VECTORS)))}


@check
def layout_that_does_not_fit() -> list:
    """The error, and that the model trains afterwards."""
    maps = distribution.LayoutMap(distribution.DeviceMesh((8,), ["model"]))
    maps[".*kernel"] = (None, "model")
    model = mlp()
    with distribution.ModelParallel(layout_map=maps).scope():
        try:
            model.train_on_batch(VECTORS[:8], LABELS[:8])
        except ValueError as error:
            message = str(error)
    return [message, model.train_on_batch(VECTORS[:8], LABELS[:8])]


@check
def old_faces() -> dict[str, Any]:
    """Strategies of TensorFlow and Keras 2's `multi_gpu_model` are data parallelism."""
    if find_spec("cornu.compat") is None:
        return {}
    from cornu.compat.extras import multi_gpu_model
    from cornu.compat.tensorflow import distribute, settings

    strategy = distribute.MirroredStrategy(["CPU:0", "/cpu:3"])
    with strategy.scope():
        model = mlp()
    model.fit(VECTORS, LABELS, verbose=0)
    found = {"mirrored": str(model.weights[0]._held.sharding.mesh.devices.tolist())}
    found["replicas"] = [strategy.num_replicas_in_sync, strategy.run(lambda: strategy.num_replicas_in_sync)]
    makers = distribute.TPUStrategy, distribute.MultiWorkerMirroredStrategy, distribute.OneDeviceStrategy
    found["others"] = [make().num_replicas_in_sync for make in makers]
    model = multi_gpu_model(cornu.Sequential([layers.Dense(3, activation="softmax")]), gpus=4)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(VECTORS, LABELS, verbose=0)
    found["multi_gpu"] = model.weights[0]._held.sharding.num_devices
    found["listed"] = len(settings.list_physical_devices())
    return found


if __name__ == "__main__":
    print(json.dumps({name: CHECKS[name]() for name in sys.argv[1:] or CHECKS}))
