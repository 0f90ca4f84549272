"""A file of records: ``python record_cases.py FILE`` with TensorFlow 2.

`record_cases.json` is what it wrote with TensorFlow 2.21: the file as hexadecimal digits, and what TensorFlow parses.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

PICTURES = [np.arange(6, dtype="uint8").reshape(2, 3) + number for number in range(3)]


def examples(tf):
    """Yield serialized examples: picture, label, weights, words; the last one lacks words."""
    make = tf.train
    for number, picture in enumerate(PICTURES):
        feature = {
            "picture": make.Feature(bytes_list=make.BytesList(value=[picture.tobytes()])),
            "label": make.Feature(int64_list=make.Int64List(value=[number - 1])),
            "weights": make.Feature(float_list=make.FloatList(value=[0.5, number, -1e10])),
        }
        if number < 2:
            words = [b"a", "é".encode()][: number + 1]
            feature["words"] = make.Feature(bytes_list=make.BytesList(value=words))
        yield make.Example(features=make.Features(feature=feature)).SerializeToString()


def description(tf):
    return {
        "picture": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
        "weights": tf.io.FixedLenFeature([3], tf.float32),
        "missing": tf.io.FixedLenFeature([2], tf.int64, [7, 8]),
        "words": tf.io.FixedLenSequenceFeature([], tf.string, allow_missing=True),
    }


def parsed(tf, path):
    """Yield the features of each record of a file, as plain data."""
    for record in tf.data.TFRecordDataset(str(path)):
        found = tf.io.parse_single_example(record, description(tf))
        pixels = tf.io.decode_raw(found.pop("picture"), tf.uint8)
        plain = {name: np.asarray(value).tolist() for name, value in found.items()}
        plain["words"] = [word.decode() for word in plain["words"]]
        yield plain | {"pixels": np.asarray(pixels).tolist()}


if __name__ == "__main__":
    import tensorflow

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "records")
        with tensorflow.io.TFRecordWriter(str(path)) as writer:
            for example in examples(tensorflow):
                writer.write(example)
        answers = {"file": path.read_bytes().hex(), "parsed": list(parsed(tensorflow, path))}
        if len(sys.argv) > 2:  # a file that Cornu wrote
            assert list(parsed(tensorflow, sys.argv[2])) == answers["parsed"]
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(answers, file, ensure_ascii=False, indent=0)
        file.write("\n")
