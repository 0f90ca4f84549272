"""Fixtures for the kernels."""

import jax
import pytest

from cornu.kernels.native import library


@pytest.fixture(scope="module")
def without_native_kernels():
    """Compute in XLA's forms, as on a machine without a compiler."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "available", lambda _: False)
        jax.clear_caches()  # of inner programs that chose the native form
        yield
    jax.clear_caches()
