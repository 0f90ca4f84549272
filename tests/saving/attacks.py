"""Whole files made to harm, at random: small files that cost much, damaged structure, hostile names.

`mutations` changes good files a little; here each kind of attack has a function that makes new ones.
"""

import functools
import io
import json
import struct
import tarfile
import warnings
import zipfile
import zlib

import h5py
import numpy as np

from saving.mutations import _places, sealed, unzipped, zipped

#: Sizes that overflow, or ask for more than a machine has, or are just allowed.
SIZES = (
    0,
    1,
    -1,
    2,
    100,
    4097,
    2**16,
    200_000,
    2**17,
    10**6,
    2**24,
    2**27,
    2**28,
    2**30,
    2**31 - 1,
    2**31,
    2**40,
    2**62,
)
#: What a terminal obeys, what is no UTF-8 in JSON, what fills pages.
NAMES = (
    "\x1b[2J\x07",
    "\u202egnp",
    "a\r\nb",
    "\udc80",
    "x" * 70_000,
    "\x9b31m y" * 9_000,
    "../../x",
    "a\0b",
    "\U000e0041",
)
BYTES = (b"\x1b[2J", "\u202eb".encode(), b"a\r\nb", b"\xff\xfe\xff\xfe")
KERNEL, OLD_KERNEL = "layers/conv2d/vars/0", "model_weights/conv2d/stack/conv2d/kernel"
ATTACKS = {}


def attack(*kinds):
    """Enter a function that makes the content of a file of these kinds: ``(kind, good content, dice)``."""

    def entered(function):
        for kind in kinds:
            ATTACKS.setdefault(kind, []).append(function)
        return function

    return entered


def some(dice, few, many):
    """Return one of the numbers in `few`, and rarely one of `many`, so that most files are quick to make and read."""
    return dice.choice(few if dice.random() < 0.96 else many)


def make(name, kind, content, dice):
    """Return the name of an attack and a hostile file of a kind; `content` is a good file of that kind."""
    function = dice.choice(ATTACKS[kind])
    try:
        return function.__name__, function(name, content, dice)
    except Exception as error:  # a library refuses to write it
        return f"{function.__name__}_failed", type(error).__name__.encode()


# ---- archives


@attack("keras", "ckpt", "savedmodel", "archive", "npz")
def expanding_archive(name, content, dice):
    """Members that unpack to thousands of times their size, one of them or many."""
    members, largest = _members(content), some(dice, (10**6,), (10**7,))
    folder = name.endswith((".ckpt", ".savedmodel"))  # a door unpacks these, not a loader
    for number in range(dice.choice((1, 1, 1, 3)) if folder else some(dice, (1, 1, 3), (40,))):
        taken = dice.choice([*members, f"member{number}", "config.json", "model.weights.h5", "assets/x", "x.npy"])
        members[taken] = dice.choice((b"\0", b" ", b"[", b"\x89HDF\r\n\x1a\n")) * dice.choice((10**4, 10**5, largest))
    return zipped(members, zipfile.ZIP_DEFLATED)


@attack("keras", "archive", "npz")
def odd_archive(name, content, dice):
    """Members with other names, flags, sizes, kinds; text before, between and after them."""
    members, stream = list(_members(content).items()), io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for one, text in members * dice.choice((1, 1, 2)):
            info = zipfile.ZipInfo(dice.choice((one, one, one, *NAMES[:3], *NAMES[6:], f"/{one}")))
            info.compress_type = dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
            info.external_attr = dice.choice((0, 0, 0o120777 << 16, 0o40755 << 16))
            if dice.random() < 0.2:
                info.extra = struct.pack("<HHQQ", 1, 16, dice.choice((1, 1 << 40)), 10)
            archive.writestr(info, text)
        archive.comment = dice.choice((b"", b"", b"<script>" * 100))
    data = bytearray(stream.getvalue())
    for _ in range(dice.choice((0, 0, 1, 2))):  # a field of the list, or of a member's own head
        start = dice.choice((b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"))
        at = data.find(start, dice.randrange(len(data)))
        if at >= 0:
            field = at + dice.randrange(4, 46)
            data[field : field + 4] = struct.pack("<I", dice.choice((0, 1, 10, 1 << 16, 1 << 31, 0xFFFFFFFF)))
    return bytes(data)


@attack("archive")
def odd_tar(name, content, dice):
    """Links, devices, sparse members, names that lead elsewhere."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=dice.choice(("w", "w:gz", "w:xz", "w:bz2"))) as archive:
        for _ in range(dice.choice((1, 3, 10))):
            info = tarfile.TarInfo(
                dice.choice(("a", "a/b", "../evil", "/tmp/evil", "link/evil", "link", *NAMES[:3], "x" * 300))
            )
            info.type = dice.choice(
                (tarfile.REGTYPE,) * 4
                + (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE)
                + (tarfile.CHRTYPE, tarfile.FIFOTYPE)
            )
            info.linkname = dice.choice(("", "..", "../../x", "/etc", "a", "x" * 300))
            info.mode = dice.choice((0o644, 0o7777, 0))
            info.size = some(dice, (3, 0), (5 * 10**6,)) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return stream.getvalue()


def _members(content):
    try:
        return unzipped(content)
    except zipfile.BadZipFile:
        return {"a": content}


# ---- JSON


@attack("json", "keras", "safetensors", "checkpoint", "savedmodel", "h5", "runs")
def json_bomb(name, content, dice):
    """Entries that take hundreds of times their bytes, numbers of many digits, depth, long names."""
    return _with_text(name, content, lambda text: _bomb(text, dice), dice)


def _bomb(text, dice):
    entry = dice.choice((b"[],", b"{},", b"0,", b'"",', b'{"":0},', b"[[]],", b"1e9,"))
    long = some(dice, (10**4, 10**5), (10**6,))
    filling = dice.choice((
        lambda: b"[" + entry * some(dice, (10**3, 10**3, 10**4), (10**5, 3 * 10**6)) + b"0]",
        lambda: b"[" * long + b"]" * long,
        lambda: b"9" * long,
        lambda: b'"' + b"\\u0041" * long + b'"',
        lambda: b'"' + b"\\" * (long + dice.randrange(2)) + b'"',
        lambda: b"{" + b",".join(b'"%d":0' % number for number in range(some(dice, (10**3,), (10**5,)))) + b"}",
        lambda: b"0." + b"0" * long + b"1",
    ))()  # fmt: skip
    places = [place for place in (text.find(b": ", dice.randrange(len(text))),) if place >= 0]
    if not places:
        return filling
    return text[: places[0] + 2] + filling + b"," + text[places[0] + 2 :]


@attack("json", "keras", "safetensors", "checkpoint", "savedmodel", "h5", "runs")
def hostile_names(name, content, dice):
    """Names that a terminal obeys, or that are long."""

    def renamed(text):
        whole = [json.loads(text)]
        for _ in range(dice.choice((1, 1, 3))):
            holder, key = dice.choice(list(_places(whole)))
            if isinstance(key, str) and dice.random() < 0.5:
                holder[dice.choice(NAMES)] = holder.pop(key)
            else:
                holder[key] = dice.choice(NAMES)
        return json.dumps(whole[0]).encode()

    return _with_text(name, content, renamed, dice)


@attack("h5", "ckpt", "savedmodel", "npz", "archive")
def hostile_words(name, content, dice):
    """Words that are no UTF-8, or that a terminal obeys, of the same length as those in a good file."""
    changed = lambda data: _words_changed(data, dice)  # noqa: E731
    if name.endswith(("ckpt", "savedmodel")):
        return _with_file(content, dice, changed)
    return changed(content)


def _words_changed(data, dice):
    words = sorted({data[at : at + 4] for at in range(len(data) - 4) if data[at : at + 4].isalpha()})
    return data.replace(dice.choice(words), dice.choice(BYTES)) if words else data


def _with_text(name, content, change, dice):
    """Change a JSON text in a file of any kind."""
    if name.endswith(".keras"):
        members = unzipped(content)
        part = dice.choice(("config.json", "config.json", "metadata.json"))
        return zipped(members | {part: change(members[part])}, zipfile.ZIP_DEFLATED)
    if name.endswith(".safetensors"):
        size = int.from_bytes(content[:8], "little")
        text = change(content[8 : 8 + size])
        return len(text).to_bytes(8, "little") + text + content[8 + size :]
    if name.endswith(".checkpoint"):
        start = content[: content.index(b"\n") + 1]
        body = content[len(start) : -32]
        size = int.from_bytes(body[:8], "little")
        return sealed(start, change(body[8 : 8 + size]), body[8 + size :])
    if name.endswith(".savedmodel"):
        return _with_file(content, dice, None, change)
    if name.endswith(".h5"):
        return _with_attribute(content, change)
    if name.endswith(".runs"):
        return b"\n".join(change(line) for line in content.splitlines()) + b"\n"
    return change(content)


def _with_attribute(content, change):
    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        text = file.attrs.get("model_config", '{"class_name": "Sequential", "config": []}')
        text = text if isinstance(text, bytes) else text.encode()
        file.attrs.create("model_config", change(text), dtype=h5py.string_dtype())
    return stream.getvalue()


# ---- TensorFlow's folders


def _with_file(content, dice, change, of_text=None):
    from saving import tensorflow_forge as forge

    files = unzipped(content)
    index = next(name for name in files if name.endswith(".index"))
    values = index.replace(".index", ".data-00000-of-00001")
    if of_text is not None and "keras_metadata.pb" in files:
        described = forge.described_in(files["keras_metadata.pb"])
        place = dice.randrange(len(described))
        number, kind, text = described[place]
        described[place] = (number, kind, of_text(text))
        files["keras_metadata.pb"] = forge.keras_metadata(described)
    elif change is not None and dice.random() < 0.5:
        files[index], files[values] = forge.with_graph(
            files[index], files[values], change(forge.graph_in(files[index], files[values]))
        )
    elif change is not None:
        files[index] = forge.table(
            [(change(key) if key else key, value) for key, value in forge.entries_of(files[index]).items()]
        )
    return zipped(files)


@attack("ckpt", "savedmodel")
def odd_tables(name, content, dice):
    """Entries of huge shapes, of other dtypes and places; many of them; keys that share more than they have."""
    from saving import tensorflow_forge as forge

    files = unzipped(content)
    index = next(one for one in files if one.endswith(".index"))
    entries = list(forge.entries_of(files[index]).items())
    for _ in range(dice.choice((1, 2, 5))):
        place = dice.randrange(len(entries))
        sizes = [max(dice.choice(SIZES), 0) for _ in range(dice.choice((0, 1, 2, 5, 70)))]
        start, length, checksum = (max(dice.choice(SIZES), 0) for _ in range(3))
        bad = forge.entry(dice.randrange(25), sizes, start, length, checksum & 0xFFFFFFFF, dice.randrange(3))
        entries[place] = (entries[place][0], bad)
    if dice.random() < 0.2:
        entries += [(b"z%06d" % number, entries[-1][1]) for number in range(some(dice, (10**2, 10**3), (10**5,)))]
    files[index] = forge.table(entries, dice.choice((1, 7, 10**6)))
    return zipped(files)


@attack("ckpt", "savedmodel")
def odd_objects(name, content, dice):
    """Objects with thousands of children, cycles, and numbers of objects that are not there."""
    from saving import tensorflow_forge as forge

    files = unzipped(content)
    index = next(one for one in files if one.endswith(".index"))
    values = index.replace(".index", ".data-00000-of-00001")
    count = some(dice, (1, 10, 10, 1000), (20_000,))
    nodes = []
    for number in range(count):
        wide = 1 if count > 1000 else dice.choice((0, 1, 2, 30))
        children = {
            f"layer-{n}": dice.choice((0, number, (number + 1) % count, max(dice.choice(SIZES), 0)))
            for n in range(wide)
        }
        nodes.append(
            (children, None if dice.random() < 0.7 else f"key{number}", "", [(0, "m", number)] * dice.choice((0, 0, 3)))
        )
    files[index], files[values] = forge.with_graph(files[index], files[values], forge.graph(nodes))
    return zipped(files)


# ---- HDF5


@attack("h5", "keras")
def odd_heaps(name, content, dice):
    """Blocks of HDF5's own structure behind a file: string heaps inside heaps, free lists, trees, messages."""

    def change(weights):
        kinds = (
            lambda: b"GCOL\x01\0\0\0" + struct.pack("<QHHIQ", size(), 1, 0, 0, size()),
            lambda: b"HEAP\0\0\0\0" + struct.pack("<QQQ", size(), size(), place()),
            lambda: (
                b"TREE"
                + struct.pack("<BBHQQ", dice.randrange(2), dice.randrange(3), dice.randrange(1000), place(), place())
            ),
            lambda: (
                b"SNOD\x01\0"
                + struct.pack("<H", dice.choice((1, 8, 0xFFFF)))
                + struct.pack("<QQII16x", place(), place(), 0, 0) * 8
            ),
            lambda: struct.pack("<QQ", place(), size()),
            lambda: b"OHDR\x02\0" + bytes(30),
        )
        size = lambda: dice.choice((0, 16, 32, 4096, 64_000, len(weights), 1 << 40))  # noqa: E731
        place = lambda: dice.choice((0, 8, len(weights), dice.randrange(len(weights)), (1 << 64) - 1))  # noqa: E731
        times = some(dice, (1, 10, 1000), (20_000,))
        one = dice.choice(kinds)
        if dice.random() < 0.2:  # nested
            return weights + b"".join(
                b"GCOL\x01\0\0\0" + struct.pack("<QHHIQ", 32 * n, 1, 0, 0, 32 * n - 32) for n in range(times, 0, -1)
            )
        return weights + b"".join(one() for _ in range(min(times, 2000))) * (times // 2000 or 1)

    return _with_weights(name, content, change)


@attack("h5", "keras")
def odd_arrays(name, content, dice):
    """Arrays of other shapes, dtypes, chunks, filters and checksums, with chunks of any bytes."""
    shape = [(3, 3, 1, 2), (2,), (), (0,), (1 << 12, 1 << 12), (1 << 20, 1 << 20), (1,) * 32][dice.randrange(7)]
    dtype = dice.choice(("f4", "f4", "f4", ">f8", "f2", "i8", "u1", "S4", "c8", [("a", "f4")], h5py.string_dtype()))
    options = {}
    if shape and all(shape) and dice.random() < 0.8:
        options["chunks"] = tuple(min(size, 1 << 11) for size in shape)
        options["fletcher32"] = dice.random() < 0.4 and dtype != h5py.string_dtype()
        options["shuffle"] = dice.random() < 0.3
        options["compression"] = dice.choice((None, "gzip", "gzip", "lzf"))

    def put(group, place):
        if place in group:
            del group[place]
        try:
            array = group.create_dataset(place, shape, dtype, **options)
        except (ValueError, TypeError, OSError):
            array = group.create_dataset(place, shape, dtype)
        if array.chunks and dice.random() < 0.8:
            written = dice.choice(
                (
                    b"\0",
                    bytes(12),
                    _zeros(10**6),
                    _zeros(some(dice, (10**6,), (10**7,))),
                    zlib.compress(bytes(72)),
                    dice.randbytes(76),
                )
            )
            array.id.write_direct_chunk((0,) * len(shape), written, dice.choice((0, 0, 1, 2, 7)))

    return _with_weights(name, content, lambda weights: _changed_hdf5(weights, put, dice))


@attack("h5", "keras")
def odd_groups(name, content, dice):
    """Links of each kind, names that are no UTF-8, the same group many times, long lists of names, deep groups."""

    def put(group, place):
        way = dice.randrange(7)
        holder = group[place.rpartition("/")[0]]
        if way == 0:
            holder["link"] = dice.choice(
                (h5py.SoftLink("/"), h5py.SoftLink("../x"), h5py.ExternalLink("/etc/hostname", "/x"), group)
            )
        elif way == 1:
            h5py.h5g.create(holder.id, dice.choice(BYTES))
        elif way == 2:
            for number in range(some(dice, (10,), (1000,))):
                holder[f"again{number}"] = holder
        elif way == 3:
            names = np.array([dice.choice((b"conv2d", b"\xff", b"x" * 60_000, b"../x"))] * some(dice, (1, 30), (3000,)))
            (group.get("model_weights", group)).attrs[dice.choice(("layer_names", "layer_names0", "weight_names"))] = (
                names[:1000]
            )
        elif way == 4:
            deep = holder
            for _ in range(some(dice, (10, 30), (300, 3000))):
                deep = deep.create_group("g")
        elif way == 5:
            text = dice.choice(("x", "\u202e")) * 20_000
            holder.attrs.create(
                "weight_names", np.array([text] * some(dice, (2,), (200,)), dtype=object), dtype=h5py.string_dtype()
            )
        else:
            for number in range(some(dice, (10,), (1000,))):
                holder.create_dataset(f"a{number}", (), "f4")

    return _with_weights(name, content, lambda weights: _changed_hdf5(weights, put, dice))


@functools.cache
def _zeros(size):
    return zlib.compress(bytes(size))


def _changed_hdf5(weights, put, dice):
    stream = io.BytesIO(weights)
    with h5py.File(stream, "r+") as file:
        places = []
        file.visititems(lambda place, found: places.append(place) if isinstance(found, h5py.Dataset) else None)
        put(file, dice.choice(places))
    return stream.getvalue()


def _with_weights(name, content, change):
    if not name.endswith(".keras"):
        return change(content)
    members = unzipped(content)
    return zipped(members | {"model.weights.h5": change(members["model.weights.h5"])}, zipfile.ZIP_DEFLATED)


# ---- safetensors and numpy


@attack("safetensors")
def odd_tensors(name, content, dice):
    """Shapes, places and dtypes that do not fit; many names for the same bytes."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    names = [one for one in header if one != "__metadata__"]
    for _ in range(dice.choice((1, 3))):
        one = dice.choice(names)
        part = dice.choice(("shape", "data_offsets", "dtype"))
        header[one][part] = dice.choice(
            ([dice.choice(SIZES) for _ in range(dice.choice((0, 1, 2, 70)))], "BF16", "F64", 1 << 40, None)
        )
    if dice.random() < 0.2:
        header |= {f"n{number}": header[names[0]] for number in range(some(dice, (10, 10**3), (10**5,)))}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + size :]


@attack("npz")
def odd_headers(name, content, dice):
    """Headers of arrays that say another shape or dtype than there is, or are long."""
    shape = ", ".join(str(dice.choice(SIZES)) for _ in range(dice.choice((1, 2, 33, 70)))) + ","
    kind = dice.choice(("<f4", "|O", "|V1000000000", "<M8[s]", "S99999999", "<f8"))
    header = f"{{'descr': '{kind}', 'fortran_order': {dice.choice((True, False, 3))}, 'shape': ({shape})}}"
    if dice.random() < 0.2:
        header = dice.choice(("(", "[", "-", "not ", "{'a':")) * dice.choice((100, 60_000))
    text = header.encode() + b"\n"
    body = dice.choice((b"", bytes(16), bytes(10**6), b"\x80\x04\x95cposix\nsystem\n"))
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) & 0xFFFF) + text + body
    return zipped({"x.npy": array}, zipfile.ZIP_DEFLATED)


# ---- models


@functools.cache
def _layers():
    """Return the config of each layer of the contract table, alone in a model, and of some functions in a graph."""
    import cornu
    from contract.table import LAYERS, call

    found = []
    for entry in LAYERS.values():
        shapes = entry.shapes if isinstance(entry.shapes, list) else [entry.shapes]
        inputs = [cornu.Input(shape[1:], dtype="float32" if entry.highest is None else "int32") for shape in shapes]
        layer = entry.make(cornu.layers)
        given = tuple(inputs) if entry.apart else inputs if isinstance(entry.shapes, list) else inputs[0]
        found.append(cornu.Model(inputs, call(layer, given)).to_json())
    ops = cornu.ops
    for function in (
        lambda x: x[:, :2] * 3 - x[:, -2:],
        lambda x: ops.reshape(x, (-1, 2, 3, 1)),
        lambda x: ops.tile(x, (1, 3)),
        lambda x: ops.repeat(x, 3, axis=1),
        lambda x: ops.pad(x, ((0, 0), (1, 2))),
        lambda x: ops.expand_dims(ops.mean(x, axis=1), 1),
        lambda x: ops.broadcast_to(ops.expand_dims(x, 0), (2, 4, 6)),
        lambda x: ops.one_hot(ops.argmax(x, axis=1), 5),
        lambda x: ops.concatenate([x, ops.roll(x, 2, axis=1)], axis=1),
        lambda x: ops.transpose(ops.reshape(x, (-1, 2, 3)), (0, 2, 1)),
    ):
        x = cornu.Input((6,), batch_size=4)
        try:
            found.append(cornu.Model(x, function(x)).to_json())
        except (TypeError, ValueError):
            continue
    return found


@attack("json", "keras")
def huge_layers(name, content, dice):
    """Layers whose sizes, windows, strides, paddings, axes or shapes are huge, alone or several in a row."""
    whole = json.loads(dice.choice(_layers()))
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        holder, key = dice.choice(_sizes([whole]))
        if isinstance(holder[key], list):
            holder[key] = dice.choice(
                (
                    [1] * some(dice, (100, 10**4), (200_000,)),
                    [dice.choice(SIZES)],
                    [2] * 65,
                    [[dice.choice(SIZES)] * 2] * 2,
                    holder[key] * 3,
                )
            )
        else:
            holder[key] = dice.choice(SIZES)
    text = json.dumps(whole).encode()
    if name.endswith(".json"):
        return text
    return zipped(unzipped(content) | {"config.json": text}, zipfile.ZIP_DEFLATED)


def _sizes(value):
    """Return the places of sizes, and of lists of sizes, in plain data: as (holder, key); few in a long list."""
    found = []
    for key in list(value) if isinstance(value, dict) else range(min(len(value), 100)):
        one = value[key]
        if key in ("seed", "shared_object_id"):
            continue
        if type(one) is int or (isinstance(one, list) and all(type(n) in (int, list, type(None)) for n in one)):
            found.append((value, key))
        if isinstance(one, (dict, list)):
            found += _sizes(one)
    return found
