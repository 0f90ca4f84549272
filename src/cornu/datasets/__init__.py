"""Data sets as in Keras: names, arguments, values. MNIST is inside the package, the others are downloaded once."""

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
