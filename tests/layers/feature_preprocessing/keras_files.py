"""Models with layers for categories and texts, saved by Keras on TensorFlow: `keras_files.zip`, with what they compute.

    KERAS_BACKEND=tensorflow python tests/layers/feature_preprocessing/keras_files.py

Run with a folder, it reads Cornu's files there and prints what Keras computes with them.
"""

import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("keras_files.zip")

TEXTS = np.array([["the cat sat"], ["on the mat"], ["a cat"], [""]])
WORDS = np.array([["a", "b"], ["b", "c"], ["b", "zz"], ["", "a"]])
IDS = np.array([[5, 7], [7, 9], [7, 2**20], [0, 5]], "int64")
NUMBERS = np.array([[0.5, 2.0], [1.5, 3.0], [9.0, -1.0], [2.5, 0.0]], "float32")


def models(keras):
    """Yield names, models that are adapted, and their inputs."""
    layers = keras.layers
    for mode in ("int", "multi_hot", "count", "tf_idf"):
        length = {"output_sequence_length": 5} if mode == "int" else {}
        vectors = layers.TextVectorization(output_mode=mode, ngrams=2, name="words", **length)
        vectors.adapt(TEXTS)
        yield f"text {mode}", model(keras, "string", 1, vectors), TEXTS
        strings = layers.StringLookup(output_mode=mode, mask_token="", name="strings")
        strings.adapt(WORDS)
        yield f"strings {mode}", model(keras, "string", 2, strings), WORDS
        integers = layers.IntegerLookup(output_mode=mode, num_oov_indices=2, mask_token=0, name="integers")
        integers.adapt(IDS)
        yield f"integers {mode}", model(keras, "int64", 2, integers), IDS
    given = layers.StringLookup(vocabulary=["b", "a"], output_mode="count", name="strings")
    yield "strings given", model(keras, "string", 2, given), WORDS
    yield "hashing", model(keras, "string", 2, layers.Hashing(7, salt=3, output_mode="count", name="hashes")), WORDS
    bins = layers.Discretization(num_bins=3, output_mode="one_hot", name="bins")
    bins.adapt(NUMBERS)
    yield "bins", model(keras, "float32", 2, bins), NUMBERS
    codes = layers.CategoryEncoding(10, output_mode="count", name="codes")
    yield "codes", model(keras, "int64", 2, codes), IDS


def model(keras, dtype, size, layer):
    inputs = keras.Input((size,), dtype=dtype, name="inputs")
    return keras.Model(inputs, layer(inputs), name="model")


def computed(model, inputs):
    """Return the outputs of a model, called on strings by way of its layer."""
    layer = model.layers[-1]
    return np.asarray(layer(inputs)).tolist()


def main(folder):
    import keras

    if folder:
        for name, _, inputs in models(keras):
            loaded = keras.models.load_model(Path(folder, f"{name}.keras"))
            print(json.dumps({name: computed(loaded, inputs)}))
        return
    answers = {}
    with zipfile.ZipFile(FILE, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, made, inputs in models(keras):
            path = Path("/tmp", f"{name}.keras")
            made.save(path)
            archive.writestr(f"{name}.keras", path.read_bytes())
            path.unlink()
            answers[name] = computed(made, inputs)
        archive.writestr("answers.json", json.dumps(answers))


def read():
    """Return the files of Keras by name, and what their models compute."""
    with zipfile.ZipFile(io.BytesIO(FILE.read_bytes())) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return files, json.loads(files.pop("answers.json"))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
