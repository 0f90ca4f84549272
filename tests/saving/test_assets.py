"""Files of layers beside the weights in ``.keras`` files: vocabularies, and what custom layers save."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

import cornu
from cornu import layers

VOCABULARY = "assets/layers/string_lookup/vocabulary.txt"


def saved(path, layer, dtype="string"):
    inputs = layers.Input((2,), dtype=dtype)
    cornu.Model(inputs, layer(inputs)).save(path)
    return path


def adapted(mode="int", **options):
    layer = layers.StringLookup(output_mode=mode, name="words", **options)
    layer.adapt([["a", "b"], ["c", "a"]])
    return layer


def changed(path, name, content):
    """Replace a member of an archive, or leave it out."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    members[name] = content
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, kept in members.items():
            if kept is not None:
                archive.writestr(zipfile.ZipInfo(member), kept)
    path.write_bytes(buffer.getvalue())
    return path


WRONG = {
    "a token twice": (b"[UNK]\na\na\nb", "repeated: 'a'"),
    "too many": (b"[UNK]\na\nb\nc\nd", "5 entries.*config says 4"),
    "too few": (b"[UNK]\na", "2 entries.*config says 4"),
    "not text": (b"[UNK]\n\xff\nb\nc", "not text in UTF-8"),
    "a command for the terminal": (b"[UNK]\n\x1b[2J\n\x1b[2J\nc", r"\\x1b\[2J"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_vocabulary_that_does_not_fit(name, tmp_path):
    content, words = WRONG[name]
    path = changed(saved(tmp_path / "model.keras", adapted()), VOCABULARY, content)
    with pytest.raises(ValueError, match=rf"(?s){words}.*model\.keras"):
        cornu.models.load_model(path)


def test_integers_that_are_none(tmp_path):
    layer = layers.IntegerLookup()
    layer.adapt([[1, 2]])
    path = saved(tmp_path / "model.keras", layer, "int64")
    for line in (b"x", b"1.5", b"9" * 30, b"9223372036854775808", b"", "²".encode()):
        changed(path, "assets/layers/integer_lookup/vocabulary.txt", b"-1\n" + line + b"\n2")
        with pytest.raises(ValueError, match=r"Line 2 of the vocabulary of layer .*expected an integer"):
            cornu.models.load_model(path)


def test_weights_that_do_not_fit_the_vocabulary(tmp_path):
    path = saved(tmp_path / "model.keras", adapted("tf_idf", max_tokens=9, pad_to_max_tokens=True))
    assert cornu.models.load_model(path).layers[-1].idf_weights.shape == (9,)
    other = saved(tmp_path / "other.keras", adapted("tf_idf", max_tokens=7, pad_to_max_tokens=True))
    with zipfile.ZipFile(other) as archive:
        changed(path, "model.weights.h5", archive.read("model.weights.h5"))
    with pytest.raises(ValueError, match=r"has 9 idf weights; the file has an array of shape \(7,\)"):
        cornu.models.load_model(path)


def test_a_file_without_its_vocabulary(tmp_path):
    path = changed(saved(tmp_path / "model.keras", adapted()), VOCABULARY, None)
    assert cornu.models.load_model(path).layers[-1].get_vocabulary() == ["[UNK]"]


def test_weights_alone_have_no_vocabulary(tmp_path):
    model = cornu.models.load_model(saved(tmp_path / "model.keras", adapted()))
    model.layers[-1].set_vocabulary(["x", "y", "z"])
    model.load_weights(tmp_path / "model.keras")
    assert model.layers[-1].get_vocabulary() == ["[UNK]", "x", "y", "z"]


ODD = [["a\nb", "c\u2028d"], ["e\x85", ""], ["a", "a"]]


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("mode", ["int", "tf_idf"])
def test_words_with_line_breaks(mode, suffix, tmp_path):
    layer = layers.StringLookup(output_mode=mode)
    layer.adapt(ODD)
    loaded = cornu.models.load_model(saved(tmp_path / f"model{suffix}", layer)).layers[-1]
    assert loaded.get_vocabulary() == layer.get_vocabulary()
    np.testing.assert_array_equal(loaded(ODD), layer(ODD))
    loaded.adapt(ODD)  # it is no vocabulary of the constructor's


class Remembers(layers.Layer):
    """A custom layer that saves files as Keras's documentation shows it."""

    said = b""

    def call(self, inputs):
        return inputs

    def save_assets(self, dir_path):
        Path(dir_path, "deep").mkdir()
        Path(dir_path, "deep", "said.bin").write_bytes(self.said)

    def load_assets(self, dir_path):
        self.said = Path(dir_path, "deep", "said.bin").read_bytes()


def test_files_of_custom_layers(tmp_path):
    layer = Remembers()
    layer.said = b"\xff\x00"
    path = saved(tmp_path / "model.keras", layer, "float32")
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist()[-1] == "assets/layers/remembers/deep/said.bin"
    assert cornu.models.load_model(path, {"Remembers": Remembers}).layers[-1].said == b"\xff\x00"
