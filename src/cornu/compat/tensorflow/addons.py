"""The parts of ``tensorflow_addons`` and ``keras_contrib`` that are layers, losses, metrics or optimizers of Keras.

`packages.NAMES` says what replaces each name. Follows https://github.com/tensorflow/addons and
https://github.com/keras-team/keras-contrib
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import jax.numpy as jnp

from cornu import activations, initializers, layers, losses, metrics, optimizers
from cornu.core import registry
from cornu.core.layer import Layer
from cornu.core.variable import Variable, plain
from cornu.ops.normalization import normalize

# ---- layers


@registry.register_keras_serializable("Addons")
class InstanceNormalization(layers.GroupNormalization):
    """`GroupNormalization` with a group for each channel.

    >>> InstanceNormalization()(jnp.ones((1, 4, 4, 3))).shape
    (1, 4, 4, 3)
    """

    def __init__(self, axis: int = -1, epsilon: float = 1e-3, **kwargs: Any) -> None:
        kwargs.pop("groups", None)
        super().__init__(groups=-1, axis=axis, epsilon=epsilon, **kwargs)


@registry.register_keras_serializable("Contrib")
class WholeNormalization(Layer):
    """``InstanceNormalization(axis=None)`` of keras_contrib: each sample over all of its values, with one factor."""

    def __init__(self, epsilon: float = 1e-3, center: bool = True, scale: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon, self.center, self.scale = epsilon, center, scale

    def build(self, input_shape: Any) -> None:
        self.gamma = self.add_weight(shape=(1,), initializer="ones", name="gamma") if self.scale else None
        self.beta = self.add_weight(shape=(1,), initializer="zeros", name="beta") if self.center else None

    def call(self, inputs: Any) -> Any:
        axes = tuple(range(1, inputs.ndim))
        mean = jnp.mean(inputs, axes, keepdims=True)
        found = (inputs - mean) / (jnp.std(inputs, axes, keepdims=True) + self.epsilon)
        found = found if self.gamma is None else found * plain(self.gamma)
        return found if self.beta is None else found + plain(self.beta)


def contrib_instance_normalization(axis: int | None = None, epsilon: float = 1e-3, **kwargs: Any) -> Layer:
    """Return the layer: over each channel, or without `axis` over all values of a sample."""
    if axis is None:
        return WholeNormalization(epsilon, **kwargs)
    return InstanceNormalization(axis, epsilon, **kwargs)


@registry.register_keras_serializable("Addons")
class WeightNormalization(layers.Wrapper):
    """Wrap a layer so that its kernel is a direction times a length, which is trained.

    Args:
        layer: A layer with a kernel.
        data_init: Accepted; the length begins as that of the kernel.
        **kwargs: Arguments of `Layer`.

    Salimans and Kingma 2016, https://arxiv.org/abs/1602.07868

    >>> WeightNormalization(layers.Dense(2))(jnp.ones((1, 3))).shape
    (1, 2)
    """

    def __init__(self, layer: Layer, data_init: bool = True, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.data_init = data_init

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        kernel = vars(self.layer).get("kernel")
        if kernel is None:
            raise ValueError(f"WeightNormalization needs a layer with a kernel; {self.layer.name!r} has none.")
        axes = tuple(range(kernel.ndim - 1))
        start = jnp.sqrt(jnp.sum(jnp.square(kernel.value), axes))
        self.g = self.add_weight(shape=start.shape, initializer=initializers.Constant(1.0), name="g")
        self.g.assign(start)

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        variable = vars(self.layer)["kernel"]
        kernel = variable.value
        unit = normalize(kernel.reshape(-1, kernel.shape[-1]), axis=0, epsilon=1e-12).reshape(kernel.shape)
        with _attribute(self.layer, "kernel", _Computed(unit * plain(self.g))):
            return self.layer(inputs, **kwargs)


class _Computed(Variable):
    """An array in the place of a weight."""

    def __init__(self, array: Any) -> None:
        self._array = array

    value = _value = property(lambda self: self._array)


@contextlib.contextmanager
def _attribute(layer: Layer, name: str, value: Any) -> Iterator[None]:
    before = vars(layer)[name]
    vars(layer)[name] = value
    try:
        yield
    finally:
        vars(layer)[name] = before


# ---- losses and metrics


def sigmoid_focal_crossentropy(
    y_true: Any, y_pred: Any, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False
) -> Any:
    """Return the focal loss of each sample, the sum over its classes (https://arxiv.org/abs/1708.02002)."""
    y_true, y_pred = jnp.asarray(y_true, jnp.asarray(y_pred).dtype), jnp.asarray(y_pred)
    each = losses.binary_crossentropy(y_true[..., None], y_pred[..., None], from_logits=from_logits)
    chance = activations.sigmoid(y_pred) if from_logits else y_pred
    right = y_true * chance + (1 - y_true) * (1 - chance)
    weight = y_true * alpha + (1 - y_true) * (1 - alpha) if alpha else 1.0
    return jnp.sum(weight * (1 - right) ** gamma * each, -1)


class SigmoidFocalCrossEntropy(losses.LossFunctionWrapper):
    """`sigmoid_focal_crossentropy` as a loss; one value for each sample with ``reduction="none"``."""

    def __init__(
        self, from_logits: bool = False, alpha: float = 0.25, gamma: float = 2.0,
        reduction: Any = "sum_over_batch_size", name: str = "sigmoid_focal_crossentropy",
    ) -> None:  # fmt: skip
        options = {"from_logits": from_logits, "alpha": alpha, "gamma": gamma}
        super().__init__(sigmoid_focal_crossentropy, reduction=reduction, name=name, **options)


def contrastive_loss(y_true: Any, y_pred: Any, margin: float = 1.0) -> Any:
    """Return ``y d² + (1 - y) max(margin - d, 0)²`` for distances `y_pred` of pairs that are alike (1) or not (0)."""
    distance = jnp.asarray(y_pred)
    alike = jnp.asarray(y_true, distance.dtype)
    return alike * jnp.square(distance) + (1 - alike) * jnp.square(jnp.maximum(margin - distance, 0))


class ContrastiveLoss(losses.LossFunctionWrapper):
    """`contrastive_loss` as a loss."""

    def __init__(
        self, margin: float = 1.0, reduction: Any = "sum_over_batch_size", name: str = "contrastive_loss"
    ) -> None:
        super().__init__(contrastive_loss, reduction=reduction, name=name, margin=margin)


def jaccard_distance(y_true: Any, y_pred: Any, smooth: float = 100) -> Any:
    """Return ``smooth`` times one minus the overlap of targets and predictions, of each sample."""
    y_true, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
    common = jnp.sum(jnp.abs(y_true * y_pred), -1)
    total = jnp.sum(jnp.abs(y_true) + jnp.abs(y_pred), -1)
    return (1 - (common + smooth) / (total - common + smooth)) * smooth


def f1_score(num_classes: Any = None, average: Any = None, threshold: Any = None, **options: Any) -> Any:
    """Return `metrics.F1Score`; the number of classes is known from the data."""
    return metrics.F1Score(average=average, threshold=threshold, **options)


def f_beta_score(num_classes: Any = None, average: Any = None, beta: float = 1.0, **options: Any) -> Any:
    """Return `metrics.FBetaScore`; the number of classes is known from the data."""
    return metrics.FBetaScore(average=average, beta=beta, **options)


# ---- optimizers


def _weights_decay_first(make: Callable) -> Callable:
    """Return a maker of optimizers that takes `weight_decay` before the learning rate."""

    def made(weight_decay: Any = None, *args: Any, exclude_from_weight_decay: Any = None, **options: Any) -> Any:
        optimizer = make(*args, weight_decay=weight_decay, **options)
        if exclude_from_weight_decay:
            optimizer.exclude_from_weight_decay(var_names=list(exclude_from_weight_decay))
        return optimizer

    return made


adam_w = _weights_decay_first(optimizers.AdamW)
sgd_w = _weights_decay_first(optimizers.SGD)


def lamb(
    learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-6, **options: Any
) -> Any:
    """Return `optimizers.Lamb`."""
    renamed = {"weight_decay_rate": "weight_decay"}
    return optimizers.Lamb(
        learning_rate, beta_1, beta_2, epsilon, **{renamed.get(key, key): value for key, value in options.items()}
    )


def lisht(x: Any) -> Any:
    """Return ``x * tanh(x)``."""
    return jnp.asarray(x) * jnp.tanh(jnp.asarray(x))


def mish(x: Any) -> Any:
    """Return ``x * tanh(softplus(x))``."""
    return activations.mish(jnp.asarray(x))
