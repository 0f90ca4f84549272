"""What Keras's FeatureSpace gives on TensorFlow: `feature_space.zip` beside, with a file that Keras saved.

    KERAS_BACKEND=tensorflow python tests/models/feature_space_cases.py

The tests ask Cornu the same questions.
"""

import json
import zipfile
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("feature_space.zip")

_random = np.random.default_rng(0)
DATA = {
    "age": _random.integers(18, 90, 100).astype("float32"),
    "height": _random.normal(170, 10, 100).astype("float32"),
    "city": np.array(["Rome", "Oslo", "Köln"])[_random.integers(0, 3, 100)],
    "code": _random.integers(0, 4, 100),
    "note": np.array(["good food", "bad", "good"])[_random.integers(0, 3, 100)],
}
SEEN = {
    "age": np.array([20.0, 70.5], "float32"),
    "height": np.array([160.0, 190.0], "float32"),
    "city": np.array(["Köln", "Bonn"]),
    "code": np.array([3, 99]),
    "note": np.array(["good bad", "?"]),
}


def spaces(keras):
    """Yield feature spaces by name."""
    kinds = keras.utils.FeatureSpace
    named = {"age": "float", "height": "float_normalized", "city": "string_categorical", "code": "integer_categorical"}
    yield "by name", kinds(dict(named), crosses=[("city", "code")], crossing_dim=7)
    others = {"age": "float_discretized", "height": "float_rescaled", "city": "string_hashed", "code": "integer_hashed"}
    yield "other kinds", kinds(dict(others), hashing_dim=5, num_discretization_bins=4)
    made = {
        "age": kinds.float_discretized(num_bins=3, output_mode="int"),
        "height": kinds.float_rescaled(scale=0.01, offset=-1.0),
        "city": kinds.string_categorical(max_tokens=3, num_oov_indices=2, output_mode="int"),
        "code": kinds.integer_hashed(6),
        "note": kinds.feature("string", keras.layers.TextVectorization(output_mode="tf_idf"), "float"),
    }
    cross = kinds.cross(("city", "age"), crossing_dim=9, output_mode="int")
    yield "as a dictionary", kinds(made, output_mode="dict", crosses=[cross, kinds.cross(("code", "city"), 4)])


def answers(keras):
    """Return what the spaces answer, and the spaces."""
    found, made = {}, {}
    for name, space in spaces(keras):
        space.adapt({column: DATA[column] for column in space.features})
        found[name], made[name] = outputs(space), space
    return found, made


def outputs(space):
    """Return the outputs for a batch and for a single row, by name if there are several."""
    seen = {column: SEEN[column] for column in space.features}
    row = {column: values[0] for column, values in seen.items()}
    return [_plain(space(seen)), _plain(space(row))]


def _plain(found):
    if isinstance(found, dict):
        return {name: np.asarray(value).tolist() for name, value in found.items()}
    return {"": np.asarray(found).tolist()}


if __name__ == "__main__":
    import keras

    found, made = answers(keras)
    with zipfile.ZipFile(FILE, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("answers.json", json.dumps(found))
        for name, space in made.items():
            path = Path("/tmp", f"{name}.keras")
            space.save(path)
            archive.writestr(f"{name}.keras", path.read_bytes())
            path.unlink()
