"""Models inside of models in configs: from which number each version of Keras counts their calls."""

import json

import numpy as np
import pytest

import cornu
from cornu.saving import load_model

ones = np.ones((2, 3), np.float32)


def twice(library, shown):
    """Return a model that calls an inner one twice, one call on the other's result; its outputs are those `shown`."""
    start = library.layers.Input((3,), name="inner_start")
    dense = library.layers.Dense(3, kernel_initializer="ones", name="dense")
    inner = library.Model(start, dense(start), name="inner")
    given = library.layers.Input((3,), name="given")
    once = inner(given)
    results = {"once": once, "twice": inner(once), "joined": library.layers.Add(name="joined")([once, given])}
    chosen = [results[name] for name in shown]
    return library.Model(given, chosen if len(chosen) > 1 else chosen[0], name="outer")


@pytest.mark.old_spellings  # real Keras's files have keys that compat/ reads
@pytest.mark.parametrize("shown", [["once"], ["twice"], ["twice", "once"], ["joined", "twice"], ["joined", "once"]])
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_model_that_ends_in_a_model_goes_both_ways(shown, ending, tmp_path):
    keras = pytest.importorskip("keras")
    ours, theirs = twice(cornu, shown), twice(keras, shown)
    assert ours.get_config()["output_layers"] == theirs.get_config()["output_layers"]
    ours.save(tmp_path / f"ours.{ending}")
    theirs.save(tmp_path / f"theirs.{ending}")
    for read, file in ((keras.saving.load_model, "ours"), (load_model, "theirs"), (load_model, "ours")):
        model = read(tmp_path / f"{file}.{ending}", compile=False)
        for have, want in zip(outputs(model), outputs(ours), strict=True):
            np.testing.assert_array_equal(have, want)


def outputs(model):
    listed = isinstance(getattr(model, "_inputs_struct", None), list)  # real Keras warns of what its .h5 files lose
    found = model([ones] if listed else ones)
    return [np.asarray(one) for one in (found if isinstance(found, list) else [found])]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.old_spellings  # real Keras's files have keys that compat/ reads
@pytest.mark.parametrize("shown", [["once"], ["twice"], ["twice", "once"]])
def test_lists_of_calls_count_from_nought_or_one(first, shown):
    """Keras 2 writes [layer, call, output, arguments], and counts the calls of a model inside from 1."""
    config = json.loads(twice(cornu, ["once"]).to_json())["config"]
    inner = next(layer for layer in config["layers"] if layer["name"] == "inner")
    calls = [[["given", 0, 0, {}]], [["inner", first, 0, {}]]]
    inner["inbound_nodes"] = calls if "twice" in shown else calls[:1]
    config["output_layers"] = [["inner", first + ("once", "twice").index(name), 0] for name in shown]
    model = cornu.Model.from_config(config)
    for layer in model.layers[1:]:
        layer.set_weights([np.ones((3, 3)), np.zeros(3)])
    for have, want in zip(outputs(model), outputs(twice(cornu, shown)), strict=True):
        np.testing.assert_array_equal(have, want)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "argmax", "softmax", "logsumexp", "cumsum", "expand_dims"])
@pytest.mark.parametrize("axis", ["s", [1, "s"]])
def test_axes_that_are_none_are_refused(name, axis):
    """A string is the name of an axis to JAX."""
    x = cornu.Input((6,))
    text = cornu.Model(x, getattr(cornu.ops, name)(x, axis=1)).to_json()
    damaged = text.replace('"axis": 1', f'"axis": {json.dumps(axis)}')
    assert damaged != text
    with pytest.raises(ValueError, match=r"\S"):
        cornu.models.model_from_json(damaged)
