"""Networks as graphs that every peer builds from the same description: numpy only."""

from collections import namedtuple

import numpy as np

Node = namedtuple("Node", "kind inputs options shape")
Node.__doc__ = """An operation: the numbers of the nodes that it takes, its options, its output shape without batch.

Shapes have channels last, also in networks whose arrays have channels first.
"""


class Graph:
    """A network under construction: each method adds a node and returns its number.

    Windows, strides and dilations are one integer for all dimensions. Convolutions have a bias unless `bias` is False.

    >>> graph = Graph((8, 8, 3))
    >>> graph.nodes[graph.conv(0, 4, 3, strides=2)].shape
    (4, 4, 4)
    """

    def __init__(self, shape, channels_first=False):
        self.channels_first = channels_first
        self.nodes = [Node("input", (), {}, tuple(shape))]

    def _add(self, kind, inputs, shape, **options):
        inputs = inputs if isinstance(inputs, tuple) else (inputs,)
        self.nodes.append(Node(kind, inputs, options, tuple(int(size) for size in shape)))
        return len(self.nodes) - 1

    def shape(self, x):
        return self.nodes[x].shape

    def _moved(self, x, window, strides, padding):
        """Return the space that a window leaves of `x`."""
        lost = window - 1 if padding == "valid" else 0
        return [-(-(size - lost) // strides) for size in self.shape(x)[:-1]]

    def conv(self, x, filters, window, strides=1, padding="same", dilation=1, groups=1, bias=True):
        shape = [*self._moved(x, (window - 1) * dilation + 1, strides, padding), filters]
        options = {"filters": filters, "window": window, "strides": strides, "padding": padding}
        return self._add("conv", x, shape, dilation=dilation, groups=groups, bias=bias, **options)

    def depthwise(self, x, window, strides=1, dilation=1, multiplier=1, bias=True):
        shape = [*self._moved(x, window, strides, "same"), self.shape(x)[-1] * multiplier]
        options = {"window": window, "strides": strides, "dilation": dilation, "multiplier": multiplier, "bias": bias}
        return self._add("depthwise", x, shape, **options)

    def separable(self, x, filters, window):
        return self._add("separable", x, (*self.shape(x)[:-1], filters), filters=filters, window=window)

    def transposed(self, x, filters, window, strides, bias=True):
        shape = [size * strides for size in self.shape(x)[:-1]] + [filters]
        return self._add("transposed", x, shape, filters=filters, window=window, strides=strides, bias=bias)

    def dense(self, x, units):
        return self._add("dense", x, (*self.shape(x)[:-1], units), units=units)

    def norm(self, x):
        return self._add("norm", x, self.shape(x))

    def activation(self, x, name):
        return self._add("activation", x, self.shape(x), name=name)

    def add(self, *inputs):
        return self._add("add", inputs, self.shape(inputs[0]))

    def multiply(self, *inputs):
        return self._add("multiply", inputs, self.shape(inputs[0]))

    def concatenate(self, *inputs):
        return self._add("concatenate", inputs, (*self.shape(inputs[0])[:-1], sum(self.shape(x)[-1] for x in inputs)))

    def pool(self, x, kind, window, strides, padding="valid"):
        shape = [*self._moved(x, window, strides, padding), self.shape(x)[-1]]
        return self._add("pool", x, shape, of=kind, window=window, strides=strides, padding=padding)

    def average(self, x, keepdims=False):
        """The mean over space."""
        *space, channels = self.shape(x)
        return self._add("average", x, [1] * len(space) * keepdims + [channels], keepdims=keepdims)

    def upsample(self, x, size, interpolation="nearest"):
        *space, channels = self.shape(x)
        return self._add("upsample", x, [*(each * size for each in space), channels], size=size, how=interpolation)

    def flatten(self, x):
        return self._add("flatten", x, [np.prod(self.shape(x))])

    def reshape(self, x, shape):
        return self._add("reshape", x, shape)


def _glorot(random, shape, receptive=1):
    limit = np.sqrt(6 / (receptive * (shape[-2] + shape[-1])))
    return random.uniform(-limit, limit, shape)


def weights(graph, seed):
    """Return the weights that every peer begins with: {number of a node: arrays in Keras's order}."""
    random = np.random.RandomState(seed)
    found = {}
    for number, node in enumerate(graph.nodes):
        if node.kind in ("input", *WITHOUT_WEIGHTS):
            continue
        before, after, options = graph.shape(node.inputs[0])[-1], node.shape[-1], node.options
        window = (options["window"],) * (len(node.shape) - 1) if "window" in options else ()
        area = int(np.prod(window))
        if node.kind == "norm":
            arrays = [np.ones(after), np.zeros(after), np.zeros(after), np.ones(after)]
        elif node.kind == "depthwise":
            arrays = [_glorot(random, (*window, before, options["multiplier"]), area / before)]
        elif node.kind == "separable":
            arrays = [_glorot(random, (*window, before, 1), area / before), _glorot(random, (1, 1, before, after))]
        elif node.kind == "transposed":
            arrays = [_glorot(random, (*window, after, before), area)]
        else:
            arrays = [_glorot(random, (*window, before // options.get("groups", 1), after), area)]
        if node.kind != "norm" and options.get("bias", True):
            arrays.append(np.zeros(after))
        found[number] = [np.asarray(array, "float32") for array in arrays]
    return found


WITHOUT_WEIGHTS = (
    "activation", "add", "multiply", "concatenate", "pool", "average", "upsample", "flatten", "reshape",
)  # fmt: skip


def loss(graph):
    """Return the name of the loss in Keras: what the last activation asks for."""
    name = graph.nodes[-1].options["name"]
    return {"softmax": "categorical_crossentropy", "sigmoid": "binary_crossentropy", "tanh": "mean_squared_error"}[name]


def data(graph, rows):
    """Return random inputs with something to learn, and targets: one-hot classes, 0 or 1, or values from -1 to 1.

    The inputs of a class have their own mean for each channel; where every place has a class, it follows from the
    place's own first channel.
    """
    random = np.random.RandomState(0)
    shape, out = graph.shape(0), graph.nodes[-1].shape
    x = random.normal(size=(rows, *shape)).astype("float32")
    if loss(graph) == "mean_squared_error":
        return x, np.tanh(random.normal(size=(rows, *out))).astype("float32")
    if len(out) > 1:
        y = np.digitize(x[..., 0], np.linspace(-1, 1, out[-1] - 1))
        return x, np.eye(out[-1], dtype="float32")[y]
    y = random.randint(0, max(2, out[-1]), rows)
    means = 0.3 * random.normal(size=(max(2, out[-1]), shape[-1])).astype("float32")
    x += means[y].reshape((rows, *(1,) * (len(shape) - 1), shape[-1]))
    if graph.channels_first:
        x = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    return x, np.eye(out[-1], dtype="float32")[y] if out[-1] > 1 else y[:, None].astype("float32")
