"""MNIST, unpacked once for all tests here."""

import functools

import pytest

from cornu.datasets import mnist

_unpacked = functools.cache(mnist.load_data)


@pytest.fixture
def unpacked_mnist(monkeypatch):
    """Let ``mnist.load_data`` give the same arrays again; no test here changes them."""
    monkeypatch.setattr(mnist, "load_data", _unpacked)
