"""The kinds of hostile file (without ONNX, which Cornu does not read): each makes its own files.

A kind is a function that yields ``(files, words)``: files that every way in must refuse, with words that the message
has; or ``(files, words, ways)`` where only those ways look at what is wrong in them. The ways are the names of the
functions in `saving.doors`. ``inspect`` looks at no class and no argument, ``load_weights`` not at the config.
"""

import io
import json
import re
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np

from saving.forge import graph_of, npy, packed, pickled, stack_of

BUILDS = ("load_model", "model_from_json", "deserialize", "from_config")
TEXTS = ("load_model", "model_from_json", "inspect")
FILLS = ("load_model", "load_weights")

KINDS = {}


def kind(function):
    """Enter a function that makes files of one kind: its name is the number of the kind."""
    KINDS[function.__name__.upper()] = function
    return function


# ---- the archive


@kind
def h01(forge):
    """Members whose names lead elsewhere."""
    for name in (
        "../evil",
        "/etc/evil",
        "..\\evil",
        "C:evil",
        "config.json/",
        "model.weights.h5/x",
        " ",
        "x\0y",
        "./config.json",
    ):
        yield forge.archive([*forge.members.items(), (name, b"")]), "member"


@kind
def h02(forge):
    """A member that is there twice."""
    for name in ("config.json", "model.weights.h5", "metadata.json"):
        yield forge.archive([*forge.members.items(), (name, forge.members[name])]), "twice"


@kind
def h03(forge):
    """Links, encrypted members, unusual packing, members that no model file has."""
    link = zipfile.ZipInfo("config.json")
    link.external_attr = 0o120777 << 16
    yield forge.with_member(link, b"/etc/passwd"), "not a plain file"
    for way in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        info = zipfile.ZipInfo("config.json")
        info.compress_type = way
        yield forge.with_member(info, forge.members["config.json"]), "unusual way"
    content = bytearray(forge.good())
    at = content.rindex(b"PK\x01\x02")
    content[at + 8] |= 1
    yield forge.raw(bytes(content)), "encrypted|damaged"
    yield forge.with_member("program.py", b"import os"), "does not have"
    yield forge.archive([(n, c) for n, c in forge.members.items() if n != "config.json"]), "has no member 'config.json'"


@kind
def h04(forge):
    """A config that unpacks to more than any has."""
    yield (
        forge.with_member(*packed("config.json", bytes((1 << 26) + 1))),
        "more than the limit",
        ("load_model", "inspect"),
    )
    yield forge.with_member(*packed("metadata.json", bytes((1 << 26) + 1))), "more than the limit"


@kind
def h05(forge):
    """Weights that unpack to more than any have."""
    yield forge.with_member(*packed("model.weights.h5", bytes((1 << 26) + 1))), "more than the limit of"


@kind
def h06(forge):
    """Assets of no layer, with names that lead elsewhere, or that unpack to anything."""
    yield forge.with_member(*packed("assets/layers/lookup/vocabulary.txt", bytes(1 << 20))), "an asset", ("load_model",)
    yield forge.with_member(*packed("assets/x", bytes((1 << 26) + 1))), "more than the limit", ("load_model",)
    for name in ("assets/", "assets//x", "assets/../x", "assets/a/..", "assets/a\x1b[2J", f"assets/{'x' * 600}"):
        yield forge.with_member(name, b""), "an asset"


@kind
def h07(forge):
    """Sizes and places in the archive's list that are not those of its members; members that overlap."""
    good = forge.good()
    listed = good.index(b"PK\x01\x02")
    for offset, value in ((20, 10), (24, 1 << 30), (24, 1), (42, 5), (42, 1 << 31)):  # packed size, size, place
        content = bytearray(good)
        content[listed + offset : listed + offset + 4] = struct.pack("<I", value)
        yield forge.raw(bytes(content)), "damaged|size|limit|no member"
    content = bytearray(good)
    content[18:26] = struct.pack(
        "<II", 1, 1
    )  # the sizes beside the member: the list's hold, where both agree on the rest
    content[14:18] = b"????"
    second = good.index(b"PK\x01\x02", listed + 1)
    content[second + 42 : second + 46] = content[listed + 42 : listed + 46]
    yield forge.raw(bytes(content)), "damaged|overlap"


@kind
def h08(forge):
    """Files that are cut off, go on, or are two files at once."""
    good = forge.good()
    for content in (good[: len(good) // 2], good[:-1], b"", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n" + good, b"MZ" + good):
        yield forge.raw(content), "neither a .keras file|damaged|continues after"
    for content in (good + b"#!/bin/sh\n", good[:4] + b"\0" * 40 + good[4:]):
        yield forge.raw(content), "damaged|continues after|neither"
    comment = io.BytesIO(good)
    with zipfile.ZipFile(comment, "a") as archive:
        archive.comment = b"<script>"
    yield forge.raw(comment.getvalue()), "continues after"
    first = next(iter(forge.members))
    entries = io.BytesIO()
    with zipfile.ZipFile(entries, "w") as archive:
        for name, text in forge.members.items():
            if name != first:
                archive.fp.write(b"hidden")
                archive.start_dir = archive.fp.tell()
            archive.writestr(name, text)
    yield forge.raw(entries.getvalue()), "belong to no member"


@kind
def h09(forge):
    """Names that lie: pickles and programs as .keras and .h5. (A zip named .h5 is read as what it is.)"""
    for content in (b"\x80\x04\x95cposix\nsystem\n", b"#!/usr/bin/python\n", b"GIF89a", b"\x93NUMPY\x01\0"):
        for suffix in (".keras", ".h5"):
            yield forge.raw(content, suffix), "neither a .keras file"


# ---- the config


@kind
def h10(forge):
    """Modules that are not the library's."""
    for module, name in (
        ("os", "system"),
        ("builtins", "eval"),
        ("subprocess", "Popen"),
        ("numpy", "load"),
        ("", "exec"),
    ):
        yield (
            forge.layer(module=module, class_name=name, config={"name": "x"}),
            "neither Cornu's nor registered",
            BUILDS,
        )
    yield (
        forge.configs({"module": "os", "class_name": "system", "config": {}}),
        "no model|not a model|neither",
        BUILDS[:3],
    )


@kind
def h11(forge):
    """Functions of the library that are no layers."""
    for module, name in (
        ("cornu.saving", "load_model"),
        ("cornu.utils.files", "get_file"),
        ("cornu.config", "set_parameter_budget"),
        ("keras.utils", "get_file"),
        ("keras.saving", "load_model"),
        ("keras.config", "enable_unsafe_deserialization"),
    ):
        yield (
            forge.layer(module=module, class_name=name, config={"fname": "x"}),
            "neither Cornu's nor registered",
            BUILDS,
        )


@kind
def h12(forge):
    """Functions where classes belong, and classes where functions do."""
    yield forge.layer(class_name="function", config="relu"), "", BUILDS
    yield forge.layer(module="keras.activations", class_name="relu", config={}), "", BUILDS
    yield forge.layer(module="keras.optimizers", class_name="Adam", config={}), "layer", BUILDS
    yield forge.dense(kernel_initializer={"class_name": "function", "config": "open"}), "", BUILDS
    yield forge.dense(activation={"module": "builtins", "class_name": "function", "config": "exec"}), "", BUILDS


@kind
def h13(forge):
    """Byte code of Python functions, wherever it may stand."""
    code = {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}
    words = "byte code|is not a class|Cornu's nor"
    yield forge.layer(class_name="Lambda", config={"function": code}), words, BUILDS
    yield forge.layer(class_name="Lambda", config={"function": ["4wEAAAA=", None, None], "name": "l"}), words, BUILDS
    yield forge.layer(class_name="Lambda", config={"function": "4wE=", "function_type": "lambda"}), words, BUILDS
    for key in ("output_shape", "mask", "arguments"):
        yield forge.layer(class_name="Lambda", config={"function": "relu", key: code}), words, BUILDS
        yield forge.layer(class_name="Lambda", config={"function": "relu", key: {"a": [code]}}), words, BUILDS
    for key in ("kernel_initializer", "bias_regularizer", "activation", "kernel_constraint", "name", "dtype"):
        yield forge.dense(**{key: code}), words + "|is named", BUILDS
    for key, inner in (("loss", code), ("metrics", [[code]]), ("weighted_metrics", {"a": code}), ("optimizer", code)):
        yield from _compiled(forge, {"optimizer": "sgd", "loss": "mse", key: inner}, words)
    schedule = {"class_name": "SGD", "config": {"learning_rate": code}}
    yield from _compiled(forge, {"optimizer": schedule, "loss": "mse"}, words)


def _compiled(forge, settings, words):
    """Yield the files of a good model that was compiled with something hostile."""
    entry = json.loads(forge.members["config.json"])
    old = {key: value for key, value in settings.items() if key != "optimizer"} | {
        "optimizer_config": settings["optimizer"]
    }
    files = forge.configs(entry | {"compile_config": settings}, old)
    yield files[:2], words, ("load_model",)


@kind
def h14(forge):
    """Arrays, bytes and types in a config, of absurd types and sizes."""
    for name, config in (
        ("__numpy__", {"value": [1], "dtype": "S2000000000"}),
        ("__numpy__", {"value": [[1], [2, 3]], "dtype": "float32"}),
        ("__tensor__", {"value": ["x"], "dtype": "object"}),
        ("__tensor__", {"value": 1e400, "dtype": "int8"}),
        ("__bytes__", {"value": "QUJD"}),
        ("__typespec__", {"spec": "os.system"}),
        ("__slice__", {"start": 0, "stop": 1 << 62}),
        ("__ellipsis__", None),
    ):
        yield forge.dense(activation={"class_name": name, "config": config}), "", BUILDS


@kind
def h15(forge):
    """Names without a module, which the old ways in would import."""
    for name in ("os.system", "os>system", "builtins.eval", "__import__"):
        yield forge.layer(module=None, class_name=name, config={}), "neither Cornu's nor registered", BUILDS


@kind
def h16(forge):
    """Names of the user's own that would shadow, or be shadowed by, the library's."""
    yield forge.layer(registered_name="evil>Dense"), "not registered", BUILDS
    yield forge.layer(module="evil", registered_name="evil>Dense"), "not registered", BUILDS
    yield forge.layer(class_name="evil>Dense"), "neither Cornu's nor registered", BUILDS


@kind
def h17(forge):
    """Layers that load programs or hold functions."""
    for name, config in (
        ("TFSMLayer", {"filepath": "/tmp/x"}),
        ("TorchModuleWrapper", {"module": "x"}),
        ("JaxLayer", {"call_fn": "os.system"}),
        ("FlaxLayer", {"module": "x"}),
        ("Lambda", {"function": {"class_name": "function", "config": "system", "module": "os"}}),
        ("Lambda", {"function": "eval"}),
    ):
        yield forge.layer(class_name=name, config=config), "", BUILDS


@kind
def h18(forge):
    """Arguments that are paths, addresses, or weights."""
    for name, config in (
        ("StringLookup", {"vocabulary": "/etc/passwd"}),
        ("TextVectorization", {"vocabulary": "http://localhost/x"}),
        ("Dense", {"units": 3, "vocabulary": "/etc/passwd"}),
        ("Dense", {"units": 3, "filepath": "/etc/passwd"}),
        ("Dense", {"units": 3, "weights": "/etc/passwd"}),
        ("Dense", {"units": 3, "weights": [[[1.0]]]}),
        ("Embedding", {"input_dim": 3, "output_dim": 2, "weights": "http://localhost/x"}),
    ):
        yield forge.layer(class_name=name, config=config), "", BUILDS


@kind
def h19(forge):
    """Code in what the model was compiled with, and shapes with which layers are built that are not theirs."""
    for bad in (
        {"class_name": "system", "module": "os", "config": {}},
        {"class_name": "function", "config": "eval"},
        "os.system",
    ):
        yield from _compiled(forge, {"optimizer": "sgd", "loss": bad}, "cannot be compiled")
        yield from _compiled(forge, {"optimizer": bad, "loss": "mse"}, "cannot be compiled")
        yield from _compiled(forge, {"optimizer": "sgd", "loss": "mse", "metrics": [bad]}, "cannot be compiled")
    yield from _compiled(
        forge, {"optimizer": "sgd", "metrics": [{"class_name": "AUC", "config": {"num_thresholds": 10**9}}]}, "AUC"
    )
    wide = {"class_name": "MeanIoU", "config": {"num_classes": 10**6}}
    yield from _compiled(forge, {"optimizer": "sgd", "metrics": [wide]}, "values|neither")
    for bad in (1.5, "sgd", [1]):
        text = json.dumps(stack_of() | {"compile_config": bad})
        yield forge.with_member("config.json", text), "which is not a config", ("load_model", "inspect")
    for shape in ([None, 10**12], "abcd", {"a": "b"}, [None, -5], [None, "x"], [[[[]]]], 7, [None, None]):
        yield forge.layer(build_config={"input_shape": shape}), "", BUILDS


@kind
def h20(forge):
    """Graphs with cycles, with values in calls, with far too many nodes."""
    call = [[["x", 0, 0, {}]]]
    yield forge.configs(graph_of([("a", [[["b", 0, 0, {}]]]), ("b", [[["a", 0, 0, {}]]])])), "cycle", BUILDS
    yield forge.configs(graph_of([("a", [[["a", 0, 0, {}]]])])), "cycle", BUILDS
    yield forge.configs(graph_of([("a", [[["gone", 0, 0, {}]]])])), "cycle", BUILDS
    for key in (["x", 0], ["x", "0", 0], ["x", 0, 10**9], ["x", 0, -1], [["x"], 0, 0], "x", {"a": 1}, 3):
        yield forge.configs(graph_of([("a", [[key]])], outputs=[["a", 0, 0]])), "", BUILDS
        yield forge.configs(graph_of([("a", call)], outputs=[key])), "", BUILDS
    smuggled = {"class_name": "__lambda__", "config": {"code": ""}}
    new = {
        "args": [{"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, 0]}}],
        "kwargs": {"mask": smuggled},
    }
    yield forge.configs(graph_of([("a", [new])])), "", BUILDS
    yield (
        forge.configs(graph_of([("a", [[["x", 0, 0, {"training": {"class_name": "os", "config": {}}}]]])])),
        "",
        BUILDS,
    )
    yield forge.configs(graph_of([("a", call * 10_001)])), "more than 10,000 layers", BUILDS
    many = stack_of()
    many["config"]["layers"] += [
        {"class_name": "Dense", "config": {"units": 1, "name": f"d{n}"}} for n in range(10_001)
    ]
    yield forge.configs(many), "more than 10,000 layers", BUILDS


@kind
def h21(forge):
    """Arguments of wrong types, and models larger than any memory."""
    for units in ([1, 2], "3", -1, 0, 2.5, float("nan"), None, {"a": 1}, True):
        yield forge.dense(units=units), "units|Dense", BUILDS
    for units in (10**12, 10**18, 2**31 - 1, 999_999_999):
        yield forge.dense(units=units), "units|values", BUILDS
    for name, config in (
        ("Embedding", {"input_dim": 10**9, "output_dim": 10**9}),
        ("Embedding", {"input_dim": 60_000, "output_dim": 60_000}),
        ("RepeatVector", {"n": 10**15}),
        ("Conv1D", {"filters": 4, "kernel_size": [10**9]}),
        ("Dense", {"units": 3, "use_bias": "yes"}),
        ("Dense", {"units": 3, "kernel_initializer": 7}),
        ("Dense", {"units": 3, "trainable": []}),
        ("Dense", {"units": 3, "dtype": "S10"}),
        ("Dropout", {"rate": "0.5"}),
        ("Dropout", {"rate": float("nan")}),
        ("Rescaling", {"scale": float("inf")}),
        ("Reshape", {"target_shape": "ab"}),
    ):
        yield forge.layer(class_name=name, config=config), "", BUILDS


@kind
def h22(forge):
    """Texts that are no JSON, or that no config needs: depth, huge numbers, keys twice, no UTF-8, half characters."""
    for text, words in (
        ("{", "cannot be read as JSON"),
        ('{"class_name": "Sequential", "class_name": "Model", "config": {}}', "is given twice"),
        ('{"class_name": "Sequential", "config": ' + "[" * 100_000 + "]" * 100_000 + "}", "cannot be read as JSON"),
        ('{"class_name": "Sequential", "config": ' + "[" * 500 + "]" * 500 + "}", "deep"),
        ('{"class_name": "Sequential", "config": {"layers": [], "name": %s}}' % ("9" * 5000), "cannot be read as JSON"),
        ('{"class_name": "Sequential", "config": {"layers": [], "x": 123456789012345678901234}}', "64 bits"),
        ('{"class_name": "Sequential", "config": {"name": "\\ud800", "layers": []}}', "half a character"),
        (b'{"class_name": "\xff\xfe", "config": {}}', "cannot be read as JSON|not a string|UTF-8|neither|no model"),
    ):
        yield forge.configs(text), words, TEXTS
    for text in ("[]", '{"class_name": ["Sequential"], "config": {}}', '{"class_name": "Sequential"}', "null", '"x"'):
        yield forge.configs(text), "expected an object|not describe a model|not a model|neither a", TEXTS
    for number in ("NaN", "Infinity", "-Infinity", "1e999"):
        for place in ('"batch_shape": [null, %s]', '"batch_shape": %s', '"name": %s', '"dtype": %s'):
            text = json.dumps(stack_of()).replace('"batch_shape": [null, 4]', place % number)
            yield forge.configs(text), "", BUILDS


@kind
def h23(forge):
    """Names that a terminal obeys, that leave a folder, or that fill the screen."""
    for name in (
        "\x1b[2J\x1b]0;owned\x07",
        "a\nb",
        "a//b",
        "/a",
        "a/../b",
        "../../x",
        "x" * 100_000,
        "\u202eevil",
        "a\0b",
        7,
        ["a"],
        {},
    ):
        yield forge.dense(name=name), "name", BUILDS
    config = stack_of()
    config["config"]["name"] = "\x1b[31m"
    yield forge.configs(config), "name", BUILDS


# ---- weights in HDF5


@kind
def h24(forge):
    """Links into other files, at every level."""
    for place in ("layers", "layers/dense", "layers/dense/vars", "layers/dense/vars/0"):
        yield forge.weights(_replace(place, h5py.ExternalLink("/etc/hostname", "/x"))), "ExternalLink"
    for place in ("first", "first/model", "first/model/first", "first/model/first/kernel"):
        yield forge.old(_replace(place, h5py.ExternalLink("/etc/hostname", "/x"))), "ExternalLink"
    yield forge.weights(lambda file: file.__setitem__("optimizer", h5py.ExternalLink("x.h5", "/"))), "ExternalLink"
    yield forge.old(lambda group: _replace("model_weights", h5py.ExternalLink("x.h5", "/"))(group.file)), "ExternalLink"


def _replace(place, thing):
    def change(group):
        del group[place]
        group[place] = thing

    return change


@kind
def h25(forge):
    """Links by name inside the file, also in the middle of a path."""
    for place, target in (("layers/dense/vars/0", "/layers/dense_1/vars/0"), ("layers/dense", "/layers/dense_1")):
        yield forge.weights(_replace(place, h5py.SoftLink(target))), "SoftLink"
    for place in ("first/model", "first"):
        yield forge.old(_replace(place, h5py.SoftLink("/model_weights/second/model"))), "SoftLink"


@kind
def h26(forge):
    """Arrays whose bytes lie in another file."""
    for file in ("/etc/passwd", "x.bin"):
        make = lambda group, name, file=file: group.create_dataset(name, (4, 3), "f4", external=[(file, 0, 48)])  # noqa: E731
        yield forge.arrays(make), "another file"


@kind
def h27(forge):
    """Arrays put together out of other files."""
    other = forge.folder / "other.h5"
    with h5py.File(other, "w") as file:
        file["x"] = np.ones((4, 3), "f4")
    for name in (str(other), "gone.h5", "."):
        layout = h5py.VirtualLayout((4, 3), "f4")
        layout[:] = h5py.VirtualSource(name, "x", (4, 3))
        yield (
            forge.arrays(lambda group, place, layout=layout: group.create_virtual_dataset(place, layout)),
            "another file|is damaged",
        )
    growing = h5py.VirtualLayout((4, 3), "f4", maxshape=(None, 3))
    source = h5py.VirtualSource(str(other), "x", (4, 3), maxshape=(None, 3))
    growing[: h5py.h5s.UNLIMITED] = source[: h5py.h5s.UNLIMITED]
    yield forge.arrays(lambda group, place: group.create_virtual_dataset(place, growing)), "another file|is damaged"


@kind
def h28(forge):
    """Shapes of which next to nothing is stored."""
    for shape, chunks in (((1 << 40, 1 << 10), (1024, 1024)), ((1 << 33, 3), None), ((4, 3), None), ((4, 3), (4, 3))):
        yield (
            forge.arrays(lambda group, name, s=shape, c=chunks: group.create_dataset(name, s, "f4", chunks=c)),
            "stored",
        )


@kind
def h29(forge):
    """Arrays that unpack to far more than they are, or are packed by unknown filters."""

    def bomb(group, name):
        array = group.create_dataset(name, (4, 3), "f4", chunks=(4, 3), compression="gzip")
        array.id.write_direct_chunk((0, 0), _deflated(bytes(1 << 26)))

    yield forge.arrays(bomb), "does not have the expected 48 bytes", FILLS
    large = {
        "shape": (1 << 13, 1 << 12),
        "chunks": (1 << 13, 1 << 12),
        "compression": "gzip",
        "data": np.zeros((1 << 13, 1 << 12), "f4"),
    }
    yield forge.arrays(lambda group, name: group.create_dataset(name, **large)), "does not fit|limit|stored", FILLS
    for packing in ({"compression": "lzf"}, {"scaleoffset": 2}):
        yield (
            forge.arrays(lambda group, name, p=packing: group.create_dataset(name, data=np.ones((4, 3), "f4"), **p)),
            "unknown filter",
        )

    def twice(group, name):
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((4, 3))
        plan.set_deflate(1)
        plan.set_deflate(1)
        space = h5py.h5s.create_simple((4, 3))
        holder, _, last = name.rpartition("/")
        h5py.h5d.create(group[holder].id, last.encode(), h5py.h5t.NATIVE_FLOAT, space, plan)

    yield forge.arrays(twice), "unknown filter"


def _deflated(content):
    return zlib.compress(content)


@kind
def h30(forge):
    """Groups that hold themselves, arrays under two names."""
    yield forge.weights(lambda file: file["layers/dense"].__setitem__("loop", file["layers"])), "two names"
    yield forge.weights(lambda file: file["layers/dense"].__setitem__("loop", file["/"])), "two names"
    yield forge.weights(_twice), "two names|does not fit"
    yield forge.old(lambda group: group["first"].__setitem__("loop", group)), "two names", ("load_model",)


def _twice(file):
    del file["layers/dense_1/vars/1"]
    file["layers/dense_1/vars/1"] = file["layers/dense_1/vars/0"]


@kind
def h31(forge):
    """Arrays of texts, references, records, lists, types kept apart: anything but numbers."""
    for dtype in (
        h5py.string_dtype(),
        h5py.ref_dtype,
        h5py.regionref_dtype,
        [("a", "f4")],
        h5py.vlen_dtype("f4"),
        "V4",
        "c8",
        "S4",
    ):
        yield forge.arrays(lambda group, name, dtype=dtype: group.create_dataset(name, (4, 3), dtype)), "not a number"

    def committed(group, name):
        group.file["type"] = np.dtype("f4")
        group.create_dataset(name, (4, 3), group.file["type"])

    yield forge.arrays(committed), "committed|neither a group|has none", FILLS
    yield (
        forge.arrays(lambda group, name: group.create_dataset(name, data=h5py.Empty("f4"))),
        "without a shape|is empty",
    )


def _all_the_same_text(content, short, long):
    """Let every string of `short` bytes in an HDF5 file be the one that has `long` bytes."""
    heaps = [match.start() for match in re.finditer(rb"GCOL\x01", content)]

    def kept_as(length):  # length, heap, number in the heap
        return [re.escape(struct.pack("<IQ", length, heap)) + b"...." for heap in heaps]

    (target,) = [match[0] for pattern in kept_as(long) if (match := re.search(pattern, content, re.DOTALL))]
    for pattern in kept_as(short):
        content = re.sub(pattern, lambda _, target=target: target, content, flags=re.DOTALL)
    return content


@kind
def h32(forge):
    """Lists of names and texts that are huge, of other types, or lead elsewhere."""
    names = np.array([b"x" * 60] * 1000)
    long = h5py.string_dtype()

    def attribute(name, value, inside=None):
        return lambda group: (group[inside] if inside else group).attrs.__setitem__(name, value)

    def bomb(group):
        """Write many short names, and a long text."""
        group.attrs.create(
            "layer_names", np.array([f"{number:09}" for number in range(3_000)], dtype=object), dtype=long
        )
        group.attrs.create("text", "x" * 500_000, dtype=long)

    (path,) = forge.old(bomb)
    path.write_bytes(_all_the_same_text(path.read_bytes(), 9, 500_000))  # HDF5 would give each its own memory
    yield [path], "too much text"
    yield forge.old(attribute("layer_names", names)), "twice|no group for it"
    for value in (3.0, "first", [[b"first"]], h5py.Empty("S4"), np.array([1, 2])):
        yield forge.old(attribute("layer_names", value)), "not a list of names|is not a string|cannot be read"
    yield forge.old(attribute("layer_names", [b"first", b"first"])), "twice", FILLS
    yield forge.old(attribute("layer_names", [b"gone"])), "no group for it"
    yield forge.old(attribute("layer_names", [b"\xff\xfe", b"second"])), "UTF-8|utf-8"
    for value in ([b"../../x", b"y"], [b"/model_weights/second/model/second/kernel", b"y"], [b"", b"y"]):
        yield forge.old(attribute("weight_names", value, "first")), "not a plain path"
    yield forge.old(attribute("weight_names", 7, "first")), "not a list of names"
    for name in ("model_config", "keras_version"):
        for value in (3.0, [b"a", b"b"], h5py.Empty("S1"), np.array([1, 2])):
            yield (
                forge.old(lambda group, n=name, v=value: group.file.attrs.__setitem__(n, v)),
                "not a string",
                ("load_model", "inspect"),
            )
    config = "x" * ((1 << 26) + 1)

    def huge(group):
        group.file.attrs.create("model_config", config, dtype=long)

    yield forge.old(huge), "limit|too many|too much", ("load_model", "inspect")


@kind
def h33(forge):
    """Weights of other shapes, types and numbers than the model's, missing ones, and ones too many."""

    def put(path, shape, dtype="f4"):
        return lambda file: file.create_dataset(path, data=np.zeros(shape, dtype))

    for shape, dtype, words in (
        ((3, 4), "f4", "does not fit"),
        ((12,), "f4", "does not fit"),
        ((4, 3), "i4", "dtype float32"),
    ):
        yield forge.arrays(lambda g, n, s=shape, d=dtype: g.create_dataset(n, data=np.zeros(s, d))), words, FILLS
    yield forge.weights(lambda file: file.__delitem__("layers/dense/vars/0")), "named 0, 1", FILLS
    yield forge.weights(lambda file: file.__delitem__("layers/dense")), "has 2 weights", FILLS
    yield forge.weights(put("layers/dense/vars/2", (1,))), "the file has 3", FILLS
    yield forge.weights(put("layers/dense_9/vars/0", (1,))), "layer 'layers/dense_9'", FILLS
    yield forge.weights(put("stray", (1,))), "where a model file has none", FILLS
    yield forge.weights(put("layers/dense/vars/x", (1,))), "named 0, 1", FILLS
    yield (
        forge.old(lambda group: group["first"].attrs.__setitem__("weight_names", [b"model/first/kernel"])),
        "the file has 1",
        FILLS,
    )


@kind
def h34(forge):
    """HDF5 files that are cut off or have bytes changed (`test_fuzz` and scripts/fuzz go on with it)."""
    good = (forge.folder / "good.h5").read_bytes()
    for keep in (9, 48, 100, len(good) // 2, len(good) * 9 // 10, len(good) - 1):
        yield forge.raw(good[:keep], ".h5"), "cannot be read as HDF5|neither"
    for place in range(8, 96):
        content = bytearray(good)
        content[place] ^= 0xFF
        yield forge.raw(bytes(content), ".h5"), None
    weights = forge.members["model.weights.h5"]
    yield forge.with_member("model.weights.h5", weights[: len(weights) // 2]), "cannot be read as HDF5"
    yield forge.with_member("model.weights.h5", b"\x80\x04\x95cposix\nsystem\n"), "cannot be read as HDF5"


# ---- arrays of numpy


@kind
def h35(forge):
    """Arrays of objects, which are pickles."""

    class Evil:
        def __reduce__(self):
            return Path.touch, (forge.folder / "touched",)

    yield forge.npz("x.npy", pickled(Evil())), "refused"
    yield (
        forge.npz("x.npy", npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"cos\nsystem\n(S'id'\ntR.")),
        "refused",
    )


@kind
def h36(forge):
    """Headers that say a shape of which nothing is there."""
    for shape in ("(1 << 40,)", "(1099511627776,)", "(1000000, 1000000, 1000000)", "(5,)"):
        yield (
            forge.npz("x.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + "}", bytes(16))),
            "shape|damaged|Cannot parse|malformed",
        )
    yield (
        forge.npz("x.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (90000000,)}", bytes(90_000_000))),
        "far fewer",
    )


@kind
def h37(forge):
    """Headers with code, of any length, with negative sizes, and members that are no arrays."""
    for header in (
        "__import__('os').system('id')",
        "{'descr': __import__('os').system('id'), 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -4)}",
        "{'descr': '<f4', 'fortran_order': 3, 'shape': (1,)}",
        "{'descr': 'S99999999999', 'fortran_order': True, 'shape': (1,)}",
        "{'shape': (1,)}",
        "(" * 5000,
        "[" * 60_000,
    ):
        yield forge.npz("x.npy", npy(header, bytes(4))), ""
    for name, content in (
        ("x.txt", b"text"),
        ("x.npy", b""),
        ("x.npy", b"\x93NUMPY\x07\x07\xff\xff"),
        ("x.npy", b"\x93NUMPY\x02\0\xff\xff\xff\x7f"),
    ):
        yield forge.npz(name, content), ""


# ---- safetensors


def _header(**changes):
    """Return the header of the good file with some entries changed, and the number of bytes of its values."""
    good = {
        "layers/dense/bias": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]},
        "layers/dense/kernel": {"dtype": "F32", "shape": [4, 3], "data_offsets": [12, 60]},
        "layers/dense_1/bias": {"dtype": "F32", "shape": [2], "data_offsets": [60, 68]},
        "layers/dense_1/kernel": {"dtype": "F32", "shape": [3, 2], "data_offsets": [68, 92]},
    }
    return good | changes


@kind
def h38(forge):
    """Headers that are too long, too short, no UTF-8, no JSON object."""
    data = bytes(92)
    for length in (0, 1 << 40, (1 << 64) - 1, 1 << 24, 3):
        yield forge.tensors(_header(), data, length), ""
    for header in (b"", b"[]", b"\xff\xfe{}", b'{"a": ', b" {}", b"{" * 100_000, b"null"):
        yield forge.tensors(header, data), ""
    yield forge.raw(b"", ".safetensors"), ""


@kind
def h39(forge):
    """Arrays that overlap, leave holes, lie beyond the end, or have another size than their shape."""
    for changes in (
        {"layers/dense/bias": {"dtype": "F32", "shape": [3], "data_offsets": [12, 24]}},
        {"layers/dense/bias": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}},
        {"layers/dense/bias": {"dtype": "F32", "shape": [3], "data_offsets": [12, 0]}},
        {"layers/dense/bias": {"dtype": "F32", "shape": [3], "data_offsets": [0, 1 << 62]}},
        {"layers/dense/bias": {"dtype": "F32", "shape": [1 << 62, 1 << 62], "data_offsets": [0, 12]}},
        {"layers/dense/bias": {"dtype": "F32", "shape": [-3], "data_offsets": [0, 12]}},
        {"layers/dense/bias": {"dtype": "F32", "shape": 3, "data_offsets": [0, 12]}},
        {"layers/dense/bias": {"dtype": "F999", "shape": [3], "data_offsets": [0, 12]}},
        {"layers/dense/bias": {"dtype": "F32", "shape": [3.0], "data_offsets": [0, 12]}},
        {"layers/dense/bias": [1, 2]},
        {"layers/dense/bias": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12], "file": "/etc/passwd"}},
    ):
        yield forge.tensors(_header(**changes), bytes(92)), ""
    yield forge.tensors(_header(), bytes(93)), "no array"
    yield forge.tensors(_header(), bytes(91)), ""


@kind
def h40(forge):
    """Names twice, a hundred thousand of them, and notes that are no texts."""
    text = json.dumps(_header())
    yield (
        forge.tensors(
            (text[:-1] + ', "layers/dense/bias": ' + json.dumps(_header()["layers/dense/bias"]) + "}").encode(),
            bytes(92),
        ),
        "twice",
    )
    many = {f"t{n}": {"dtype": "F32", "shape": [0], "data_offsets": [92, 92]} for n in range(100_000)}
    yield forge.tensors(_header(**many), bytes(92)), "does not have", ("load_weights",)
    for metadata in ({"a": 1}, [], "x", {"a": {"b": "c"}}):
        yield forge.tensors(_header(__metadata__=metadata), bytes(92)), "not strings"


# ---- data sets


@kind
def h41(forge):
    """A download that is not what was promised."""
    from cornu.utils import get_file

    source = forge.raw(b"something else", ".bin")

    def fetch(path):
        return get_file("data.bin", source.as_uri(), file_hash="0" * 64, cache_dir=forge.folder / "cache")

    yield source, "incomplete or not the right one", (fetch,)


@kind
def h42(forge):
    """Archives whose members lie outside of the folder, or are links and devices."""
    from cornu.utils import get_file

    def member(name, kind=tarfile.REGTYPE, target="", size=3):
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size = kind, target, size if kind == tarfile.REGTYPE else 0
        return info

    for members in (
        [member("../evil")],
        [member("a/../../evil")],
        [member("link", tarfile.SYMTYPE, "/etc")],
        [member("link", tarfile.SYMTYPE, "../.."), member("link/evil")],
        [member("hard", tarfile.LNKTYPE, "../../bad1.tar")],
        [member("hard", tarfile.LNKTYPE, "/etc/passwd")],
        [member("device", tarfile.CHRTYPE)],
        [member("pipe", tarfile.FIFOTYPE)],
    ):
        path = forge.path(".tar")
        with tarfile.open(path, "w") as archive:
            for info in members:
                archive.addfile(info, io.BytesIO(b"x" * info.size))

        def unpack(path):
            return get_file(path.name, path.as_uri(), extract=True, cache_dir=forge.folder / "cache")

        yield path, "", (unpack,)


@kind
def h43(forge):
    """Names out of addresses that would leave the folder, and addresses that no library follows."""
    from cornu.utils import get_file

    source = forge.raw(b"x", ".bin")
    for name, origin in (
        (None, "file:///tmp/.."),
        (None, "http://localhost/"),
        ("../evil", source.as_uri()),
        ("/tmp/evil", source.as_uri()),
        ("a/b", source.as_uri()),
        ("x", "gopher://localhost/x"),
        ("x", "javascript:alert(1)"),
    ):

        def fetch(path, name=name, origin=origin):
            return get_file(name, origin, cache_dir=forge.folder / "cache")

        yield source, "", (fetch,)


@kind
def h44(forge):
    """Batches of CIFAR and others that are pickles of something else than arrays."""
    from cornu.datasets.arrays import ArrayUnpickler

    def unpickle(path):
        return ArrayUnpickler(io.BytesIO(path.read_bytes()), encoding="bytes").load()

    for content in (
        b"cos\nsystem\n(S'id'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"ccornu.models\nload_model\n(S'x'\ntR.",
    ):
        yield forge.raw(content, ".batch"), "refused", (unpickle,)
        yield forge.npz("x.npy", npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", content)), "refused"


@kind
def h45(forge):
    """The same files through the ways in of programs: old names of the library, ``cornu run``, copies of models."""
    import cornu
    from cornu import compat  # noqa: F401
    from cornu.models import clone_model, model_from_config

    def program(module):
        def run_program(path):
            text = forge.path(".py")
            text.write_text(f"from {module} import load_model\nload_model({str(path)!r})\n")
            command = [sys.executable, "-m", "cornu", "run", str(text)]  # in this process Keras may be Keras
            done = subprocess.run(command, capture_output=True, text=True, timeout=200)
            if done.returncode:
                raise ValueError(f"The program ended with an error, as it should: {done.stderr}")

        return run_program

    def serve(path):
        command = [sys.executable, "-m", "cornu", "serve", str(path), "--host", "192.0.2.1"]  # no machine has it
        done = subprocess.run(command, capture_output=True, text=True, timeout=200)
        if "cannot listen" not in done.stderr:
            raise ValueError(f"It ended with {done.returncode}: {done.stderr}")

    def old_name(path):
        return cornu.models.load_model(str(path), custom_objects={"f": abs}, compile=False, safe_mode=False)

    def of_config(path):
        return model_from_config(json.loads(path.read_bytes()))

    def copied(path):
        config = json.loads(path.read_bytes())["config"]
        return clone_model(cornu.Sequential([cornu.layers.deserialize(entry) for entry in config["layers"]]))

    hostile = forge.layer(
        class_name="Lambda", config={"function": {"class_name": "__lambda__", "config": {"code": ""}}}
    )
    programs = tuple(program(module) for module in ("keras.models", "tensorflow.keras.models"))
    yield hostile[:2], "", (*programs, old_name)
    yield hostile[1], "ended with 2: cornu: .*byte code", (serve,)
    yield forge.folder / "good.keras", None, (serve,)
    yield hostile[2], "byte code", (of_config, copied)
    yield forge.layer(config={"units": 10**12})[2], "units", (of_config, copied)
    yield forge.weights(_replace("layers", h5py.ExternalLink("x.h5", "y")))[0], "", (*programs, old_name)


# ---- small files that cost much


@kind
def h46(forge):
    """Compression inside compression: zeros in chunks of HDF5, in an archive that is deflated again."""
    size = 1 << 13

    def zeros(group, name):
        group.create_dataset(name, data=np.zeros((size, size), "f4"), chunks=(size, size), compression="gzip")

    wide = stack_of(config={"units": size, "name": "first"})
    wide["config"]["layers"][0]["config"]["batch_shape"] = [None, size]
    stream = io.BytesIO(forge.members["model.weights.h5"])
    with h5py.File(stream, "r+") as file:
        for path in ("layers/dense/vars/0", "layers/dense/vars/1", "layers/dense_1"):
            del file[path]
        zeros(file, "layers/dense/vars/0")
        file["layers/dense/vars/1"] = np.zeros(size, "f4")
    for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = forge.path(".keras")
        with zipfile.ZipFile(path, "w", packing) as archive:
            archive.writestr("config.json", json.dumps(wide))
            archive.writestr("model.weights.h5", stream.getvalue())
        yield path, "expand to more than the limit", ("load_model",)


@kind
def h47(forge):
    """JSON that becomes thousands of times as large in memory."""
    for entry in ("[],", "{},"):
        text = '{"class_name": "Sequential", "config": [' + entry * (8_000_000 // len(entry) + 1_000_000) + "1]}"
        yield forge.with_member(*packed("config.json", text)), "over 2,000,000 entries", ("load_model", "inspect")
        yield forge.raw(text.encode(), ".json"), "over 2,000,000 entries", ("model_from_json", "inspect")
    text = '{"class_name": "' + '\\"' * 4_000_000 + "," * 2_100_000
    yield forge.raw(text.encode(), ".json"), "Unterminated", ("model_from_json",)


def _heap(size):
    return b"GCOL\x01\0\0\0" + struct.pack("<Q", size)


@kind
def h48(forge):
    """Heaps inside heaps of an HDF5 file, and free blocks that many of them share."""
    good = (forge.folder / "good.h5").read_bytes()
    sizes = range(32 * 2000, 0, -32)
    nested = good + b"".join(_heap(size) + struct.pack("<H6xQ", 1, size - 32) for size in sizes)
    yield forge.raw(nested, ".h5"), "string heaps overlap"
    chain = b"".join(struct.pack("<QQ", 16 * (i + 1), 16) for i in range(30_000)) + struct.pack("<QQ", 1, 16)
    heaps = b"".join(b"HEAP\0\0\0\0" + struct.pack("<QQQ", len(chain), 0, len(good)) for _ in range(20_000))
    yield forge.raw(good + chain + heaps, ".h5"), "form a cycle"
    yield forge.raw(good + b"HEAP\0" * 50_000, ".h5"), "far more names"


@kind
def h49(forge):
    """Names in HDF5 that are no UTF-8, and names and weights that are listed over and over."""
    for name in (b"\xff\xfe", b"a\x1b[2J"):
        yield forge.weights(lambda file, name=name: file.id.link(b"layers", name)), "not printable"
        yield (
            forge.weights(lambda file, name=name: h5py.h5g.create(file["layers"].id, name)),
            "not printable",
        )
    many = np.array([b"model/first/kernel"] * 3000)
    yield forge.old(lambda group: group["first"].attrs.__setitem__("weight_names", many)), "twice", FILLS


@kind
def h50(forge):
    """Chunks with wrong checksums."""

    def wrong(group, name):
        array = group.create_dataset(name, (4, 3), "f4", chunks=(4, 3), fletcher32=True)
        array.id.write_direct_chunk((0, 0), bytes(48) + b"\1\0\0\0")

    yield forge.arrays(wrong), "checksum is wrong", FILLS


@kind
def h51(forge):
    """Layers whose outputs, padding or windows are so large that XLA ends the process, or never comes back."""
    large = "more than the limit|too large|axes|together"
    most = 2**31 - 1
    for name, shape, config in (
        ("ZeroPadding2D", (8, 8, 1), {"padding": 2**30}),
        ("ZeroPadding1D", (8, 4), {"padding": 2**30}),
        ("UpSampling2D", (8, 8, 1), {"size": most}),
        ("RepeatVector", (8,), {"n": most}),
        ("Conv2D", (8, 8, 1), {"filters": 1, "kernel_size": 3, "dilation_rate": most, "padding": "same"}),
        ("DepthwiseConv2D", (8, 8, 1), {"kernel_size": 3, "dilation_rate": most, "padding": "same"}),
        ("Conv2DTranspose", (8, 8, 1), {"filters": 1, "kernel_size": 3, "strides": most}),
        ("Conv2DTranspose", (8, 8, 1), {"filters": 1, "kernel_size": 3, "strides": 2**17}),
        ("MaxPooling2D", (8, 8, 1), {"pool_size": most, "strides": 1, "padding": "same"}),
        ("AveragePooling1D", (80, 1), {"pool_size": 2**30, "strides": 1, "padding": "same"}),
        ("AdaptiveAveragePooling1D", (8, 1), {"output_size": 2**30}),
        ("Reshape", (8,), {"target_shape": [8] + [1] * 200_000}),
    ):
        stack = stack_of(class_name=name, config={"name": "first"} | config)
        stack["config"]["layers"][0]["config"]["batch_shape"] = [None, *shape]
        yield forge.configs(stack), large, BUILDS[:2]
    stack = stack_of(class_name="Flatten", config={})
    stack["config"]["layers"][0]["config"]["batch_shape"] = [None] + [1] * 200_000
    yield forge.configs(stack), "axes", BUILDS[:2]
