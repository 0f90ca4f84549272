# Written by scripts/stubs; a test compares.

from cornu.datasets import boston_housing as boston_housing
from cornu.datasets import california_housing as california_housing
from cornu.datasets import cifar10 as cifar10
from cornu.datasets import cifar100 as cifar100
from cornu.datasets import fashion_mnist as fashion_mnist
from cornu.datasets import imdb as imdb
from cornu.datasets import mnist as mnist
from cornu.datasets import reuters as reuters
