"""Finds out which Keras a program was written for, from the spellings in it.

Each known spelling has the eras in which programs were written that way, and those in which it worked. A program is of
the newest era in which all its spellings were written; failing that, of the newest in which all of them worked. If it
has none of them, or they exclude each other, it is of Keras 3.
"""

import ast
import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cornu.compat.keywords import ONLY_KERAS_1
from cornu.core.era import DIFFERENCES, ERAS, TODAY
from cornu.programs.reading import Program, python_tree


class Spelling(NamedTuple):
    """The eras in which programs were written that way, and all in which it worked."""

    written: frozenset[str]
    worked: frozenset[str]


def _spelling(written: str, worked: str = "") -> Spelling:
    return Spelling(frozenset(written.split()), frozenset((worked or written).split()))


_1 = _spelling("1")
_1_KEPT_IN_2 = _spelling("1", "1 2")
_1_2 = _spelling("1 2", "1 2 tf.keras")
_2 = _spelling("2", "2 tf.keras")
_OLD = _spelling("1 2 tf.keras")
_OLD_KEPT = _spelling("1 2 tf.keras", "1 2 tf.keras 3")
_NOT_1 = _spelling("2 tf.keras 3")
_TF = _spelling("tf.keras", "tf.keras 3")
_SINCE_TF = _spelling("tf.keras 3")
_3 = _spelling("3")
_STANDALONE = _spelling("1 2 3", "1 2 tf.keras 3")


def _each(rows: dict[Spelling, str]) -> dict[str, Spelling]:
    return {name: spelling for spelling, names in rows.items() for name in names.split()}


#: Module of the package ``keras`` (not of ``tensorflow.keras``), without ``keras.``.
MODULES = _each(
    {
        _1: "utils.visualize_util utils.dot_utils layers.containers initializations",
        _1_KEPT_IN_2: "objectives",
        _1_2: "layers.core layers.convolutional layers.recurrent layers.pooling layers.embeddings layers.wrappers "
        "layers.advanced_activations layers.normalization layers.noise layers.local engine engine.topology "
        "engine.training utils.np_utils utils.generic_utils utils.layer_utils utils.data_utils utils.io_utils "
        "backend.tensorflow_backend backend.theano_backend",
        _2: "layers.merge engine.base_layer engine.input_layer engine.network legacy legacy.layers legacy.interfaces "
        "utils.vis_utils utils.training_utils utils.conv_utils utils.multi_gpu_utils layers.cudnn_recurrent",
        _OLD: "wrappers.scikit_learn",
        _OLD_KEPT: "preprocessing.text preprocessing.image",
        _3: "ops random quantizers distribution",
        _SINCE_TF: "saving",
    }
)
#: Name that is imported from Keras, or used as an attribute of one of its modules.
NAMES = _each(
    {
        _1: "activity_l1 activity_l2 activity_l1l2 l1l2 WeightRegularizer ActivityRegularizer MaxoutDense Highway "
        "TimeDistributedDense Graph AutoEncoder",
        _1_KEPT_IN_2: "Convolution1D Convolution2D Convolution3D AtrousConvolution1D AtrousConvolution2D Merge "
        "Deconvolution2D merge",
        _1_2: "set_image_dim_ordering image_dim_ordering np_utils",
        _2: "vis_utils CuDNNLSTM CuDNNGRU multi_gpu_model adam rmsprop sgd adagrad",
        _OLD: "model_from_yaml KerasClassifier KerasRegressor",
        _OLD_KEPT: "ImageDataGenerator Tokenizer",
        _3: "ops PyDataset SeedGenerator",
    }
)
#: Functions of ``keras.backend`` that Keras 3 still has.
BACKEND_TODAY = frozenset(
    (
        *("backend", "cast_to_floatx", "clear_session", "epsilon", "floatx", "get_uid", "image_data_format"),
        *("is_float_dtype", "is_int_dtype", "is_keras_tensor", "name_scope", "result_type", "set_epsilon"),
        *("set_floatx", "set_image_data_format", "standardize_dtype"),
    )
)
#: Keyword of a constructor of Keras.
ARGUMENTS = _each(
    {
        _1_KEPT_IN_2: f"nb_filter filter_length W_constraint inner_init inner_activation dropout_W dropout_U p "
        f"pool_length subsample_length input output {' '.join(ONLY_KERAS_1)}",
        _OLD: "lr",
        _NOT_1: "kernel_initializer kernel_regularizer kernel_size units filters inputs outputs",
    }
)
#: Keyword of a method.
METHOD_ARGUMENTS = _each(
    {_1_KEPT_IN_2: "nb_epoch samples_per_epoch nb_val_samples show_accuracy", _NOT_1: "steps_per_epoch"}
)
METHODS = _each({_OLD: "fit_generator evaluate_generator predict_generator predict_classes"})
#: Name of TensorFlow 1.
TENSORFLOW_1 = frozenset(
    ("Session", "ConfigProto", "placeholder", "get_default_graph", "set_random_seed", "global_variables")
)
#: What programs for both Python 2 and 3 import from ``__future__``.
_PYTHON_2 = frozenset(("absolute_import", "division", "print_function", "unicode_literals"))
BACKENDS = {"jax": _3, "torch": _3, "theano": _1_2, "cntk": _1_2}
_KERAS = re.compile(r"(?P<tf>tensorflow(?:\.\w+)*\.|tf_)?keras(?:\.(?P<tail>.+))?$")
_PINNED = re.compile(r"\b(?i:keras)==(\d+)(?:\.(\d+))?")


class Evidence(NamedTuple):
    """A spelling that a program has: what it is, and where."""

    what: str
    place: str
    spelling: Spelling

    def __str__(self) -> str:
        return f"{self.what}, {self.place}"


class Finding(NamedTuple):
    """The era of a program, and what to tell the user about it."""

    era: str
    notes: list[str]


def era_of(program: Program) -> Finding:
    """Find out which Keras a program was written for, from it and from the modules in its folder that it imports."""
    texts = [(cell.first_line, cell.text, _short(cell.file, program)) for cell in program.cells]
    seen = list(_pinned(program))
    if program.is_python2:
        seen.append(Evidence("Python 2", "it", _OLD))
    for first_line, text, file in [*texts, *_beside(program.path, [text for _, text, _ in texts])]:
        tree = python_tree(text)
        if tree is not None:
            seen += _Reader(first_line, file).read(tree)
    spelled = {one.what for one in seen}
    if "tensorflow.keras" in spelled:
        seen = [one for one in seen if one.what != "keras"]
    elif spelled.isdisjoint(("keras", "keras_preprocessing")):
        return Finding(TODAY, [])
    era = _newest(seen)
    return Finding(era or TODAY, _notes(era, seen, texts))


def _short(file: str, program: Program) -> str:
    """Return what follows the program's name in a cell's: `` cell 3``, or nothing."""
    return file.removeprefix(str(program.path)).lstrip(", ")


def _newest(seen: Sequence[Evidence]) -> str | None:
    """Return the newest era in which all that was seen was written, or worked; None for none."""
    for eras in ([one.spelling.written for one in seen], [one.spelling.worked for one in seen]):
        common = frozenset(ERAS).intersection(*eras)
        if common:
            return max(common, key=ERAS.index)
    return None


def _notes(era: str | None, seen: Sequence[Evidence], texts: Sequence[tuple[int, str, str]]) -> list[str]:
    """Return what to say: spellings that exclude each other, and what the era changes in this program."""
    if era is None:
        pairs = ((a, b) for a in seen for b in seen if not a.spelling.worked & b.spelling.worked)
        first, other = next(pairs, (seen[0], seen[-1]))
        return [
            f"it is of several versions of Keras ({first}; {other}) and taken for Keras 3; --era 1, 2 or tf.keras "
            "for another"
        ]
    oldest = min(seen, key=lambda one: max(map(ERAS.index, one.spelling.written)))
    could_be = frozenset(ERAS).intersection(*(one.spelling.written for one in seen))
    touched = list(dict.fromkeys(_touched(era, texts)))
    if not touched or (era == TODAY and len(could_be) < 2):
        return []
    what = ", ".join(touched[:3]) + (", ..." if touched[3:] else "")
    verb = "is" if len(touched) == 1 else "are"
    if era == TODAY:
        return [f"nothing says for which Keras it was written: {what} {verb} as in Keras 3; --era 1 or 2 for another"]
    name = era if era == "tf.keras" else f"Keras {era}"
    return [f"written for {name} ({oldest}): {what} {verb} as then; --era 3 for today's"]


def _touched(era: str, texts: Sequence[tuple[int, str, str]]) -> Iterator[str]:
    """Yield the words of a program on which its era has an effect (for Keras 3: on which another would have)."""
    for difference in DIFFERENCES.values():
        if difference.words and (era in difference.eras or era == TODAY):
            for _, text, _ in texts:
                for match in re.finditer(difference.words, text):
                    yield re.search(r"\w+", match.group()).group()  # type: ignore[union-attr]


def _pinned(program: Program) -> Iterator[Evidence]:
    """Yield the versions of Keras that a program asks to be installed."""
    for lines in program.lines.values():
        for number, line in enumerate(lines, 1):
            for match in _PINNED.finditer(line):
                major, minor = int(match[1]), int(match[2] or 0)
                era = "tf.keras" if major == 2 and minor > 3 else str(min(major, 3))
                spelling = _spelling(era, "2 tf.keras" if era == "2" else era)
                yield Evidence(match.group(), f"line {number}", spelling)


def _beside(path: Path, texts: Sequence[str]) -> list[tuple[int, str, str]]:
    """Return the modules in a program's folder that it imports, and those that these import: line 1, text, name."""
    found: dict[str, tuple[int, str, str]] = {}
    waiting = list(texts)
    while waiting and len(found) < 100:
        for name in re.findall(r"^\s*(?:from|import)\s+(\w+)", waiting.pop(), re.MULTILINE):
            module = path.parent / f"{name}.py"
            if name not in found and module != path and module.is_file():
                text = module.read_text(encoding="utf-8", errors="replace")
                found[name] = 1, text, module.name
                waiting.append(text)
    return list(found.values())


class _Reader(ast.NodeVisitor):
    """Collects the spellings in one piece of a program."""

    def __init__(self, first_line: int, file: str) -> None:
        self.first_line, self.file = first_line, file
        self.found: list[Evidence] = []
        self.modules: dict[str, str] = {}  # name in the program -> the module of Keras, "" for Keras itself
        self.names: set[str] = set()  # names that were imported from Keras

    def read(self, tree: ast.Module) -> list[Evidence]:
        """Return what is found in a piece of a program: all of it, unless its expressions are nested too deeply."""
        with contextlib.suppress(RecursionError):
            self.visit(tree)
        return self.found

    def _add(self, what: str, node: ast.AST, spelling: Spelling | None) -> None:
        if spelling is not None:
            line = getattr(node, "lineno", 1) + self.first_line - 1
            self.found.append(Evidence(what, f"{self.file} line {line}".strip(), spelling))

    def _module(self, name: str, node: ast.AST) -> str | None:
        """Note an imported module; return its name without ``keras.``, or None if it is not Keras's."""
        match = _KERAS.match(name)
        if match is None:
            if name.partition(".")[0] == "keras_preprocessing":
                self._add("keras_preprocessing", node, _2)
            return None
        tail = (match["tail"] or "").removeprefix("python.keras").removeprefix("api.").strip(".")
        self._add("tensorflow.keras" if match["tf"] else "keras", node, _TF if match["tf"] else _STANDALONE)
        if not match["tf"]:
            self._add(f"keras.{tail}", node, MODULES.get(tail))
        return tail

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            tail = self._module(alias.name, node)
            if tail is not None:
                self.modules[alias.asname or "keras"] = tail if alias.asname else ""
            elif alias.name == "tensorflow":
                self.modules[alias.asname or alias.name] = "tensorflow"

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module == "__future__" and {alias.name for alias in node.names} & _PYTHON_2:
            self._add("__future__", node, _OLD_KEPT)
        tail = self._module(node.module or "", node)
        for alias in node.names:
            name = alias.asname or alias.name
            if tail is None:
                inner = self._module(f"{node.module}.{alias.name}", node)  # from tensorflow import keras
            else:
                inner = f"{tail}.{alias.name}".strip(".")
                self._add(alias.name, node, NAMES.get(alias.name) or MODULES.get(inner))
                self.names.add(name)
            if inner is not None and (tail is None or alias.name.islower()):
                self.modules[name] = inner

    def _inside(self, node: ast.AST) -> str | None:
        """Return the module of Keras that an expression is, without ``keras.``; "tensorflow" for TensorFlow."""
        if isinstance(node, ast.Name):
            return self.modules.get(node.id)
        if not isinstance(node, ast.Attribute) or (outer := self._inside(node.value)) is None:
            return None
        if outer == "tensorflow":
            return "" if node.attr == "keras" else outer if node.attr in ("compat", "v1", "python") else None
        return f"{outer}.{node.attr}".strip(".")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._add(f".{node.attr}", node, METHODS.get(node.attr))
        outer = self._inside(node.value)
        if outer == "tensorflow":
            if node.attr == "keras":
                self._add("tensorflow.keras", node, _TF)
            if node.attr in TENSORFLOW_1:
                self._add(f"tf.{node.attr}", node, _OLD)
        elif outer == "backend" and node.attr not in BACKEND_TODAY:
            self._add(f"backend.{node.attr}", node, NAMES.get(node.attr) or _OLD)
        elif outer is not None:
            inner = f"{outer}.{node.attr}".strip(".")
            self._add(node.attr, node, MODULES.get(inner) or NAMES.get(node.attr))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        of_keras = (isinstance(function, ast.Name) and function.id in self.names) or self._inside(function) is not None
        is_method = isinstance(function, ast.Attribute)
        for keyword in node.keywords:
            name = keyword.arg or ""
            spelling = ARGUMENTS.get(name) if of_keras else METHOD_ARGUMENTS.get(name) if is_method else None
            self._add(f"{name}=", keyword.value, spelling)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.slice, ast.Constant) and node.slice.value in ("acc", "val_acc"):
            self._add(repr(node.slice.value), node, _OLD)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and re.fullmatch(r"[^\n]*\w\.keras", node.value):
            self._add(repr(node.value), node, _SINCE_TF)

    def visit_Assign(self, node: ast.Assign) -> None:
        target, value = node.targets[0], node.value
        key = target.slice if isinstance(target, ast.Subscript) else None
        if isinstance(key, ast.Constant) and key.value == "KERAS_BACKEND" and isinstance(value, ast.Constant):
            self._add("KERAS_BACKEND", node, BACKENDS.get(str(value.value)))
        self.generic_visit(node)
