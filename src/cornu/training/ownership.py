"""An optimizer holds the slots of one model; a second model compiled with it gets a copy."""

import weakref
from typing import Any

from cornu.core.variable import Variable
from cornu.optimizers import Optimizer


def own_optimizer(optimizer: Optimizer, model: Any) -> Optimizer:
    """Return an optimizer for `model` alone.

    In Keras 1 and 2, one optimizer passed to several models (as GAN programs do) kept separate state for each. Here the
    later models get copies, which share the learning rate.
    """
    owner = _owner(optimizer)
    if owner is not None and (owner is not model or not _serves(optimizer, model)):
        optimizer = _copy(optimizer)
    optimizer._owner = weakref.ref(model)
    return optimizer


def _owner(optimizer: Optimizer) -> Any:
    reference = vars(optimizer).get("_owner")
    return None if reference is None else reference()


def _serves(optimizer: Optimizer, model: Any) -> bool:
    """Return whether an optimizer can continue with the current trainable weights."""
    if not optimizer.built:
        return True
    return {id(v) for v in optimizer._trainable_variables} == {id(v) for v in model.trainable_variables}


def _copy(optimizer: Optimizer) -> Optimizer:
    copy = type(optimizer).from_config(optimizer.get_config())
    rate = optimizer._learning_rate
    if isinstance(rate, Variable):
        copy._variables = [rate if variable is copy._learning_rate else variable for variable in copy._variables]
        copy._learning_rate = rate
    return copy
