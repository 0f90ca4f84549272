"""What all models of `cornu.applications` have in common: arguments, input, top, weights.

A model's function has its arguments in `Options` (`model_function` collects them), asks `images` for the input, builds
its layers, adds a `top`, and returns `finished`, the model with its weights.
"""

import functools
import os
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from cornu import layers
from cornu.applications import imagenet_utils
from cornu.core.graph import SymbolicTensor
from cornu.core.settings import image_data_format
from cornu.core.spellings import old_keywords
from cornu.datasets.fetch import fetch
from cornu.models.model import Functional
from cornu.utils.misc import get_source_inputs, is_keras_tensor

KERAS_APPLICATIONS = "https://storage.googleapis.com/tensorflow/keras-applications/"

ARGUMENTS = """

Args:
    include_top: Whether the model ends in its classifier.
    weights: None for random ones, ``"imagenet"`` for those that Keras publishes (downloaded once, into
        ``~/.keras/models``), or a file of weights.
    input_tensor: Symbolic tensor that the model is applied to, instead of a new `Input`.
    input_shape: Shape of one image, without the batch axis. By default the usual one; without a top, any size.
    pooling: Without a top: ``"avg"`` or ``"max"`` to pool over height and width, or None.
    classes: Number of classes of the classifier.
    classifier_activation: Activation of the classifier; None for logits.
    name: Name of the model.

Raises:
    ValueError: An argument is not valid or does not go with another one, or the weights do not fit.
    ConnectionError: The weights are not on this machine and cannot be downloaded.

Follows https://keras.io/api/applications/
"""


class Options(NamedTuple):
    """The arguments that all models take; `ARGUMENTS` describes them."""

    include_top: bool = True
    weights: Any = "imagenet"
    input_tensor: Any = None
    input_shape: Any = None
    pooling: str | None = None
    classes: int = imagenet_utils.CLASSES
    classifier_activation: Any = "softmax"
    name: str | None = None


class ModelFunction(Protocol):
    """A function that makes a model from the arguments in `Options`."""

    __name__: str

    def __call__(
        self,
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = imagenet_utils.CLASSES,
        classifier_activation: Any = "softmax",
        name: str | None = ...,
    ) -> Functional: ...


def model_function(default_name: str) -> Callable[[Callable[[Options], Functional]], ModelFunction]:
    """Decorate a function of `Options` that makes a model: it takes the options as arguments.

    Args:
        default_name: Default of the argument `name`.
    """

    def decorate(build: Callable[[Options], Functional]) -> ModelFunction:
        @functools.wraps(build)
        def make(
            include_top: bool = True,
            weights: Any = "imagenet",
            input_tensor: Any = None,
            input_shape: Any = None,
            pooling: str | None = None,
            classes: int = imagenet_utils.CLASSES,
            classifier_activation: Any = "softmax",
            name: str | None = default_name,
        ) -> Functional:
            return build(
                Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
            )

        del make.__wrapped__  # its signature is that of `make`
        make.__doc__ = f"{build.__doc__}{ARGUMENTS}"
        return old_keywords("applications", called=build.__name__)(make)

    return decorate


class Published(NamedTuple):
    """The files of weights that Keras publishes for a model.

    Args:
        folder: URL of the folder, with a slash at the end.
        whole, features: File with the top and without it: its name, its MD5 or SHA-256 (None if none is known), and its
            name in the folder if that is another one.
    """

    folder: str
    whole: tuple[str, str | None] | tuple[str, str | None, str]
    features: tuple[str, str | None] | tuple[str, str | None, str]


def preprocessing(mode: str | None) -> Callable[..., Any]:
    """Return the function `preprocess_input` of a model: with a mode of `imagenet_utils`, or None to change nothing."""

    @old_keywords("preprocess_input")
    def preprocess_input(x: Any, data_format: str | None = None) -> Any:
        return x if mode is None else imagenet_utils.preprocess_input(x, data_format, mode)

    how = "Return images as they are: the model scales them" if mode is None else f'Scale images in the mode "{mode}"'
    preprocess_input.__doc__ = f"{how}; see `cornu.applications.imagenet_utils.preprocess_input`."
    return preprocess_input


def images(options: Options, default_size: int, min_size: int = 32) -> SymbolicTensor:
    """Check the arguments of a model, and return its input: images.

    Args:
        options: The arguments.
        default_size: Height and width of the images if `input_shape` is None, and of those of ImageNet.
        min_size: The least height and width.

    Raises:
        ValueError: An argument is not valid, or does not go with another one.
    """
    check_options(options)
    shape = imagenet_utils.obtain_input_shape(
        options.input_shape, default_size, min_size, image_data_format(), options.include_top, options.weights
    )
    return input_of(options, shape)


def input_of(options: Options, shape: tuple[int | None, ...]) -> SymbolicTensor:
    """Return `input_tensor`, or a new input for images of `shape`."""
    if options.input_tensor is None:
        return layers.Input(shape)
    if is_keras_tensor(options.input_tensor):
        return options.input_tensor
    return layers.Input(shape, tensor=options.input_tensor)  # raises: it is not symbolic


def check_options(options: Options) -> None:
    """Raise ValueError for arguments that do not go together."""
    weights = options.weights
    if weights is not None and weights != "imagenet" and not _is_file(weights):
        raise ValueError(
            f"weights must be None, 'imagenet', or the path of a file of weights that exists; got {weights!r}."
        )
    if weights == "imagenet" and options.include_top and options.classes != imagenet_utils.CLASSES:
        raise ValueError(
            f"With weights='imagenet' and include_top=True, classes must be {imagenet_utils.CLASSES}; got "
            f"{options.classes}.\nPass include_top=False and add a Dense layer, or weights=None."
        )
    if options.include_top:
        imagenet_utils.validate_activation(options.classifier_activation, weights)


def _is_file(weights: Any) -> bool:
    """Return whether `weights` is the path of a file, or the prefix of a checkpoint of TensorFlow."""
    return isinstance(weights, (str, os.PathLike)) and any(
        os.path.exists(f"{os.fspath(weights)}{ending}") for ending in ("", ".index")
    )


def needs_channels_last(architecture: str) -> None:
    """Raise ValueError if images have their channels first: an architecture is not made for that."""
    if image_data_format() == "channels_first":
        raise ValueError(
            f"{architecture} takes images with channels last only: call "
            "keras.config.set_image_data_format('channels_last'), or change ~/.keras/keras.json."
        )


def channel_axis(last: int = 3) -> int:
    """Return the axis of the channels: 1, or `last` (3 or -1, as Keras writes it in configs) if they are last."""
    return 1 if image_data_format() == "channels_first" else last


def top(x: Any, options: Options, dropout: float = 0, is_named: bool = True, **dense_options: Any) -> Any:
    """Return the classifier on the mean over height and width, or what `pooling` leaves of `x` without a top.

    Args:
        x: Symbolic tensor: the last feature maps.
        options: The arguments of the model.
        dropout: Rate of dropout before the classifier.
        is_named: Whether the pooling layers of a model without a top are called avg_pool and max_pool.
        **dense_options: Arguments of the classifier, a Dense layer.
    """
    if not options.include_top:
        return pooled(x, options, is_named)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    if dropout > 0:
        x = layers.Dropout(dropout, name="top_dropout")(x)
    return classifier(x, options, **dense_options)


def classifier(x: Any, options: Options, **dense_options: Any) -> Any:
    """Return the probabilities of the classes, by a Dense layer."""
    dense = layers.Dense(options.classes, activation=options.classifier_activation, name="predictions", **dense_options)
    return dense(x)


def pooled(x: Any, options: Options, is_named: bool = True) -> Any:
    """Return the feature maps `x` of a model without a top, pooled as its arguments say."""
    if options.pooling == "avg":
        return layers.GlobalAveragePooling2D(name="avg_pool" if is_named else None)(x)
    if options.pooling == "max":
        return layers.GlobalMaxPooling2D(name="max_pool" if is_named else None)(x)
    return x


def finished(options: Options, inputs: Any, outputs: Any, published: Published) -> Functional:
    """Return the model from `inputs` to `outputs`, with the weights that its arguments ask for.

    Raises:
        ConnectionError: The published weights are not on this machine and cannot be downloaded; the message says where
            to put them.
        ValueError: The weights do not fit the model.
    """
    if options.input_tensor is not None:
        inputs = get_source_inputs(options.input_tensor)
    model = Functional(inputs, outputs, name=options.name)
    if options.weights == "imagenet":
        name, digest, *there = published.whole if options.include_top else published.features
        origin = f"{published.folder}{there[0] if there else name}"
        model.load_weights(fetch(name, origin=origin, digest=digest, subfolder="models"))
    elif options.weights is not None:
        model.load_weights(options.weights)
    return model
