"""The import hook: inside this process, `keras` and `tensorflow.keras` of every version are Cornu.

A `Facade` is a module without content: it looks up each name on access, in the tables of `names` and in Cornu.
Classes are therefore the same objects under every path.
"""

import functools
import importlib.machinery
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from types import ModuleType
from typing import Any

from cornu.compat import absent, names
from cornu.compat.tensorflow import names as tensorflow_names
from cornu.compat.tensorflow import packages
from cornu.compat.tensorflow.name_argument import taking_name
from cornu.core import era
from cornu.core.errors import did_you_mean
from cornu.core.loading import import_module
from cornu.core.ownership import is_library_module
from cornu.programs import python2

#: The versions that programs see: the releases whose behaviour Cornu follows.
KERAS_VERSION, TENSORFLOW_VERSION = "3.15.1", "2.21.0"

_KERAS = re.compile(
    r"(?:keras|tf_keras|tensorflow(?:\.compat\.v[12]|\.contrib|\.python|\._api\.v[12])*\.keras(?:\.python\.keras)?)(?:\.(?P<tail>.*))?$"
)
#: The package that had these modules of Keras 2 and tf.keras.
_OLD_PACKAGE = re.compile(r"keras_preprocessing(?=\.|$)")
_INNER = re.compile(r"^(?:(?:api|src|_tf_keras|_v[12]|_legacy|python|keras)(?:\.|$))+")
_APPLICATIONS = re.compile(r"keras_applications(?:\.(?P<tail>.*))?$")  # a package of its own from 2018 to 2020
_TENSORFLOW = re.compile(r"tensorflow(?:\.compat\.v[12])?(?:\.(?P<tail>.*))?$")

_PLACES = names.PLACES | tensorflow_names.PLACES | packages.PLACES
_NAMES = names.NAMES | tensorflow_names.NAMES | packages.NAMES


def install_as_keras() -> None:
    """Make ``import keras`` and ``import tensorflow.keras`` mean Cornu in this process, installed or not.

    Raises RuntimeError if another Keras or TensorFlow has already been imported.

    >>> import cornu
    >>> cornu.install_as_keras()  # doctest: +SKIP
    >>> import keras.layers.core  # doctest: +SKIP
    >>> keras.layers.core.Dense is cornu.layers.Dense  # doctest: +SKIP
    True
    """
    others = [
        name for name in ("keras", "tf_keras", "tensorflow") if not isinstance(sys.modules.get(name), Facade | None)
    ]
    if others:
        raise RuntimeError(
            f"{' and '.join(others)} has already been imported in this process.\n"
            "Call cornu.install_as_keras() before the first import of Keras or TensorFlow."
        )
    if not _is_installed():
        sys.meta_path.insert(0, KerasFinder())
        sys.meta_path.append(OldStandardLibraryFinder())


def _is_installed() -> bool:
    return any(isinstance(finder, KerasFinder) for finder in sys.meta_path)


class NotInThisVersion(type):
    """The class of stand-ins for names that Keras has and Cornu lacks: using them raises an error."""

    reason: str

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(cls.reason)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotImplementedError(cls.reason)


def _stand_in(place: str, name: str, reason: str) -> NotInThisVersion:
    def refuse(cls: type[Any], /, **_: Any) -> None:
        raise NotImplementedError(reason)

    stand_in = NotInThisVersion(name, (), {"reason": reason, "__module__": _full_name(place)})
    stand_in.__init_subclass__ = classmethod(refuse)  # type: ignore[assignment,method-assign]
    return stand_in


class Facade(ModuleType):
    """A module of the ``keras`` or ``tensorflow`` namespace, answered by Cornu."""

    def __init__(self, name: str, place: str, path: str) -> None:
        super().__init__(name, f"{_full_name(place)}, answered by Cornu.")
        self.__dict__.update(_place=place, _path=path, __path__=[])

    def __getattr__(self, name: str) -> Any:
        if name == "__version__" and self._place in ("", "tensorflow"):
            return TENSORFLOW_VERSION if self._place else KERAS_VERSION
        if name == "__all__":
            known = [*_public(self._place), *absent.names_of(self._place)]
            return [name for name in known if hasattr(self, name)]
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if place_of(f"{self.__name__}.{name}") is not None:
            return import_module(f"{self.__name__}.{name}")
        found = _look_up(self._place, name)
        if found is None:
            raise AttributeError(missing(self.__name__, self._place, name), name=name)
        return found[0]

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *_public(self._place)})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call a module that was a function in Keras 1: ``merge([a, b], mode='concat')``."""
        target = names.FUNCTIONS.get(self._path)
        if target is None and absent.is_later(self._place):
            place, _, name = self._place.rpartition(".")
            raise NotImplementedError(absent.reason(place, name))
        if target is None:
            raise TypeError(f"{self.__name__!r} is a module and cannot be called.")
        return _load(target)(*args, **kwargs)


def place_of(module: str) -> str | None:
    """Return the place for a module name, or None if there is no such module.

    >>> place_of("keras.layers.convolutional"), place_of("tensorflow.python.keras.utils"), place_of("keras.leyers")
    ('layers', 'utils', None)
    """
    module = _OLD_PACKAGE.sub("keras.preprocessing", module)
    if match := _KERAS.match(module):
        return _keras_place(_INNER.sub("", match["tail"] or ""))
    if match := _APPLICATIONS.match(module):
        return _keras_place(f"applications.{match['tail']}" if match["tail"] else "applications")
    if match := _TENSORFLOW.match(module):
        place = f"tensorflow.{match['tail']}" if match["tail"] else "tensorflow"
        return place if place in tensorflow_names.PLACES else None
    return module if module in packages.PLACES else None


def _keras_place(tail: str) -> str | None:
    if tail in names.PLACES:
        return tail
    if tail in names.MOVED_PLACES:
        return names.MOVED_PLACES[tail]
    folder, _, file = tail.rpartition(".")
    if file in names.NAMES.get(folder, ()):  # a function of a place that comes later
        return None
    if file == file.lower() and absent.is_later(tail):
        return tail
    if folder in names.FOLDERS and file.islower():  # keras.src.layers.core.dense
        return _keras_place(folder)
    return None


def _look_up(place: str, name: str) -> tuple[Any] | None:
    """Return what `name` means in a place (in a tuple, because it may be any value), or None."""
    name = era.meant(name) if place == "activations" else name
    is_tensorflow = _is_beside_keras(place)
    if is_tensorflow or "tensorflow" in sys.modules:
        _make_arrays_tensors()
    new = _NAMES.get(place, {}).get(name)
    if new is not None and (found := _target(place, new)) is not None:
        return (_tensor_function(place, name, new.partition(":")[0], found[0]),) if is_tensorflow else found
    for module in _PLACES.get(place, ()):
        found = _attribute(module, name)
        if found is not None and not isinstance(found[0], ModuleType):
            return (_tensor_function(place, name, module, found[0]),) if is_tensorflow else found
    reason = "" if is_tensorflow else absent.reason(place, name)
    if not reason:
        return None
    return (_stand_in(place, name, reason),)


def _tensor_function(place: str, name: str, module: str, thing: Any) -> Any:
    """Return a function of TensorFlow as programs call it: with a name, and on the tensors of a model."""
    symbols = import_module("cornu.compat.tensorflow.symbols")
    return symbols.on_symbols(place, name, symbols.with_old_keywords(taking_name(module, thing)))


def _place_of_own(module: str) -> str:
    """Return the place that a module of Cornu is."""
    return module.removeprefix("cornu").removeprefix(".")


def old_name(module: str, name: str) -> Any:
    """Return what a name that Cornu's module lacks means in Keras; AttributeError, with the nearest name, if unknown.

    >>> import cornu
    >>> cornu.layers.MaxPool2D is cornu.layers.MaxPooling2D
    True
    """
    place = _place_of_own(module)
    found = _look_up(place, name) if place else None
    if found is None:
        raise AttributeError(missing(module, place, name), name=name)  # given a name, Python adds no suggestion
    return found[0]


def absent_module(module: str) -> str:
    """Return what to do instead of importing one of Keras's modules from Cornu; "" if Keras has no such module.

    >>> absent_module("cornu.utils.np_utils")
    "'cornu.utils' has no module 'np_utils': its names are in cornu.utils."
    """
    parent, _, name = module.rpartition(".")
    place = _place_of_own(parent)
    home = _home(place, name)
    return missing(parent, place, name) if absent.reason(place, name) or home not in ("", module) else ""


def _home(place: str, name: str) -> str:
    """Return the module of Cornu that has the names of Keras's module `name` in a place; "" if there is none."""
    full = f"{place}.{name}".lstrip(".")
    found = _keras_place(full)
    homes = () if found is None else _PLACES.get(found, ())
    return next((home for home in homes if not home.startswith("cornu.compat")), "")


def old_names(module: str) -> list[str]:
    """Return the names that `old_name` finds for a module of Cornu."""
    place = _place_of_own(module)
    hidden = () if _is_installed() else [name for name, new in _NAMES.get(place, {}).items() if new == "tensorflow"]
    return [name for name in _public(place) if not name.startswith("_") and name not in hidden]


def _target(place: str, new: str) -> tuple[Any] | None:
    """Return what an entry of the tables refers to: a name of the same place, ``module:name``, or a module of Cornu."""
    if ":" in new:
        return _attribute(*new.split(":"))
    if new == "tensorflow":  # `K.tf`, where `import tensorflow` means Cornu
        return (import_module(new),) if _is_installed() else None
    if new.startswith("cornu."):
        return (import_module(new),)
    return next((found for module in _PLACES[place] if (found := _attribute(module, new)) is not None), None)


def _load(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


def _attribute(module: str, name: str) -> tuple[Any] | None:
    try:
        content = import_module(module)
        _give_arrays_methods()
        if name not in vars(content) and module != "cornu":  # the others' __getattr__ calls this
            return None
        return (getattr(content, name),)
    except AttributeError:
        return None
    except ModuleNotFoundError as error:
        if error.name is not None and module.startswith(error.name):
            return None
        raise


def _give_arrays_methods() -> None:
    """Give arrays the methods of TensorFlow's tensors; this does not import jax."""
    if "jax.numpy" in sys.modules and "cornu.core.graph" in sys.modules:
        import_module("cornu.compat.array_methods").install()


@functools.cache
def _make_arrays_tensors() -> None:
    """Let arrays look like TensorFlow's tensors, in a program that uses TensorFlow."""
    if _is_installed():
        import_module("cornu.compat.tensorflow.tensors").install()
        ragged = import_module("cornu.compat.tensorflow.ragged")
        ragged.install()
        ragged.take_ragged_inputs(lambda: import_module("cornu.compat.tensorflow.ragged_inputs"))


def _public(place: str) -> list[str]:
    """Return the names that a place offers: those of its modules of Cornu, its old names, its places below."""
    known: set[str] = set(_NAMES.get(place, {}))
    for module in _PLACES.get(place, ()):
        if _attribute(module, "__name__") is not None:
            content = import_module(module)
            known |= {
                name
                for name in (content.__all__ if hasattr(content, "__all__") else dir(content))
                if not name.startswith("_") and not (place and isinstance(content.__dict__.get(name), ModuleType))
            }
    return sorted(known | set(_below(place)))


def _below(place: str) -> Iterator[str]:
    prefix = place + "." if place else ""
    for other in _PLACES:
        if (
            other
            and other.startswith(prefix)
            and "." not in other[len(prefix) :]
            and not (not place and _is_beside_keras(other))
        ):
            yield other[len(prefix) :]


def _is_beside_keras(place: str) -> bool:
    """Return whether a place is one of TensorFlow, or of another package."""
    return place.partition(".")[0] in ("tensorflow", *packages.ROOTS)


def _instead(place: str, name: str) -> str:
    """Return what to do instead of a name of TensorFlow or of another package; "" if nothing is known."""
    full, table = f"{place}.{name}", packages.INSTEAD
    known = [key for key in table if full == key or full.startswith(f"{key}.")]
    return f" {table[max(known, key=len)]}" if known else ""


def _full_name(place: str) -> str:
    return place if _is_beside_keras(place) else f"keras.{place}".rstrip(".")


_MAIN_PLACES = (
    *("layers", "models", "optimizers", "losses", "metrics", "callbacks", "utils", "initializers", "regularizers"),
)


def _no(module: str, name: str) -> str:
    return f"{module!r} has no {name!r}." if is_library_module(module) else f"{module!r} has no {name!r} in Cornu."


def missing(module: str, place: str, name: str) -> str:
    """Return the message for an unknown name: what is missing, and what to use instead or the nearest name."""
    said = _no(module, name)
    if _is_beside_keras(place):
        return said + (_instead(place, name) or did_you_mean(name, _public(place)))
    if reason := absent.reason(place, name):
        return reason
    for other in _MAIN_PLACES:
        found = _look_up(other, name)
        if found is not None and not isinstance(found[0], NotInThisVersion):
            package = "cornu" if is_library_module(module) else "keras"
            return f"{said} It is in {package}.{other}: from {package}.{other} import {name}"
    if not is_library_module(module):
        return said + did_you_mean(name, _public(place))
    if (home := _home(place, name)) not in ("", f"{module}.{name}"):
        return f"{module!r} has no module {name!r}: its names are in {home}."
    return said + did_you_mean(name, dir(import_module(module)))


class FacadeLoader(Loader):
    """Makes the facade of one module."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Facade:
        """Return the facade for ``spec.name``."""
        place = place_of(spec.name)
        match = _KERAS.match(_OLD_PACKAGE.sub("keras.preprocessing", spec.name))
        path = _INNER.sub("", (match["tail"] if match else None) or "")
        return Facade(spec.name, place or "", path)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: a facade looks up names on access."""


class KerasFinder(MetaPathFinder):
    """Finds the modules of Keras and TensorFlow in Cornu, before any installed ones."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the spec of a facade; ModuleNotFoundError with the nearest name for an unknown module of Keras."""
        root = fullname.partition(".")[0]
        if root not in (
            "keras",
            "tf_keras",
            "tensorflow",
            "keras_applications",
            "keras_preprocessing",
            *packages.ROOTS,
        ):
            return None
        if place_of(fullname) is not None or fullname in tensorflow_names.PARENTS:
            return importlib.machinery.ModuleSpec(fullname, FacadeLoader(), is_package=True)
        parent, _, name = fullname.rpartition(".")
        # `name` is not the module's full name: importlib would swallow the message for `from keras.layers import Denze`
        place = place_of(parent) or ""
        near = did_you_mean(name, _below(place)) if name.islower() else ""
        words = f"{_no(parent, name)}{near}" if near else missing(parent, place, name)
        raise ModuleNotFoundError(words, name=name)

    def find_distributions(self, context: Any) -> Iterator[Any]:
        """Return what `importlib.metadata` says of Keras and TensorFlow."""
        from cornu.compat.distributions import distributions  # importlib.metadata is loaded by those who ask it

        return distributions(context.name, {"keras": KERAS_VERSION, "tensorflow": TENSORFLOW_VERSION})


class OldStandardLibraryFinder(MetaPathFinder, Loader):
    """Finds modules that Python 3 renamed (``cPickle``, ``StringIO``, ...) if no module of that name is installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the spec of a module with the content of today's."""
        if fullname not in python2.MODULES:
            return None
        has_parts = any(name.startswith(f"{fullname}.") for name in python2.MODULES)
        return importlib.machinery.ModuleSpec(fullname, self, is_package=has_parts)

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module with the names of today's module."""
        content = vars(import_module(python2.MODULES[module.__name__]))
        module.__dict__.update({name: value for name, value in content.items() if not name.startswith("__")})
