"""Preprocessing layers as tf.keras had them, and its files with them: see `tf_keras_preprocessing.py`."""

import json
import types

import numpy as np
import pytest

import cornu
from compat.tf_keras_preprocessing import CASES, DATA, OLD, computed, made, read
from cornu import layers
from cornu.compat import old_preprocessing
from cornu.compat.configs import translate_layer_config
from cornu.core import registry

MEMBERS = read()
VERSIONS = ("2.3", "2.5", "2.15")
PLACE = types.SimpleNamespace(**vars(layers) | vars(old_preprocessing))
#: What configs did not say: the number of categories that `adapt` found, and mean and variance in 2.5.
NOT_IN_CONFIGS = {("2.3", 23), ("2.5", 36)}
ANSWERS = [
    (version, answer)
    for version in VERSIONS
    for answer in json.loads(MEMBERS[f"{version}/answers.json"])
    if "error" not in answer
]


def named(case):
    version, answer = case
    return f"{version} {CASES[answer['number']][0]} {answer['number']}"


def check(layer, answer):
    called_on = CASES[answer["number"]][3]
    outputs, shape = computed(layer, DATA[called_on])
    assert shape == answer["shape"]
    if isinstance(outputs[0], str):
        assert outputs == answer["outputs"]
    else:
        np.testing.assert_allclose(outputs, answer["outputs"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", ANSWERS, ids=named)
def test_constructors_and_adapt(case):
    version, answer = case
    name, given, adapts_to, _, _ = CASES[answer["number"]]
    layer = made(PLACE if version in OLD else layers, name, given, adapts_to)
    check(layer, answer)
    if "vocabulary" in answer:
        assert layer.get_vocabulary() == answer["vocabulary"]


@pytest.mark.parametrize(
    "case", [case for case in ANSWERS if (case[0], case[1]["number"]) not in NOT_IN_CONFIGS], ids=named
)
def test_configs(case):
    _, answer = case
    name, given, adapts_to, _, _ = CASES[answer["number"]]
    name, config = translate_layer_config(name, answer["config"])
    layer = registry.LAYERS.get(name).from_config(config)
    if "vocabulary" in given and hasattr(layer, "set_vocabulary"):
        layer.set_vocabulary(given["vocabulary"])
    if adapts_to:
        layer.adapt(DATA[adapts_to])
    check(layer, answer)


@pytest.mark.parametrize("member", [name for name in MEMBERS if not name.endswith("json")])
def test_files(member, tmp_path):
    version, _, name = member.partition("/")
    path = tmp_path / name
    path.write_bytes(MEMBERS[member])
    answers = {answer["number"]: answer for other, answer in ANSWERS if other == version}
    check(cornu.models.load_model(path), answers[int(name.partition(".")[0])])
