"""What architectures of many sizes share: one function per size, made from a row of a table, and its weights files."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from cornu.applications.base import ARGUMENTS, Options, Published

Function = TypeVar("Function", bound=Callable[..., Any])

INCLUDE_PREPROCESSING = """
    include_preprocessing: Whether the model begins with the scaling of images that its weights were trained with.
        Without it, scale the images yourself."""


def named(function: Function, name: str, summary: str, more_arguments: str = "") -> Function:
    """Return `function` with a name and a docstring: a summary, the arguments of `Options`, then `more_arguments`."""
    function.__name__ = function.__qualname__ = name
    arguments, raises, rest = ARGUMENTS.partition("\n\nRaises:")
    function.__doc__ = f"{summary}{arguments}{more_arguments}{raises}{rest}"
    return function


def published_files(folder: str, stem: str, digests: Sequence[str]) -> Published:
    """Return the weights files ``stem.h5`` and ``stem_notop.h5`` of a folder."""
    whole, features = digests
    return Published(folder, (f"{stem}.h5", whole), (f"{stem}_notop.h5", features))


def published_size(size: str | None, options: Options, folder: str, prefix: str, digests: dict[str, Any]) -> Published:
    """Return the weights files of one size; ValueError if ImageNet's are asked for and there are none.

    Args:
        size: A key of `digests`, or None for an architecture without published weights.
        options: The arguments of the model.
        folder: URL of the folder with the files.
        prefix: What precedes the size in the names of the files.
        digests: Size -> digests of its two files.
    """
    if size in digests:
        return published_files(folder, f"{prefix}{size}", digests[size])
    if options.weights == "imagenet":
        raise ValueError(
            f"There are no weights of ImageNet for {options.name!r}: pass weights=None or a file of weights, or use "
            "one of the published sizes."
        )
    return published_files(folder, prefix, ("", ""))


def check_repeats(architecture: str, repeats: Sequence[int]) -> None:
    """Raise ValueError if a block of an architecture is repeated less than once."""
    if wrong := [number for number in repeats if number <= 0]:
        raise ValueError(f"{architecture}: each block is repeated once or more; got {wrong[0]} repeats.")
