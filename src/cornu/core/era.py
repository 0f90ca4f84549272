"""The era of Keras that the running program was written for, and what each era computes differently.

A program runs in today's era, Keras 3, unless `cornu run` begins another before the program starts. Each difference is
a row of `DIFFERENCES`; the place that computes it asks `holds`. Nothing is asked per training step: a step is traced
once, and layers and optimizers ask when they are made.

The numbers are in docs/differences.md, measured with Keras 1.2.2, Keras 2.2.4 and tf.keras 2.15.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from cornu.core.errors import unknown

TODAY = "3"
#: Keras 1; Keras 2.0 to 2.3 (a package of its own); tf.keras of TensorFlow 1 and 2; Keras 3. The oldest first.
ERAS = ("1", "2", "tf.keras", TODAY)


class Difference(NamedTuple):
    """Something that other eras compute differently from Keras 3.

    Args:
        eras: the eras in which it holds.
        words: regular expression of what a program says if it can notice it; empty for what any program has.
    """

    eras: tuple[str, ...]
    words: str


_STANDALONE, _BEFORE_3 = ("1", "2"), ("1", "2", "tf.keras")

DIFFERENCES = {
    "names count from 1": Difference(_STANDALONE, r"\bget_layer\(|\bby_name\b|\blayer_names?\b"),
    "names are joined": Difference(("1",), r"\bget_layer\(|\bby_name\b|\blayer_names?\b"),
    "hard_sigmoid has slope 0.2": Difference(_BEFORE_3, r"\bhard_sigmoid\b"),
    "hinge takes labels as they are": Difference(_STANDALONE, r"\w*hinge\b"),
    "losses are divided by the fraction of non-zero weights": Difference(
        _STANDALONE, r"\bsample_weight\b|\bclass_weight\b"
    ),
    "clipnorm is of all gradients": Difference(_STANDALONE, r"\bclipnorm\b"),
    "clips go together": Difference(_BEFORE_3, ""),
    "epsilon is added to the root": Difference(_BEFORE_3, ""),
    "activity penalties are of the batch": Difference(_STANDALONE, r"(?i:activity_?regulari\w*|activity_l[12]\w*)"),
    "bilinear keeps corners": Difference(("2",), r"\bbilinear\b"),
    "moving averages start from the first batch": Difference(("2",), r"\bBatchNorm\w*"),
    "moving variance is unbiased": Difference(("2",), r"\bBatchNorm\w*"),
    "moving variance of images is unbiased": Difference(("2", "tf.keras"), r"\bBatchNorm\w*"),
    "frozen batch normalization uses the batch": Difference(_STANDALONE, r"\btrainable\b"),
    "moving averages of frozen layers move": Difference(("1",), r"\btrainable\b"),
    "gates use hard_sigmoid": Difference(_STANDALONE, r"\b(LSTM|GRU)(Cell)?\b"),
    "gates of convolutions use hard_sigmoid": Difference(_BEFORE_3, r"\bConvLSTM\dD(Cell)?\b"),
    "the reset gate comes first": Difference(_STANDALONE, r"\bGRU(Cell)?\b"),
    "gates drop their own inputs": Difference(_STANDALONE, ""),
    "cells are built for their constants": Difference(("2",), ""),
    "images are augmented as in Keras 1": Difference(("1",), r"\bImageDataGenerator\b"),
    "images are augmented as in keras-preprocessing": Difference(
        _STANDALONE,
        r"\bImageDataGenerator\b|(?<!tf\.image\.)\brandom_(rotation|shift|shear|zoom|brightness)\b|\bapply_(affine_transform|brightness_shift)\b",
    ),
}

#: Argument of recurrent layers -> the difference that gives it another default, and that default.
GATES: dict[str, tuple[str, Any]] = {
    "recurrent_activation": ("gates use hard_sigmoid", "hard_sigmoid_of_keras_2"),
    "reset_after": ("the reset gate comes first", False),
    "implementation": ("gates drop their own inputs", 1),
}

#: The same for layers with convolutions.
GATES_OF_CONVOLUTIONS = {"recurrent_activation": ("gates of convolutions use hard_sigmoid", "hard_sigmoid_of_keras_2")}

_SMALL_EPSILON = {"epsilon": 1e-8}
_NADAM = {"schedule_decay": 0.004}
#: Era -> class -> arguments with other defaults than today's.
DEFAULTS: dict[str, dict[str, dict[str, Any]]] = {
    "1": {
        "RMSprop": _SMALL_EPSILON,
        "Adadelta": _SMALL_EPSILON,
        "Adam": _SMALL_EPSILON,
        "Adamax": _SMALL_EPSILON,
        "Adagrad": {"initial_accumulator_value": 0.0} | _SMALL_EPSILON,
        "Nadam": _NADAM | _SMALL_EPSILON,
    },
    "2": {"Adagrad": {"initial_accumulator_value": 0.0}, "Nadam": _NADAM},
    "tf.keras": {
        "Adadelta": {"learning_rate": 0.001},
        "Adagrad": {"learning_rate": 0.001},
        "Adamax": {"learning_rate": 0.001},
        "Nadam": {"learning_rate": 0.001} | _NADAM,
    },
    TODAY: {},
}

#: Name -> the difference that gives it another meaning before Keras 3, as "..._of_keras_2".
MEANINGS = {"hard_sigmoid": "hard_sigmoid has slope 0.2"}

_MODELS = {"InputLayer": "input", "Functional": "model"}
_MERGES = ("Add", "Average", "Concatenate", "Dot", "Maximum", "Multiply")
#: Era -> class of today -> its name in automatic names of layers.
NAMES: dict[str, dict[str, str]] = {
    "1": _MODELS
    | dict.fromkeys(_MERGES, "merge")
    | {f"Conv{n}D": f"convolution{n}d" for n in (1, 2, 3)}
    | {f"Conv{n}DTranspose": f"deconvolution{n}d" for n in (2, 3)}
    | {"SeparableConv2D": "separableconvolution2d"},
    "2": _MODELS,
    "tf.keras": _MODELS,
    TODAY: {},
}

_current = TODAY


def current() -> str:
    """Return the era of the running program, one of `ERAS`."""
    return _current


def begin(era: str) -> None:
    """Let everything that is made and traced from now on be of an era; ValueError for one that is not in `ERAS`."""
    global _current
    if era not in ERAS:
        raise unknown("era", era, ERAS)
    _current = era


@contextlib.contextmanager
def using(era: str) -> Iterator[None]:
    """Let an era hold inside a ``with`` block.

    >>> with using("2"):
    ...     holds("clipnorm is of all gradients")
    True
    """
    before = _current
    begin(era)
    try:
        yield
    finally:
        begin(before)


def holds(difference: str) -> bool:
    """Return whether a row of `DIFFERENCES` holds in the era of the running program."""
    return _current in DIFFERENCES[difference].eras


def meant(name: Any) -> Any:
    """Return the name of what the program's era means by a name, and anything else unchanged.

    >>> with using("2"):
    ...     meant("hard_sigmoid"), meant("relu")
    ('hard_sigmoid_of_keras_2', 'relu')
    """
    differs = isinstance(name, str) and name in MEANINGS and holds(MEANINGS[name])
    return f"{name}_of_keras_2" if differs else name
