"""Files of records and their examples, compared with TensorFlow's."""

import gzip
import io
import json
from pathlib import Path

import numpy as np
import pytest
from tests.compat.tensorflow import record_cases
from tests.compat.tensorflow.own_tensorflow import OwnTensorflow

from cornu.compat.tensorflow import image_files, names, records

ANSWERS = json.loads((Path(__file__).parent / "record_cases.json").read_text(encoding="utf-8"))


tf = OwnTensorflow(train=records, io=records, data=records)


def write(path, options=None):
    with records.TFRecordWriter(path, options) as writer:
        for example in record_cases.examples(tf):
            writer.write(example)
    return path


def test_records_of_tensorflow_are_read(tmp_path):
    path = tmp_path / "theirs"
    path.write_bytes(bytes.fromhex(ANSWERS["file"]))
    assert list(record_cases.parsed(tf, path)) == ANSWERS["parsed"]


def test_records_that_end_with_zero_bytes_stay_whole(tmp_path):
    content = np.arange(3, dtype="<i4")[::-1].tobytes()
    with records.TFRecordWriter(tmp_path / "one") as writer:
        writer.write(content)
    rows = records.TFRecordDataset(tmp_path / "one")
    assert list(rows.as_numpy_iterator()) == [one.numpy() for one in rows] == [content]


@pytest.mark.parametrize("options", [None, "GZIP", records.TFRecordOptions("GZIP")])
def test_own_records_are_read_again(tmp_path, options):
    path = write(tmp_path / "ours", options)
    if options is None:
        assert list(record_cases.parsed(tf, path)) == ANSWERS["parsed"]
        assert len(path.read_bytes()) == len(ANSWERS["file"]) // 2
    assert list(records.records_in(str(path), "GZIP" if options else None)) == list(record_cases.examples(tf))


def test_an_unknown_compression_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="compression_type must be '' or 'GZIP'; got 'ZLIB'"):
        records.TFRecordWriter(tmp_path / "one", "ZLIB")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("cut", [5, 30, -1])
def test_damaged_files_are_named(tmp_path, cut):
    content = write(tmp_path / "ours").read_bytes()
    for damaged in (content[:cut], content[:40] + bytes([content[40] ^ 1]) + content[41:]):
        (tmp_path / "damaged").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"damaged: .* byte [0-9,]+"):
            list(records.TFRecordDataset(str(tmp_path / "damaged")))


def test_examples_compare_and_complain():
    example = next(record_cases.examples(tf))
    again = records.Example.FromString(example)
    assert again.SerializeToString() == example
    assert again.features.feature["label"].int64_list.value == [-1]
    with pytest.raises(ValueError, match="'label' has values of int64; float32 is asked for"):
        records.parse_single_example(example, {"label": records.FixedLenFeature([], "float32")})
    with pytest.raises(ValueError, match=r"'other' is missing; its shape \(\) needs 1"):
        records.parse_single_example(example, {"other": records.FixedLenFeature([], "int64")})
    with pytest.raises(ValueError, match="has 3 values"):
        records.parse_single_example(example, {"weights": records.FixedLenFeature([2], "float32")})
    with pytest.raises(ValueError, match="damaged"):
        records.parse_single_example(b"\x0a\xff", {})
    with pytest.raises(TypeError, match=r"Use \.encode"):
        records.BytesList(["text"])
    with pytest.raises(TypeError, match=r"takes integers; got 1\.5"):
        records.Int64List([1.5])


def test_several_examples_at_once():
    found = records.parse_example(
        list(record_cases.examples(tf)),
        {"label": records.FixedLenFeature([], "int64"), "words": records.VarLenFeature("string")},
    )
    assert found["label"].tolist() == [-1, 0, 1]
    assert found["words"].tolist() == [[b"a", b""], [b"a", "é".encode()], [b"", b""]]


def test_lines_of_text(tmp_path):
    (tmp_path / "a.txt").write_bytes("one\r\ntwo é\n\nlast".encode())
    with gzip.open(tmp_path / "b.gz", "wb") as file:
        file.write(b"zipped\n")
    assert [str(line) for line in records.TextLineDataset(str(tmp_path / "a.txt"))] == ["one", "two é", "", "last"]
    assert [str(line) for line in records.TextLineDataset([str(tmp_path / "b.gz")], "GZIP")] == ["zipped"]
    with pytest.raises(ValueError, match="must be '' or 'GZIP'"):
        list(records.TextLineDataset(str(tmp_path / "a.txt"), "ZIP"))


def test_pictures_are_read_and_decoded(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 3)).astype("uint8")
    pillow.fromarray(pixels).save(tmp_path / "a.png")
    content = records.read_file(str(tmp_path / "a.png"))
    np.testing.assert_array_equal(image_files.decode_png(content), pixels)
    np.testing.assert_array_equal(image_files.decode_image(content, channels=3), pixels)
    assert image_files.decode_jpeg(content, channels=1).shape == (5, 4, 1)
    assert np.asarray(image_files.decode_image(content, dtype="float32")).max() <= 1
    grey = io.BytesIO()
    pillow.fromarray(pixels[..., 0]).save(grey, "PNG")
    assert image_files.decode_png(grey.getvalue()).shape == (5, 4, 1)
    with pytest.raises(ValueError, match="picture"):
        image_files.decode_image(b"no picture")


def test_jpegs_have_the_pixels_of_tensorflow():
    simplejpeg = pytest.importorskip("simplejpeg")
    pillow = pytest.importorskip("PIL.Image")
    contents = []
    for seed in range(2):
        file = io.BytesIO()
        pillow.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 31, 3)).astype("uint8")).save(file, "JPEG")
        contents.append(file.getvalue())
    found = [image_files.decode_jpeg(content, channels=3) for content in contents]
    for content, pixels in zip(contents, found, strict=True):
        np.testing.assert_array_equal(pixels, simplejpeg.decode_jpeg(content, fastdct=True))


def test_programs_find_all_of_them():
    for module in ("tensorflow.io", "tensorflow.data", "tensorflow.train"):
        for name, target in names.NAMES[module].items():
            if "tensorflow.records" in target:
                assert callable(getattr(records, name))
