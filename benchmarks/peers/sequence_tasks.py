"""Models of sequences, as plain descriptions: numpy only.

Their layers: ("embedding", words, width), ("lstm", units), ("gru", units) and ("birnn", units), which give the last
output, ("lstm", units, True) with states kept from call to call, ("block", heads, units, causal), a transformer block,
and ("average",) over time.
"""

import numpy as np

KINDS = ("embedding", "lstm", "gru", "birnn", "block", "average")
STEPS = 20  # training steps in a timed epoch
SHAPES = [(128, 28, 28, 128), (32, 100, 64, 64), (128, 40, 57, 128), (32, 400, 16, 64)]  # batch, time, features, units
TITLES = {"lstm": "LSTM", "gru": "GRU", "birnn": "Bidirectional LSTM"}
OUT = ("dense", 10, "softmax")
WORDS, CHARACTERS, LETTERS = 20000, 57, 64  # of IMDB's example, of character generation, of the language model


def _recurrent(kind, batch, time, features, units):
    about = f"{TITLES[kind]} {units} on {time} x {features}"
    return about, (time, features), [(kind, units), OUT], batch


MODELS = {"{}-{}x{}x{}x{}".format(kind, *shape): _recurrent(kind, *shape) for shape in SHAPES for kind in TITLES}
MODELS["imdb"] = ("embedding 128, LSTM 128 on 80 tokens", (80,), [("embedding", WORDS, 128), ("lstm", 128), OUT], 32)
MODELS["transformer"] = (
    "transformer block of 4 heads on 128 tokens of width 128, MLP 512",
    (128,),
    [("embedding", WORDS, 128), ("block", 4, 512, False), ("average",), OUT],
    32,
)
MODELS["decoder"] = (
    "4 causal blocks of 4 heads on 256 tokens of width 128, MLP 512",
    (256,),
    [("embedding", LETTERS, 128), *[("block", 4, 512, True)] * 4, ("dense", LETTERS, "softmax")],
    8,
)
_WRITES = ("dense", CHARACTERS, "softmax")
MODELS["characters"] = ("LSTM 128 on 40 x 57", (40, CHARACTERS), [("lstm", 128), _WRITES], 128)
MODELS["one-step"] = ("stateful LSTM 128 on 1 x 57", (1, CHARACTERS), [("lstm", 128, True), _WRITES], 1)


def shape_after(layer, shape):
    """Return the shape that comes out of a layer, without the batch.

    >>> shape_after(("birnn", 8), (28, 3))
    (16,)
    """
    kind = layer[0]
    if kind == "embedding":
        return (*shape, layer[2])
    if kind in TITLES:
        return (layer[1] * (2 if kind == "birnn" else 1),)
    return shape[1:] if kind == "average" else shape


def initial_weights(layer, before, random):
    """Return a layer's weights in the order of Keras's ``set_weights``."""

    def glorot(*shape, fans=None):
        limit = np.sqrt(6 / sum(fans or shape))
        return random.uniform(-limit, limit, shape)

    kind, width = layer[0], before[-1]
    if kind == "embedding":
        return [random.uniform(-0.05, 0.05, layer[1:])]
    if kind in TITLES:
        units, gates = layer[1], 3 if kind == "gru" else 4
        bias = np.zeros((2, 3 * units)) if kind == "gru" else np.repeat([0.0, 1.0, 0.0, 0.0], units)
        return [
            each
            for _ in range(2 if kind == "birnn" else 1)
            for each in (glorot(width, gates * units), glorot(units, gates * units), bias)
        ]
    if kind == "block":
        heads, units = layer[1], layer[2]
        head, norm = (heads, width // heads), [np.ones(width), np.zeros(width)]
        weights = []
        for _ in range(3):  # query, key, value
            weights += [glorot(width, *head, fans=(width, width)), np.zeros(head)]
        weights += [glorot(*head, width, fans=(width, width)), np.zeros(width), *norm]
        return [*weights, glorot(width, units), np.zeros(units), glorot(units, width), np.zeros(width), *norm]
    return []


def product_operations(layer, before):
    """Return the floating-point operations of a layer's products for one row.

    >>> product_operations(("lstm", 8), (10, 4))
    7680
    """
    kind = layer[0]
    if kind in TITLES:
        one = 2 * before[0] * (before[1] + layer[1]) * (3 if kind == "gru" else 4) * layer[1]
        return 2 * one if kind == "birnn" else one
    if kind == "block":
        time, width = before
        return 2 * time * (4 * width * width + 2 * time * width + 2 * width * layer[2])
    return 0


def data(layers, shape, rows):
    """Return random inputs of `shape` with something to learn, and one-hot targets.

    Classes differ in the mean of their features or in how often they use a token. Where the last layer writes for every
    token, the targets are the next tokens of a chain in which four tokens may follow each.
    """
    random, classes = np.random.RandomState(0), layers[-1][1]
    if layers[0][0] != "embedding":
        y = random.randint(0, classes, rows)
        means = random.normal(size=(classes, shape[-1]))
        x = random.normal(size=(rows, *shape)) + 0.3 * means[y][:, None]
        return x.astype("float32"), np.eye(classes, dtype="float32")[y]
    words = layers[0][1]
    if ("average",) in layers or layers[1][0] in TITLES:
        y = random.randint(0, classes, rows)
        common = random.randint(0, words, (classes, 20))
        chosen = common[y[:, None], random.randint(0, 20, (rows, *shape))]
        x = np.where(random.uniform(size=(rows, *shape)) < 0.3, chosen, random.randint(0, words, (rows, *shape)))
        return x.astype("int32"), np.eye(classes, dtype="float32")[y]
    chain = [random.randint(0, words, rows)]
    for _ in range(shape[0]):
        chain.append((5 * chain[-1] + random.randint(0, 4, rows)) % words)
    chain = np.stack(chain, 1)
    return chain[:, :-1].astype("int32"), np.eye(words, dtype="float32")[chain[:, 1:]]
