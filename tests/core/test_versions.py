"""Versions in reports."""

import jax
import pytest

from cornu import __version__
from cornu.core import versions


def test_versions():
    found = versions.versions()
    assert list(found) == ["cornu", "python", "jax", "jaxlib", "optax", "numpy"]
    assert (found["cornu"], found["jax"]) == (__version__, jax.__version__)


def test_a_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch):
    def missing(name):
        raise versions.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(versions.metadata, "version", missing)
    assert versions.versions()["optax"] == "not installed"
