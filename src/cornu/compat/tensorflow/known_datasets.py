"""``tensorflow_datasets.load`` for the data sets that `cornu.datasets` has."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from cornu.core.errors import unknown
from cornu.data.dataset import Dataset
from cornu.datasets import cifar10, fashion_mnist, imdb, mnist


class Features(NamedTuple):
    """What a data set says of a part of its examples."""

    shape: tuple
    dtype: str
    num_classes: int = 0
    names: tuple = ()

    def int2str(self, number: int) -> str:
        """Return the name of a class."""
        return self.names[int(number)] if self.names else str(int(number))

    def str2int(self, name: str) -> int:
        """Return the number of a class."""
        return self.names.index(name) if self.names else int(name)


class SplitInfo(NamedTuple):
    """How many examples a part has."""

    num_examples: int


class DatasetInfo(NamedTuple):
    """What ``with_info=True`` gives."""

    name: str
    features: dict[str, Features]
    splits: dict[str, SplitInfo]
    supervised_keys: tuple[str, str]


def _pictures(load: Callable) -> dict[str, tuple]:
    (x_train, y_train), (x_test, y_test) = load()
    return {
        split: (x[..., None] if x.ndim == 3 else x, np.ravel(y).astype("int64"))
        for split, x, y in (("train", x_train, y_train), ("test", x_test, y_test))
    }


def _reviews() -> dict[str, tuple]:
    words = {number + 3: word for word, number in imdb.get_word_index().items()}
    (x_train, y_train), (x_test, y_test) = imdb.load_data(start_char=None, index_from=3)

    def text(numbers: Any) -> str:
        return " ".join(words.get(number, "") for number in numbers)

    return {
        split: (np.array([text(row) for row in x], object), np.asarray(y, "int64"))
        for split, x, y in (("train", x_train, y_train), ("test", x_test, y_test))
    }


_DIGITS = tuple(map(str, range(10)))
_CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
_THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class _Known(NamedTuple):
    load: Callable[[], dict[str, tuple]]
    data: str
    shape: tuple
    names: tuple


KNOWN = {
    "mnist": _Known(lambda: _pictures(mnist.load_data), "image", (28, 28, 1), _DIGITS),
    "fashion_mnist": _Known(lambda: _pictures(fashion_mnist.load_data), "image", (28, 28, 1), _CLOTHES),
    "cifar10": _Known(lambda: _pictures(cifar10.load_data), "image", (32, 32, 3), _THINGS),
    "imdb_reviews": _Known(_reviews, "text", (), ("neg", "pos")),
}


def load(
    name: str, split: Any = None, data_dir: Any = None, batch_size: int | None = None, shuffle_files: bool = False,
    download: bool = True, as_supervised: bool = False, with_info: bool = False, **_: Any,
) -> Any:  # fmt: skip
    """Return data sets of examples: dictionaries, or pairs with `as_supervised`.

    Args:
        name: ``"mnist"``, ``"fashion_mnist"``, ``"cifar10"`` or ``"imdb_reviews"``; ValueError for another.
        split: A part, also ``"train[:80%]"`` or ``"train+test"``, or a list of them; None: a dictionary of all.
        data_dir, download: No effect.
        batch_size: Size of batches; -1: one batch with all.
        shuffle_files: Whether the examples are shuffled.
        as_supervised: Whether examples are pairs of data and label.
        with_info: Whether to return what is known of the data set, too.

    Follows https://www.tensorflow.org/datasets/api_docs/python/tfds/load

    >>> example = next(iter(load("mnist", split="test")))
    >>> tuple(example["image"].shape), int(example["label"])
    ((28, 28, 1), 7)
    """
    plain_name = name.partition("/")[0].partition(":")[0]
    if plain_name not in KNOWN:
        raise unknown("data set of tensorflow_datasets", name, KNOWN)
    known, parts = KNOWN[plain_name], KNOWN[plain_name].load()

    def dataset(wanted: str) -> Any:
        x, y = _chosen(parts, str(wanted))
        tensors = (x, y) if as_supervised else {known.data: x, "label": y}
        made = Dataset.from_tensor_slices(tensors)
        made = made.shuffle(len(y)) if shuffle_files else made
        if batch_size == -1:
            return next(iter(made.batch(len(y))))
        return made if batch_size is None else made.batch(batch_size)

    if split is None:
        found: Any = {one: dataset(one) for one in parts}
    else:
        found = [dataset(one) for one in split] if isinstance(split, (list, tuple)) else dataset(split)
    return (found, _info(plain_name, known, parts)) if with_info else found


def _info(name: str, known: _Known, parts: dict[str, tuple]) -> DatasetInfo:
    kind = "string" if known.data == "text" else "uint8"
    features = {known.data: Features(known.shape, kind), "label": Features((), "int64", len(known.names), known.names)}
    sizes = {split: SplitInfo(len(y)) for split, (_, y) in parts.items()}
    return DatasetInfo(name, features, sizes, (known.data, "label"))


def _chosen(parts: dict[str, tuple], wanted: str) -> tuple:
    """Return the data and labels of parts joined by ``+``, each maybe with a range of rows or percents."""
    pieces = [_range(parts, one.strip()) for one in wanted.split("+")]
    return tuple(np.concatenate(column) for column in zip(*pieces, strict=True))


def _range(parts: dict[str, tuple], wanted: str) -> tuple:
    split, _, limits = wanted.partition("[")
    if split not in parts:
        raise unknown("split", split, parts)
    x, y = parts[split]
    low, _, high = limits.rstrip("]").partition(":")
    rows = slice(_place(low, len(y)), _place(high, len(y))) if limits else slice(None)
    return x[rows], y[rows]


def _place(text: str, size: int) -> int | None:
    text = text.strip()
    if not text:
        return None
    return round(size * float(text[:-1]) / 100) if text.endswith("%") else int(text)


def as_numpy(dataset: Any) -> Any:
    """Return the elements of a data set as arrays of numpy."""
    return dataset.as_numpy_iterator() if isinstance(dataset, Dataset) else dataset


def list_builders() -> list[str]:
    """Return the names of the data sets."""
    return sorted(KNOWN)


def disable_progress_bar() -> None:
    """Do nothing: there is none."""
