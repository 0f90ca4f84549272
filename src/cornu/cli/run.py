"""``cornu run PROGRAM``: run a program as Python would, with Cornu in place of Keras."""

import ast
import builtins
import difflib
import linecache
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from cornu.cli import devices, figures, hosts, tracebacks
from cornu.compat import eras, imports
from cornu.compat.tensorflow import value_calls
from cornu.core import processes, settings
from cornu.core.era import using
from cornu.core.errors import first_line
from cornu.programs import magics, old_packages, python2, reading
from cornu.programs.documents import Cell


def say(message: str) -> None:
    """Print one line of cornu's own on stderr, after what the program has printed so far.

    Of several processes that run a program together, the first prints.
    """
    if not processes.is_first():
        return
    sys.stdout.flush()
    print(f"cornu: {message}", file=sys.stderr, flush=True)


class Resume(NamedTuple):
    """Where and how often the training of a program is kept."""

    folder: str
    seconds: float

    def begin(self, source: reading.Program, arguments: Sequence[str], forced_era: str | None) -> list[str]:
        """Resume what is kept, with its era; returns notes for the user."""
        from cornu.cli import resume

        return resume.begin(Path(self.folder), source, list(arguments), self.seconds, forced_era)

    def end(self, well: bool) -> None:
        """Stop keeping the training."""
        from cornu.cli import resume

        resume.end(well)


def fix_hashes() -> None:
    """Restart this process with a fixed hash seed: otherwise the order of sets of strings is random."""
    if "PYTHONHASHSEED" not in os.environ and sys.platform != "win32":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


class Devices(NamedTuple):
    """Over how many devices a program's batches are split: ``"all"`` or a number; whether variables are split too."""

    wanted: str
    shard_state: bool

    def begin(self) -> None:
        """Split what follows."""
        devices.begin(self.wanted, self.shard_state, say)


def run(
    program: str,
    arguments: Sequence[str] = (),
    figures_folder: str | None = None,
    seed: int | None = None,
    full_traceback: bool = False,
    resume: Resume | None = None,
    era: str | None = None,
    over: Devices | None = None,
    among: hosts.Hosts | None = None,
    replicas: int = 1,
) -> int:
    """Run a program and return its exit code: its own, 1 after an error (the traceback is printed), 130 after Ctrl-C.

    Figures that the program shows or leaves open are saved in `figures_folder`; `seed` seeds Python, numpy and Cornu
    first; `full_traceback` also shows the inner lines of Cornu and jax; `resume` says where every `fit` is kept; `era`
    is one of `core.era.ERAS`, or None to recognize it from the program; `over` splits batches; `among` says which
    processes run the program together; `fit` trains `replicas` copies of a model. SystemExit passes through.
    """
    try:
        source = reading.read_program(program)
    except OSError as error:
        say(f"cannot read {program!r}: {error.strerror}.{_nearest_file(program)}")
        return 2
    except ValueError as error:
        say(str(error))
        return 2
    if over is not None:
        over.begin()
    if among is not None:
        try:
            common_seed = hosts.begin(among)
        except (ValueError, RuntimeError) as error:
            say(str(error))
            return 2
        seed = common_seed if seed is None else seed
    finding = eras.Finding(era, []) if era else eras.era_of(source)
    for note in [*source.notes, *finding.notes]:
        say(note)
    namespace = _prepare(source, arguments, figures_folder)
    with using(finding.era):
        settings.set_replicas(replicas)
        try:
            return _run_prepared(source, namespace, arguments, seed, full_traceback, resume, era, over)
        finally:
            if replicas > 1 and not settings.has_replicated():
                say("nothing was trained in replicas: they are for fit, not for loops of a program's own")
            settings.set_replicas(1)


def _run_prepared(
    source: reading.Program,
    namespace: dict[str, Any],
    arguments: Sequence[str],
    seed: int | None,
    full_traceback: bool,
    resume: Resume | None,
    era: str | None,
    over: Devices | None,
) -> int:
    """Run a program for which the process is set up; see `run`."""
    if seed is not None:
        from cornu.core.seeds import set_random_seed

        set_random_seed(seed)
    try:
        for note in resume.begin(source, arguments, era) if resume is not None else ():
            say(note)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        if processes.fail(why, 2):
            hosts.be_heard()
            print(f"cornu: {why}", file=sys.stderr)
        return 2
    ended_well = False
    try:
        _run_cells(source, namespace)
        ended_well = True
    except KeyboardInterrupt as error:
        processes.fail("interrupted", 130)
        say(f"interrupted{tracebacks.place_in_program(error, set(source.lines))}")
        return 130
    except SystemExit as error:
        ended_well = error.code in (None, 0)
        if not ended_well:
            processes.fail(f"exit code {error.code}", error.code & 255 if isinstance(error.code, int) else 1)
        raise
    except BaseException as error:
        sys.stdout.flush()
        if processes.fail(first_line(error)):
            hosts.be_heard()
            tracebacks.show(error, set(source.lines), full_traceback)
        return 1
    finally:
        if resume is not None:
            resume.end(ended_well)
        if over is not None:
            devices.end()
        for note in figures.finish():
            say(note)
        processes.leave()
    return 0


def _nearest_file(program: str) -> str:
    folder = Path(program).parent
    names = sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    near = difflib.get_close_matches(Path(program).name, names, n=1)
    return f" Did you mean {str(folder / near[0])!r}?" if near else ""


def _prepare(source: reading.Program, arguments: Sequence[str], figures_folder: str | None) -> dict[str, Any]:
    """Set the process up as for ``python PROGRAM``: module ``__main__``, arguments, import path, hook, figures."""
    module = ModuleType("__main__")
    module.__dict__.update(__file__=str(source.path), __builtins__=builtins)
    texts = "\n".join(cell.text for cell in source.cells)
    module.__dict__.update(python2.missing_names(texts))
    old_packages.restore(texts)
    if source.is_python2:
        module.__dict__.update(python2.LISTS | {python2.DIVIDE: python2.divide})
    module.__dict__[value_calls.READ] = value_calls.value_of
    value_calls.rewrite_modules(source.path.parent)
    if "get_ipython" in texts:
        module.__dict__["get_ipython"] = magics.Shell
    sys.modules["__main__"] = module
    sys.argv = [str(source.path), *arguments]
    sys.path[: 0 if sys.flags.safe_path else 1] = [str(source.path.resolve().parent)]
    for file, lines in source.lines.items():
        linecache.cache[file] = (sum(map(len, lines)), None, lines, file)
    os.environ.setdefault("JAX_TRACEBACK_FILTERING", "off")  # the traceback is made here, with the user's lines
    imports.install_as_keras()
    figures.start(figures_folder)
    return module.__dict__


def _run_cells(program: reading.Program, namespace: dict[str, Any]) -> None:
    """Run the cells in order; a notebook's cell shows the value of its last line."""
    flags = 0
    for cell in program.cells:
        code, last = _compiled(cell, flags, program.old_division)
        flags |= code.co_flags & _FUTURE_FLAGS
        exec(code, namespace)
        if last is not None and (value := eval(last, namespace)) is not None:
            _display(value)


_FUTURE_FLAGS = sum(
    getattr(__import__("__future__"), name).compiler_flag for name in __import__("__future__").all_feature_names
)


def _compiled(cell: Cell, flags: int, old_division: bool) -> tuple[CodeType, CodeType | None]:
    """Compile a cell with the line numbers of its document, and its last expression separately if it is shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # "\d" in an old program's string
        warnings.simplefilter("ignore", DeprecationWarning)
        tree = compile("\n" * (cell.first_line - 1) + cell.text, cell.file, "exec", flags | ast.PyCF_ONLY_AST, True)
        tree = python2.with_old_division(tree) if old_division else tree
        tree = value_calls.with_value_calls(tree) if ".value()" in cell.text else tree
        last = None
        shown = tree.body[-1] if cell.shows_value and tree.body and not _is_silenced(cell.text) else None
        if isinstance(shown, ast.Expr):
            last = compile(ast.Expression(shown.value), cell.file, "eval", flags, True)
            tree.body.pop()
        return compile(tree, cell.file, "exec", flags, True), last


def _is_silenced(text: str) -> bool:
    """Return whether a cell ends in ``;``: a notebook then shows nothing."""
    return text.rstrip().endswith(";")


def _display(value: Any) -> None:
    """Show a value as a notebook does in a terminal."""
    display = sys.modules.get("IPython.display")
    if display is not None:
        display.display(value)
    else:
        print(repr(value))
