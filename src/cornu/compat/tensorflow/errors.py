"""The module ``tf.errors``: classes that programs catch, with Python's own where there is one."""

from typing import Any


class OpError(Exception):
    """An operation failed.

    >>> str(OpError(None, None, "too large"))
    'too large'
    """

    def __init__(self, node_def: Any = None, op: Any = None, message: Any = None, *_: Any) -> None:
        message = node_def if message is None and isinstance(node_def, str) else message
        super().__init__(str(message or ""))
        self.node_def, self.op, self.message = node_def, op, str(message or "")


class InvalidArgumentError(OpError, ValueError):
    """An argument is not what an operation accepts."""


class NotFoundError(OpError, FileNotFoundError):
    """A file is not there."""


class AlreadyExistsError(OpError, FileExistsError):
    """A file is there already."""


class PermissionDeniedError(OpError, PermissionError):
    """A file may not be read or written."""


class OutOfRangeError(OpError):
    """An iterator is at its end."""


class UnimplementedError(OpError, NotImplementedError):
    """An operation is not there."""


class ResourceExhaustedError(OpError, MemoryError):
    """There is not enough memory."""


def _kind(name: str) -> type:
    return type(name, (OpError,), {"__doc__": "An operation failed.", "__module__": __name__})


FailedPreconditionError, InternalError, DataLossError = map(
    _kind, ("FailedPreconditionError", "InternalError", "DataLossError")
)
AbortedError, CancelledError, UnavailableError = map(_kind, ("AbortedError", "CancelledError", "UnavailableError"))
DeadlineExceededError, UnauthenticatedError, UnknownError = map(
    _kind, ("DeadlineExceededError", "UnauthenticatedError", "UnknownError")
)
OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED = range(8)
