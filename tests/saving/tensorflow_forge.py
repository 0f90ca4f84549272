"""What makes TensorFlow's checkpoints and SavedModel folders out of models of Cornu, good ones and others."""

import json

import numpy as np

from cornu.core.crc32c import crc32c, masked, masked_crc32c
from cornu.core.records import field, varint, whole
from cornu.core.serialization import serialize_object
from cornu.saving import compiling
from cornu.saving.h5_config import old_form
from cornu.saving.object_graph import GRAPH_KEY
from cornu.saving.protobuf import Message, Record
from cornu.saving.sorted_table import FOOTER, MAGIC, _entries_of_table
from cornu.saving.tensor_bundle import TYPES

NUMBERS = {dtype: number for number, dtype in TYPES.items()}
INDEX, VALUES = "{}.index", "{}.data-00000-of-00001"
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def fixed32(number, value):
    return varint(number << 3 | 5) + (value % 2**32).to_bytes(4, "little")


# ---- the table


def block(entries):
    """Return a block of entries with its kind and checksum."""
    content, last = b"", b""
    for key, value in entries:
        shared = next((n for n, (a, b) in enumerate(zip(key, last, strict=False)) if a != b), min(len(key), len(last)))
        content += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    content += (0).to_bytes(4, "little") + (1).to_bytes(4, "little")
    return trailed(content)


def trailed(content, kind=0):
    content += bytes([kind])
    return content + masked_crc32c(content).to_bytes(4, "little")


def table(entries, per_block=7):
    """Return a table of entries, given in order, as a dictionary or pairs."""
    pairs = list(entries.items()) if isinstance(entries, dict) else list(entries)
    blocks = [block(pairs[start : start + per_block]) for start in range(0, len(pairs), per_block)]
    lasts = [pairs[min(start + per_block, len(pairs)) - 1][0] for start in range(0, len(pairs), per_block)]
    return of_blocks(blocks, lasts)


def of_blocks(blocks, lasts):
    """Return a table of whole blocks, with the last key of each."""
    places = np.cumsum([0, *map(len, blocks)])
    handle = lambda number, content: varint(int(places[number])) + varint(len(content) - 5)  # noqa: E731
    index = block([(last, handle(number, blocks[number])) for number, last in enumerate(lasts)])
    metadata = block([])
    start = int(places[-1])
    footer = varint(start) + varint(len(metadata) - 5) + varint(start + len(metadata)) + varint(len(index) - 5)
    return b"".join(blocks) + metadata + index + footer.ljust(FOOTER - len(MAGIC), b"\0") + MAGIC


# ---- the bundle


def shape(sizes):
    return b"".join(field(2, whole(1, size)) for size in sizes)


def entry(dtype, sizes, start, length, checksum, shard=0):
    said = whole(1, dtype) + field(2, shape(sizes)) + (whole(3, shard) if shard else b"")
    return said + whole(4, start) + whole(5, length) + fixed32(6, checksum)


HEADER = whole(1, 1) + field(3, whole(1, 1))


def text_bytes(content):
    """Return a text as the files have it, and its checksum."""
    length = crc32c(len(content).to_bytes(4, "little"))
    stored = masked(length).to_bytes(4, "little")
    return varint(len(content)) + stored + content, masked(crc32c(content, crc32c(stored, length)))


def bundle(tensors, name="weights", header=HEADER):
    """Return the files of a checkpoint by their names; a tensor is an array or a text."""
    entries, data = {b"": header}, b""
    for key in sorted(tensors):
        value = tensors[key]
        if isinstance(value, bytes):
            content, checksum = text_bytes(value)
            entries[key.encode()] = entry(7, (), len(data), len(content), checksum)
        else:
            content = value.tobytes()
            number = NUMBERS[value.dtype.newbyteorder("<") if value.dtype.itemsize > 1 else value.dtype]
            entries[key.encode()] = entry(number, value.shape, len(data), len(content), masked_crc32c(content))
        data += content
    return {INDEX.format(name): table(entries), VALUES.format(name): data}


def entries_of(index):
    """Return the entries of a table."""
    return _entries_of_table(index)


# ---- the objects


def graph(nodes):
    """Return objects as a message; each has children, and a key and a name for a variable, and slots."""
    return b"".join(field(1, _node(*node)) for node in nodes)


def _node(children=(), key=None, name="", slots=()):
    content = b"".join(field(1, whole(1, number) + field(2, part.encode())) for part, number in dict(children).items())
    if key is not None:
        content += field(2, field(1, b"VARIABLE_VALUE") + field(2, name.encode()) + field(3, key.encode()))
    for variable, slot, number in slots:
        content += field(3, whole(1, variable) + field(2, slot.encode()) + whole(3, number))
    return content


class Objects:
    """The objects of a model as tf.keras 2.3 to 2.10 writes them, and the tensors."""

    def __init__(self, model):
        self.nodes, self.tensors, self.numbers = [], {}, {}
        self.described = {}
        self.add(model, "")
        if model.compiled and model.optimizer is not None:
            self.nodes[0][0]["optimizer"] = self.optimizer(model.optimizer)
        self.tensors[GRAPH_KEY] = graph(self.nodes)

    def add(self, layer, path):
        if id(layer) in self.numbers:
            return self.numbers[id(layer)]
        children = {}
        number = self.numbers[id(layer)] = self.node(children)
        self.described[number] = layer
        with_weights = 0
        for place, part in enumerate(getattr(layer, "layers", ())):
            name = f"layer_with_weights-{with_weights}" if part.weights else f"layer-{place}"
            with_weights += bool(part.weights)
            children[name] = children[f"layer-{place}"] = self.add(part, f"{path}{name}/")
        for variable in layer.kept_variables():
            key = f"{path}{variable.name}{SUFFIX}"
            children[variable.name] = self.numbers[id(variable)] = self.variable(key, variable, variable.path)
        return number

    def optimizer(self, optimizer):
        children = {"iter": self.variable(f"optimizer/iter{SUFFIX}", optimizer._iterations, "iter")}
        children["learning_rate"] = self.variable(f"optimizer/learning_rate{SUFFIX}", optimizer._learning_rate, "lr")
        slots = []
        old = {"momentum": "momentum" if type(optimizer).__name__ == "SGD" else "m", "velocity": "v"}
        for name, kept in optimizer._slots.items():
            for weight in optimizer._trainable_variables:
                number = self.numbers[id(weight)]
                key = self.nodes[number][1].removesuffix(SUFFIX)
                key = f"{key}/.OPTIMIZER_SLOT/optimizer/{old[name]}{SUFFIX}"
                slots.append((number, old[name], self.variable(key, kept[id(weight)], "")))
        return self.node(children, slots=slots)

    def node(self, children, key=None, name="", slots=()):
        self.nodes.append((children, key, name, slots))
        return len(self.nodes) - 1

    def variable(self, key, variable, name):
        self.tensors[key] = variable.numpy()
        return self.node({}, key, name)


def checkpoint(model):
    """Return the files of a checkpoint of a model, and the file ``checkpoint`` that names it."""
    return bundle(Objects(model).tensors) | {"checkpoint": b'model_checkpoint_path: "weights"\n'}


KINDS = {"Sequential": "_tf_keras_sequential", "Functional": "_tf_keras_network", "Model": "_tf_keras_network"}


def metadata_of(model):
    """Return number, kind and config of each layer of a model, the model first."""
    found = []
    for number, layer in Objects(model).described.items():
        said = old_form(serialize_object(layer, with_compile_config=False))
        said |= {"name": layer.name, "keras_version": "2.4.0", "backend": "tensorflow"}
        if number == 0 and model.compiled:
            said["training_config"] = compiling.to_training_config(compiling.compile_config(model))
        found.append((number, KINDS.get(type(layer).__name__, "_tf_keras_layer"), json.dumps(said).encode()))
    return found


def keras_metadata(described):
    """Return the content of ``keras_metadata.pb``."""
    return b"".join(
        field(1, whole(2, number) + field(4, kind.encode()) + field(5, text)) for number, kind, text in described
    )


def program(described):
    """Return the content of ``saved_model.pb`` as tf.keras 2.3 writes it, without a program."""
    last = max(number for number, _, _ in described)
    kinds = {number: (kind, text) for number, kind, text in described}
    objects = b""
    for number in range(last + 1):
        kind, text = kinds.get(number, ("_generic_user_object", b""))
        objects += field(1, field(4, field(1, kind.encode()) + field(3, text)))
    return whole(1, 1) + field(2, field(2, b"\x0a\x00") + field(7, objects))


def saved_model(model, in_program=False):
    """Return the files of a SavedModel folder of a model."""
    described = metadata_of(model)
    files = {"saved_model.pb": program(described if in_program else [(0, "_tf_keras_network", b"")])}
    if not in_program:
        files["keras_metadata.pb"] = keras_metadata(described)
    return files | {
        f"variables/{name}": content for name, content in bundle(Objects(model).tensors, "variables").items()
    }


def put(folder, files):
    """Write files into a folder, which is made."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


# ---- changes of good files


def described_in(content):
    """Return what ``keras_metadata.pb`` says, as `keras_metadata` takes it."""
    records = [Record(one) for one in Record(Message(content, "it")).each(1)]
    return [(record.number(2), record.text(4), record.one(5).content()) for record in records]


def graph_in(index, values):
    """Return the objects of a checkpoint as a message."""
    record = Record(Message(entries_of(index)[GRAPH_KEY.encode()], "it"))
    text = values[record.number(4) : record.number(4) + record.number(5)]
    return text[varint_end(text) + 4 :]


def varint_end(content):
    return next(place for place, byte in enumerate(content) if byte < 0x80) + 1


def with_graph(index, values, content):
    """Return both files of a checkpoint with other objects; the old ones stay in the file of values, unused."""
    text, checksum = text_bytes(content)
    entries = entries_of(index) | {GRAPH_KEY.encode(): entry(7, (), len(values), len(text), checksum)}
    return table(entries), values + text
