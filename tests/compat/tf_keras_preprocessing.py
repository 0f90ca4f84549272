"""What the preprocessing layers of tf.keras compute, and files with them: `tf_keras_preprocessing.zip`.

    python tests/compat/tf_keras_preprocessing.py

with TensorFlow 2.3, 2.5 and 2.15 in turn adds what this version gives.
"""

import json
import tempfile
import zipfile
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("tf_keras_preprocessing.zip")

WORDS = np.array([["a", "b"], ["b", "c"], ["b", "zz"], ["", "a"]])
TEXTS = np.array([["The cat sat."], ["on the mat"], ["A cat, a"], [""]])
IDS = np.array([[5, 7], [7, 9], [7, 1000], [0, 5]], "int64")
SMALL = np.array([[0, 3], [1, 1], [2, 3], [3, 0]], "int64")
NUMBERS = np.array([[0.5, 2.0], [1.5, 3.0], [9.0, -1.0], [2.5, 0.0]], "float32")
IMAGES = np.arange(2 * 6 * 8 * 3, dtype="float32").reshape(2, 6, 8, 3) % 50
DATA = {
    "words": WORDS,
    "texts": TEXTS,
    "ids": IDS,
    "small": SMALL,
    "numbers": NUMBERS,
    "images": IMAGES,
    "pair": [WORDS, SMALL],
}

#: Class, arguments, the data that it adapts to or "", the data that it is called on; versions from, and up to which.
OLD, NEW, ALL = ("2.3", "2.5"), ("2.15",), ("2.3", "2.5", "2.15")
CASES = [
    ("StringLookup", {}, "words", "words", ALL),
    ("StringLookup", {"max_tokens": 4}, "words", "words", ALL),
    ("StringLookup", {"num_oov_indices": 2}, "words", "words", ("2.5", "2.15")),
    ("StringLookup", {"num_oov_indices": 0, "vocabulary": ["a", "b", "c", "zz"]}, "", "words", ("2.5",)),
    ("StringLookup", {"vocabulary": ["b", "a"]}, "", "words", ALL),
    ("StringLookup", {"vocabulary": ["", "[UNK]", "b", "a"]}, "", "words", ("2.5",)),
    ("StringLookup", {"vocabulary": ["b", "a"], "mask_token": None}, "", "words", ALL),
    ("StringLookup", {"vocabulary": ["b", "a"], "oov_token": "?"}, "", "words", ALL),
    ("StringLookup", {"vocabulary": ["b", "a"], "invert": True}, "", "small", ("2.5", "2.15")),
    ("StringLookup", {"output_mode": "binary"}, "words", "words", ("2.5", "2.15")),
    ("StringLookup", {"output_mode": "count"}, "words", "words", ("2.5", "2.15")),
    ("StringLookup", {"output_mode": "multi_hot"}, "words", "words", NEW),
    ("StringLookup", {"output_mode": "tf_idf"}, "words", "words", NEW),
    ("IntegerLookup", {}, "ids", "ids", ALL),
    ("IntegerLookup", {"max_values": 4}, "ids", "ids", ("2.3",)),
    ("IntegerLookup", {"mask_value": None, "oov_value": -2}, "ids", "ids", ("2.3",)),
    ("IntegerLookup", {"max_tokens": 4}, "ids", "ids", ("2.5", "2.15")),
    ("IntegerLookup", {"num_oov_indices": 2}, "ids", "ids", ("2.5", "2.15")),
    ("IntegerLookup", {"vocabulary": [7, 5]}, "", "ids", ALL),
    ("IntegerLookup", {"vocabulary": [7, 5], "invert": True}, "", "small", ("2.5", "2.15")),
    ("IntegerLookup", {"output_mode": "binary"}, "ids", "ids", ("2.5", "2.15")),
    ("CategoryEncoding", {"max_tokens": 5}, "", "small", ("2.3",)),
    ("CategoryEncoding", {"max_tokens": 5, "output_mode": "count"}, "", "small", ("2.3",)),
    ("CategoryEncoding", {}, "small", "small", ("2.3",)),
    ("CategoryEncoding", {"num_tokens": 5}, "", "small", ("2.5", "2.15")),
    ("CategoryEncoding", {"num_tokens": 5, "output_mode": "binary"}, "", "small", ("2.5", "2.15")),
    ("CategoryEncoding", {"num_tokens": 5, "output_mode": "count"}, "", "small", ("2.5", "2.15")),
    ("Hashing", {"num_bins": 5}, "", "words", ALL),
    ("Hashing", {"num_bins": 5, "salt": 3}, "", "words", ALL),
    ("Hashing", {"num_bins": 5, "salt": [3, 4]}, "", "ids", ALL),
    ("Hashing", {"num_bins": 5, "mask_value": ""}, "", "words", ("2.5", "2.15")),
    ("Discretization", {"bins": [0.2, 1.0, 2.6]}, "", "numbers", ("2.3",)),
    ("Discretization", {"bin_boundaries": [0.2, 1.0, 2.6]}, "", "numbers", ("2.5", "2.15")),
    ("Discretization", {"num_bins": 3}, "numbers", "numbers", ("2.5", "2.15")),
    ("Normalization", {}, "numbers", "numbers", ALL),
    ("Normalization", {"axis": None}, "numbers", "numbers", ALL),
    ("Normalization", {"mean": 3.0, "variance": 2.0}, "", "numbers", ("2.5", "2.15")),
    ("TextVectorization", {}, "texts", "texts", ALL),
    ("TextVectorization", {"max_tokens": 5}, "texts", "texts", ALL),
    ("TextVectorization", {"output_sequence_length": 2, "ngrams": 2}, "texts", "texts", ALL),
    ("TextVectorization", {"output_mode": "binary", "pad_to_max_tokens": False}, "texts", "texts", ALL),
    ("TextVectorization", {"output_mode": "count", "max_tokens": 9, "pad_to_max_tokens": True}, "texts", "texts", ALL),
    ("TextVectorization", {"output_mode": "tf-idf", "pad_to_max_tokens": False}, "texts", "texts", ALL),
    ("TextVectorization", {"standardize": None}, "texts", "texts", ALL),
    ("CategoryCrossing", {}, "", "pair", OLD),
    ("CategoryCrossing", {"depth": 2, "separator": "-"}, "", "pair", OLD),
    ("CategoryCrossing", {"depth": (1, 2)}, "", "pair", OLD),
    ("Rescaling", {"scale": 0.5, "offset": -1.0}, "", "images", ALL),
    ("Resizing", {"height": 3, "width": 4}, "", "images", ALL),
    ("Resizing", {"height": 4, "width": 3, "interpolation": "nearest"}, "", "images", ALL),
    ("CenterCrop", {"height": 4, "width": 5}, "", "images", ALL),
    ("RandomCrop", {"height": 4, "width": 4}, "", "images", NEW),
    ("RandomFlip", {"mode": "horizontal"}, "", "images", ALL),
    ("RandomTranslation", {"height_factor": 0.2, "width_factor": (-0.1, 0.1)}, "", "images", ALL),
    ("RandomRotation", {"factor": 0.2}, "", "images", ALL),
    ("RandomZoom", {"height_factor": 0.2}, "", "images", ALL),
    ("RandomContrast", {"factor": 0.2}, "", "images", ALL),
    ("RandomBrightness", {"factor": 0.2}, "", "images", NEW),
    ("RandomHeight", {"factor": 0.2}, "", "images", ALL),
    ("RandomWidth", {"factor": (0.1, 0.2)}, "", "images", ALL),
]


def made(place, name, given, adapts_to, adapt=None):
    """Return a layer after `adapt`, with a fixed name."""
    layer = getattr(place, name)(name="layer", **given)
    if adapts_to:
        layer.adapt(DATA[adapts_to] if adapt is None else adapt(DATA[adapts_to]))
    return layer


def computed(layer, inputs):
    """Return what a layer, or a model, makes of data, as a list."""
    draws = type(layer).__name__.startswith(("Random", "Functional"))
    found = layer(inputs, training=False) if draws else layer(inputs)
    found = np.asarray(found.numpy() if hasattr(found, "numpy") else found)
    return [one.decode() if isinstance(one, bytes) else one for one in found.ravel().tolist()], list(found.shape)


def layer_is_text(answer):
    """Return whether a layer gave strings, which Cornu's models do not return."""
    return isinstance(answer["outputs"][0], str)


def read():
    """Return the members of `FILE` by name."""
    with zipfile.ZipFile(FILE) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def main():
    import tensorflow as tf

    version = ".".join(tf.__version__.split(".")[:2])
    layers = tf.keras.layers
    place = layers.experimental.preprocessing if version in OLD else layers
    found, files = [], {}
    for number, (name, given, adapts_to, called_on, versions) in enumerate(CASES):
        if version not in versions:
            continue
        data = DATA[called_on]
        inputs = [tf.constant(one) for one in data] if isinstance(data, list) else tf.constant(data)
        answer = {"number": number}
        try:
            layer = made(place, name, given, adapts_to, tf.constant)
            answer["outputs"], answer["shape"] = computed(layer, inputs)
            answer["config"] = json.loads(json.dumps(layer.get_config(), default=str))
            if hasattr(layer, "get_vocabulary"):
                tokens = [one.decode() if isinstance(one, bytes) else one for one in layer.get_vocabulary()]
                answer["vocabulary"] = json.loads(json.dumps(tokens, default=int))
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {error}"[:200]
            found.append(answer)
            print(version, number, name, given, answer["error"])
            continue
        if layer_is_text(answer):
            found.append(answer)
            continue
        given = tf.nest.map_structure(lambda one: tf.keras.Input(one.shape[1:], dtype=one.dtype), inputs)
        model = tf.keras.Model(given, layer(given), name="model")
        for suffix in {"2.3": (), "2.5": (".h5",), "2.15": (".h5", ".keras")}[version]:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, f"model{suffix}")
                try:
                    model.save(str(path))
                    files[f"{number}{suffix}"] = path.read_bytes()
                except Exception as error:
                    answer[f"error of {suffix}"] = f"{type(error).__name__}: {error}"[:200]
                    print(version, number, name, suffix, answer[f"error of {suffix}"])
        found.append(answer)
    members = {
        key: value for key, value in (read() if FILE.exists() else {}).items() if not key.startswith(f"{version}/")
    }
    members.update({f"{version}/answers.json": json.dumps(found).encode()})
    members.update({f"{version}/{key}": value for key, value in files.items()})
    with zipfile.ZipFile(FILE, "w", zipfile.ZIP_LZMA) as archive:
        for key in sorted(members):
            archive.writestr(zipfile.ZipInfo(key), members[key], zipfile.ZIP_LZMA)


if __name__ == "__main__":
    main()
