"""The models and the data that every peer trains, as plain descriptions: numpy only, Python 3.7 and later."""

from collections import namedtuple

import numpy as np

from benchmarks.peers import network_graphs, network_tasks, sequence_tasks

Task = namedtuple("Task", "about shape layers optimizer batch rows")
Task.__doc__ = """A model, how it is trained, and the batch size and rows of its timed epochs.

`layers` are tuples: ("dense", units, activation), ("conv", filters, activation), ("pool",), ("dropout", rate),
("norm",), ("relu",), ("flatten",), and those of `sequence_tasks`; or they are a graph of `network_graphs`. `optimizer`
is its name and its positional arguments in Keras.
"""

IMAGE, FLAT, COLOURED, SMALL = (28, 28, 1), (784,), (32, 32, 3), (64,)
SGD, RMSPROP, ADAM, ADADELTA = ("SGD", 0.01), ("RMSprop", 0.001, 0.9), ("Adam", 0.001), ("Adadelta", 1.0, 0.95)
OUT = ("dense", 10, "softmax")
CNN = [("conv", 32, "relu"), ("conv", 64, "relu"), ("pool",), ("dropout", 0.25), ("flatten",)]
NORMED = [("conv", 32, None), ("norm",), ("relu",), ("conv", 32, None), ("norm",), ("relu",), ("pool",)]
NORMED += [("conv", 64, None), ("norm",), ("relu",), ("pool",), ("flatten",), ("dense", 128, "relu"), OUT]


def _mlp(width, depth, activation="relu", rate=None):
    hidden = [("dense", width, activation)] + ([("dropout", rate)] if rate else [])
    return [*(hidden * depth), OUT]


TASKS = {
    "seed0": Task("MLP 128-128 sigmoid, SGD", FLAT, _mlp(128, 2, "sigmoid", 0.1), SGD, 100, 60000),
    "seed1": Task("MLP 512-512, RMSprop", FLAT, _mlp(512, 2, "relu", 0.2), RMSPROP, 128, 60000),
    "seed2": Task(
        "MLP 512-256, RMSprop",
        FLAT,
        [("dense", 512, "relu"), ("dropout", 0.5), ("dense", 256, "relu"), ("dropout", 0.25), OUT],
        RMSPROP,
        128,
        60000,
    ),
    "seed3": Task("MLP 256, Adam", FLAT, _mlp(256, 1), ADAM, 200, 48000),
    "seed4": Task(
        "CNN 32-64, Adadelta", IMAGE, [*CNN, ("dense", 128, "relu"), ("dropout", 0.5), OUT], ADADELTA, 128, 2560
    ),
    "wide": Task("MLP 2048-2048, Adam", FLAT, _mlp(2048, 2), ADAM, 128, 6400),
    "deep": Task("MLP of 20 layers of 64, Adam", FLAT, _mlp(64, 20), ADAM, 128, 25600),
    "small": Task("MLP 64 on 8x8 pixels, Adam", SMALL, _mlp(64, 1), ADAM, 128, 60000),
    "norm": Task("CNN with BatchNormalization on 32x32x3, Adam", COLOURED, NORMED, ADAM, 128, 1280),
}


def task(name):
    """Return the task of this name; ``mlp-512x3`` is an MLP with three layers of 512.

    >>> task("mlp-8x2").layers
    [('dense', 8, 'relu'), ('dense', 8, 'relu'), ('dense', 10, 'softmax')]
    """
    if name.startswith("mlp-"):
        width, depth = name[4:].split("x")
        layers = "1 layer" if depth == "1" else f"{depth} layers"
        return Task(f"MLP, {layers} of {width}, Adam", FLAT, _mlp(int(width), int(depth)), ADAM, 128, 0)
    if name in sequence_tasks.MODELS:
        about, shape, layers, batch = sequence_tasks.MODELS[name]
        return Task(about, shape, layers, ADAM, batch, sequence_tasks.STEPS * batch)
    if name in network_tasks.MODELS:
        about, make, batch = network_tasks.MODELS[name]
        graph = make()
        return Task(about, graph.shape(0), graph, ADAM, batch, batch)
    return TASKS[name]


def is_network(task):
    """Tell whether a task's layers are a graph."""
    return isinstance(task.layers, network_graphs.Graph)


def walk(task):
    """Yield (layer, shape that goes in, shape that comes out) for each layer of a task; shapes without the batch."""
    shape = task.shape
    for layer in task.layers:
        before = shape
        if layer[0] == "dense":
            shape = (*shape[:-1], layer[1])
        elif layer[0] == "conv":  # 3x3, unpadded
            shape = (shape[0] - 2, shape[1] - 2, layer[1])
        elif layer[0] == "pool":
            shape = (shape[0] // 2, shape[1] // 2, shape[2])
        elif layer[0] == "flatten":
            shape = (int(np.prod(shape)),)
        else:
            shape = sequence_tasks.shape_after(layer, shape)
        yield layer, before, shape


def initial_weights(task, seed):
    """Return the weights that every peer begins with, in the order of Keras's ``set_weights``: Glorot's uniform."""
    if is_network(task):
        return [array for arrays in network_graphs.weights(task.layers, seed).values() for array in arrays]
    random = np.random.RandomState(seed)
    weights = []
    for layer, before, after in walk(task):
        if layer[0] in ("dense", "conv"):
            window = (3, 3) if layer[0] == "conv" else ()
            shape = (*window, before[-1], after[-1])
            area = 9 if window else 1
            limit = np.sqrt(6 / (area * (before[-1] + after[-1])))
            weights += [random.uniform(-limit, limit, shape), np.zeros(after[-1])]
        elif layer[0] == "norm":
            weights += [np.ones(after[-1]), np.zeros(after[-1]), np.zeros(after[-1]), np.ones(after[-1])]
        else:
            weights += sequence_tasks.initial_weights(layer, before, random)
    return [np.asarray(weight, "float32") for weight in weights]


def parameters(task):
    """Return the number of a task's weights."""
    return sum(weight.size for weight in initial_weights(task, 0))


def product_operations(task, rows):
    """Return, for each layer with a product, the floating-point operations of its outputs for so many rows.

    >>> product_operations(task("mlp-8x1"), 1)
    [12544, 160]
    """
    found = []
    for layer, before, after in walk(task):
        if layer[0] in ("dense", "conv"):
            area = 9 * after[0] * after[1] if layer[0] == "conv" else int(np.prod(after[:-1]))
            found.append(2 * rows * area * before[-1] * after[-1])
        elif layer[0] in sequence_tasks.KINDS:
            found.append(rows * sequence_tasks.product_operations(layer, before))
    return found


def step_operations(task, batch):
    """Return the floating-point operations of one training step's products: forward, and both gradients of each layer.

    The first layer needs no gradient of its input. Activations, dropout and the optimizer are not counted.
    """
    first, *others = product_operations(task, batch)
    return 2 * first + 3 * sum(others)


def data(task, path, rows):
    """Return what `prepared` makes of the arrays ``x`` and ``y`` in the file at `path`."""
    if is_network(task):
        return network_graphs.data(task.layers, rows)
    with np.load(path) as file:
        return prepared(task, file["x"], file["y"], rows)


def prepared(task, x, y, rows):
    """Return images from 0 to 1 as the task takes them, and one-hot labels: `rows` of them, repeated where too few.

    `x` (n, 28, 28) and `y` (n,) are uint8. For 32x32x3 the digits get a border and one colour each, drawn once for all;
    for 64 features every third pixel is taken.
    """
    if len(task.shape) < 3 and task.shape not in (FLAT, SMALL, (28, 28)):
        return sequence_tasks.data(task.layers, task.shape, rows)
    chosen = np.arange(rows) % len(x)
    x, y = x[chosen].astype("float32"), np.eye(10, dtype="float32")[y[chosen]]
    x /= 255
    if task.shape == SMALL:
        x = x[:, 2:26:3, 2:26:3]
    if task.shape == COLOURED:
        colours = np.random.RandomState(0).uniform(0.2, 1, (len(x), 1, 1, 3)).astype("float32")
        x = np.pad(x, ((0, 0), (2, 2), (2, 2)), "constant")[..., None] * colours
    return np.ascontiguousarray(x.reshape((len(x), *task.shape))), y
