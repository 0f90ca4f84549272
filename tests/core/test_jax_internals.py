"""What Cornu takes from JAX beyond its documented interface is there; the message says in which JAX it is not."""

import ast
import subprocess
import sys
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import cornu
from cornu.core import jax_internals
from cornu.core.jax_internals import PARAMETERS, SETTINGS, UnknownFormError
from cornu.export.onnx import control, elementwise, indexing, products, reductions, shapes, translator  # noqa: F401
from cornu.kernels.convolution import convolution

HERE = f"in JAX {jax.__version__} it is different: add its form to core/jax_internals.py"


@pytest.fixture(autouse=True)
def probe_again():
    jax_internals.compiler_options.cache_clear()
    jax_internals.array_class.cache_clear()
    yield
    jax_internals.compiler_options.cache_clear()
    jax_internals.array_class.cache_clear()


# ---- compile options


def test_options_are_accepted_and_keep_convolutions_from_the_library():
    program = jax.jit(convolution, compiler_options=jax_internals.compiler_options())
    text = program.lower(jnp.ones((8, 26, 26, 32)), jnp.ones((3, 3, 32, 64))).compile().as_text()
    assert "ynn_fusion" not in text, HERE


@pytest.mark.skipif(jax.__version_info__ < (0, 10), reason="jaxlib 0.8 has no such library")
def test_sums_are_handed_to_the_library():
    assert jax_internals.sums_by_library(), HERE
    program = jax.jit(lambda x: jnp.mean(x, (0, 1, 2)), compiler_options=jax_internals.compiler_options())
    assert "ynn" in program.lower(jnp.ones((32, 32, 32, 64))).compile().as_text(), HERE


def test_an_unknown_option_is_left_out(monkeypatch):
    monkeypatch.setattr(jax_internals, "LIBRARY_KERNELS", {"xla_cpu_no_such_option": ""})
    assert jax_internals.compiler_options() == {}


def test_other_platforms_get_no_options(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert jax_internals.compiler_options() == {}


# ---- settings, arrays, errors


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_there(name):
    value = jax_internals.setting(name, True)  # whether computing is asynchronous can be set and not read
    assert jax_internals.set_setting(name, value), HERE


def test_a_setting_that_jax_dropped_costs_speed_only():
    assert jax_internals.setting("jax_no_such_setting", "default") == "default"
    assert not jax_internals.set_setting("jax_no_such_setting", 1)


def test_the_class_of_arrays(monkeypatch):
    assert type(jnp.ones(2)) is jax_internals.array_class(), HERE
    jax_internals.array_class.cache_clear()
    monkeypatch.setitem(sys.modules, "jax._src.array", None)  # as if a later JAX had moved it
    assert type(jnp.ones(2)) is jax_internals.array_class()


def test_the_cache_warns_in_the_words_that_are_filtered():
    source = (Path(jax.__file__).parent / "_src" / "compiler.py").read_text(encoding="utf-8")
    assert "Error reading persistent compilation cache" in source, HERE
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", jax_internals.CACHE_WARNING, UserWarning)
        warnings.warn("Error writing persistent compilation cache entry for 'jit_f'", UserWarning, stacklevel=1)
    assert not seen


# ---- traced programs


def equations_of(function, *args):
    """Return all equations of a traced function, those of inner programs too."""
    found = []

    def visit(value):
        if isinstance(value, (list, tuple)):
            for each in value:
                visit(each)
        program = getattr(value, "jaxpr", value)
        for equation in getattr(program, "eqns", ()):
            found.append(equation)
            for parameter in equation.params.values():
                visit(parameter)

    visit(jax.make_jaxpr(function)(*args))
    return found


SQUARE, CUBE = jnp.ones((3, 3)), jnp.ones((2, 3, 4))
#: Primitive -> a function of `CUBE` that is traced to it.
SAMPLES = {
    "argmax": lambda x: x.argmax(1),
    "argmin": lambda x: x.argmin(1),
    "broadcast_in_dim": lambda x: jnp.broadcast_to(x[:1], (2, 3, 4)),
    "concatenate": lambda x: jnp.concatenate([x, x], 1),
    "cond": lambda x: lax.cond(x[0, 0, 0] > 0, jnp.sin, jnp.cos, x),
    "conv_general_dilated": lambda x: lax.conv_general_dilated(x, jnp.ones((1, 3, 2)), (1,), "SAME"),
    "cumlogsumexp": lambda x: lax.cumlogsumexp(x),
    "cummax": lambda x: lax.cummax(x),
    "cummin": lambda x: lax.cummin(x),
    "cumprod": lambda x: lax.cumprod(x),
    "cumsum": lambda x: lax.cumsum(x),
    "dot_general": lambda x: x @ jnp.ones((4, 2)),
    "dynamic_slice": lambda x: lax.dynamic_slice_in_dim(x, x[0, 0, 0].astype(int), 1),
    "gather": lambda x: x[x[:, 0, 0].astype(int)],
    "integer_pow": lambda x: x**3,
    "iota": lambda x: lax.iota(jnp.int32, 3),
    "pad": lambda x: lax.pad(x, 0.0, [(1, 1, 0)] * 3),
    "reduce_and": lambda x: (x > 0).all(),
    "reduce_max": lambda x: x.max(),
    "reduce_min": lambda x: x.min(),
    "reduce_or": lambda x: (x > 0).any(),
    "reduce_prod": lambda x: x.prod(),
    "reduce_sum": lambda x: x.sum(),
    "reduce_window_max": lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2), (1, 1, 1), "SAME"),
    "reduce_window_min": lambda x: lax.reduce_window(x, jnp.inf, lax.min, (1, 2, 2), (1, 1, 1), "SAME"),
    "reduce_window_sum": lambda x: lax.reduce_window(x, 0.0, lax.add, (1, 2, 2), (1, 1, 1), "SAME"),
    "reshape": lambda x: x.reshape(-1),
    "rev": lambda x: x[::-1],
    "round": lambda x: lax.round(x),
    "scan": lambda x: lax.scan(lambda c, row: (c + row, row), x[0], x),
    "scatter": lambda x: x.at[x[:, 0, 0].astype(int)].set(0.0),
    "scatter-add": lambda x: x.at[x[:, 0, 0].astype(int)].add(1.0),
    "slice": lambda x: lax.slice(x, (0, 0, 0), (1, 2, 3)),
    "sort": lambda x: lax.sort(x),
    "split": lambda x: lax.split(x, (1, 2), 1),
    "squeeze": lambda x: lax.squeeze(x[:1], (0,)),
    "top_k": lambda x: lax.top_k(x, 2),
    "transpose": lambda x: x.T,
    "while": lambda x: lax.while_loop(lambda c: c.sum() < 9, lambda c: c + 1, x),
}


@pytest.mark.parametrize("name", sorted({*PARAMETERS} - {"dim_as_value"}))
def test_a_primitive_has_the_parameters_that_are_read(name):
    equations = [one for one in equations_of(SAMPLES[name], CUBE) if one.primitive.name == name]
    assert equations, f"JAX {jax.__version__} does not trace the sample to {name!r} any more"
    for equation in equations:
        assert set(PARAMETERS[name]) <= set(equation.params), HERE
        jax_internals.check_parameters(equation)


def test_sizes_as_values_have_the_parameter_that_is_read():
    struct = jax.ShapeDtypeStruct(jax.export.symbolic_shape("(b, 3)"), "float32")
    (equation,) = [one for one in equations_of(lambda x: x * x.shape[0], struct) if "dim" in one.params]
    assert equation.primitive.name == "dim_as_value", HERE


def parameters_read():
    """Return (file, parameter) for each ``equation.params[...]`` of the translations."""
    folder = Path(translator.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            of_params = isinstance(node, ast.Subscript) and ast.unparse(node.value) in ("equation.params", "params")
            if of_params and isinstance(node.slice, ast.Constant):
                yield path.name, node.slice.value


def test_every_parameter_that_a_translation_reads_is_in_the_table():
    listed = {parameter for parameters in PARAMETERS.values() for parameter in parameters}
    read = set(parameters_read())
    assert len(read) > 30
    # operations of a few lines of ours, which later versions trace to others: looked at where they are translated
    exempt = {"reps", "axis", "dimensions", "k"}
    exempt |= {"name"}  # of a call; without it, the call is translated step by step
    assert not {(file, name) for file, name in read if name not in listed | exempt}


def test_an_unknown_form_is_refused_with_the_versions():
    (equation,) = [one for one in equations_of(SAMPLES["cumsum"], CUBE) if one.primitive.name == "cumsum"]
    changed = equation.replace(params={"dimension": 0})
    with pytest.raises(UnknownFormError, match=rf"'cumsum' in the form that JAX {jax.__version__} gives it"):
        jax_internals.check_parameters(changed)
    for read in (jax_internals.scan_counts, jax_internals.inner_program):
        with pytest.raises(UnknownFormError, match=r"this Cornu knows JAX 0\.8\.0 to"):
            read(changed)


def test_an_export_says_so_too(tmp_path, monkeypatch):
    monkeypatch.setitem(PARAMETERS, "dot_general", ("another_name",))
    model = cornu.Sequential([cornu.Input((3,)), cornu.layers.Dense(2, name="only")])
    with pytest.raises(ValueError, match=r"Layer 'only' .* 'dot_general' in the form that JAX .* Export to"):
        model.export(tmp_path / "m.onnx")


def test_counts_of_a_scan():
    def summed(x, w):
        return lax.scan(lambda carry, row: ((carry[0] + row @ w, carry[1] + 1), row), (x[0], 0), x)

    (equation,) = [one for one in equations_of(summed, SQUARE, SQUARE) if one.primitive.name == "scan"]
    assert jax_internals.scan_counts(equation) == (1, 2), HERE


@jax.custom_vjp
def doubled(x):
    return x * 2


doubled.defvjp(lambda x: (x * 2, None), lambda _, upstream: (upstream * 2,))
CALLING = {
    "jit": jax.jit(lambda x: x * 2),
    "checkpoint": jax.checkpoint(lambda x: x * 2),
    "custom_vjp": doubled,
    "custom_jvp": jax.nn.relu,
    "searchsorted": lambda x: jnp.searchsorted(jnp.array([0.0, 1.0]), x[0]),  # expands itself from JAX 0.11 on
}


@pytest.mark.parametrize("name", CALLING)
def test_programs_within_programs_are_found(name):
    (equation,) = [
        one for one in jax.make_jaxpr(CALLING[name])(SQUARE).eqns if one.primitive.name in jax_internals.CALLS
    ]
    inner = jax_internals.inner_program(equation)
    assert len(getattr(inner, "jaxpr", inner).invars) == len(equation.invars), HERE


def test_dead_code_and_unused_inputs_go():
    def program(a, b, c):
        jnp.sin(b)
        return a * 2, jax.jit(lambda a, c: a + 1)(a, c)

    closed = jax.make_jaxpr(program)(1.0, 2.0, 3.0)
    smaller, used = jax_internals.without_unused(closed, [True, True, False])
    assert used == [True, False, True], HERE
    assert [v.aval.shape for v in smaller.jaxpr.invars] == [(), ()]
    assert len(smaller.jaxpr.eqns) == 2


def test_without_the_pass_a_program_keeps_all_inputs(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax.interpreters.partial_eval", None)
    closed = jax.make_jaxpr(lambda a, b: a * 2)(1.0, 2.0)
    same, used = jax_internals.without_unused(closed, [True, True])
    assert same is closed
    assert used == [True, True]


def test_what_is_exported_calls_functions_by_name_only(tmp_path):
    model = cornu.Sequential([cornu.Input((4,)), cornu.layers.Dense(4, activation="gelu"), cornu.layers.Softmax()])
    model.export(tmp_path / "m.stablehlo")
    found = cornu.export.load(tmp_path / "m.stablehlo", trusted=True).predict(np.ones((2, 4), "float32"))
    assert found.shape == (2, 4)


def test_a_started_device_is_known(monkeypatch):
    jnp.ones(())
    assert jax_internals.device_started()
    fresh = "import jax, cornu.core.layer; from cornu.core.jax_internals import device_started as s; print(s())"
    assert subprocess.run([sys.executable, "-c", fresh], capture_output=True, text=True, timeout=60).stdout == "False\n"
    monkeypatch.setitem(sys.modules, "jax._src.xla_bridge", None)  # as if a later JAX had moved it
    assert jax_internals.device_started()
