"""``tf.io.gfile``, tensors as bytes, and lines of tables."""

import numpy as np
import pytest

from cornu.compat.tensorflow import files
from cornu.compat.tensorflow.errors import AlreadyExistsError, NotFoundError
from cornu.compat.tensorflow.records import read_file


def test_files_and_folders(tmp_path):
    folder = str(tmp_path / "a" / "b")
    files.makedirs(folder)
    with files.GFile(files.join(folder, "x.txt"), "w") as file:
        file.write("one\ntwo\n")
    assert files.exists(folder + "/x.txt")
    assert files.isdir(folder)
    assert files.listdir(folder) == ["x.txt"]
    assert files.glob(folder + "/*.txt") == [folder + "/x.txt"]
    with files.GFile(folder + "/x.txt") as file:
        assert list(file) == ["one\n", "two\n"]
        assert file.size() == 8
    files.copy(folder + "/x.txt", folder + "/y.txt")
    with pytest.raises(AlreadyExistsError, match="pass overwrite=True"):
        files.copy(folder + "/x.txt", folder + "/y.txt")
    files.rename(folder + "/x.txt", folder + "/y.txt", overwrite=True)
    assert files.stat(folder + "/y.txt").st_size == 8
    assert [names for _, _, names in files.walk(folder)] == [["y.txt"]]
    assert files.matching_files(folder + "/*").numpy().tolist() == [(folder + "/y.txt").encode()]
    files.remove(folder + "/y.txt")
    files.rmtree(str(tmp_path / "a"))
    assert not files.exists(folder)


@pytest.mark.parametrize(
    "call", [lambda path: files.GFile(path), files.listdir, files.remove, files.rmtree, files.stat, read_file]
)
def test_a_missing_file_is_an_error_of_tensorflow_and_of_python(tmp_path, call):
    with pytest.raises(NotFoundError, match="No such file") as error:
        call(str(tmp_path / "nothing"))
    assert isinstance(error.value, FileNotFoundError)


def test_remote_addresses_are_refused():
    with pytest.raises(ValueError, match="is an address of a remote store"):
        files.exists("gs://bucket/file")


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint8", "bool", "float16"])
def test_tensors_come_back_from_bytes(dtype):
    tensor = np.arange(6).reshape(2, 3).astype(dtype)
    found = files.parse_tensor(files.serialize_tensor(tensor), dtype)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, tensor)
    other = "int8" if dtype != "int8" else "uint8"
    with pytest.raises(ValueError, match=f"has the dtype {dtype}, not {other}"):
        files.parse_tensor(files.serialize_tensor(tensor), other)


def test_texts_come_back_from_bytes():
    found = files.parse_tensor(files.serialize_tensor([["a", "é"]]), "string")
    assert found.numpy().tolist() == [[b"a", "é".encode()]]
    # from tf.io.serialize_tensor([1.5, 2.0]) of TensorFlow 2.21
    assert files.parse_tensor(bytes.fromhex("08011204120208022208" + "0000c03f00000040"), "float32").tolist() == [
        1.5,
        2,
    ]


def test_lines_of_a_table():
    first, second, third = files.decode_csv(["1,2.5,a b", ',"3",'], [[0], [9.0], [""]])
    assert (first.tolist(), second.tolist(), third.numpy().tolist()) == ([1, 0], [2.5, 3], [b"a b", b""])
    (only,) = files.decode_csv("4;5", [[0]], field_delim=";", select_cols=[1])
    assert only.tolist() == 5
    with pytest.raises(ValueError, match="Expect 2 fields but have 1 in record 0"):
        files.decode_csv(["1"], [[0], [0]])
    with pytest.raises(ValueError, match="A field is empty, and its default is too"):
        files.decode_csv([",1"], [[], [0]])
