"""Data sets as in Keras: the same names, arguments and values.

MNIST is part of the package; the others are downloaded once. Read `fetch.py` first (download and cache), then any data
set; `arrays.py` reads files safely, `words.py` and `splits.py` are shared helpers.
"""

from cornu.core import spellings
from cornu.core.public import offer
from cornu.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)

__getattr__ = spellings.names_of(__name__)

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
]
offer(globals())
