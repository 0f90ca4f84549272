"""ResNet-RS and RegNet compute what those of tf.keras 2.15 did: `tf_keras_models.py` wrote the answers."""

import json
from pathlib import Path

import numpy as np
import pytest

from applications import tf_keras_models
from cornu import applications, utils

ANSWERS = json.loads((Path(__file__).parent / "tf_keras_answers.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ANSWERS)
def test_models_are_those_of_tf_keras(name):
    utils.clear_session()
    found = tf_keras_models.measured(applications, name, is_computed="outputs" in ANSWERS[name])
    outputs, expected = found.pop("outputs", []), dict(ANSWERS[name])
    expected_outputs = expected.pop("outputs", [])
    assert found == expected
    largest = np.abs(expected_outputs).max(initial=0)
    np.testing.assert_allclose(outputs, expected_outputs, rtol=1e-4, atol=1e-4 * largest)


@pytest.mark.parametrize("weights", ["imagenet-i96", "imagenet-i"])
def test_weights_of_unpublished_sizes_are_named(weights):
    with pytest.raises(ValueError, match="there are: 'imagenet-i160', 'imagenet'"):
        applications.ResNetRS50(weights=weights)


def test_regnet_without_published_weights():
    with pytest.raises(ValueError, match="There are no weights of ImageNet for 'mine'"):
        applications.regnet.RegNet((1, 1), (16, 32), 8, "X", 64, model_name="mine")
