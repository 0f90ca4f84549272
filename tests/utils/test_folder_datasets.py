"""Folders of texts and recordings: classes, order, labels and contents are those of Keras on TensorFlow."""

import json
import os
import threading

import numpy as np
import pytest

import cornu
from cornu.utils import audio_dataset_from_directory, text_dataset_from_directory
from utils import folder_cases as known

ANSWERS = np.load(known.ANSWERS)
MAKE = {"text": text_dataset_from_directory, "audio": audio_dataset_from_directory}
CASES = {"text": known.TEXT_CASES, "audio": known.AUDIO_CASES}
NAMES = [(kind, name) for kind, cases in CASES.items() for name in cases]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    found = {kind: tmp_path_factory.mktemp(kind) for kind in MAKE}
    known.write_folder(found["text"], known.TEXTS)
    known.write_folder(found["audio"], known.RECORDINGS)
    return found


def read(kind, folder, **arguments):
    return MAKE[kind](folder, verbose=False, **arguments)


def answers(case):
    """Return the elements that Keras gave, those of one data set, with texts as Cornu decodes them."""
    number = 0
    while f"{case}, {number}, 0" in ANSWERS.files:
        parts = [ANSWERS[f"{case}, {number}, {i}"] for i in range(2) if f"{case}, {number}, {i}" in ANSWERS.files]
        if case.startswith("text"):
            texts = json.loads(str(parts[0]))
            parts[0] = np.array([one.encode("latin-1").decode("utf-8", "replace") for one in texts], object)
        yield parts
        number += 1


def parts_of(element, kind):
    parts = list(element) if isinstance(element, tuple) else [element]
    if kind == "text" and isinstance(parts[0], str):
        parts[0] = np.array([parts[0]], object)
    return parts


@pytest.mark.parametrize(("kind", "name"), NAMES)
@pytest.mark.filterwarnings("ignore:All . .* are of one class")
def test_elements_are_those_of_keras_on_tensorflow(folders, kind, name):
    arguments = CASES[kind][name]
    made = read(kind, folders[kind], **arguments)
    parts = list(made) if isinstance(made, (list, tuple)) else [made]
    for number, data in enumerate(parts):
        case = f"{kind}, {name}, {number}"
        assert data.class_names == json.loads(str(ANSWERS[f"{case}, classes"]))
        expected, found = list(answers(case)), [parts_of(one, kind) for one in data._iterate()]
        assert len(found) == len(expected) == len(data)
        is_shuffled = arguments.get("shuffle", True) and number == 0  # TensorFlow's orders of epochs are its own
        if is_shuffled:
            expected, found = rows_of(expected), rows_of(found)
        for ours, theirs in zip(found, expected, strict=True):
            for mine, other in zip(ours, theirs, strict=True):
                assert (mine.shape, mine.dtype) == (other.shape, other.dtype)
                np.testing.assert_array_equal(mine, other)


def rows_of(batches):
    """Return the rows of batches, sorted; recordings without the padding of their batch."""
    rows = [row for batch in batches for row in zip(*batch, strict=True)]
    trimmed = [tuple(_trimmed(part) for part in row) for row in rows]
    return sorted(trimmed, key=lambda row: str([part.tolist() for part in row]))


def _trimmed(part):
    part = np.asarray(part)
    if part.ndim != 2:
        return part
    used = np.argwhere(part)
    rows, columns = used.max(0) + 1
    return part[:rows, :columns]


def test_the_same_seed_gives_the_same_epochs(folders):
    for kind, folder in folders.items():
        first, again = (read(kind, folder, seed=5, batch_size=2) for _ in range(2))
        epochs = [[y.tolist() for _, y in first] for _ in range(4)]
        assert len({str(epoch) for epoch in epochs}) > 1
        assert epochs == [[y.tolist() for _, y in again] for _ in range(4)]


def test_texts_are_used_as_programs_for_tensorflow_do(folders):
    data = read("text", folders["text"], shuffle=False)
    texts, labels = next(iter(data))
    assert texts.numpy()[2].decode().startswith("Früher")
    assert texts[2].numpy().decode("utf-8") == texts.numpy()[2].decode() == str(texts[2])
    assert data.class_names[labels[2]] == "bad"
    alone = data.map(lambda texts, labels: texts)
    (batch,) = alone
    assert batch.dtype == object
    batched = read("text", folders["text"], shuffle=False, batch_size=None).batch(4)
    first = next(iter(batched))[0]
    assert (first.dtype, first[2]) == (object, texts[2])
    kept = data.cache().shuffle(10).prefetch(2)
    assert len(list(kept)) == len(list(kept)) == 1


def test_format_grain_is_the_same(folders):
    (grain,), (tf,) = (list(read("text", folders["text"], seed=1, format=name)) for name in ("grain", "tf"))
    assert grain[0].tolist() == tf[0].tolist()


def test_a_model_learns_from_recordings(folders):
    cornu.utils.set_random_seed(0)
    layers = cornu.layers
    data = read("audio", folders["audio"], output_sequence_length=20, class_names=["bad", "good"], batch_size=4, seed=1)
    data = data.map(lambda x, y: (x[:, :, :1], y))
    model = cornu.Sequential([cornu.Input((20, 1)), layers.Flatten(), layers.Dense(2, activation="softmax")])
    model.compile(cornu.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    assert model.fit(data, epochs=60, verbose=0).history["accuracy"][-1] > 0.8


def test_recordings_at_another_rate(tmp_path):
    seconds = np.arange(8000) / 8000
    wave = np.sin(2 * np.pi * 440 * seconds)
    known.write_folder(tmp_path, {"a/1.wav": known.wav_file((wave[:, None] * 20000).astype("<i2"), 8000)})
    with pytest.warns(UserWarning, match="All 1 recordings .* are of one class"):
        ((found, _),) = read("audio", tmp_path, sampling_rate=16000)
    assert found.shape == (1, 16000, 1)
    expected = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000) * 20000 / 32768
    np.testing.assert_allclose(found[0, 100:-100, 0], expected[100:-100], atol=2e-3)
    (cut,) = read("audio", tmp_path, labels=None, sampling_rate=4000, output_sequence_length=4100)
    assert cut.shape == (1, 4100, 1)
    assert not np.any(cut[0, 4000:])
    np.testing.assert_allclose(cut[0, 50:3950, 0], expected[::4][50:3950], atol=2e-3)


def test_files_that_cannot_be_read_are_named(tmp_path):
    known.write_folder(tmp_path, {"a/1.txt": b"x", "b/2.txt": b"y", "a/1.wav": b"RIFF", "b/2.wav": b""})
    with pytest.raises(ValueError, match=r"recording '.*1\.wav' cannot be read. It is not a WAV file.*Replace or"):
        list(read("audio", tmp_path, shuffle=False))
    data = {kind: read(kind, tmp_path, shuffle=False) for kind in MAKE}
    for kind, word in (("text", "text"), ("audio", "recording")):
        (tmp_path / "a" / f"1.{'txt' if kind == 'text' else 'wav'}").unlink()
        with pytest.raises(FileNotFoundError, match=rf"no {word} '.*1\.(txt|wav)' any more"):
            list(data[kind])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads every file")
def test_a_file_without_permission_is_named(tmp_path):
    known.write_folder(tmp_path, {"a/1.txt": b"x", "b/2.txt": b"y"})
    (tmp_path / "a" / "1.txt").chmod(0)
    with pytest.raises(ValueError, match=r"text '.*1\.txt' cannot be read: Permission denied"):
        list(read("text", tmp_path))


def test_a_folder_that_became_a_file_is_named(tmp_path):
    known.write_folder(tmp_path, {"a/1.txt": b"x", "b/2.txt": b"y"})
    data = read("text", tmp_path)
    (tmp_path / "a" / "1.txt").unlink()
    (tmp_path / "a").rmdir()
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(ValueError, match=r"text '.*1\.txt' cannot be read: Not a directory"):
        list(data)


@pytest.mark.parametrize("kind", MAKE)
def test_empty_folders(tmp_path, kind):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        read(kind, tmp_path / "nothing")
    with pytest.raises(ValueError, match="has no subfolders"):
        read(kind, tmp_path)
    known.write_folder(tmp_path, {"a/1.flac": b"", "b/2.flac": b""})
    with pytest.raises(ValueError, match=r"There is no file \.(txt|wav) in .*it has \.flac"):
        read(kind, tmp_path)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("text", {"label_mode": "one_hot"}, "label_mode must be one of 'int'"),
        ("text", {"labels": "bad"}, "labels must be 'inferred', None or a list"),
        ("audio", {"labels": [0] * 6, "class_names": ["a"]}, "class_names needs labels='inferred'"),
        ("audio", {"label_mode": None, "class_names": ["bad"]}, "class_names needs labels='inferred' and a label_mode"),
        ("text", {"max_length": -1}, "max_length must be a number of bytes"),
        ("text", {"max_length": "10"}, "max_length must be a number of bytes"),
        ("text", {"format": "torch"}, "format must be 'tf' or 'grain'"),
        ("audio", {"ragged": True}, "ragged=True is not supported.*batch_size=None"),
        ("audio", {"sampling_rate": 0}, "sampling_rate must be a positive integer"),
        ("audio", {"sampling_rate": 16000.0}, "sampling_rate must be a positive integer"),
        ("audio", {"output_sequence_length": 0}, "output_sequence_length must be a positive integer"),
        ("audio", {"validation_split": 0.5}, "belong together"),
        ("text", {"batch_size": 0}, "batch_size must be an integer"),
    ],
)
def test_wrong_arguments(folders, kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        read(kind, folders[kind], **arguments)


def test_reading_stops_with_its_reader(folders):
    others = set(threading.enumerate())
    for _ in read("text", folders["text"], batch_size=1):
        break
    for thread in set(threading.enumerate()) - others:
        thread.join(timeout=10)
        assert not thread.is_alive()


@pytest.mark.old_spellings
def test_old_places():
    assert cornu.preprocessing.text_dataset_from_directory is text_dataset_from_directory
    assert not hasattr(cornu.preprocessing, "audio_dataset_from_directory")  # as in Keras
