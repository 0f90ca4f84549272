"""Files changed at random: each is read or refused with a documented error, and nothing else happens.

A few hundred here, always the same ones; `scripts/fuzz --files 100000` goes on for as long as wanted, and also watches
time, memory, and what is opened.
"""

import contextlib
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cornu
from cornu.core import registry
from saving import attacks, doors, mutations

KINDS = ("keras", "h5", "json", "safetensors", "npz", "checkpoint", "ckpt", "savedmodel", "archive", "runs")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Give the good files, the models that they fit, and the names of all classes."""
    folder = tmp_path_factory.mktemp("corpus")
    files = mutations.seeds(folder)
    stack, graph = mutations.models(cornu)
    names = sorted({name for table in registry.tables.values() for name in table.things})
    return files, {"stack": stack, "graph": graph}, names


def put_in(path, name, kind, content, targets):
    """Put a file in at every way; return how often it was read."""
    path.write_bytes(content)
    read = 0
    for way in doors.ways_in(name, kind, targets["graph" if name.startswith("graph") else "stack"]):
        try:
            with doors.silent():
                way(path)
            read += 1
        except doors.REFUSED:
            pass
    return read


def test_seeds_are_good(corpus, tmp_path):
    files, targets, _ = corpus
    assert {kind for kind, _ in files.values()} == set(KINDS)
    for name, (kind, content) in files.items():
        assert put_in(tmp_path / "file", name, kind, content, targets) >= 1


@pytest.mark.parametrize("kind", KINDS)
def test_changed_files(kind, corpus, tmp_path):
    """The changes of `saving.mutations`, which know the formats."""
    files, targets, names = corpus
    dice = random.Random(kind)
    for name in sorted(name for name, found in files.items() if found[0] == kind) * 8:
        content = mutations.mutate(kind, files[name][1], names, dice)
        put_in(tmp_path / "file", name, kind, content, targets)


@pytest.mark.parametrize("kind", KINDS)
def test_attacks(kind, corpus, tmp_path):
    """A few files of each kind of attack that `scripts/fuzz` has."""
    files, targets, _ = corpus
    dice = random.Random(kind)
    for name in sorted(name for name, found in files.items() if found[0] == kind)[:2]:
        for function in attacks.ATTACKS[kind]:
            content = function(name, files[name][1], dice)
            put_in(tmp_path / "file", name, kind, content, targets)


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
DATA = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
SHORT = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@SHORT
@given(
    name=st.sampled_from(
        ("Dense", "Conv2D", "Embedding", "Reshape", "Dropout", "BatchNormalization", "Add", "InputLayer")
    ),
    key=st.sampled_from(
        ("units", "filters", "kernel_size", "input_dim", "rate", "axis", "dtype", "name", "target_shape")
    ),
    value=DATA,
)
def test_any_data_as_an_argument(name, key, value):
    """A layer's config with anything in one place makes a layer or a ValueError or TypeError."""
    good = {
        "units": 2,
        "filters": 2,
        "kernel_size": 3,
        "input_dim": 3,
        "output_dim": 2,
        "rate": 0.5,
        "batch_shape": [None, 3],
    }
    takes = {"Dense": ("units",), "Conv2D": ("filters", "kernel_size"), "Embedding": ("input_dim", "output_dim")}
    takes |= {"Dropout": ("rate",), "InputLayer": ("batch_shape",)}
    config = {one: good[one] for one in takes.get(name, ())} | {key: value}
    try:
        layer = cornu.layers.deserialize({"module": "keras.layers", "class_name": name, "config": config})
    except (ValueError, TypeError):
        return
    assert isinstance(layer, cornu.layers.Layer)


@SHORT
@given(data=DATA)
def test_any_data_as_a_model(data):
    for make in (cornu.Sequential.from_config, cornu.Model.from_config, cornu.saving.deserialize_keras_object):
        with contextlib.suppress(ValueError, TypeError):
            make(data)


@SHORT
@given(
    content=st.binary(max_size=200),
    start=st.sampled_from((b"", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"{", b"\x02\0\0\0\0\0\0\0{}")),
)
def test_any_bytes(content, start, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(start + content)
    for way in (doors.inspect, doors.load_model, doors.load_npz):
        with contextlib.suppress(ValueError), doors.silent():
            way(path)
            assert start.startswith((b"\x02", b"{"))
