"""Files of tf.keras with an adapted layer in a model inside another one: see `tf_keras_nested.py`."""

import json
import zipfile

import numpy as np
import pytest
from tests.compat.tf_keras_nested import ARCHIVE, X

import cornu


@pytest.mark.parametrize("name", ["functional.h5", "functional.keras", "sequential.h5"])
def test_inner_layers_have_what_they_learned(name, tmp_path):
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extract(name, tmp_path)
        expected = json.loads(archive.read("answers.json"))[name]
    model = cornu.models.load_model(tmp_path / name, compile=False)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, atol=1e-6)
    for own in ("own.h5", "own.keras"):
        model.save(tmp_path / own)
        found = cornu.models.load_model(tmp_path / own).predict(X, verbose=0)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_shapes_are_known_before_the_boundaries():
    layer = cornu.layers.Discretization(num_bins=3, output_mode="one_hot")
    given = cornu.Input((1,))
    model = cornu.Sequential([cornu.Input((1,)), cornu.Model(given, layer(given)), cornu.layers.Dense(2)])
    with pytest.raises(ValueError, match="does not know its boundaries yet"):
        model.predict(X, verbose=0)
    layer.adapt(X)
    assert model.predict(X, verbose=0).shape == (25, 2)
