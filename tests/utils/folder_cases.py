"""Folders of texts and recordings, and what Keras on TensorFlow makes of them; the answers are in folder_answers.npz.

``python tests/utils/folder_cases.py`` writes that file with real Keras (3.15, TensorFlow 2.21).
"""

import json
import struct
import tempfile
from pathlib import Path

import numpy as np

ANSWERS = Path(__file__).resolve().parent / "folder_answers.npz"
TEXTS = {
    "bad/1.txt": b"Never again.",
    "bad/10.txt": "Früher war mehr Lametta \U0001f384".encode(),
    "bad/2.TXT": b"\xef\xbb\xbfwith a mark",
    "bad/deep/a.txt": b"two\r\nlines\n",
    "bad/.hidden.txt": b"caf\xe9 in Latin-1",
    "bad/notes.md": b"no text",
    "good/1.txt": b"",
    "good/2.txt": b"Splendid! " * 5,
    "good/3.txt": b"a zero \0 and a last one\0",
    "good/4.txt": b"caf\xc3\xa9",
    "top.txt": b"in no class",
}
COMMON = {
    "sorted": {"shuffle": False},
    "categorical": {"shuffle": False, "label_mode": "categorical", "batch_size": 3},
    "binary": {"shuffle": False, "label_mode": "binary"},
    "no label mode": {"shuffle": False, "label_mode": None},
    "no labels": {"shuffle": False, "labels": None, "batch_size": 5},
    "one by one": {"shuffle": False, "batch_size": None},
    "class names": {"shuffle": False, "class_names": ["good", "bad"]},
    "one class name": {"shuffle": False, "class_names": ["good"]},
    "both": {"validation_split": 0.4, "subset": "both", "seed": 7},
    "both, sorted": {"validation_split": 0.4, "subset": "both", "shuffle": False},
    "shuffled": {"seed": 3},
}
TEXT_CASES = COMMON | {
    "list": {"shuffle": False, "labels": [5, 1, 5, 1, 5, 1, 5, 1, 9, 9]},
    "short": {"shuffle": False, "max_length": 4},
    "nothing": {"shuffle": False, "max_length": 0},
    "training": {"validation_split": 0.3, "subset": "training", "seed": 11},
    "validation": {"validation_split": 0.3, "subset": "validation", "seed": 11},
}
AUDIO_CASES = COMMON | {
    "list": {"shuffle": False, "labels": [5, 1, 5, 1, 5, 1]},
    "cut": {"shuffle": False, "output_sequence_length": 6, "class_names": ["bad"]},
    "padded": {"shuffle": False, "output_sequence_length": 40, "class_names": ["bad"]},
}


def wav_file(samples, rate=16000, encoding=1, bits=16, before=b"", header=b""):
    """Return a WAV file of samples ``(time, channels)`` in the file's own dtype (24 bits: three bytes each)."""
    channels = samples.shape[1]
    width = channels * bits // 8
    form = struct.pack("<HHIIHH", encoding, channels, rate, rate * width, width, bits) + header
    data = samples.tobytes()
    parts = b"WAVEfmt " + struct.pack("<I", len(form)) + form + before
    parts += b"data" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(parts)) + parts


def _recordings():
    rng = np.random.default_rng(0)
    drawn = lambda steps, channels: rng.integers(-32768, 32768, (steps, channels)).astype("<i2")  # noqa: E731
    listed = b"LIST" + struct.pack("<I", 4) + b"INFO"  # TensorFlow reads no odd sizes
    return {
        "bad/1.wav": wav_file(np.array([[-32768], [-1], [0], [1], [32767]], "<i2")),
        "bad/2.WAV": wav_file(drawn(17, 1), 8000, before=listed),
        "bad/deep/3.wav": wav_file(drawn(9, 1), 44100, header=b"\0\0"),
        "good/1.wav": wav_file(drawn(12, 2)),
        "good/2.wav": wav_file(drawn(1, 1)),
        "good/30.wav": wav_file(drawn(20, 3)),
        "good/text.txt": b"no recording",
    }


RECORDINGS = _recordings()


def write_folder(folder, files):
    """Write files, named by their paths in a folder."""
    for name, content in files.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def elements_of(data, kind):
    """Return the elements of a data set as plain arrays; texts, which are bytes, as JSON of Latin-1."""
    for element in data.as_numpy_iterator():
        contents, *labels = element if isinstance(element, tuple) else (element,)
        if kind == "text":
            texts = [one.decode("latin-1") for one in np.atleast_1d(np.asarray(contents, object))]
            contents = np.array(json.dumps(texts))
        yield (contents, *labels)


def write_answers():
    """Write what real Keras makes of every case."""
    import keras

    found = {}
    for kind, files, cases in (("text", TEXTS, TEXT_CASES), ("audio", RECORDINGS, AUDIO_CASES)):
        make = getattr(keras.utils, f"{kind}_dataset_from_directory")
        with tempfile.TemporaryDirectory() as folder:
            write_folder(folder, files)
            for name, arguments in cases.items():
                made = make(folder, **arguments)
                for part, data in enumerate(made if isinstance(made, (list, tuple)) else [made]):
                    found[f"{kind}, {name}, {part}, classes"] = np.array(json.dumps(data.class_names))
                    for number, element in enumerate(elements_of(data, kind)):
                        for place, array in enumerate(element):
                            found[f"{kind}, {name}, {part}, {number}, {place}"] = array
    np.savez_compressed(ANSWERS, **found)


if __name__ == "__main__":
    write_answers()
