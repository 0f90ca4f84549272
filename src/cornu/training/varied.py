"""Numbers of a model that differ between its replicas, although layers and losses have them as Python's numbers.

While a step is traced, the attribute holds the value of a variable, which has another one in each replica.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from cornu.core.variable import Variable
from cornu.layers.regularization import AlphaDropout, Dropout, GaussianDropout
from cornu.training.objective import Objective, spread

#: What differs between replicas beside numbers of the optimizer.
MODEL_NUMBERS = "dropout", "label_smoothing", "loss_weights"


class Varied:
    """An attribute that differs between replicas.

    Args:
        owner: The object that has it.
        attribute: Its name.
        values: Its value in each replica, a number or a row of numbers.
    """

    def __init__(self, owner: Any, attribute: str, values: Any) -> None:
        self.owner, self.attribute = owner, attribute
        self.values: Any = np.asarray(values, "float32")
        self.variable = Variable(self.values[0], trainable=False, autocast=False, name=attribute)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside a ``with`` block, the owner has the variable's value."""
        own = vars(self.owner)
        before, own[self.attribute] = own[self.attribute], self.variable.value
        try:
            yield
        finally:
            own[self.attribute] = before


def varied_in(model: Any, numbers: dict[str, Sequence[Any]]) -> list[Varied]:
    """Return what differs between the replicas of a model.

    Args:
        model: The model, whose objective is built.
        numbers: ``dropout``, ``label_smoothing`` and ``loss_weights``, each with a value for each replica; others are
            those of the optimizer.

    Raises:
        ValueError: The model has nothing that they are for.
    """
    makers = {"dropout": _of_dropout, "label_smoothing": _of_label_smoothing, "loss_weights": _of_loss_weights}
    return [one for name, values in numbers.items() if name in makers for one in makers[name](model, values)]


def vary_optimizer(optimizer: Any, replication: Any) -> None:
    """Give the optimizer of each replica its own numbers."""
    for name, values in replication.numbers.items():
        if name not in MODEL_NUMBERS:
            # A number that is not zero comes last: an optimizer's update leaves out what is zero.
            for replica in sorted(range(replication.count), key=lambda one: bool(values[one])):
                with replication.as_one(replica, optimizer.hyper_variables):
                    setattr(optimizer, name, float(values[replica]))


def _of_dropout(model: Any, rates: Sequence[float]) -> list[Varied]:
    layers = [one for one in model._flatten_layers() if isinstance(one, (Dropout, GaussianDropout, AlphaDropout))]
    found = [layer for layer in layers if layer.rate > 0]
    if not found:
        raise ValueError(
            "Replicas: dropout sets the rate of dropout layers; the model has none with a rate above 0.\n"
            "Add keras.layers.Dropout(0.5), for example."
        )
    if not all(0 <= rate < 1 for rate in rates):
        raise ValueError(f"Replicas: dropout needs rates from 0 to below 1; got {list(rates)}.")
    return [Varied(layer, "rate", rates) for layer in found]


def _of_label_smoothing(model: Any, values: Sequence[float]) -> list[Varied]:
    found = [loss for loss in model.objective.losses if hasattr(loss, "label_smoothing")]
    if not found:
        names = ", ".join(str(getattr(loss, "name", loss)) for loss in model.objective.losses)
        raise ValueError(f"Replicas: no loss has label_smoothing: {names}. Compile with categorical_crossentropy.")
    return [Varied(loss, "label_smoothing", values) for loss in found]


def _of_loss_weights(model: Any, values: Sequence[Any]) -> list[Varied]:
    objective: Objective = model.objective
    rows = [spread(one, objective.names, "loss_weights") for one in values]
    return [Varied(objective, "weights", [[1.0 if one is None else one for one in row] for row in rows])]
