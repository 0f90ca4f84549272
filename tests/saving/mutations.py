"""Model files changed at random: what the fuzz tests and `scripts/fuzz` give to the readers."""

import contextlib
import hashlib
import io
import json
import random
import shutil
import tempfile
import zipfile
from pathlib import Path

import numpy as np

#: Values that numbers, texts and lists of a config are replaced by.
JSON_VALUES = (
    *(None, True, False, 0, -1, 1, 2, 3, 7, 255, 65536, 2**31 - 1, 2**31, 2**63, 10**12, 10**30, -(2**40)),
    *(0.5, -0.5, 1e308, float("nan"), float("inf"), -float("inf")),
    *("", "relu", "Dense", "os.system", "__lambda__", "../../etc/passwd", "\x1b[2J", "a" * 3000, "\ud800", "float64"),
    *("bfloat16", "object", "S100000000", "int8", "channels_first", "same", "keras.layers", "builtins", "ä"),
    *([], [[]], [0], [None], [None, 10**9], [1, 2, 3, 4, 5, 6, 7], {}, {"a": {}}, [None, 4, 4, 1]),
    {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}},
    {"class_name": "__numpy__", "config": {"value": [[1, 2], [3]], "dtype": "S99999999"}},
    {"class_name": "__tensor__", "config": {"value": [1.0], "dtype": "float32"}},
    {"class_name": "function", "config": "eval", "registered_name": "builtins>eval"},
    {"class_name": "Dense", "config": {"units": 3}},
    {"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, 0]}},
)
NUMBERS = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, (1 << 63) - 1, (1 << 64) - 1, 1 << 40, 1 << 20)


def mutate(kind: str, content: bytes, names: list[str], dice: random.Random) -> bytes:
    """Return a changed copy of a file of a kind: ``keras``, ``json``, or anything that is changed as bytes."""
    if kind == "json":
        return changed_json(content, names, dice) if dice.random() < 0.8 else changed_bytes(content, dice)
    if kind == "checkpoint" and dice.random() < 0.9:
        return changed_checkpoint(content, names, dice)
    if kind in ("ckpt", "savedmodel"):
        return changed_folder(content, names, dice)
    if kind != "keras" or dice.random() < 0.15:
        return changed_bytes(content, dice)
    members = unzipped(content)
    part = dice.choice(("config.json", "config.json", "model.weights.h5", "metadata.json"))
    by_text = part.endswith("json") and dice.random() < 0.85
    members[part] = changed_json(members[part], names, dice) if by_text else changed_bytes(members[part], dice)
    return zipped(members, dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))


def unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def changed_bytes(content: bytes, dice: random.Random) -> bytes:
    """Return bytes with some flipped, replaced, taken out, repeated, or cut off."""
    data = bytearray(content)
    used = [index for index in range(0, len(data), 8) if any(data[index : index + 8])] or [0]
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        place = min(dice.choice(used) + dice.randrange(8), max(len(data) - 1, 0))
        way = dice.random()
        if not data:
            break
        if way < 0.35:
            data[place] ^= 1 << dice.randrange(8)
        elif way < 0.5:
            data[place] = dice.randrange(256)
        elif way < 0.8:
            size = dice.choice((1, 2, 4, 8))
            data[place : place + size] = (dice.choice(NUMBERS) & ((1 << 8 * size) - 1)).to_bytes(size, "little")
        elif way < 0.88:
            del data[place : place + dice.choice((1, 4, 64, 512))]
        elif way < 0.96:
            start = dice.choice(used)
            data[place:place] = data[start : start + dice.choice((1, 8, 64, 512))]
        else:
            del data[place:]
    return bytes(data)


def changed_json(content: bytes, names: list[str], dice: random.Random) -> bytes:
    """Return a JSON text with some values replaced, taken out, exchanged, or given other classes; at times damaged."""
    whole = [json.loads(content)]
    for _ in range(dice.choice((1, 1, 2, 4))):
        places = list(_places(whole))
        holder, key = dice.choice(places)
        way = dice.random()
        if way < 0.5:
            holder[key] = _copy(dice.choice(JSON_VALUES))
        elif way < 0.7:
            classes = [place for place in places if place[1] == "class_name"] or places
            holder, key = dice.choice(classes)
            holder[key] = dice.choice(names)
        elif way < 0.8 and holder is not whole:
            del holder[key]
        elif way < 0.9:
            other, its = dice.choice(places)
            holder[key] = _copy(other[its])
        elif isinstance(holder, dict):
            holder[dice.choice(("weights", "name", "dtype", "groups", "stateful", "x", "config"))] = dice.choice(
                JSON_VALUES
            )
        elif len(holder) < 100:
            holder.append(_copy(_at(dice.choice(places))))
    text = json.dumps(whole[0] if whole else None)
    if dice.random() < 0.03:
        depth = dice.choice((50, 150, 300, 5000, 100_000))
        text = text.replace("null", "[" * depth + "]" * depth, 1)
    return text.encode("utf-8", "surrogatepass")


def changed_checkpoint(content: bytes, names: list[str], dice: random.Random) -> bytes:
    """Return a checkpoint of which the text or the arrays are changed, and the checksum fits."""
    start = content[: content.index(b"\n") + 1]
    body = content[len(start) : -hashlib.sha256().digest_size]
    size = int.from_bytes(body[:8], "little")
    text, arrays = body[8 : 8 + size], body[8 + size :]
    if dice.random() < 0.8:
        text = changed_json(text, names, dice)
    else:
        arrays = changed_bytes(arrays, dice)
    return sealed(start, text, arrays)


def changed_folder(content: bytes, names: list[str], dice: random.Random) -> bytes:
    """Return a folder of TensorFlow of which a file is changed; where it has checksums, they mostly fit."""
    from saving import tensorflow_forge as forge

    files = unzipped(content)
    way, index = dice.random(), next(name for name in files if name.endswith(".index"))
    values = index.replace(".index", ".data-00000-of-00001")
    if way < 0.4 and "keras_metadata.pb" in files:
        described = forge.described_in(files["keras_metadata.pb"])
        place = dice.choice((0, 0, dice.randrange(len(described))))
        number, kind, text = described[place]
        described[place] = (number, kind, changed_json(text, names, dice))
        files["keras_metadata.pb"] = forge.keras_metadata(described)
    elif way < 0.6:
        entries = list(forge.entries_of(files[index]).items())
        place = dice.randrange(len(entries))
        key, value = entries[place]
        entries[place] = (key, changed_bytes(value, dice)) if dice.random() < 0.9 else (changed_bytes(key, dice), value)
        files[index] = forge.table(entries)
    elif way < 0.8:
        graph = changed_bytes(forge.graph_in(files[index], files[values]), dice)
        files[index], files[values] = forge.with_graph(files[index], files[values], graph)
    else:
        name = dice.choice(sorted(files))
        files[name] = changed_bytes(files[name], dice)
    return zipped(files)


def sealed(start: bytes, text: bytes, arrays: bytes) -> bytes:
    """Return a checkpoint file with the right length and checksum."""
    whole = start + len(text).to_bytes(8, "little") + text + arrays
    return whole + hashlib.sha256(whole).digest()


def _copy(value):
    return json.loads(json.dumps(value))


def _at(place):
    return place[0][place[1]]


def _places(value):
    """Yield every place in plain data as (holder, key)."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from _places(value[key])


def seeds(folder) -> dict[str, tuple[str, bytes]]:
    """Return small good files by name, each with its kind; they are written in `folder` once."""
    import cornu
    from saving import tensorflow_forge as forge

    cornu.utils.set_random_seed(0)
    stack, graph = models(cornu)
    for name, model in (("stack", stack), ("graph", graph)):
        for suffix in (".keras", ".h5"):
            model.save(folder / f"{name}{suffix}")
        for suffix in (".weights.h5", "_old.h5", ".safetensors"):
            model.save_weights(folder / f"{name}{suffix}")
        (folder / f"{name}.json").write_text(model.to_json())
        (folder / f"{name}.ckpt").write_bytes(zipped(forge.checkpoint(model)))
        (folder / f"{name}.savedmodel").write_bytes(zipped(forge.saved_model(model, in_program=name == "graph")))
    with tempfile.TemporaryDirectory() as kept:
        with contextlib.suppress(Ended):
            trained(graph, kept, after=7)
        newest = max(Path(kept).glob("checkpoint-*"), key=lambda path: path.stat().st_mtime_ns)
        shutil.copy(newest, folder / "graph.checkpoint")
    (folder / "run.runs").write_bytes(RUN)
    (folder / "files.archive").write_bytes(zipped({"a/b.txt": b"text", "c": b"more"}))
    (folder / "keras1.json").write_text(json.dumps(OLD))
    np.savez(folder / "data.npz", x=np.arange(6).reshape(2, 3), y=np.array([[1, 2], [3]], dtype=object))
    found = {}
    for path in sorted(folder.iterdir()):
        found[path.name] = (path.suffix[1:], path.read_bytes())
    return found


def models(lib):
    """Return two small models of a library, compiled: a stack, and a graph with a model inside."""
    layers = lib.layers
    stack = lib.Sequential(
        [
            lib.Input((4, 4, 1)),
            layers.Conv2D(2, 3, activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(2, activation="softmax", kernel_initializer="he_normal"),
        ],
        name="stack",
    )
    stack.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    inner = lib.Sequential([lib.Input((3,)), layers.Dense(3)], name="inner")
    start = lib.Input((3,))
    shared = layers.Dense(3, activation="tanh")
    graph = lib.Model(start, layers.Add()([shared(inner(shared(start))), start]), name="graph")
    graph.compile(lib.optimizers.SGD(0.1, momentum=0.9), "mse", metrics=[lib.metrics.MeanAbsoluteError()])
    return stack, graph


class Ended(Exception):  # noqa: N818 (what happens, not what is wrong)
    """Stands for a training that is killed."""


def trained(model, folder, after=None):
    """Train the graph of `models` with a backup in a folder; with `after` it ends after so many batches."""
    from cornu.callbacks import BackupAndRestore, Callback, CSVLogger, EarlyStopping

    class Ending(Callback):
        def __init__(self):
            self.seen, self.names, self.mode = 0, {"loss": [1.0, (2, 3)]}, "none"
            self.dice, self.generator = np.random.RandomState(1), np.random.Generator(np.random.MT19937(1))

        def on_train_batch_end(self, batch, logs=None):
            self.seen, self.mode = self.seen + 1, f"after {batch}"
            self.names["loss"].append(self.dice.rand() + self.generator.random())
            if self.seen == after:
                raise Ended

    x = np.linspace(0, 1, 24, dtype="float32").reshape(8, 3)
    used = [Ending(), EarlyStopping("loss", patience=9), CSVLogger(Path(folder) / "rows.csv")]
    used += [BackupAndRestore(folder, save_freq=1, delete_checkpoint=False)]
    model.fit(x, x, batch_size=2, epochs=2, verbose=0, callbacks=used)


RUN = b"""{"kind": "begin", "name": "run", "epochs": 3, "time": 1.0}
{"kind": "epoch", "epoch": 1, "logs": {"loss": 0.5, "mae": 1.0}, "time": 2.0}
{"kind": "end", "time": 3.0}
"""
OLD = {
    "class_name": "Sequential",
    "keras_version": "1.2.2",
    "config": [
        {
            "class_name": "Convolution2D",
            "config": {
                "batch_input_shape": [None, 6, 6, 1],
                "nb_filter": 2,
                "nb_row": 3,
                "nb_col": 3,
                "border_mode": "same",
                "dim_ordering": "tf",
                "W_regularizer": None,
                "input_dtype": "float32",
                "name": "c",
            },
        },
        {"class_name": "Flatten", "config": {"name": "f", "trainable": True}},
        {"class_name": "Dense", "config": {"output_dim": 2, "init": "uniform", "name": "d", "activation": "linear"}},
    ],
}
