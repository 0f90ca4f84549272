"""Protocol buffer messages, read one level at a time: field numbers, and values that stay where they are.

The format: https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator
from typing import Any

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FIXED = {FIXED64: 8, FIXED32: 4}
MOST_VARINT = 10  # bytes
MOST_NUMBER = (1 << 64) - 1


def varint(data: Any, place: int, end: int) -> tuple[int, int]:
    """Return the number at a place, of seven bits per byte, and the place behind it.

    ValueError if it does not end before `end`, or has more than 64 bits.

    >>> varint(bytes([0xAC, 0x02]), 0, 2)
    (300, 2)
    """
    number = shift = 0
    for position in range(place, min(place + MOST_VARINT, end)):
        byte = data[position]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & MOST_NUMBER, position + 1
        shift += 7
    raise ValueError("a number has no end")


class Message:
    """A message inside `data` (bytes, or a file mapped to memory); `what` is it for error messages."""

    __slots__ = ("data", "end", "start", "what")

    def __init__(self, data: Any, what: str, start: int = 0, end: int | None = None) -> None:
        self.data, self.what, self.start = data, what, start
        self.end = len(data) if end is None else end

    def fields(self) -> Iterator[tuple[int, "int | Message"]]:
        """Yield each field's number and value: an integer, or its bytes, which may be a message.

        Raises ValueError for bytes that are not a message.
        """
        data, place, end, number = self.data, self.start, self.end, 0
        try:
            while place < end:
                key, place = varint(data, place, end)
                number, kind = key >> 3, key & 7
                if kind == VARINT:
                    value, place = varint(data, place, end)
                    yield number, value
                    continue
                size = FIXED.get(kind, 0)
                if kind == BYTES:
                    size, place = varint(data, place, end)
                elif not size:
                    raise ValueError(f"it has a value of the unknown kind {kind}")
                if number == 0 or size > end - place:
                    raise ValueError(f"a value of {size:,} bytes is where {end - place:,} are left")
                if kind == BYTES:
                    yield number, Message(data, self.what, place, place + size)
                else:
                    yield number, int.from_bytes(data[place : place + size], "little")
                place += size
        except ValueError as error:
            raise self.damaged(f"its field {number} cannot be read: {error}") from None

    def damaged(self, problem: str) -> ValueError:
        """Return the error that says what is wrong with the message."""
        known = f"{self.what} is damaged: "
        return ValueError(problem if problem.startswith(known) else f"{known}{problem}.")

    def content(self) -> bytes:
        """Return the bytes."""
        return bytes(self.data[self.start : self.end])

    def text(self) -> str:
        """Return the bytes as text; ValueError if they are not in UTF-8."""
        try:
            return self.content().decode("utf-8")
        except UnicodeDecodeError:
            raise self.damaged("a text in it is not in UTF-8") from None

    def __len__(self) -> int:
        return self.end - self.start


class Record:
    """The fields of a message by number, each by the kind that it must have; unknown fields are left out."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.found: dict[int, list[Any]] = {}
        for number, value in message.fields():
            self.found.setdefault(number, []).append(value)

    def number(self, field: int) -> int:
        """Return an integer, 0 where the field is missing: the last one, as in every reader of this format."""
        return self._last(field, int, 0)

    def text(self, field: int) -> str:
        """Return a text, empty where the field is missing."""
        found = self._last(field, Message, None)
        return "" if found is None else found.text()

    def one(self, field: int) -> Message | None:
        """Return a message, or None where the field is missing."""
        return self._last(field, Message, None)

    def each(self, field: int) -> list[Message]:
        """Return all messages of a field."""
        return [self._checked(field, value, Message) for value in self.found.get(field, ())]

    def _last(self, field: int, kind: type, default: Any) -> Any:
        found = self.found.get(field)
        return self._checked(field, found[-1], kind) if found else default

    def _checked(self, field: int, value: Any, kind: type) -> Any:
        if not isinstance(value, kind):
            raise self.message.damaged(f"its field {field} is of another kind than expected")
        return value
