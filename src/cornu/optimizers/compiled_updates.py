"""`apply_gradients` as a compiled program, for training loops that call it after each step of their own."""

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import jax

from cornu.core.ownership import is_library
from cornu.core.scope import scope
from cornu.core.stateful import Program
from cornu.core.variable import Variable
from cornu.optimizers.schedules import LearningRateSchedule

_MOST = 8  # sets of weights that one optimizer updates in turns
_PROGRAMS: weakref.WeakKeyDictionary[Any, dict[Any, Program]] = weakref.WeakKeyDictionary()


def runs_compiled(optimizer: Any, gradients: Sequence[Any]) -> bool:
    """Return whether an update may be compiled: outside of programs, and if it is all the library's own."""
    rate = optimizer._learning_rate
    known = isinstance(rate, (Variable, LearningRateSchedule)) and is_library(type(rate))
    arrays = [one for one in gradients if one is not None]
    concrete = all(isinstance(one, jax.Array) and not isinstance(one, jax.core.Tracer) for one in arrays)
    return bool(arrays) and concrete and known and is_library(type(optimizer)) and not scope.bound


def update_program(optimizer: Any, gradients: Sequence[Any], variables: Sequence[Variable]) -> Program:
    """Return ``optimizer.apply`` for these weights as a program of those gradients that are not None."""
    missing = tuple(one is None for one in gradients)
    programs = _PROGRAMS.setdefault(optimizer, {})
    program = programs.get((optimizer.revision, missing, *map(id, variables)))
    if program is None:
        if len(programs) >= _MOST:
            programs.clear()
        optimizer.prepare([one for one, is_missing in zip(variables, missing, strict=False) if not is_missing])
        program = Program(_updating(weakref.ref(optimizer), missing, list(variables)))
        programs[optimizer.revision, missing, *map(id, variables)] = program
    return program


def _updating(optimizer: Callable[[], Any], missing: Sequence[bool], variables: list[Variable]) -> Callable:
    def apply(arrays: Sequence[Any]) -> None:
        given = iter(arrays)
        optimizer().apply([None if is_missing else next(given) for is_missing in missing], variables)

    return apply
