"""Data to split, and what Keras on TensorFlow makes of them; the answers are in split_answers.json.

``python tests/utils/split_cases.py`` writes that file with real Keras (3.15, TensorFlow 2.21).
"""

import json
from pathlib import Path

import numpy as np

ANSWERS = Path(__file__).resolve().parent / "split_answers.json"
SIZES = (None, 0.0, 0.2, 0.25, 0.5, 0.96, 1.0, 1.5, -0.1, 0, 1, 3, 9, 10, 11, -1, "3")
ROWS = np.arange(10)


def size_cases():
    """Return pairs of a left and a right size, by name."""
    return {f"{left!r}, {right!r}": (left, right) for left in SIZES for right in SIZES}


def data_cases(dataset):
    """Return data and arguments by name; `dataset` is the class ``Dataset``."""
    pairs = (ROWS, ROWS[:, None] * [1.0, 2.0])
    slices = dataset.from_tensor_slices
    return {
        "array": (pairs[1], {"left_size": 0.3, "shuffle": True, "seed": 1}),
        "list": (list(pairs), {"left_size": 4, "right_size": 3}),
        "tuple": (pairs, {"right_size": 0.25, "shuffle": True, "seed": 42}),
        "one in a tuple": (pairs[:1], {"right_size": 2}),
        "data set": (slices(ROWS), {"left_size": 0.7, "shuffle": True, "seed": 7}),
        "pairs": (slices(pairs), {"left_size": 0.7, "right_size": 0.1}),
        "dictionary": (slices(({"a": ROWS, "b": ROWS * 2}, ROWS)), {"left_size": 2, "right_size": 3}),
        "batched": (slices(pairs).batch(4), {"left_size": 0.5, "shuffle": True, "seed": 3}),
        "float32": (ROWS.astype("float32"), {"left_size": 0.5, "preferred_backend": "tensorflow"}),
    }


def plain(element):
    """Return an element as lists, with dtypes."""
    if isinstance(element, (tuple, list)):
        return [plain(part) for part in element]
    if isinstance(element, dict):
        return {key: plain(part) for key, part in element.items()}
    return [str(np.asarray(element).dtype), np.asarray(element).tolist()]


def write_answers():
    """Write what real Keras returns or raises."""
    import keras
    import tensorflow as tf

    found = {}
    for name, (left, right) in size_cases().items():
        try:
            parts = keras.utils.split_dataset(ROWS, left, right)
            found[name] = [[int(row) for row in part] for part in parts]
        except (TypeError, ValueError) as error:
            found[name] = type(error).__name__
    for name, (data, arguments) in data_cases(tf.data.Dataset).items():
        parts = keras.utils.split_dataset(data, **arguments)
        found[name] = [[plain(element) for element in part.as_numpy_iterator()] for part in parts]
    ANSWERS.write_text(json.dumps(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_answers()
