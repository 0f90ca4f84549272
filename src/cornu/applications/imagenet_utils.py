"""What all models of `cornu.applications` share with programs: preprocessing, class names, checks of arguments."""

import functools
import json
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu import activations
from cornu.core.dtype_policies import is_float, standardize_dtype
from cornu.core.errors import unknown
from cornu.core.public import offer
from cornu.core.settings import floatx, image_data_format, standardize_data_format
from cornu.core.spellings import old_keywords
from cornu.datasets.fetch import fetch
from cornu.ops.core import cast, convert_to_tensor
from cornu.ops.numpy import stack

_IMPORTED = frozenset(globals())

CLASSES = 1000
CLASS_INDEX_PATH = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
CLASS_INDEX_DIGEST = "c2c37ea517e94d9795004a39431a14cb"

#: Mode -> mean and standard deviation of each channel, in the mode's order of channels.
STATISTICS: dict[str, tuple[list[float], list[float] | None]] = {
    "caffe": ([103.939, 116.779, 123.68], None),
    "torch": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
}
MODES = ("caffe", "tf", "torch")


@old_keywords("preprocess_input")
def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Scale images as the models of ImageNet were trained with them.

    An array of numpy with a float dtype is changed in place, as in Keras: pass a copy to keep it.

    Args:
        x: Images with values from 0 to 255, of shape (..., height, width, 3), or (..., 3, height, width): an array of
            one image or a batch, or a symbolic tensor.
        data_format: ``"channels_last"``, ``"channels_first"``, or None for the default.
        mode: ``"caffe"`` changes RGB to BGR and subtracts the mean of ImageNet; ``"tf"`` scales to -1 to 1;
            ``"torch"`` scales to 0 to 1, then subtracts the mean and divides by the standard deviation of ImageNet.

    Returns:
        The scaled images, of the dtype of `x`, or of the default float type if `x` has integers.

    Raises:
        ValueError: `mode` or `data_format` is unknown.

    Follows https://keras.io/api/applications/

    >>> preprocess_input(np.array([[[0, 255, 255]]]), mode="tf").tolist()
    [[[-1.0, 1.0, 1.0]]]
    """
    if mode not in MODES:
        raise unknown("mode", mode, MODES)
    axis = -3 if standardize_data_format(data_format) == "channels_first" else -1
    if isinstance(x, np.ndarray):
        return _scale_array(x, axis, mode)
    return _scale_tensor(x, axis, mode)


def _scale_array(x: np.ndarray, axis: int, mode: str) -> np.ndarray:
    if not np.issubdtype(x.dtype, np.floating):
        x = x.astype(floatx())
    elif not x.flags.writeable:
        x = x.copy()
    if mode == "tf":
        x /= 127.5
        x -= 1.0
        return x
    if mode == "torch":
        x /= 255.0
    else:
        x = np.flip(x, axis)  # a view: what follows changes the caller's array
    mean, deviation = STATISTICS[mode]
    x -= _of_channels(mean, axis, x.dtype)
    if deviation is not None:
        x /= _of_channels(deviation, axis, x.dtype)
    return x


def _scale_tensor(x: Any, axis: int, mode: str) -> Any:
    x = x if hasattr(x, "shape") else convert_to_tensor(x)
    if mode == "tf":
        return x / 127.5 - 1.0
    if mode == "torch":
        x = x / 255.0
    else:
        x = x if is_float(standardize_dtype(x.dtype)) else cast(x, floatx())
        x = stack([_channel(x, number, axis) for number in (2, 1, 0)], axis=axis)
    mean, deviation = STATISTICS[mode]
    dtype = standardize_dtype(x.dtype)
    x = x + _of_channels([-value for value in mean], axis, dtype)
    return x if deviation is None else x / _of_channels(deviation, axis, dtype)


def _channel(x: Any, number: int, axis: int) -> Any:
    return x[..., number] if axis == -1 else x[..., number, :, :]


def _of_channels(values: Sequence[float], axis: int, dtype: Any) -> np.ndarray:
    """Return one value for each channel, in a shape that goes with images whose channels are on `axis`."""
    return np.array(values, dtype).reshape((3,) + (1,) * (-1 - axis))


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """Return the most probable classes of ImageNet for each row of predictions.

    Args:
        preds: Array of shape (samples, 1000).
        top: How many classes to return for each sample.

    Returns:
        For each sample a list of tuples ``(identifier, name, probability)``, the most probable class first.

    Raises:
        ValueError: `preds` does not have 1000 columns.
        ConnectionError: The names are not on this machine and cannot be downloaded; the message says where to put them.

    Follows https://keras.io/api/applications/

    >>> decode_predictions(np.eye(1000)[:1], top=1)  # doctest: +SKIP
    [[('n01440764', 'tench', 1.0)]]
    """
    preds = np.asarray(preds)
    if preds.ndim != 2 or preds.shape[1] != CLASSES:
        raise ValueError(
            f"decode_predictions takes the probabilities of ImageNet's {CLASSES} classes, an array of shape (samples, "
            f"{CLASSES}); got shape {preds.shape}."
        )
    names = _class_index()
    return [[(*names[i], row[i]) for i in row.argsort()[-top:][::-1]] for row in preds]


@functools.cache
def _class_index() -> list[tuple[str, str]]:
    """Return identifier and name of each class of ImageNet."""
    path = fetch("imagenet_class_index.json", origin=CLASS_INDEX_PATH, digest=CLASS_INDEX_DIGEST, subfolder="models")
    index = json.loads(path.read_text(encoding="utf-8"))
    return [tuple(index[str(number)]) for number in range(CLASSES)]


def obtain_input_shape(
    input_shape: Sequence[int | None] | None,
    default_size: int,
    min_size: int,
    data_format: str | None,
    require_flatten: bool,
    weights: Any = None,
) -> tuple[int | None, ...]:
    """Return the shape of one image that a model takes.

    Args:
        input_shape: The shape that was asked for, without the batch axis; None for the usual one.
        default_size: The usual height and width.
        min_size: The least height and width.
        data_format: ``"channels_last"``, ``"channels_first"``, or None for the default.
        require_flatten: Whether dense layers follow, so that height and width must be known.
        weights: ``"imagenet"`` needs images with 3 channels, and of the usual size if `require_flatten`.

    Raises:
        ValueError: The model cannot take images of that shape.

    >>> obtain_input_shape(None, 224, 32, "channels_last", True)
    (224, 224, 3)
    """
    first = standardize_data_format(data_format) == "channels_first"

    def shape(size: int | None, channels: int | None = 3) -> tuple[int | None, ...]:
        return (channels, size, size) if first else (size, size, channels)

    if not input_shape:
        return shape(default_size if require_flatten else None)
    given = tuple(input_shape)
    if len(given) != 3:
        raise ValueError(f"input_shape must have three numbers, such as {shape(default_size)}; got {given}.")
    channels, sizes = (given[0], given[1:]) if first else (given[2], given[:2])
    if weights == "imagenet":
        if require_flatten and given != shape(default_size):
            raise ValueError(
                f"With weights='imagenet' and include_top=True, input_shape must be {shape(default_size)}; got "
                f"{given}.\nPass include_top=False or weights=None for other sizes."
            )
        if channels != 3:
            raise ValueError(f"With weights='imagenet', images must have 3 channels; input_shape is {given}.")
    elif channels not in (1, 3):
        warnings.warn(f"Images usually have 1 or 3 channels; input_shape {given} has {channels}.", stacklevel=2)
    if any(size is not None and size < min_size for size in sizes):
        raise ValueError(f"Height and width must be at least {min_size}; input_shape is {given}.")
    if require_flatten and None in given:
        raise ValueError(
            f"With include_top=True, height and width must be known; input_shape is {given}.\nPass sizes, or "
            "include_top=False."
        )
    return given


def correct_pad(inputs: Any, kernel_size: int | tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the zero padding, for height and width, with which a convolution with strides of 2 halves an image.

    Args:
        inputs: Images of shape (batch, height, width, channels), or (batch, channels, height, width) if that is the
            default.
        kernel_size: Size of the convolution's kernel.

    >>> correct_pad(np.zeros((1, 224, 224, 3)), 3)
    ((0, 1), (0, 1))
    """
    start = 2 if image_data_format() == "channels_first" else 1
    kernel = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    sizes = inputs.shape[start : start + 2]
    before = [size // 2 - (1 if length is None else 1 - length % 2) for size, length in zip(kernel, sizes, strict=True)]
    return (before[0], kernel[0] // 2), (before[1], kernel[1] // 2)


def validate_activation(classifier_activation: Any, weights: Any) -> None:
    """Raise ValueError for an activation of the last layer that does not go with weights which were trained.

    Args:
        classifier_activation: Activation, or its name.
        weights: The argument `weights` of the model; None goes with any activation.
    """
    if weights is None:
        return
    if activations.get(classifier_activation) not in (activations.softmax, activations.linear):
        raise ValueError(
            "With weights that were trained, classifier_activation must be 'softmax' or None; got "
            f"{classifier_activation!r}."
        )


offer(globals(), _IMPORTED)
