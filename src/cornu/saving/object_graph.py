"""The objects in TensorFlow's checkpoints: layers, optimizers, lists and variables, with the names that connect them.

A checkpoint keeps them as one text, a ``TrackableObjectGraph`` message; the first object is the one that was saved.
"""

from typing import NamedTuple

from cornu.saving.protobuf import Message, Record

GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
VALUE = "VARIABLE_VALUE"
COUNTS = ("iter", "_iterations")  # the step count of an optimizer, until tf.keras 2.10 and later


class Slot(NamedTuple):
    """What an optimizer keeps for a variable: the numbers of both, and its name, such as ``m``."""

    variable: int
    name: str
    slot: int


class Node(NamedTuple):
    """An object: its parts by name, as numbers of objects; a variable's key and whole name; an optimizer's slots."""

    children: dict[str, int]
    key: str | None
    name: str
    slots: list[Slot]


def parse_graph(content: bytes, what: str) -> list[Node]:
    """Return the objects of a checkpoint's graph; ValueError if it is damaged, or names objects that it lacks."""
    message = Message(content, what)
    nodes = [_node(node) for node in Record(message).each(1)]
    for node in nodes:
        numbers = [*node.children.values(), *(number for slot in node.slots for number in (slot.variable, slot.slot))]
        if any(number >= len(nodes) for number in numbers):
            raise message.damaged(f"it names object {max(numbers)} of {len(nodes)}")
    if not nodes:
        raise message.damaged("it has no objects")
    return nodes


def _node(message: Message) -> Node:
    record = Record(message)
    children: dict[str, int] = {}
    for child in record.each(1):
        reference = Record(child)
        children.setdefault(reference.text(2), reference.number(1))
    key, name = None, ""
    for attribute in record.each(2):
        tensor = Record(attribute)
        if tensor.text(1) == VALUE:
            name, key = tensor.text(2), tensor.text(3)
    return Node(children, key, name, [_slot(Record(slot)) for slot in record.each(3)])


def _slot(record: Record) -> Slot:
    return Slot(record.number(1), record.text(2), record.number(3))


def variables_below(nodes: list[Node], start: int, without: frozenset[int] = frozenset()) -> dict[int, str]:
    """Return the numbers and keys of all variables that an object holds, apart from those in the objects `without`."""
    found: dict[int, str] = {}
    seen, waiting = {*without}, [start]
    while waiting:
        number = waiting.pop()
        if number in seen:
            continue
        seen.add(number)
        node = nodes[number]
        if node.key is not None:
            found[number] = node.key
        waiting += reversed(node.children.values())
    return found
