"""Losses: one function for each, and a class that wraps it. ``compile(loss="mse")`` finds them by name."""

from typing import Any

from cornu.core import registry, serialization, spellings
from cornu.losses.base import Loss, LossFunctionWrapper
from cornu.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from cornu.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
)
from cornu.losses.hinge import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from cornu.losses.regression import (
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from cornu.losses.similarity import (
    CTC,
    Circle,
    CosineSimilarity,
    Dice,
    KLDivergence,
    Poisson,
    Tversky,
    circle,
    cosine_similarity,
    ctc,
    dice,
    kl_divergence,
    poisson,
    tversky,
)

_CLASSES = (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CTC,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    CategoricalHinge,
    Circle,
    CosineSimilarity,
    Dice,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    Loss,
    LossFunctionWrapper,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    Tversky,
)
# Snake-case names refer to the functions, which are already in the table.
registry.LOSSES.things.update({cls.__name__: cls for cls in _CLASSES})


def get(identifier: Any) -> Any:
    """Return the loss for an identifier.

    Args:
        identifier: a name (``"mse"`` gives a function, ``"MeanSquaredError"`` an object), a config, a loss or
            a function; None stays None.

    Raises:
        ValueError: if the name is unknown.

    Follows https://keras.io/api/losses/

    >>> get("mse") is mean_squared_error
    True
    """
    return serialization.get(identifier, registry.LOSSES)


def serialize(loss: Any) -> Any:
    """Return the config of a loss object, or the name of a library function.

    >>> serialize(mean_squared_error)
    'mean_squared_error'
    """
    return serialization.serialize(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the loss for a name or config.

    Args:
        name: a name or a config.
        custom_objects: names of custom classes and functions.

    Raises:
        ValueError: if the class or name is unknown.

    >>> deserialize("mse") is mean_squared_error
    True
    """
    return serialization.deserialize(name, custom_objects, registry.LOSSES)


__getattr__ = spellings.names_of(__name__)

__all__ = [
    "CTC",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "ctc",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]
