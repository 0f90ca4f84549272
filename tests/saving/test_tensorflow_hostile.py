"""Malicious checkpoints and SavedModel folders: each is rejected with a clear error, and nothing changes."""

import json
import os
import re

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.core.crc32c import masked_crc32c
from cornu.core.records import field, varint, whole
from cornu.models import load_model
from cornu.saving.object_graph import GRAPH_KEY
from saving import doors
from saving import tensorflow_forge as forge
from saving.test_hostile import tried

pytestmark = pytest.mark.old_spellings
INDEX, VALUES = "weights.index", "weights.data-00000-of-00001"
KERNEL = f"layer_with_weights-0/kernel{forge.SUFFIX}"


def make_model():
    model = cornu.Sequential([cornu.Input((4,)), layers.Dense(3, name="first"), layers.Dense(2)], name="model")
    model.compile("adam", "mse")
    return model


@pytest.fixture(scope="module")
def model():
    return make_model()


@pytest.fixture
def files(model):
    """Give the files of a good checkpoint."""
    return forge.checkpoint(model)


def with_entries(files, change):
    """Return files whose table has other entries; `change` gets and returns a dictionary or pairs."""
    return files | {INDEX: forge.table(change(forge.entries_of(files[INDEX])))}


def with_entry(files, key, content):
    return with_entries(files, lambda found: found | {key.encode(): content})


def with_graph(model, content, **others):
    return forge.bundle(forge.Objects(model).tensors | {GRAPH_KEY: content} | others)


def assert_refused(folder, model, files, words, ways=("load_weights",), target="weights"):
    """Put files into a folder, and that into the ways in: those in `ways` must refuse it with some words."""
    place = folder / f"file{doors.KEPT}"
    forge.put(place, files)
    before = model.get_weights()
    for way in (doors.inspect, doors.load_model, doors.loader_of(model)):
        said = tried(way, place / target, folder / "file")
        if way.__name__ in ways:
            assert said is not None, f"{way.__name__} read it; expected: {words}"
            assert re.search(words, said, re.DOTALL), f"{way.__name__}: {said}; expected: {words}"
    assert all(np.array_equal(one, two) for one, two in zip(before, model.get_weights(), strict=True))


BOTH = ("load_weights", "inspect")


def test_the_good_files_are_read(tmp_path, model, files):
    forge.put(tmp_path / "c", files)
    other = make_model()
    other.load_weights(tmp_path / "c")
    assert all(np.array_equal(one, two) for one, two in zip(other.get_weights(), model.get_weights(), strict=True))
    for number, in_program in enumerate((False, True)):
        folder = forge.put(tmp_path / f"s{number}", forge.saved_model(model, in_program))
        found = load_model(folder)
        assert all(np.array_equal(one, two) for one, two in zip(found.get_weights(), model.get_weights(), strict=True))


def test_initial_values_that_a_folder_replaces_are_not_computed(tmp_path, monkeypatch):
    model = cornu.Sequential([cornu.Input((4,)), layers.Dense(3, kernel_initializer="orthogonal")], name="model")
    folder = forge.put(tmp_path / "s", forge.saved_model(model))
    monkeypatch.setattr(np.linalg, "qr", lambda *_: pytest.fail("computed"))
    np.testing.assert_array_equal(load_model(folder).get_weights()[0], model.get_weights()[0])


TABLES = {
    "cut off": (lambda index: index[: len(index) // 2], "not the index"),
    "empty": (lambda index: b"", "has 0 bytes"),
    "too short": (lambda index: forge.MAGIC, "has 8 bytes"),
    "other magic": (lambda index: index[:-1] + b"x", "not the index"),
    "a bit of a block": (lambda index: index[:9] + bytes([index[9] ^ 1]) + index[10:], "checksum"),
    "bytes behind": (lambda index: index + b"\0", "not the index"),
    "bytes in front": (lambda index: b"\0" + index, "damaged"),
    "places beyond": (lambda index: index[:-48] + (varint(1 << 40) * 4).ljust(40, b"\0") + forge.MAGIC, "beyond"),
    "places without end": (lambda index: index[:-48] + b"\xff" * 40 + forge.MAGIC, "no end"),
    "zeros": (lambda index: bytes(400) + forge.MAGIC, "damaged"),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables(name, tmp_path, model, files):
    change, words = TABLES[name]
    assert_refused(tmp_path, model, files | {INDEX: change(files[INDEX])}, words, BOTH)


def raw_block(content, restarts=1, kind=0):
    return forge.trailed(content + bytes(4) + restarts.to_bytes(4, "little"), kind)


def entry_of(shared, key, value=b""):
    return varint(shared) + varint(len(key)) + varint(len(value)) + key + value


BLOCKS = {
    "packed": (raw_block(entry_of(0, b"", forge.HEADER), kind=1), "packed.*snappy"),
    "of another kind": (raw_block(entry_of(0, b"", forge.HEADER), kind=9), "kind 9"),
    "with far too many restarts": (raw_block(entry_of(0, b""), restarts=1 << 30), "more than it has bytes"),
    "with a key that repeats too much": (raw_block(entry_of(3, b"abc")), "longer than its block"),
    "with an entry beyond its end": (
        raw_block(varint(0) + varint(1) + varint(1 << 30) + b"a"),
        "longer than its block",
    ),
    "with keys in no order": (raw_block(entry_of(0, b"") + entry_of(0, b"b") + entry_of(0, b"a")), "not in order"),
    "with a key twice": (raw_block(entry_of(0, b"") + entry_of(0, b"b") + entry_of(1, b"")), "not in order"),
    "of keys that grow": (
        raw_block(entry_of(0, b"") + b"".join(entry_of(n, b"a") for n in range(60_000))),
        "far too long",
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks(name, tmp_path, model, files):
    block, words = BLOCKS[name]
    assert_refused(tmp_path, model, files | {INDEX: forge.of_blocks([block], [b"z"])}, words, BOTH)


def test_blocks_in_the_same_place(tmp_path, model, files):
    block = forge.block(forge.entries_of(files[INDEX]).items())
    index = forge.block([(b"a", varint(0) + varint(len(block) - 5)), (b"b", varint(0) + varint(len(block) - 5))])
    metadata = forge.block([])
    footer = varint(len(block)) + varint(len(metadata) - 5)
    footer += varint(len(block) + len(metadata)) + varint(len(index) - 5)
    content = block + metadata + index + footer.ljust(40, b"\0") + forge.MAGIC
    assert_refused(tmp_path, model, files | {INDEX: content}, "was expected", BOTH)


HEADERS = {
    "none": (None, "no header"),
    "many files": (whole(1, 1 << 31), "files of values"),
    "no files": (b"", "files of values"),
    "another order of bytes": (whole(1, 1) + whole(2, 1), "unusual order"),
    "files that are missing": (whole(1, 3), "is missing"),
    "another kind": (field(1, b"x"), "another kind"),
    "damaged": (b"\xff\xff", "damaged"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers(name, tmp_path, model, files):
    header, words = HEADERS[name]
    change = (lambda found: {k: v for k, v in found.items() if k}) if header is None else lambda f: f | {b"": header}
    assert_refused(tmp_path, model, with_entries(files, change), words, BOTH)


ENTRIES = {
    "beyond the end": (forge.entry(1, (4, 3), 1 << 40, 48, 0), "shorter"),
    "longer than the file": (forge.entry(1, (1 << 40,), 0, 4 << 40, 0), "shorter"),
    "of a file that is not there": (forge.entry(1, (4, 3), 0, 48, 0, shard=7), "damaged|shorter|has"),
    "of another size": (forge.entry(1, (4, 4), 0, 48, 0), "do not make"),
    "of a size beyond all": (forge.entry(1, (1 << 62, 1 << 62), 0, 48, 0), "do not make"),
    "of a negative size": (forge.entry(1, (-4, -3), 0, 48, 0), "shape"),
    "of 40 axes": (forge.entry(1, (1,) * 40, 0, 4, 0), "shape"),
    "with a wrong checksum": (None, "checksum"),
    "of another type": (forge.entry(9, (4, 3), 0, 96, 0), "same place|dtype"),
    "in the place of another": (forge.entry(1, (4, 3), 8, 48, 0), "same place"),
    "that is no message": (b"\x0f\x01\x02", "damaged"),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_entries(name, tmp_path, model, files):
    content, words = ENTRIES[name]
    if content is None:
        data = bytearray(files[VALUES])
        data[files[VALUES].index(model.layers[0].kernel.numpy().tobytes())] ^= 1
        assert_refused(tmp_path, model, files | {VALUES: bytes(data)}, words)
        return
    assert_refused(tmp_path, model, with_entry(files, KERNEL, content), words)


@pytest.mark.parametrize(("kind", "more"), [(7, b""), (99, b""), (1, field(7, b""))])
def test_tensors_that_are_no_plain_numbers(kind, more, tmp_path, model, files):
    """Texts, types that nothing knows, slices."""
    start = files[VALUES].index(model.layers[0].kernel.numpy().tobytes())
    changed = with_entry(files, KERNEL, forge.entry(kind, (4, 3), start, 48, 0) + more)
    assert_refused(tmp_path, model, changed, "not of numbers, or is kept in several slices")


def test_many_tensors_in_one_place(tmp_path, model, files):
    """Else a small file would fill the memory."""
    entries = {f"a{number:05}".encode(): forge.entry(1, (12,), 0, 48, 0) for number in range(20_000)}
    changed = with_entries(files, lambda found: dict(sorted((found | entries).items())))
    assert_refused(tmp_path, model, changed, "same place", BOTH)


NODES = [({"layer-0": 1}, None, "", ()), ({}, "somewhere", "", ())]
GRAPHS = {
    "empty": (b"", "no objects"),
    "no message": (b"\xff\xff\xff", "damaged"),
    "numbers beyond": (forge.graph([({"layer-0": 900}, None, "", ())]), "object 900 of 1"),
    "negative numbers": (forge.graph([({"layer-0": -1}, None, "", ())]), "object"),
    "slots beyond": (forge.graph([({}, None, "", ((0, "m", 5),))]), "object 5 of 1"),
    "names that are no text": (field(1, field(1, whole(1, 0) + field(2, b"\xff\xfe"))), "UTF-8"),
    "other kinds": (field(1, whole(1, 3)), "another kind"),
    "a circle": (forge.graph([({"layer-0": 1, "x": 0}, None, "", ()), ({"layer-0": 0}, None, "", ())]), "no weight"),
    "keys of nothing": (forge.graph(NODES), "no weight"),
    "a longer value than the message": (varint(10) + varint(1 << 40), "damaged"),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs(name, tmp_path, model):
    content, words = GRAPHS[name]
    assert_refused(tmp_path, model, with_graph(model, content), words)


def test_texts_that_say_another_length(tmp_path, model, files):
    entries = forge.entries_of(files[INDEX])
    data = files[VALUES]
    for content in (varint(1 << 60) + bytes(4) + b"abc", b"\xff" * 12, b"", varint(3) + b"abcdabc"):
        entry = forge.entry(7, (), len(data), len(content), masked_crc32c(content))
        changed = {INDEX: forge.table(entries | {GRAPH_KEY.encode(): entry}), VALUES: data + content}
        assert_refused(tmp_path, model, files | changed, "damaged")


def test_variables_that_the_model_does_not_have(tmp_path, model):
    objects = forge.Objects(model)
    objects.nodes[0][0]["other"] = objects.node({"kernel": objects.node({}, f"other/kernel{forge.SUFFIX}")})
    tensors = objects.tensors | {f"other/kernel{forge.SUFFIX}": np.ones(3, "f4"), GRAPH_KEY: forge.graph(objects.nodes)}
    assert_refused(tmp_path, model, forge.bundle(tensors), "does not have: 'other/kernel")


STATES = {
    "another folder": b'model_checkpoint_path: "../../other/x"',
    "nothing": b"",
    "no name": b'model_checkpoint_path: ""',
    "the folder above": b'model_checkpoint_path: ".."',
    "control characters": b'model_checkpoint_path: "\x1b[2J"',
    "bytes": bytes(range(256)),
}


@pytest.mark.parametrize("name", STATES)
def test_files_that_name_the_newest_checkpoint(name, tmp_path, model, files):
    changed = {key: value for key, value in files.items() if key != "checkpoint"} | {"checkpoint": STATES[name]}
    assert_refused(tmp_path, model, changed, "not in that folder", BOTH, target="")


def test_pipes_and_folders_in_the_place_of_files(tmp_path, model, files):
    assert_refused(tmp_path, model, {INDEX: files[INDEX], f"{VALUES}/x": b""}, "is missing", BOTH)
    (tmp_path / f"file{doors.KEPT}" / INDEX).unlink()
    os.mkfifo(tmp_path / f"file{doors.KEPT}" / INDEX)
    with pytest.raises(FileNotFoundError, match="There is no file"):
        model.load_weights(tmp_path / f"file{doors.KEPT}" / "weights")


# ---- SavedModel folders


@pytest.fixture
def folder(model):
    """Give the files of a good SavedModel folder, and what they say of the model."""
    return forge.saved_model(model), forge.metadata_of(model)


def described_as(model, change):
    """Return the files of a folder whose model is described in another way."""
    (number, kind, text), *others = forge.metadata_of(model)
    entry = json.loads(text)
    content = change(entry)
    content = json.dumps(entry).encode() if content is None else content
    return forge.saved_model(model) | {"keras_metadata.pb": forge.keras_metadata([(number, kind, content), *others])}


def last_layer(entry):
    return entry["config"]["layers"][-1]


DESCRIPTIONS = {
    "no JSON": (lambda entry: b"{", "JSON"),
    "a list": (lambda entry: b"[1]", "expected an object"),
    "deep": (lambda entry: b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "JSON"),
    "a key twice": (lambda entry: b'{"class_name": "Sequential", "class_name": "x"}', "twice"),
    "no config": (lambda entry: entry.pop("config") and None, "config of a Sequential is a dictionary"),
    "a config that is none": (lambda entry: entry.update(config=3), "config"),
    "a class that is none": (lambda entry: entry.update(class_name=["x"]), "does not describe a model"),
    "a module": (lambda entry: last_layer(entry).update(class_name="system", module="os"), "system"),
    "a function": (lambda entry: last_layer(entry).update(class_name="function", config="eval"), "'eval'"),
    "far too many units": (lambda entry: last_layer(entry)["config"].update(units=10**9), "asks for"),
    "units that are none": (lambda entry: last_layer(entry)["config"].update(units=[1]), "units"),
    "byte code": (
        lambda entry: last_layer(entry).update(
            class_name="Lambda", config={"name": "l", "function": ["YQ==", None, None], "function_type": "lambda"}
        ),
        "byte code",
    ),
    "a long tuple of tuples": (
        lambda entry: entry["config"].update(build_input_shape={"class_name": "__tuple__", "items": [[[]]] * 9}),
        "",
    ),
    "an optimizer of another module": (
        lambda entry: entry["training_config"].update(optimizer_config={"class_name": "os.system", "config": {}}),
        "os.system",
    ),
    "a loss of another kind": (lambda entry: entry["training_config"].update(loss="exec"), "exec"),
}


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_descriptions(name, tmp_path, model):
    change, words = DESCRIPTIONS[name]
    files = described_as(model, change)
    assert_refused(tmp_path, model, files, words, ("load_model",) if words else (), target="")


def test_a_shape_that_asks_for_far_too_much(tmp_path, model):
    """The budget counts also what is made from the shape in the description."""
    later = cornu.Sequential([layers.Dense(3), layers.Dense(2)], name="model")
    later.build((None, 4))

    def change(entry):
        entry["config"] = {"name": "model", "layers": entry["config"]["layers"][1:]}
        entry["build_input_shape"] = {"class_name": "TensorShape", "items": [None, 10**9]}

    files = described_as(later, change)
    assert_refused(tmp_path, model, files, "asks for", ("load_model",), target="")


METADATA = {
    "no message": (b"\xff\xff", "damaged"),
    "empty": (b"", "0 bytes"),
    "of other objects": (forge.keras_metadata([(3, "_tf_keras_network", b"{}")]), "no description by Keras"),
    "of a layer": (forge.keras_metadata([(0, "_tf_keras_layer", b"{}")]), "of the kind '_tf_keras_layer'"),
    "with control characters": (forge.keras_metadata([(0, "_tf_keras_\x1b[2J", b"{}")]), "of the kind"),
    "of texts that are none": (field(1, whole(2, 0) + field(4, b"\xff") + field(5, b"\xff")), "UTF-8"),
}


@pytest.mark.parametrize("name", METADATA)
def test_metadata(name, tmp_path, model):
    content, words = METADATA[name]
    files = forge.saved_model(model) | {"keras_metadata.pb": content}
    assert_refused(tmp_path, model, files, words, ("load_model", "inspect"), target="")


PROGRAMS = {
    "no message": (b"\xff\xff", "damaged"),
    "without graphs": (whole(1, 1), "TensorFlow 1"),
    "without objects": (whole(1, 1) + field(2, b""), "TensorFlow 1"),
    "graphs of another kind": (whole(2, 1), "another kind"),
    "objects that are no messages": (field(2, field(7, b"\xff\xff")), "damaged"),
    "without Keras": (field(2, field(7, field(1, field(4, field(1, b"tf_module"))))), "no description by Keras"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name, tmp_path, model):
    content, words = PROGRAMS[name]
    files = forge.saved_model(model, in_program=True) | {"saved_model.pb": content}
    assert_refused(tmp_path, model, files, words, ("load_model", "inspect"), target="")


def test_folders_without_a_part(tmp_path, model):
    good = forge.saved_model(model)
    for number, part in enumerate(("variables/variables.index", "variables/variables.data-00000-of-00001")):
        files = {name: content for name, content in good.items() if name != part}
        (tmp_path / str(number)).mkdir()
        assert_refused(tmp_path / str(number), model, files, "is missing", ("load_model",), target="")
    (tmp_path / "text").mkdir()
    files = {"saved_model.pbtxt": b"x"}
    assert_refused(tmp_path / "text", model, files, "form as text", ("load_model",), target="")


def test_large_checkpoints_in_several_pieces_have_the_right_checksum(tmp_path):
    """The checksum of many bytes is computed in another way."""
    model = cornu.Sequential([cornu.Input((400,)), layers.Dense(500)])
    forge.put(tmp_path, forge.checkpoint(model))
    other = cornu.Sequential([cornu.Input((400,)), layers.Dense(500)])
    other.load_weights(tmp_path)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    data = bytearray((tmp_path / VALUES).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / VALUES).write_bytes(bytes(data))
    with pytest.raises(ValueError, match="checksum"):
        other.load_weights(tmp_path)
