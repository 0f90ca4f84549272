"""Variables own the arrays; `read`, `write` and `bound` are the only bridge to pure functions."""

import contextlib
import functools
import itertools
import operator
import weakref
from collections.abc import Callable, Iterator, Sequence
from threading import get_ident
from typing import Any, NamedTuple

import jax
import numpy as np

from cornu.core import compilation_cache as compilation_cache  # keeps compiled programs on disk
from cornu.core import registry
from cornu.core.donation import Donor, exchange, note_reader, others_train, readable
from cornu.core.dtype_policies import array_dtype, is_float
from cornu.core.keys import for_itself
from cornu.core.names import unique_name
from cornu.core.operators import HasOperators
from cornu.core.placement import concrete, on_host, to_device
from cornu.core.scope import changed, joined, scope
from cornu.core.seeds import fresh_seed, seeds_drawn
from cornu.core.serialization import get


class TracedValueError(Exception):
    """A function that is being compiled makes a variable whose first value only the compiled program would know."""


_numbers = itertools.count()


class Origin(NamedTuple):
    """Where the first value of a variable is from: what draws it, as often as it is called.

    `number` counts variables in the order in which they were drawn; `start` and `stop` are how many seeds had been
    drawn before and after (`core.seeds`); `first` refers to the first value.
    """

    number: int
    start: int
    stop: int
    draw: Callable[[], Any]
    first: weakref.ref

    @classmethod
    def of(cls, variable: "Variable", draw: Callable[[], Any], start: int) -> "Origin | None":
        """Return the origin of a variable whose value was drawn now; None inside a program."""
        value = variable._value
        if isinstance(value, jax.core.Tracer):
            return None
        return cls(next(_numbers), start, seeds_drawn(), draw, weakref.ref(value))


class Variable(HasOperators):
    """An array that layers, optimizers and metrics keep and change. It can be used like an array.

    Args:
        initializer: An array, a number, an initializer or its name, or a function ``(shape, dtype)``.
        shape: Shape of the variable, needed if `initializer` is not an array or number.
        dtype: Dtype, by default that of the array, or ``floatx()``.
        trainable: Whether optimizers change it.
        autocast: Whether mixed-precision layers read it in their compute dtype.
        aggregation, synchronization: Accepted for compatibility.
        name: Name of the variable.
        regularizer: Penalty, added to the loss.
        constraint: Projection after each update.
        layout: A `TensorLayout`, how to split it over devices; by default, the current distribution says it.

    Raises:
        ValueError: The shape is missing, or is not that of the value.

    Follows https://keras.io/api/keras_core/variable/

    >>> v = Variable([1.0, 2.0], name="v")
    >>> v.assign_add([1.0, 1.0]); print(v.numpy())
    [2. 3.]
    """

    #: Whether it was made to be trained. Freezing layers does not change it, nor the order of weights that follows it.
    made_trainable = True
    _trains = True  # what its maker said, or who set `trainable` last
    _frozen = False  # by `layer.trainable = False`
    autocast = True
    name = path = "variable"
    regularizer = constraint = None
    #: Whether it is among a layer's weights and in files. Random keys and counts of updates are not.
    is_weight = True
    _layout: Any = None  # how it is laid out over devices, if its maker said so
    like: "Variable | None" = None  # the weight whose slot of an optimizer it is
    _held: jax.Array  # what all threads see; `_value` is what this one sees
    _donor: Donor | None = None  # whose steps take over the array
    _origin: Origin | None = None  # of a value that an initializer drew
    _copies: Any = None  # its values in all replicas (`training.replication`)

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        regularizer: Callable | None = None,
        constraint: Callable | None = None,
        layout: Any = None,
    ) -> None:
        self.name = name or unique_name("variable")
        self.path = joined(scope.path, self.name)
        self.trainable = self.made_trainable = bool(trainable)
        self.autocast = autocast
        self.aggregation, self.synchronization = aggregation, synchronization
        self.regularizer, self.constraint = regularizer, constraint
        if layout is not None:
            self._layout = layout
        if isinstance(initializer, (str, dict)):
            initializer = get(initializer, registry.INITIALIZERS)
        draw, start = None, seeds_drawn()
        if callable(initializer) and not hasattr(initializer, "__array__"):
            if shape is None:
                raise ValueError(f"Variable {self.name!r} has an initializer instead of a value: pass its shape too.")
            dtype = array_dtype(dtype)
            draw = functools.partial(initializer, tuple(shape), dtype=dtype)
            with jax.ensure_compile_time_eval():
                initializer = draw()
        elif dtype is None and not hasattr(initializer, "dtype"):
            dtype = array_dtype("float32" if _holds_floats(initializer) else None)
        self._value = value = concrete(initializer, None if dtype is None else array_dtype(dtype), copy=True)
        if scope.meet is not None and isinstance(value, jax.core.Tracer):
            raise TracedValueError
        if shape is not None and tuple(shape) != self._value.shape:
            raise ValueError(
                f"Variable {self.name!r} must have shape {tuple(shape)}; its value has {self._value.shape}."
            )
        if draw is not None:
            self._origin = Origin.of(self, draw, start)
        if scope.created is not None:
            scope.created.append((self, self._value))

    @property
    def trainable(self) -> bool:
        """Whether training changes it: False while its layer is frozen by ``layer.trainable = False``."""
        return self._trains and not self._frozen

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trains, self._frozen = bool(value), False

    @property
    def _value(self) -> jax.Array:
        """The array: what this thread has bound the variable to, or what all threads see."""
        bound = scope.bound
        if bound:
            found = bound.get(id(self))
            if found is None and scope.meet is not None:
                found = scope.meet(self)
            if found is not None:
                return found
        elif bound is None:
            note_reader()
        held, donor = self._held, self._donor
        return held if donor is None or donor.thread == get_ident() else donor.read(self)

    @_value.setter
    def _value(self, value: jax.Array) -> None:
        bound, donor = scope.bound, self._donor
        if bound and (id(self) in bound or (scope.meet is not None and scope.meet(self) is not None)):
            bound[id(self)] = value
        elif donor is None or donor.thread == get_ident():
            self._held = value
        else:
            donor.assign(self, value)

    @property
    def _form(self) -> jax.Array:
        """The array for its shape and dtype alone: it may be inside a program."""
        bound = scope.bound
        return bound.get(id(self), self._held) if bound else self._held

    @property
    def value(self) -> jax.Array:
        """The array, in the compute dtype of the running layer."""
        value, dtype = self._value, scope.compute_dtype
        if scope.reader is not None:
            value = scope.reader(self, value)
        if dtype is not None and self.autocast and value.dtype.name != dtype and is_float(value.dtype):
            return value.astype(dtype)
        return value

    @property
    def shape(self) -> tuple[int, ...]:
        return self._form.shape

    @property
    def ndim(self) -> int:
        return self._form.ndim

    @property
    def size(self) -> int:
        return self._form.size

    @property
    def dtype(self) -> str:
        own, computed = self._form.dtype, scope.compute_dtype
        return computed if computed is not None and self.autocast and is_float(own) else own.name

    def assign(self, value: Any) -> None:
        """Set the value. ValueError if the shape differs."""
        given = value.value if isinstance(value, Variable) else value
        self._take(concrete(given, self._form.dtype, copy=True))

    def _take(self, value: jax.Array) -> None:
        if value.shape != self.shape:
            raise ValueError(
                f"Variable {self.path!r} has shape {self.shape}; it cannot take a value of shape {value.shape}."
            )
        self._note_change()
        self._value = value

    def _note_change(self) -> None:
        if scope.assigned is not None:
            scope.assigned.setdefault(id(self), (self, self._value))

    def start_from(self, value: Any) -> None:
        """Set the value; a variable that a trace has just made also begins with it after the trace."""
        self.assign(value)
        created = scope.created or []
        for position, (variable, _) in enumerate(created):
            if variable is self:
                created[position] = (self, self._value)

    def assign_add(self, value: Any) -> None:
        """Add to the value."""
        self._take(concrete(self._value + _array(value), self._form.dtype))

    def assign_sub(self, value: Any) -> None:
        """Subtract from the value."""
        self._take(concrete(self._value - _array(value), self._form.dtype))

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy or a pickle holds: the value as a numpy array, and nothing of who trains it."""
        own = {name: value for name, value in vars(self).items() if name not in _NOT_COPIED}
        return own | {"_held": np.array(on_host(self._value))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._held = concrete(state["_held"], copy=True)

    def numpy(self) -> np.ndarray:
        """Return a copy as a numpy array."""
        return np.array(on_host(self._value))

    eval = numpy

    def get_shape(self) -> tuple[int, ...]:
        return self.shape

    def __jax_array__(self) -> jax.Array:
        return self.value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(on_host(self._value), dtype=dtype)

    def __getitem__(self, index: Any) -> jax.Array:
        return self.value[index]

    def __len__(self) -> int:
        return len(self._value)

    def __iter__(self) -> Iterator[jax.Array]:
        return iter(self.value)

    def __float__(self) -> float:
        return float(self._value)

    def __int__(self) -> int:
        return int(self._value)

    def __format__(self, spec: str) -> str:
        return format(self._value.item(), spec) if spec and self.size == 1 else format(str(self), spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __index__(self) -> int:
        return operator.index(self._value)

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self._value.dtype.name}, value={self._value}>"

    __hash__ = object.__hash__


_NOT_COPIED = ("_donor", "like", "_origin", "_copies")  # of a variable


def _holds_floats(value: Any) -> bool:
    return np.asarray(value).dtype.kind == "f"


def _array(value: Any) -> Any:
    if isinstance(value, Variable):
        return value.value
    return to_device(value) if isinstance(value, (list, tuple)) else value


def plain(structure: Any) -> Any:
    """Return a structure with variables replaced by their current arrays.

    The result of a traced function is read after the variables have their old values again.
    """
    return jax.tree.map(_array, structure, is_leaf=lambda leaf: isinstance(leaf, Variable))


def _give_operators(cls: type) -> None:
    """Give variables the arithmetic and comparison operators of arrays."""

    def binary(function: Callable, swapped: bool) -> Callable:
        def apply(self: Variable, other: Any) -> Any:
            other = _array(other)
            try:
                return function(other, self.value) if swapped else function(self.value, other)
            except TypeError:
                return NotImplemented

        return apply

    def unary(function: Callable) -> Callable:
        return lambda self: function(self.value)

    for name in ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"]:
        function = getattr(operator, name)
        setattr(cls, f"__{name}__", binary(function, False))
        setattr(cls, f"__r{name}__", binary(function, True))
    for name in ["lt", "le", "gt", "ge", "eq", "ne", "and", "or", "xor"]:
        function = getattr(operator, f"{name}_" if name in ("and", "or") else name)
        setattr(cls, f"__{name}__", binary(function, False))
    for name in ("neg", "pos", "abs", "invert"):
        setattr(cls, f"__{name}__", unary(getattr(operator, name)))


_give_operators(Variable)


def _unflatten(_: None, children: tuple) -> Variable:
    """Rebuild a variable around the leaf that JAX provides, without running ``__init__``."""
    variable = object.__new__(Variable)
    variable._value = children[0]
    return variable


jax.tree_util.register_pytree_node(Variable, lambda variable: ((variable.value,), None), _unflatten)


class Seed(Variable):
    """A variable that holds a random key, which makes random numbers part of a program's state.

    The key is of JAX's ``rbg`` kind: fast on all devices, and independent from one call of `next` to the next.

    Args:
        seed: Integer that makes the keys reproducible; None takes a random one.
        name: Name of the variable.
    """

    is_weight = False

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self.seed, start = seed, seeds_drawn()
        super().__init__(self._first_words(), trainable=False, autocast=False, name=name or "seed_generator_state")
        self._origin = Origin.of(self, self._first_words, start)

    def _first_words(self) -> np.ndarray:
        number = fresh_seed() if self.seed is None else int(self.seed)
        return np.random.SeedSequence(abs(number)).generate_state(4, np.uint32)

    def next(self) -> jax.Array:
        """Return a new key and advance the state."""
        with exchange:  # no two threads draw the same key
            following, fresh = _drawn(self._value)
            self._note_change()
            self._value = following
        return for_itself(fresh) if scope.several else fresh


@functools.partial(jax.jit, inline=True)
def _drawn(words: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the words of the next key, and a new key."""
    following, fresh = jax.random.split(jax.random.wrap_key_data(words, impl="rbg"))
    return jax.random.key_data(following), fresh


jax.tree_util.register_pytree_node(Seed, lambda seed: ((seed._value,), None), _unflatten)  # type: ignore[arg-type]


def array_of(value: Any) -> Any:
    """Return a variable's array, or any other value unchanged."""
    return value._value if isinstance(value, Variable) else value


def read(variables: Sequence[Variable]) -> tuple[jax.Array, ...]:
    """Return the arrays of `variables` at one moment."""
    bound = scope.bound
    if bound:
        return tuple(variable._value for variable in variables)
    if bound is None:
        note_reader()
    me = get_ident()
    with exchange:
        others = {donor for variable in variables if (donor := variable._donor) is not None and donor.thread != me}
        if not others:
            return tuple(variable._held for variable in variables)
        readable(others)
        return tuple(v._held if v._donor is None else v._donor.latest(v) for v in variables)


def held(variables: Sequence[Variable]) -> tuple[jax.Array, ...]:
    """Return what all threads see of `variables`: for the step whose turn it is, which nobody else changes."""
    return tuple([variable._held for variable in variables])


def hold(variables: Sequence[Variable], values: Sequence[jax.Array]) -> None:
    """Set what all threads see of `variables`: for the step whose turn it is."""
    for variable, value in zip(variables, values, strict=True):
        variable._held = value


def write(variables: Sequence[Variable], values: Sequence[jax.Array]) -> None:
    """Set the arrays of `variables` at one moment."""
    with exchange:
        for variable, value in zip(variables, values, strict=True):
            variable._value = value


@contextlib.contextmanager
def bound(variables: Sequence[Variable], values: Sequence[Any]) -> Iterator[None]:
    """Let `variables` hold `values` for this thread inside a ``with`` block; other threads notice nothing."""
    if scope.bound is None:
        note_reader()
    own: dict[int, Any] = scope.bound  # type: ignore[assignment]
    before = {id(variable): own.get(id(variable)) for variable in variables}
    own.update((id(variable), value) for variable, value in zip(variables, values, strict=True))
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del own[key]
            else:
                own[key] = value


def _is_in_a_step_elsewhere(variable: Variable) -> bool:
    """Return whether another thread runs a step that will change a variable. Needs the lock."""
    donor = variable._donor
    return donor is not None and donor.stepping and donor.thread != get_ident()


def snapshot(variables: Sequence[Variable]) -> tuple[jax.Array, ...]:
    """Return the arrays at one moment, with random keys of their own where a step runs in another thread.

    That step has the variables' keys already, and the next block of steps may take long.
    """
    with exchange:
        values = read(variables)
        running = [_is_in_a_step_elsewhere(variable) for variable in variables]
    return tuple(
        to_device(np.random.SeedSequence().generate_state(4, np.uint32)) if busy and isinstance(v, Seed) else value
        for v, value, busy in zip(variables, values, running, strict=True)
    )


def advance(variables: Sequence[Variable], before: Sequence[jax.Array], after: Sequence[jax.Array]) -> None:
    """Set the variables that changed between `before` and `after`, unless another thread has changed them meanwhile."""
    with exchange:
        for variable, old, new in zip(variables, before, after, strict=True):
            if new is not old and not _is_in_a_step_elsewhere(variable) and variable._form is old:
                variable._value = new


@contextlib.contextmanager
def at_one_moment(variables: Callable[[], Sequence[Variable]]) -> Iterator[None]:
    """Let the variables keep their values inside a ``with`` block while another thread trains them."""
    if scope.bound or not others_train():
        yield
        return
    found, me = variables(), get_ident()
    if all(variable._donor is None or variable._donor.thread == me for variable in found):
        yield
        return
    before = snapshot(found)
    with bound(found, before):
        yield
        after = read(found)
    advance(found, before, after)


@contextlib.contextmanager
def untouched(variables: Sequence[Variable]) -> Iterator[None]:
    """Trace inside a ``with`` block; afterwards `variables`, and those made inside, have their old values."""
    created: list[tuple[Variable, jax.Array]] = []
    with changed(created=created), bound(variables, read(variables)):
        yield
    for variable, value in created:
        variable._value = value


@contextlib.contextmanager
def restored() -> Iterator[dict[int, tuple[Variable, jax.Array]]]:
    """Put back what variables held before a ``with`` block that assigns to them; gives those that it assigned to."""
    noted: dict[int, tuple[Variable, jax.Array]] = {}
    try:
        with changed(assigned=noted):
            yield noted
    finally:
        for variable, value in noted.values():
            variable._value = value


@contextlib.contextmanager
def noting_changes() -> Iterator[dict[int, tuple[Variable, jax.Array]]]:
    """Record which variables are assigned to inside a ``with`` block: by id, each with its old value."""
    outer = scope.assigned
    noted: dict[int, tuple[Variable, jax.Array]] = {}
    try:
        with changed(assigned=noted):
            yield noted
    finally:
        if outer is not None:
            outer.update(noted | outer)
