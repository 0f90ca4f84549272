"""Everything that Cornu takes from JAX beyond its documented interface, with the versions that each form serves.

A later JAX may rename any of it. What concerns speed alone then falls back; the rest raises an error that names the
JAX that was found. ``tests/core/test_jax_internals.py`` checks each entry against the installed JAX, so that the first
version that breaks one is named by a failing test.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from typing import Any

import jax
import jaxlib.version
import numpy as np
from jax._src import core as _core
from jax.extend.core import JaxprEqn

#: The first and the last release of JAX that the tests have seen (`scripts/versions` prints the table).
OLDEST, NEWEST = "0.8.0", "0.12.0"
JAXLIB: str = jaxlib.version.__version__  # 0.8 to 0.12
_RELEASE = tuple(map(int, JAXLIB.split(".")[:2]))
#: Whether the transpose of a loop that is linear in some of its inputs knows the others; 0.8 fails, 0.10 does not.
TRANSPOSES_LINEAR_LOOPS: bool = jax.__version_info__ >= (0, 10)

# ---- compile options and kernels

#: From jaxlib 0.12 on, XLA's product on CPU is 10 to 50% slower where its second operand has to be transposed.
SLOW_TRANSPOSED_OPERAND = _RELEASE >= (0, 12)

#: Whether XLA on CPU vectorizes a loop over a slice whose start is known at run time only: 0.12 does, 0.11 does not.
SLICES_ARE_VECTORIZED = _RELEASE >= (0, 12)

#: What XLA on CPU hands to a kernel library, from jaxlib 0.9 on: by default convolutions without padding too, which run
#: on one core there, at a quarter of the speed of XLA's own kernel. Sums and maxima are 2 to 15 times as fast in it.
LIBRARY_KERNELS = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE"}


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


def wide_types(wanted: bool) -> Any:
    """Return a context in which arrays may have 64 bits, if `wanted`."""
    return jax.enable_x64(True) if wanted else contextlib.nullcontext()


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
        jax.jit(lambda x: x, compiler_options=LIBRARY_KERNELS).lower(0.0).compile()
    except RuntimeError:  # jaxlib 0.8 has neither the option nor the library; a later one may have dropped it
        return {}
    return LIBRARY_KERNELS


def sums_by_library() -> bool:
    """Return whether XLA hands sums to a kernel library: then they are fast in every form.

    >>> isinstance(sums_by_library(), bool)
    True
    """
    return compiler_options() == LIBRARY_KERNELS


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

# ---- what runs


class Watching(_core.Trace):
    """Sees each operation that JAX runs while it is the current trace, and lets the trace around it run it.

    A subclass defines `note`. Values stay what they are: arrays, or the tracers of the trace around it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.around = _core.trace_ctx.trace  # 0.8 to 0.12
        self.is_inside = self.around is not _core.eval_trace  # a program that is being traced

    def note(self, operation: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Take note of an operation that ran: ``operation(*inputs)`` runs it again."""
        raise NotImplementedError

    def install(self) -> None:
        """Become the current trace of this thread."""
        _core.trace_ctx.set_trace(self)

    def remove(self) -> None:
        """Make the trace around this one current again."""
        if _core.trace_ctx.trace is self:
            _core.trace_ctx.set_trace(self.around)

    def unseen(self, function: Any, *args: Any) -> Any:
        """Return ``function(*args)`` without taking note of what it runs."""
        before = _core.trace_ctx.trace
        _core.trace_ctx.set_trace(self.around)
        try:
            return function(*args)
        finally:
            _core.trace_ctx.set_trace(before)

    def process_primitive(self, primitive: Any, inputs: Sequence[Any], params: dict[str, Any], /) -> Any:
        """Run a primitive and take note of it."""
        if primitive.name == "stop_gradient":  # a copy: it returns its input itself, which gradients would reach
            return self.unseen(copied, self.around.process_primitive(primitive, inputs, params))
        operation = Operation(primitive, params)
        if params.get("compiler_options_kvs"):  # of an outermost program alone; it runs again inside one
            operation.params = {**params, "compiler_options_kvs": ()}
        outputs = self.run(operation, inputs, params)
        return outputs if primitive.multiple_results else outputs[0]

    def run(self, operation: Any, inputs: Sequence[Any], params: dict[str, Any]) -> Sequence[Any]:
        """Run a primitive with its parameters, take note of it, and return its results."""
        found = self.around.process_primitive(operation.primitive, inputs, params)
        outputs = self.renewed(inputs, found if operation.primitive.multiple_results else (found,))
        self.note(operation, inputs, outputs)
        return outputs

    def renewed(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> Sequence[Any]:
        """Return outputs of which none is the object that an input or another output is.

        A gradient would count for both. A program inside another one returns its input where it does nothing to it.
        """
        known = set(map(id, inputs))
        found = []
        for one in outputs:
            found.append(self.unseen(copied, one) if id(one) in known else one)
            known.add(id(one))
        return found

    def stage_value(self, value: Any) -> Any:
        """Return a value as an array of the trace around."""
        return self.around.stage_value(value)

    def process_custom_jvp_call(self, primitive: Any, fun: Any, jvp: Any, inputs: Any, /, **more: Any) -> Any:
        """Run a function with a derivative of its own, and take note of it."""
        found = self.renewed(inputs, self.around.process_custom_jvp_call(primitive, fun, jvp, inputs, **more))
        self.note(Operation(primitive, more, (fun, jvp)), inputs, found)
        return found

    def process_custom_vjp_call(self, primitive: Any, fun: Any, fwd: Any, bwd: Any, inputs: Any, /, **more: Any) -> Any:
        """Run a function with a gradient of its own, and take note of it."""
        found = self.renewed(inputs, self.around.process_custom_vjp_call(primitive, fun, fwd, bwd, inputs, **more))
        self.note(Operation(primitive, more, (fun, fwd, bwd)), inputs, found)
        return found


#: Returns an array with the same values that is another object.
copied = jax.jit(jax.numpy.copy)


class Operation:
    """A primitive of JAX with its parameters, which can run again; equal ones compute the same."""

    def __init__(self, primitive: Any, params: dict[str, Any], functions: tuple = ()) -> None:
        self.primitive, self.params, self.functions = primitive, params, functions

    @property
    def key(self) -> tuple:
        """What tells it from other operations; holds only what can be compared."""
        functions = tuple(_comparable((type(one), one)) for one in self.functions)
        return self.primitive, functions, *map(_comparable, self.params.items())

    def __call__(self, *inputs: Any) -> Sequence[Any]:
        """Run it again; returns its results in a sequence."""
        if self.functions:
            return self._run_functions(inputs)
        found = self.primitive.bind(*inputs, **self.params)
        return found if self.primitive.multiple_results else (found,)

    def _run_functions(self, inputs: Sequence[Any]) -> Sequence[Any]:
        for function in self.functions:
            for store in getattr(function, "stores", ()):
                if store is not None:
                    store.reset()  # holds the structure of the results of the last run
        trace = _core.trace_ctx.trace
        is_jvp = len(self.functions) == 2
        process = trace.process_custom_jvp_call if is_jvp else trace.process_custom_vjp_call
        _core.trace_ctx.set_trace(None)
        try:
            return process(self.primitive, *self.functions, inputs, **self.params)
        finally:
            _core.trace_ctx.set_trace(trace)


def _comparable(param: tuple[Any, Any]) -> Any:
    try:
        hash(param)
    except TypeError:
        return param[0], id(param[1])
    return param


def current_watching() -> Watching | None:
    """Return the `Watching` that is the current trace of this thread, or None."""
    trace = _core.trace_ctx.trace
    return trace if isinstance(trace, Watching) else None
