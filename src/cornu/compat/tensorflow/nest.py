"""The module ``tf.nest``: structures of lists, tuples and dictionaries."""

from collections.abc import Callable
from typing import Any

import jax

from cornu.core.variable import Variable


def _is_leaf(one: Any) -> bool:
    return one is None or isinstance(one, Variable)


def flatten(structure: Any, expand_composites: bool = False) -> list:
    """Return what is in a structure, dictionaries in the order of their keys.

    >>> flatten({"b": [2, 3], "a": 1})
    [1, 2, 3]
    """
    return jax.tree.leaves(structure, is_leaf=_is_leaf)


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """Return a structure of the same form with other things in it."""
    tree: Any = jax.tree.structure(structure, is_leaf=_is_leaf)
    given = list(flat_sequence) if isinstance(flat_sequence, (list, tuple)) else [flat_sequence]
    if len(given) != tree.num_leaves:
        raise ValueError(f"The structure has {tree.num_leaves} entries; got {len(given)} to put in it.")
    return jax.tree.unflatten(tree, given)


def map_structure(func: Callable, *structure: Any, **_: Any) -> Any:
    """Return a structure of what a function gives for the entries of one or several structures."""
    assert_same_structure(structure[0], structure[-1])
    return jax.tree.map(func, *structure, is_leaf=_is_leaf)


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """Raise ValueError unless two structures have the same form."""
    one: Any
    other: Any
    one, other = (jax.tree.structure(nest, is_leaf=_is_leaf) for nest in (nest1, nest2))
    if one != other:
        raise ValueError(f"The two structures do not have the same form:\n{one}\n{other}")


def is_nested(seq: Any) -> bool:
    """Return whether something is a structure: a list, a tuple or a dictionary."""
    return isinstance(seq, (list, tuple, dict))
