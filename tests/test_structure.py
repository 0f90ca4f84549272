"""The shape of the source: imports point one way, without cycles, and files and functions stay short.

Read from the source alone: every import counts, also those inside functions, in branches, of types and of the package
itself. A module is reached by a string only where `STRINGS` says why.
"""

import ast
import functools
from pathlib import Path

import pytest
from benchmarks.size import code_lines

import cornu
from cornu.core import registry

SOURCE = Path(__file__).resolve().parents[1] / "src" / "cornu"

#: A folder or file imports only from lines above its own, and from itself. The empty name is the package's own file,
#: of which anyone may take the version.
ORDER = (
    ("",),
    ("core",),
    ("kernels",),
    ("ops",),
    ("activations", "initializers", "regularizers", "constraints", "losses"),
    ("metrics", "optimizers"),
    ("layers",),
    ("data",),
    ("training",),
    ("visuals",),
    ("callbacks",),
    ("saving",),
    ("checkpoints",),
    ("export",),
    ("models",),
    (
        "preprocessing",
        "datasets",
        "random",
        "config",
        "distribution",
        "mixed_precision",
        "dtype_policies",
        "backend",
        "wrappers",
        "ray",
    ),
    ("utils", "visualization"),
    ("applications",),
    ("serve",),
    ("programs",),
    ("compat",),
    ("cli",),
    ("__main__",),
)
LEVELS = {name: level for level, names in enumerate(ORDER) for name in names}

#: Import against the order -> why it has to be.
UPWARD: dict[tuple[str, str], str] = {}
#: Module that imports by a string -> why.
STRINGS = {
    "cornu": "`import cornu` loads one file: public names are imported when they are first asked for",
    "cornu.core.loading": "imports modules by their names, for others",
    "cornu.cli.hosts": "what JAX has for several processes, without a trace in numpy's generator",
    "cornu.core.registry": "a table imports its home at the first name that is missing",
    "cornu.core.spellings": "what knows old spellings is imported when one is met",
    "cornu.compat.backend.from_rows": "a row names a function of another module",
    "cornu.compat.imports": "names of every Keras, imported when they are first asked for",
    "cornu.cli.main": "each command is a module that its parser names",
}
#: Import inside a function that the order allows -> why it is not at the head of the file. `*`: everywhere.
LATE = {
    ("*", "pydot"): "an extra",
    ("*", "IPython"): "an extra",
    ("*", "PIL"): "an extra",
    ("*", "simplejpeg"): "an extra",
    ("*", "isal"): "an extra",
    ("*", "matplotlib"): "an extra",
    ("*", "sklearn"): "an extra of the tests",
    ("*", "ray"): "an extra",
    ("*", "torch"): "for the programs that split its data sets",
    ("cornu.callbacks.dashboard.callback", "webbrowser"): "for those who ask for it",
    ("*", "optax"): "a quarter of a second, for the programs that use it",
    ("*", "pooch"): "a tenth of a second, for the programs that download",
    ("*", "requests"): "a tenth of a second, for the programs that download",
    ("cornu.compat.imports", "cornu.compat.distributions"): "loads importlib.metadata, which few programs need",
    ("cornu.core.settings", "jax"): "settings can be asked before JAX is loaded, and float64 be allowed",
    ("cornu.core.tracebacks", "cornu.core.jax_internals"): "loads jax, which an error before that does not need",
    ("cornu.core.jax_internals", "jax._src.array"): "a later JAX may not have it",
    ("cornu.core.jax_internals", "jax._src.xla_bridge"): "a later JAX may not have it",
    ("cornu.core.jax_internals", "jax.interpreters.partial_eval"): "a later JAX may not have it",
    ("cornu.initializers", "jax"): "initializers draw with numpy; only a seed that moves on needs JAX",
    ("cornu.datasets.fetch", "urllib.request"): "loads http and ssl, only for file:// addresses",
    ("cornu.preprocessing.wav", "scipy.signal"): "half a second, for the programs that resample recordings",
    ("cornu.initializers", "scipy.signal"): "half a second, for the programs that name a window",
    ("cornu.models.pictures", "cornu.visuals.summary"): "loads rich, for the programs that print a summary",
    ("cornu.models.pictures", "cornu.visuals.drawing"): "for the programs that draw",
    ("cornu.models.pictures", "cornu.visuals.graphs"): "for the programs that draw",
    ("cornu.models.pictures", "cornu.visuals.report"): "for the programs that write a report",
    ("cornu.saving.files", "cornu.saving.h5_file"): "loads h5py, for the programs that save",
    ("cornu.saving.files", "cornu.saving.keras_file"): "loads h5py, for the programs that save",
    ("cornu.saving.files", "cornu.saving.safetensors"): "loads h5py, for the programs that save",
    ("cornu.saving.files", "cornu.saving.saved_model"): "loads h5py, for the programs that save",
    ("cornu.saving.files", "cornu.saving.checkpoint_weights"): "loads h5py, for the programs that save",
    ("cornu.compat.configs", "cornu.compat.tensorflow.graph_nodes"): "makes many functions, for files that have one",
    ("cornu.compat.configs", "cornu.compat.tensorflow.operations"): "makes many functions, for files that have one",
    ("cornu.export.formats", "cornu.export.onnx.file"): "an extra",
    ("cornu.export.trial", "resource"): "Windows has none",
    ("cornu.kernels.native.library", "fcntl"): "Windows has none",
    ("cornu.models.saving_methods", "cornu.export"): "loads jax.export, for the programs that export",
    ("cornu.cli.main", "cornu.cli.run"): "`cornu --help` answers at once",
    ("cornu.cli.main", "cornu.cli.hosts"): "`cornu --help` answers at once",
    ("cornu.core.coordinator", "jaxlib"): "a program of its own, of which the others need the name alone",
    ("cornu.core.distribution", "cornu.core.jax_processes"): "what JAX has for several processes, for those who join",
    ("cornu.cli.main", "cornu.cli.inspect"): "`cornu --help` answers at once",
    ("cornu.cli.serve", "cornu.serve.server"): "needs an extra: without it, the command says so",
    ("cornu.cli.serve", "cornu.serve.application"): "needs an extra: without it, the command says so",
    ("cornu.cli.serve", "cornu.serve.limits"): "beside the others",
    ("cornu.cli.serve", "cornu.serve.served_model"): "beside the others",
    ("cornu.serve.server", "cornu.serve.direct_protocol"): "takes parts of uvicorn that another uvicorn may not have",
    ("cornu.cli.run", "cornu.core.seeds"): "loads numpy, for --seed alone",
    ("cornu.cli.run", "cornu.cli.resume"): "loads jax, for --resume alone",
    ("cornu.cli.devices", "cornu.core.distribution"): "loads jax, when the program needs it",
    ("cornu.cli.devices", "cornu.core.layouts"): "loads jax, when the program needs it",
}

FILE_LIMIT, FUNCTION_LIMIT = 400, 60
#: A layer is its mathematics: Dense, with Keras's whole signature, shows what a layer costs.
DENSE_LIMIT = 40
#: File with more code lines -> its limit and why.
LONG_FILES: dict[str, tuple[int, str]] = {}


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(SOURCE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def imports_of(name: str) -> list[tuple[str, bool]]:
    """Return what a module imports, each with whether a function does it."""
    inside = {id(inner) for outer in ast.walk(TREES[name]) if isinstance(outer, FUNCTIONS) for inner in ast.walk(outer)}
    found = []
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in inside) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [(full if full in MODULES else node.module, id(node) in inside) for full in names]
    return found


def place(module: str) -> str:
    """Return the folder or file below `cornu` that a module belongs to; the package itself has none."""
    return module.split(".")[1] if "." in module else ""


def against_the_order(importer: str, imported: str) -> bool:
    if imported not in MODULES:
        return False
    here, there = place(importer), place(imported)
    return here != there and LEVELS[there] >= LEVELS[here]


EDGES = sorted({(name, imported, late) for name in MODULES for imported, late in imports_of(name)})


def test_every_folder_has_a_place_in_the_order():
    assert {place(name) for name in MODULES} == set(LEVELS)


def test_imports_point_one_way():
    allowed = {*UPWARD, *LATE}
    wrong = [f"{a} -> {b}" for a, b, _ in EDGES if against_the_order(a, b) and (a, b) not in allowed]
    assert not wrong, wrong


def test_imports_inside_functions_are_those_with_a_reason():
    wrong = []
    for importer, imported, late in EDGES:
        known = (importer, imported) in {*UPWARD, *LATE} or ("*", imported.partition(".")[0]) in LATE
        if late and not known:
            wrong.append(f"{importer} -> {imported}")
    assert not wrong, wrong


def test_the_lists_of_exceptions_hold_nothing_that_is_gone():
    late = {(a, b) for a, b, inside in EDGES if inside} | {
        ("*", b.partition(".")[0]) for _, b, inside in EDGES if inside
    }
    assert not {*UPWARD, *LATE} - late


def test_no_import_cycles():
    """Modules whose imports are all resolved are taken away until none is left; a cycle would stay."""
    needs = {name: set() for name in MODULES}
    for importer, imported, _ in EDGES:
        if imported in MODULES and imported != importer:
            needs[importer].add(imported)
    while ready := [name for name, imported in needs.items() if not imported]:
        for name in ready:
            del needs[name]
        for imported in needs.values():
            imported.difference_update(ready)
    assert not needs, needs


def imports_by_string(name: str) -> bool:
    """Tell whether a module calls ``import_module`` or ``__import__`` with anything but the name of another package."""
    calls = [node for node in ast.walk(TREES[name]) if isinstance(node, ast.Call)]
    importing = [call for call in calls if ast.unparse(call.func).rpartition(".")[2] in ("import_module", "__import__")]
    names = [call.args[0].value if isinstance(call.args[0], ast.Constant) else "cornu" for call in importing]
    return any(name.partition(".")[0] == "cornu" for name in names)


def test_imports_by_a_string_are_those_with_a_reason():
    assert {name for name in MODULES if imports_by_string(name)} == set(STRINGS)


def test_homes_of_tables_are_modules():
    assert {table.home for table in registry.tables.values()} <= set(MODULES)
    assert cornu.OLD_SPELLINGS in MODULES


@functools.cache
def lines_of(name: str) -> set[int]:
    """Return the numbers of a module's lines with code: no blanks, comments, docstrings."""
    return code_lines(MODULES[name].read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", MODULES)
def test_files_and_functions_are_short(name):
    lines = lines_of(name)
    limit, _ = LONG_FILES.get(name, (FILE_LIMIT, ""))
    assert len(lines) <= limit, f"{name} has {len(lines)} lines of code: make two files of it"
    for node in ast.walk(TREES[name]):
        if isinstance(node, FUNCTIONS[:2]):
            length = len(lines.intersection(range(node.lineno, node.end_lineno + 1)))
            assert length <= FUNCTION_LIMIT, f"{name}.{node.name} has {length} lines of code"


def test_dense_is_short():
    (dense,) = [node for node in TREES["cornu.layers.core"].body if getattr(node, "name", "") == "Dense"]
    lines = lines_of("cornu.layers.core").intersection(range(dense.lineno, dense.end_lineno + 1))
    assert len(lines) <= DENSE_LIMIT, f"Dense has {len(lines)} lines of code"


def test_the_list_of_long_files_holds_nothing_that_became_short():
    assert all(len(lines_of(name)) > FILE_LIMIT for name in LONG_FILES)


def attributes_of(name: str) -> set[str]:
    """Return what a module names with a dot, as `jnp.asarray`, and the names of keywords that it gives."""
    found = {ast.unparse(node) for node in ast.walk(TREES[name]) if isinstance(node, ast.Attribute)}
    return found | {node.arg for node in ast.walk(TREES[name]) if isinstance(node, ast.keyword) and node.arg}


PLACES_ARRAYS = {"jax.device_put", "donate_argnums", "donate_argnames"}
#: Folders and modules that hand arrays on: there, host arrays become the device's in no other way.
HANDS_ON = ("cornu.core.variable", "cornu.data.", "cornu.training.", "cornu.checkpoints.")


def test_one_module_decides_where_arrays_are_put():
    home = "cornu.core.placement"
    assert attributes_of(home) & PLACES_ARRAYS
    for name in MODULES:
        made_elsewhere = {"jnp.asarray", "jnp.array"} if name.startswith(HANDS_ON) else set()
        wrong = attributes_of(name) & (PLACES_ARRAYS | made_elsewhere)
        assert name == home or not wrong, f"{name} uses {wrong}: {home} has to_device and compiled for that"


def test_whose_a_class_is_is_asked_in_one_place():
    lines = [(name, line) for name, path in MODULES.items() for line in path.read_text(encoding="utf-8").splitlines()]
    assert not [name for name, line in lines if "__module__" in line and '"cornu' in line]


def test_no_relative_imports():
    assert not [
        name for name, tree in TREES.items() for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level
    ]
