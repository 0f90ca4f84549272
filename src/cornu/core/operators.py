"""The operators of variables and symbolic tensors, declared for type checkers: each class sets its own in a loop."""

from typing import TYPE_CHECKING, Any


class HasOperators:
    """An operand of arithmetic and comparisons. At run time it is empty."""

    if TYPE_CHECKING:

        def __add__(self, other: Any) -> Any: ...

        def __neg__(self) -> Any: ...

        __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __matmul__ = __add__
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rmatmul__ = __add__
        __lt__ = __le__ = __gt__ = __ge__ = __and__ = __or__ = __xor__ = __getitem__ = __add__
        __abs__ = __invert__ = __neg__
