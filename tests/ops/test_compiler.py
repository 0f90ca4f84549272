"""Whole programs are compiled with options that the installed jaxlib accepts."""

import jax
import jax.numpy as jnp
import pytest

from cornu.ops import compiler
from cornu.ops.convolution import convolution


@pytest.fixture(autouse=True)
def probe_again():
    compiler.compiler_options.cache_clear()
    yield
    compiler.compiler_options.cache_clear()


def test_options_are_accepted_and_keep_convolutions_from_the_library():
    program = jax.jit(convolution, compiler_options=compiler.compiler_options())
    text = program.lower(jnp.ones((8, 26, 26, 32)), jnp.ones((3, 3, 32, 64))).compile().as_text()
    assert "ynn_fusion" not in text


def test_an_unknown_option_is_left_out(monkeypatch):
    monkeypatch.setattr(compiler, "NO_LIBRARY_KERNELS", {"xla_cpu_no_such_option": ""})
    assert compiler.compiler_options() == {}


def test_other_platforms_get_none(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert compiler.compiler_options() == {}
