"""Malicious files: every loader rejects each kind with a clear error, and changes nothing.

The kinds are those of the project's list of hostile files; `saving.hostile_kinds` makes them.
"""

import re
from pathlib import Path

import numpy as np
import pytest

import cornu
from cornu.models import load_model, model_from_json
from cornu.saving import hdf5, hdf5_limits
from saving import doors
from saving.forge import Forge, model_of_layers
from saving.hostile_kinds import KINDS

WATCH = doors.Watch(Path("/nonexistent"))


@pytest.fixture
def forge(tmp_path):
    return Forge(tmp_path)


def test_all_kinds_are_here():
    assert list(KINDS) == [f"H{number:02}" for number in range(1, 52)]


def ways_of(path, asked, model):
    """Return the ways in for a file, out of those that were asked for (None: all)."""
    own = [way for way in asked or () if callable(way)]
    if own:
        return own
    kind = "npz" if path.suffix == ".npz" else "json" if path.suffix == ".json" else path.suffix[1:]
    ways = doors.ways_in(path.name, kind, model)
    if asked is None and kind == "json":  # what is wrong in a text is seen where it is read
        ways = [way for way in ways if way is not doors.inspect]
    return ways


def tried(way, path, watched, active=True):
    """Return what a way in says against a file, or None if it reads it; with other files it must do nothing."""
    WATCH.file, WATCH.active = str(watched), active
    try:
        with doors.silent():
            way(path)
        said = None
    except doors.REFUSED as error:
        said = str(error)
    finally:
        WATCH.active = False
    did, WATCH.seen = WATCH.seen, []
    assert not did, f"{path.name} by {way.__name__} did {did}"
    return said


def refused(path, words, asked, model):
    """Put a file into all ways in; those that were asked for must refuse it, the others must do no harm."""
    for way in ways_of(path, asked, model):
        must = asked is None or way in asked or way.__name__ in asked
        said = tried(way, path, path, not callable((asked or [None])[0]))
        if words is not None and must:
            assert said is not None, f"{path.name} by {way.__name__}: it was read; expected: {words}"
            assert re.search(words, said, re.DOTALL), f"{path.name} by {way.__name__}: {said[:600]}; expected: {words}"


@pytest.mark.old_spellings
@pytest.mark.parametrize("kind", KINDS)
def test_kind(kind, forge, capfd):
    """Every file of a kind is refused; nothing is written, opened or started, and no weight changes."""
    model = model_of_layers()
    before = model.get_weights()
    number = 0
    for files, words, *ways in KINDS[kind](forge):
        for path in files if isinstance(files, list) else [files]:
            refused(path, words, ways[0] if ways else None, model)
            number += 1
    assert number
    assert all(np.array_equal(one, two) for one, two in zip(before, model.get_weights(), strict=True))
    assert not (forge.folder / "touched").exists()
    outside = list(forge.folder.parent.rglob("evil*"))
    assert not outside


def test_good_files_go_in_at_every_way(forge):
    """What refuses everything would pass the tests above."""
    model = model_of_layers()
    files = [forge.folder / name for name in ("good.keras", "good.h5", "good.safetensors")]
    files += [
        forge.raw(forge.good()),
        *forge.weights(lambda file: None),
        *forge.old(lambda group: None),
    ]
    files.append(forge.raw(forge.members["config.json"], ".json"))
    for path in files:
        for way in ways_of(path, None, model):
            way(path)


def test_compressed_arrays_are_read(forge):
    """Pieces, packed or not, in files that were packed again by HDF5's own tools."""
    values = np.arange(12, dtype="f4").reshape(4, 3)
    for how in (
        {"chunks": (3, 2)},
        {"chunks": (3, 2), "compression": "gzip"},
        {"chunks": (4, 3), "compression": "gzip", "shuffle": True, "fletcher32": True},
        {"chunks": (1, 3), "shuffle": True},
    ):
        make = lambda group, name, how=how: group.create_dataset(name, data=values, **how)  # noqa: E731
        for path in forge.arrays(make):
            model = model_of_layers()
            model.load_weights(path)
            np.testing.assert_array_equal(model.layers[0].kernel, values)


def test_other_byte_orders_are_read(forge):
    values = np.arange(12, dtype=">f4").reshape(4, 3)
    for path in forge.arrays(lambda group, name: group.create_dataset(name, data=values)):
        model = model_of_layers()
        model.load_weights(path)
        np.testing.assert_array_equal(model.layers[0].kernel, values)


def test_the_budget_names_layer_size_limit_and_how_to_raise_it(forge, monkeypatch):
    path = forge.layer(config={"units": 10_000_000, "name": "wide"})[2]
    cornu.config.set_parameter_budget(1_000_000)
    try:
        words = (
            r"(?s)'wide' asks for 'kernel' .*\(4, 10000000\): 40,000,000 values.*1,000,000 in all.*set_parameter_budget"
        )
        with pytest.raises(ValueError, match=words):
            model_from_json(path.read_text())
        cornu.config.set_parameter_budget(100_000_000)
        assert model_from_json(path.read_text()).count_params() == 50_000_000
    finally:
        cornu.config.set_parameter_budget(1_000_000_000)
    with pytest.raises(ValueError, match="integer above zero"):
        cornu.config.set_parameter_budget(None)


def test_a_file_may_not_ask_for_far_more_than_it_holds(forge):
    """23 values are stored, 45 million asked for: it is refused before they are made."""
    for path in forge.layer(config={"units": 9_000_000, "name": "wide"})[:2]:
        with pytest.raises(ValueError, match=r"(?s)'wide' asks for .* since the file has (23|69)"):
            load_model(path)


def test_floats_of_a_layer_may_be_infinite():
    """Where an argument is a plain float, NaN and infinities mean something; such models are not lost."""
    model = cornu.Sequential([cornu.Input((4,)), cornu.layers.ReLU(max_value=float("inf"))])
    assert model_from_json(model.to_json()).layers[0].max_value == float("inf")


def test_objects_of_the_users_own_replace_the_librarys_only_if_given(forge):
    """H16: a class that is registered under another package's name does not become a Dense."""

    class Dense(cornu.layers.Dense):
        pass

    path = forge.dense()[2]
    assert type(model_from_json(path.read_text()).layers[0]) is cornu.layers.Dense
    assert type(model_from_json(path.read_text(), {"Dense": Dense}).layers[0]) is Dense


def test_a_file_that_becomes_shorter_while_it_is_read_is_refused(tmp_path):
    """It is not mapped to memory: the process would end with SIGBUS."""
    path = tmp_path / "model.h5"
    model = cornu.Sequential([cornu.Input((500,)), cornu.layers.Dense(500)])
    model.save(path)
    with hdf5.open_file(path, "model.h5") as file:
        arrays = [array for _, array in hdf5.arrays_in(file)]
        path.write_bytes(path.read_bytes()[:5000])
        for array in arrays[-1:]:
            with pytest.raises(ValueError, match=r"became shorter|cannot be read as HDF5"):
                hdf5.read(array)


def test_large_weights_of_zeros_are_read(tmp_path):
    """A fresh model's file is as large as its weights; only compression is limited."""
    model = cornu.Sequential([cornu.Input((1000,)), cornu.layers.Dense(6000, kernel_initializer="zeros")])
    model.save(tmp_path / "model.keras")
    assert load_model(tmp_path / "model.keras").count_params() == 6_006_000


def test_steps_through_a_file_are_counted_by_its_size():
    limits = hdf5_limits.Limits("m.h5", size=160_000, outer=160_000)
    with hdf5_limits.limited(limits):
        hdf5_limits.step(30_000)
        with pytest.raises(ValueError, match=r"'m.h5' has far more names and groups"):
            hdf5_limits.step()
    hdf5_limits.step(10**9)  # no file is open


@pytest.mark.parametrize(("value", "dtype", "words"), [
    (np.nan, "float32", "NaN"), (-np.inf, "float32", "infinity"), (1e6, "float16", "overflow in float16"),
])  # fmt: skip
@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.weights.h5", "model.safetensors"])
def test_weights_that_are_not_finite_are_named(tmp_path, value, dtype, words, name):
    def model_of(dtype):
        return cornu.Sequential([cornu.Input((2,)), cornu.layers.Dense(3, name="wide", dtype=dtype)])

    model = model_of("float32")
    model.layers[0].bias.assign([0.0, value, 0.0])
    (model.save_weights if "weights" in name or "safe" in name else model.save)(tmp_path / name)
    with pytest.warns(UserWarning, match=rf"wide/bias' \({words}\)"):
        model_of(dtype).load_weights(tmp_path / name)


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_initial_values_that_a_file_replaces_are_not_computed(tmp_path, monkeypatch, name):
    """An orthogonal matrix of 2000 x 2000 took 27 s to load."""
    cornu.utils.set_random_seed(1)
    model = cornu.Sequential([cornu.Input((4,)), cornu.layers.Dense(3, kernel_initializer="orthogonal")])
    model.save(tmp_path / name)
    cornu.utils.set_random_seed(2)
    load_model(tmp_path / name, custom_objects={"unused": abs})
    following = cornu.initializers.GlorotUniform()((3,))
    monkeypatch.setattr(np.linalg, "qr", lambda *_: pytest.fail("computed"))
    cornu.utils.set_random_seed(2)
    loaded = load_model(tmp_path / name)
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    np.testing.assert_array_equal(cornu.initializers.GlorotUniform()((3,)), following)
