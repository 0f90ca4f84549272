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


#: Sizes of images and of outputs -> the second image that TensorFlow's ``resize`` and the formula of 2.5 give.
CROPPED = {
    (9, 6, 4, 5): [
        [-0.25887, -0.88527, -0.38039, 0.61411, 0.8778],
        [0.08356, -0.79756, -0.635, 0.3449, 0.94965],
        [0.41817, -0.60905, -0.81189, 0.03029, 0.90285],
        [0.69167, -0.33154, -0.87013, -0.28874, 0.72412],
    ],
    (5, 12, 4, 4): [
        [-0.04668, 0.87122, 0.44471, -0.66324],
        [-0.61912, 0.46378, 0.80186, -0.08877],
        [-0.89468, -0.15183, 0.78103, 0.5171],
        [-0.75288, -0.70646, 0.39134, 0.88948],
    ],
    (3, 5, 6, 4): [
        [-0.45628, -0.79302, -0.90879, -0.80359],
        [-0.18589, -0.54414, -0.73615, -0.76191],
        [0.35489, -0.04636, -0.39084, -0.67856],
        [0.67171, 0.37887, 0.03261, -0.36709],
        [0.76458, 0.73157, 0.53421, 0.17248],
        [0.81101, 0.90792, 0.78501, 0.44227],
    ],
}


@pytest.mark.parametrize("sizes", CROPPED, ids=str)
def test_random_crop_resizes_then_cuts_out_the_middle(sizes):
    height, width, *size = sizes
    images = np.sin(np.arange(2 * height * width)).reshape(2, height, width, 1).astype("float32")
    layer = old_preprocessing.RandomCrop(*size)
    model = cornu.Sequential([layer])
    for found in (layer(images, training=False), model.predict(images, verbose=0)):
        np.testing.assert_allclose(found[1, ..., 0], CROPPED[sizes], atol=1e-5)
    if min(height - size[0], width - size[1]) > 0:
        cut = np.asarray(layer(images, training=True))
        assert cut.shape == (2, *size, 1)
        assert np.isin(cut, images).all()
    assert isinstance(cornu.layers.deserialize(cornu.layers.serialize(layer)), old_preprocessing.OldRandomCrop)
