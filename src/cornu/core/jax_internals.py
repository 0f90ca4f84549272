"""Everything that Cornu takes from JAX beyond its documented interface, with the versions that each form serves.

A later JAX may rename any of it. What concerns speed alone then falls back; the rest raises an error that names the
JAX that was found. ``tests/core/test_jax_internals.py`` checks each entry against the installed JAX, so that the first
version that breaks one is named by a failing test.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jaxlib.version
import numpy as np
from jax.extend.core import JaxprEqn

#: The first and the last release of JAX that the tests have seen (`scripts/versions` prints the table).
OLDEST, NEWEST = "0.8.0", "0.12.0"
JAXLIB: str = jaxlib.version.__version__  # 0.8 to 0.12
#: Whether the transpose of a loop that is linear in some of its inputs knows the others; 0.8 fails, 0.10 does not.
TRANSPOSES_LINEAR_LOOPS: bool = jax.__version_info__ >= (0, 10)

# ---- compile options and kernels

#: From jaxlib 0.12 on, XLA's product on CPU is 10 to 50% slower where its second operand has to be transposed.
SLOW_TRANSPOSED_OPERAND = tuple(map(int, JAXLIB.split(".")[:2])) >= (0, 12)

#: Whether XLA on CPU vectorizes a loop over a slice whose start is known at run time only; 0.12 does, 0.10 and 0.11 do not.
SLICES_ARE_VECTORIZED = tuple(map(int, JAXLIB.split(".")[:2])) >= (0, 12)

#: Since jaxlib 0.9, XLA on CPU hands convolutions without padding to a kernel library that runs them on one core, at a
#: quarter of the speed of XLA's own kernel. An empty list of kinds switches that off; matrix products are as fast.
NO_LIBRARY_KERNELS = {"xla_cpu_experimental_ynn_fusion_type": ""}


@functools.cache
def check_device() -> None:
    """Start the device; RuntimeError if there is none of the kind that ``JAX_PLATFORMS`` asks for."""
    try:
        jax.devices()
    except (AssertionError, RuntimeError) as error:  # 0.8 to 0.12: an AssertionError without a message
        wanted = setting("jax_platforms")
        if not wanted:
            raise
        detail = f" ({str(error).splitlines()[0][:200]})" if str(error) else ""
        raise RuntimeError(
            f"JAX_PLATFORMS is {wanted!r}, but JAX finds no such device{detail}.\nUnset it, or set JAX_PLATFORMS=cpu. "
            "A GPU needs its driver and the extra 'cuda', a TPU the extra 'tpu': pip install 'cornu[cuda]'."
        ) from None


@functools.cache
def compiler_options() -> dict[str, str]:
    """Return the options for ``jax.jit(program, compiler_options=...)``: those that this jaxlib knows, on CPU only.

    >>> isinstance(compiler_options(), dict)
    True
    """
    check_device()
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(lambda x: x, compiler_options=NO_LIBRARY_KERNELS).lower(0.0).compile()
    except RuntimeError:  # jaxlib 0.8 has neither the option nor the library; a later one may have dropped it
        return {}
    return NO_LIBRARY_KERNELS


# ---- settings

#: Settings of `jax.config` that change speed or the text of messages, and no result.
SETTINGS = (
    "jax_compilation_cache_dir",  # 0.8 to 0.12
    "jax_persistent_cache_min_compile_time_secs",  # 0.8 to 0.12
    "jax_persistent_cache_min_entry_size_bytes",  # 0.8 to 0.12
    "jax_cpu_enable_async_dispatch",  # 0.8 to 0.12
    "jax_traceback_in_locations_limit",  # 0.8 to 0.12
    "jax_traceback_filtering",  # 0.8 to 0.12
)
#: How JAX begins the warning about an entry of its cache that is being written or was cut short (0.8 to 0.12).
CACHE_WARNING = "Error (reading|writing) persistent compilation cache"


def setting(name: str, default: Any = None) -> Any:
    """Return a setting of JAX, or `default` if this JAX has no such setting."""
    return getattr(jax.config, name, default)


def set_setting(name: str, value: Any) -> bool:
    """Change one of `SETTINGS`; returns False if this JAX has no such setting.

    >>> set_setting("jax_no_such_setting", 1)
    False
    """
    try:
        jax.config.update(name, value)
    except AttributeError:
        return False
    return True


# ---- arrays and errors


@functools.cache
def array_class() -> type:
    """Return the class of JAX's arrays, of which ``jax.Array`` is only the interface.

    >>> issubclass(array_class(), jax.Array)
    True
    """
    try:
        from jax._src.array import ArrayImpl  # 0.8 to 0.12
    except ImportError:
        return type(jax.numpy.asarray(np.zeros(())))  # starts the device
    return ArrayImpl


def device_started() -> bool:
    """Return whether JAX has started its device, and with it the threads that compute."""
    try:
        from jax._src.xla_bridge import backends_are_initialized  # 0.8 to 0.12
    except ImportError:
        return True
    return backends_are_initialized()


#: Parts of the paths of JAX's files, and names of its packages: how its own errors are told from the user's.
ENGINE_FOLDERS = ("/jax/", "/jaxlib/", "\\jax\\", "\\jaxlib\\")
ENGINE_PACKAGES = ("jax", "jaxlib")

# ---- traced programs


def without_unused(closed: Any, removable: Sequence[bool]) -> tuple[Any, list[bool]]:
    """Return a program (a ClosedJaxpr) without dead code, and which inputs it still takes; `removable` ones may go.

    Without JAX's pass, the program is returned as it is: it computes the same and takes unused inputs.
    """
    try:
        from jax.interpreters.partial_eval import dce_jaxpr  # 0.8 to 0.12

        kept = [not each for each in removable]
        jaxpr, used = dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars), kept)
    except (ImportError, TypeError):
        return closed, [True] * len(closed.jaxpr.invars)
    return type(closed)(jaxpr, closed.consts), list(used)


class UnknownFormError(LookupError):
    """An operation of a traced program has a form that this Cornu does not know."""

    def __init__(self, equation: JaxprEqn) -> None:
        super().__init__(
            f"the operation {equation.primitive.name!r} in the form that JAX {jax.__version__} gives it "
            f"(this Cornu knows JAX {OLDEST} to {NEWEST})"
        )


#: Primitives that only call an inner program; `inner_program` returns it.
CALLS = (
    "jit",  # 0.8 to 0.12; pjit before
    "closed_call",  # 0.8 to 0.10
    "core_call",
    "remat2",  # 0.8 to 0.12: jax.checkpoint
    "checkpoint",
    "custom_jvp_call",  # 0.8 to 0.12
    "custom_vjp_call",  # 0.8 to 0.12
    "custom_vjp_call_jaxpr",
    "custom_lin",
    "call_hi_primitive",  # 0.11 and later: primitives that expand themselves
    "xla_metadata_call",  # 0.12
)
INNER = ("jaxpr", "call_jaxpr", "fun_jaxpr")


def inner_program(equation: JaxprEqn) -> Any:
    """Return the program that an equation of one of `CALLS` runs; UnknownFormError if it cannot be found."""
    for name in INNER:
        if name in equation.params:
            return equation.params[name]
    if "_prim" in equation.params:  # 0.11 and later: it can write itself in plain operations
        primitive = equation.params["_prim"]

        def expanded(*args: Any) -> Any:
            return primitive.expand(*jax.tree.unflatten(primitive.in_tree, args))

        avals: list[Any] = [variable.aval for variable in equation.invars]
        return jax.make_jaxpr(expanded)(*[jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in avals])
    raise UnknownFormError(equation)


def scan_counts(equation: JaxprEqn) -> tuple[int, int]:
    """Return how many inputs of a scan are constants, and how many are carried."""
    params = equation.params
    if "num_consts" in params:  # 0.8 to 0.10
        return params["num_consts"], params["num_carry"]
    if "ft_in" in params:  # 0.11 and later: a tree of (constants, carried, rows)
        consts, carried, _ = map(len, params["ft_in"].unpack())
        return consts, carried
    raise UnknownFormError(equation)


#: Primitive -> the parameters that its ONNX translation reads (0.8 to 0.12, unless said otherwise).
PARAMETERS: dict[str, tuple[str, ...]] = {
    "argmax": ("axes", "index_dtype"),
    "argmin": ("axes", "index_dtype"),
    "broadcast_in_dim": ("shape", "broadcast_dimensions"),
    "concatenate": ("dimension",),
    "cond": ("branches",),
    "conv_general_dilated": (
        "dimension_numbers", "batch_group_count", "window_strides", "padding", "lhs_dilation", "rhs_dilation",
        "feature_group_count",
    ),
    "cumlogsumexp": ("axis", "reverse"),
    "cummax": ("axis", "reverse"),
    "cummin": ("axis", "reverse"),
    "cumprod": ("axis", "reverse"),
    "cumsum": ("axis", "reverse"),
    "dim_as_value": ("dim",),
    "dot_general": ("dimension_numbers",),
    "dynamic_slice": ("slice_sizes",),
    "gather": ("dimension_numbers", "slice_sizes", "mode", "fill_value"),
    "integer_pow": ("y",),
    "iota": ("shape", "dimension", "dtype"),
    "pad": ("padding_config",),
    "reduce_and": ("axes",),
    "reduce_max": ("axes",),
    "reduce_min": ("axes",),
    "reduce_or": ("axes",),
    "reduce_prod": ("axes",),
    "reduce_sum": ("axes",),
    "reduce_window_max": ("window_dimensions", "window_strides", "padding", "base_dilation", "window_dilation"),
    "reduce_window_min": ("window_dimensions", "window_strides", "padding", "base_dilation", "window_dilation"),
    "reduce_window_sum": ("window_dimensions", "window_strides", "padding", "base_dilation", "window_dilation"),
    "reshape": ("new_sizes",),
    "rev": ("dimensions",),
    "round": ("rounding_method",),
    "scan": ("jaxpr", "length", "reverse"),
    "scatter": ("dimension_numbers",),
    "scatter-add": ("dimension_numbers",),
    "slice": ("start_indices", "limit_indices", "strides"),
    "sort": ("dimension",),
    "split": ("sizes", "axis"),
    "squeeze": ("dimensions",),
    "top_k": ("k",),
    "transpose": ("permutation",),
    "while": ("cond_nconsts", "body_nconsts", "cond_jaxpr", "body_jaxpr"),
}  # fmt: skip


def check_parameters(equation: JaxprEqn) -> None:
    """Raise UnknownFormError if an equation lacks one of its `PARAMETERS`."""
    if not equation.params.keys() >= set(PARAMETERS.get(equation.primitive.name, ())):
        raise UnknownFormError(equation)


#: Functions of XLA that an exported program may call by name (0.8 to 0.12): checks of sizes, and the dynamic forms of
#: plain operations. A program that calls anything else is not loaded.
EXPORTED_CALLS = frozenset(
    ("shape_assertion", "Sharding", "mhlo.topk", "mhlo.erf", "stablehlo.dynamic_reduce_window",
     "stablehlo.dynamic_top_k", "stablehlo.dynamic_rng_bit_generator")
)  # fmt: skip
