"""Names in files that a terminal obeys: whatever way a file comes in, messages and tables show them escaped."""

import contextlib
import json
import re
import tarfile
import warnings
import zipfile

import pytest

import cornu
from cornu.callbacks.dashboard.run_files import Follower
from cornu.cli.main import main
from saving import doors, mutations
from saving import tensorflow_forge as forge

pytestmark = pytest.mark.old_spellings

#: What clears a screen, reverses text, begins a line, is half a character, or fills pages.
HOSTILE = ("\x1b[2J\x07", "\u202egnp", "a\r\nb", "\udc80", "x" * 70_000, "\x9b31m y" * 9_000)
LONGEST = 4_000  # characters of a message


def assert_readable(text):
    assert len(text) < LONGEST, f"{len(text)} characters: {text[:600]!a}"
    assert text.replace("\n", "").isprintable(), ascii(text)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    files = mutations.seeds(tmp_path_factory.mktemp("good"))
    stack, graph = mutations.models(cornu)
    return files, {name: graph if name.startswith("graph") else stack for name in files}


def put_in(path, name, kind, content, model):
    """Put a file into every way in, and check all that is said about it; return how often something was said."""
    path.write_bytes(content)
    said = 0
    for way in doors.ways_in(name, kind, model):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                found = way(path)
            except doors.REFUSED as error:
                said += 1
                while error is not None:
                    assert_readable(str(error))
                    error = error.__cause__
            else:
                if hasattr(found, "summary") and found.built:
                    found.summary(print_fn=lambda text: assert_readable(text.replace("x" * 60, "")))
        for warning in caught:
            assert_readable(str(warning.message))
    return said


def in_json(content):
    """Yield a JSON text with each of its keys and texts replaced by each hostile name."""
    places = list(mutations._places([json.loads(content)]))
    for number in range(len(places)):
        for bad in HOSTILE:
            whole = [json.loads(content)]
            holder, key = list(mutations._places(whole))[number]
            if isinstance(holder[key], str):
                holder[key] = bad
                yield json.dumps(whole[0]).encode()
            if isinstance(key, str) and bad is not HOSTILE[3]:
                whole = [json.loads(content)]
                holder, key = list(mutations._places(whole))[number]
                holder[bad] = holder.pop(key)
                yield json.dumps(whole[0]).encode()


def in_bytes(content):
    """Yield bytes with each of the words in them replaced by hostile bytes of the same length."""
    for word in sorted(set(re.findall(rb"[A-Za-z_]{4,}", content))):
        for bad in (b"\x1b[2J", "\u202eb".encode(), b"a\r\nb", b"\xff\xfe\xff\xfe"):
            yield content.replace(word, bad.ljust(len(word), b"b"))


def thinned(files, most):
    """Return at most so many of the files, spread over all of them."""
    files = list(files)
    return files[:: len(files) // most + 1]


def in_archive(content):
    members = mutations.unzipped(content)
    for name in ("config.json", "metadata.json"):
        yield from (mutations.zipped(members | {name: text}) for text in in_json(members[name]))
    for weights in in_bytes(members["model.weights.h5"]):
        yield mutations.zipped(members | {"model.weights.h5": weights})


def in_header(content):
    size = int.from_bytes(content[:8], "little")
    for text in in_json(content[8 : 8 + size]):
        yield len(text).to_bytes(8, "little") + text + content[8 + size :]


def in_checkpoint(content):
    start = content[: content.index(b"\n") + 1]
    body = content[len(start) : -32]
    size = int.from_bytes(body[:8], "little")
    for text in in_json(body[8 : 8 + size]):
        yield mutations.sealed(start, text, body[8 + size :])


def in_folder(content):
    files = mutations.unzipped(content)
    index = next(name for name in files if name.endswith(".index"))
    values = index.replace(".index", ".data-00000-of-00001")
    for changed in in_bytes(forge.graph_in(files[index], files[values])):
        one, two = forge.with_graph(files[index], files[values], changed)
        yield mutations.zipped(files | {index: one, values: two})
    entries = list(forge.entries_of(files[index]).items())
    for number, (key, value) in enumerate(entries):
        for bad in (b"\x1b[2J" + key, key + "\u202e".encode(), b"x" * 70_000, b"\xff" + key):
            yield mutations.zipped(files | {index: forge.table([*entries[:number], (bad, value), *entries[number:]])})
    described = forge.described_in(files["keras_metadata.pb"]) if "keras_metadata.pb" in files else []
    for number, (one, kind, text) in enumerate(described):
        for changed in in_json(text):
            others = described[:number], described[number + 1 :]
            metadata = forge.keras_metadata([*others[0], (one, kind, changed), *others[1]])
            yield mutations.zipped(files | {"keras_metadata.pb": metadata})


WAYS = {
    "json": in_json, "keras": in_archive, "h5": in_bytes, "safetensors": in_header, "npz": in_bytes,
    "ckpt": in_folder, "savedmodel": in_folder, "checkpoint": in_checkpoint,
}  # fmt: skip


@pytest.mark.parametrize("kind", WAYS)
def test_names_in_files(good, tmp_path, kind):
    files, targets = good
    said = 0
    for name in (name for name, (one, _) in files.items() if one == kind):
        for content in thinned(WAYS[kind](files[name][1]), 40):
            with contextlib.suppress(KeyError if kind == "checkpoint" else ()):  # of the callback that it trains with
                said += put_in(tmp_path / "f", name, kind, content, targets[name])
    assert said


def test_causes_are_readable_too():
    """Python prints the chain of causes."""
    with pytest.raises(ValueError, match=r"\\x1b\[2J") as caught:
        cornu.layers.deserialize({"class_name": "Dense", "config": {"units": 3, "\x1b[2J": 1}})
    cause = caught.value
    while cause is not None:
        assert_readable(str(cause))
        cause = cause.__cause__


def test_no_error_is_its_own_cause():
    """Who walks through the causes of an error comes to an end."""

    class Custom(cornu.layers.Layer):
        def __init__(self):
            raise TypeError("mine")

    with pytest.raises(TypeError, match="mine") as caught:
        Custom()
    assert caught.value.__cause__ is None


def test_tables_and_bars(capsys):
    """Names from the user's own program cannot break a table either."""
    model = cornu.Sequential([cornu.Input((2,)), cornu.layers.Dense(1, name="a\x1b[2J\nb")], name="m\u202e" + "x" * 900)
    metric = cornu.metrics.MeanAbsoluteError(name="\x1b[31mred")
    model.compile("sgd", "mse", metrics=[metric])
    model.summary()
    model.fit([[1.0, 2.0]], [[1.0]], verbose=2)
    out = capsys.readouterr().out
    assert_readable(out)
    assert r"\x1b[31mred" in out
    assert r"\u202e" in out
    assert "x" * 300 not in out
    assert r"m\u202exxx" in model._repr_html_()


def test_run_files(tmp_path):
    """A page shows what runs have written in escaped words."""
    line = json.dumps({"kind": "end", "name": "\x1b[2J\u202e", "\x07": ["\udc80", 1.0]})
    (tmp_path / "1.jsonl").write_text(line + "\n")
    assert list(Follower(tmp_path).news()) == [
        {"kind": "end", "name": r"\x1b[2J\u202e", r"\x07": [r"\udc80", 1.0], "run": "1"}
    ]


def test_archives(tmp_path):
    """So do the errors of downloads."""
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("\x1b[2J\u202e")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(info)
    with pytest.raises(ValueError, match="not unpacked") as caught:
        cornu.utils.get_file("a.tar", path.as_uri(), extract=True, cache_dir=tmp_path)
    assert_readable(str(caught.value))


def test_lines_of_commands(capsys, tmp_path):
    """``cornu inspect``, ``summary`` and ``serve`` say it in one line."""
    text = json.dumps({"class_name": "Sequential", "config": {"name": "\x1b[2J" + "x" * 5000, "layers": []}})
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", text)
        archive.writestr("metadata.json", json.dumps({"keras_version": "\u202e3.0"}))
        archive.writestr("model.weights.h5", b"")
    for command in ("inspect", "summary", "serve"):
        assert main([command, str(tmp_path / "m.keras")])
        said = capsys.readouterr().err
        assert_readable(said)
        assert said.count("\n") == 1, said
