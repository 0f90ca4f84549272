"""Whose a class or function is, the library's or a program's, and what a class declares about its methods."""

from typing import Any


def is_library_module(name: str) -> bool:
    """Return whether `name` is that of one of Cornu's modules."""
    return name.partition(".")[0] == "cornu"


def is_library(thing: Any) -> bool:
    """Return whether a class or function, or the class of an object, is one of Cornu's.

    >>> from cornu.layers import Dense
    >>> is_library(Dense), is_library(Dense(2)), is_library(len)
    (True, True, False)
    """
    return is_library_module(str(getattr(thing, "__module__", None)))


def library_classes(cls: type) -> list[type]:
    """Return a class and its bases as far as they are Cornu's."""
    return [base for base in cls.__mro__ if is_library(base)]


def custom_classes(cls: type) -> list[type]:
    """Return a class and its bases as far as they are a program's: neither Cornu's nor Python's."""
    return [base for base in cls.__mro__ if not is_library(base) and base.__module__ != "builtins"]


def declares(thing: Any, attribute: str, *methods: str) -> bool:
    """Return whether `attribute` is true of `thing`, and was declared for the `methods` that it has.

    A class declares an attribute beside the method that it describes. A subclass that overrides one of the methods has
    to declare it again: what was true of the old method is not known of the new one.

    >>> class Layer:
    ...     keeps_rows_apart = True
    ...     def call(self, x): ...
    >>> class Custom(Layer):
    ...     def call(self, x): ...
    >>> declares(Layer(), "keeps_rows_apart", "call"), declares(Custom(), "keeps_rows_apart", "call")
    (True, False)
    """
    for names in (vars(thing), *map(vars, type(thing).__mro__)):
        if attribute in names:
            return bool(getattr(thing, attribute))
        if any(method in names for method in methods):
            return False
    return False
