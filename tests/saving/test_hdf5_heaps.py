"""Heaps of texts in HDF5 files: walked before the library does, which never comes back from damaged ones."""

import io

import h5py
import numpy as np
import pytest

from cornu.saving import hdf5_heaps, hdf5_limits


def with_texts(count=3, **options):
    """Return an HDF5 file with attributes of texts of free length."""
    stream = io.BytesIO()
    with h5py.File(stream, "w", **options) as file:
        for number in range(count):
            file.attrs[f"text{number}"] = "text " * (number + 1)
        file["values"] = np.frombuffer(b"GCOL" * 400, "uint8")  # looks like a heap and is none
    return bytearray(stream.getvalue())


@pytest.mark.parametrize("options", [{}, {"libver": "latest"}])
@pytest.mark.parametrize("count", [0, 1, 3, 2000])
def test_heaps_of_the_library_are_whole(tmp_path, count, options):
    content = with_texts(count, **options)
    hdf5_heaps.check(io.BytesIO(content), "file")
    (tmp_path / "file").write_bytes(content)
    with hdf5_limits.opened(tmp_path / "file") as file:
        hdf5_heaps.check(file, "file")


@pytest.mark.parametrize("size", [0, 7, 1 << 20, (1 << 64) - 1, (1 << 64) - 15])
@pytest.mark.parametrize("which", [0, 1, 3])
def test_objects_that_reach_out_of_their_heap_are_refused(tmp_path, which, size):
    """The free rest of the heap is the last object; only there is a size of 0 to 15 bytes too small."""
    content = with_texts()
    place = content.index(hdf5_heaps.TEXTS) + hdf5_heaps.HEAD
    for _ in range(which):
        place += hdf5_heaps.HEAD + (int.from_bytes(content[place + 8 : place + 16], "little") + 7) // 8 * 8
    number = int.from_bytes(content[place : place + 2], "little")
    assert (number == 0) == (which == 3)
    content[place + 8 : place + 16] = size.to_bytes(8, "little")
    if number and size < 8:
        return
    with pytest.raises(ValueError, match=r"'m.h5' is damaged: an object in its string heap"):
        hdf5_heaps.check(io.BytesIO(content), "m.h5")


def test_three_bytes_that_the_library_does_not_look_at_hide_no_heap():
    content = with_texts()
    place = content.index(hdf5_heaps.TEXTS)
    content[place + 5 : place + 8] = b"abc"
    content[place + hdf5_heaps.HEAD + 8 : place + hdf5_heaps.HEAD + 16] = b"\xff" * 8
    with pytest.raises(ValueError, match="an object in its string heap"):
        hdf5_heaps.check(io.BytesIO(content), "file")


def with_names():
    """Return an HDF5 file with groups, and the places of the first heap of names and of its data."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for number in range(20):
            file.create_group(f"layer{number}/inside")
    content = bytearray(stream.getvalue())
    place = content.index(hdf5_heaps.NAMES)
    return content, place, int.from_bytes(content[place + 24 : place + 32], "little")


@pytest.mark.parametrize("circle", [1, 2, 3])
def test_free_places_among_names_that_lead_in_a_circle_are_refused(circle):
    """The library would make a note of each of them until there is no memory left."""
    content, place, data = with_names()
    hdf5_heaps.check(io.BytesIO(content), "file")
    content[place + 16 : place + 24] = (8).to_bytes(8, "little")
    for number in range(circle):
        following = 8 + 16 * ((number + 1) % circle)
        content[data + 8 + 16 * number : data + 16 + 16 * number] = following.to_bytes(8, "little")
    with pytest.raises(ValueError, match="'file' is damaged: the free blocks in a group's heap of names"):
        hdf5_heaps.check(io.BytesIO(content), "file")


@pytest.mark.parametrize("first", [1 << 40, (1 << 64) - 1])
def test_free_places_outside_of_the_names_are_left_to_the_library(first):
    content, place, _ = with_names()
    content[place + 16 : place + 24] = first.to_bytes(8, "little")
    hdf5_heaps.check(io.BytesIO(content), "file")
    with h5py.File(io.BytesIO(content), "r") as file, pytest.raises(RuntimeError, match="bad heap free list"):
        list(file)


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n\0\0\0\0\0\4\4\0\0\0", b"x" * 100])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    for given in (tmp_path / "file", io.BytesIO(content)):
        with pytest.raises(ValueError, match="'file' cannot be read as HDF5"), hdf5_limits.opened(given) as file:
            hdf5_heaps.check(file, "file")


def test_a_text_that_says_it_is_longer_than_the_file_is_refused():
    """The library would make room for it first: half a gigabyte for a file of a few kilobytes."""
    content = with_texts()
    heap = content.index(hdf5_heaps.TEXTS).to_bytes(8, "little")
    place = content.index(b"text1") + content[content.index(b"text1") :].index(heap) - 4
    assert int.from_bytes(content[place : place + 4], "little") == len("text " * 2)
    content[place + 3] = 32
    with pytest.raises(ValueError, match="a string in it claims 536,870,922 bytes"):
        hdf5_heaps.check(io.BytesIO(content), "m.h5")


def test_bytes_in_front_of_a_file_are_no_text(tmp_path):
    """A heap at 4096, as in small files of real Keras 2.2.4: the file's own head looks like a text's place then."""
    content = with_texts(userblock_size=0)
    heap = content.index(hdf5_heaps.TEXTS)
    padded = content[:heap] + bytes(4096 - heap) + content[heap:]
    padded[13:15] = 8, 8  # how wide places and sizes are; then half the size of a leaf, and of a tree's node: 4 and 16
    padded[16:20] = 4, 0, 16, 0
    hdf5_heaps.check(io.BytesIO(padded), "m.h5")


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("last", ["scalar", "list", "table", "data set"])
def test_only_places_of_texts_are_looked_at(libver, last):
    """Numbers may look like a long text: the place of one of many weights did, in a file of real Keras."""
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=libver) as file:
        file.attrs["first"] = ["batch_normalization_90"] * 30  # "90" and number 16 look like a type of text
        if last == "data set":
            file["texts"] = ["a", "bc", "last"]
        else:
            texts = {"scalar": "last", "list": ["a", "last"], "table": [["a", "last"]] * 2}[last]
            file["texts"] = 1
            file["texts"].attrs.create("texts", texts, dtype=h5py.string_dtype())
        file["values"] = np.zeros(64, "uint8") + 77
    content = memory.getvalue()
    heap = content.index(hdf5_heaps.TEXTS).to_bytes(8, "little")
    values = content.index(bytes([77] * 64))
    looks_long = bytearray(content)
    looks_long[values + 3 : values + 19] = b"\0\0\0\xc0" + heap + b"\1\0\0\0"
    if last != "data set":  # whose values may be anywhere
        hdf5_heaps.check(io.BytesIO(looks_long), "m.h5")
    long = content.rindex((4).to_bytes(4, "little") + heap)
    damaged = bytearray(content)
    damaged[long + 3] = 32
    with pytest.raises(ValueError, match="a string in it claims 536,870,916 bytes"):
        hdf5_heaps.check(io.BytesIO(damaged), "m.h5")
