"""The native library of convolutions and sums, and how programs call its functions."""

from __future__ import annotations

import ctypes
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from cornu.kernels.compiler import takes_native_calls
from cornu.kernels.native import library

FUNCTIONS = (
    "channel_moments",
    "channel_products",
    "channel_sums",
    "convolution",
    "convolution_kernel_gradient",
    "convolution_winograd",
    "convolution_winograd_kernel_gradient",
)


def _register(loaded: ctypes.CDLL, name: str) -> None:
    for function in FUNCTIONS:
        capsule = jax.ffi.pycapsule(getattr(loaded, function))
        jax.ffi.register_ffi_target(_target(function, name), capsule, platform="cpu")


FILES = ("kernels.h", "calls.cc", "convolution.cc", "kernel_gradient.cc", "winograd.cc", "channel_sums.cc")
LIBRARY = library.Library("convolution", "the first large convolution or normalization", _register, FILES)


def target(function: str) -> str:
    """Return the name by which programs call one of `FUNCTIONS`.

    It contains the library's hash, so a compiled program in JAX's cache never meets another library: a process without
    this one traces another program.
    """
    return _target(function, library.hash_of(LIBRARY))


def _target(function: str, name: str) -> str:
    return f"cornu_{function}_{name}"


def takes(*arrays: Array) -> bool:
    """Return whether there are functions for these arrays: float32, on one device or for one device's rows."""
    exact = all(array.dtype == jnp.float32 for array in arrays)
    return exact and takes_native_calls() and library.available(LIBRARY)


def called(function: str, results: Any, *arrays: Array, **attributes: Any) -> Any:
    """Return what a function gives: an array of float32 of the shape `results`, or a tuple for a list of shapes."""
    if isinstance(results, list):
        shapes: Any = tuple(jax.ShapeDtypeStruct(shape, jnp.float32) for shape in results)
    else:
        shapes = jax.ShapeDtypeStruct(results, jnp.float32)
    return jax.ffi.ffi_call(target(function), shapes, vmap_method="sequential")(*arrays, **attributes)
