"""get_file with Keras's whole signature, against files on this machine."""

import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cornu.utils import archives
from cornu.utils.files import get_file

CONTENT = b"some words"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture(params=["archive.tar.gz", "archive.zip"])
def archive(tmp_path, request):
    path = tmp_path / request.param
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as zipped:
            zipped.writestr("inner/words.txt", CONTENT)
    else:
        write_tar(path, ("inner/words.txt", CONTENT))
    return path


def write_tar(path, *members):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def test_name_and_place(home, source, tmp_path):
    assert get_file(origin=source.as_uri()) == str(home / "datasets" / "words.txt")
    assert get_file("w.txt", source.as_uri(), cache_subdir="mine") == str(home / "mine" / "w.txt")
    assert get_file("w.txt", source.as_uri(), cache_dir=tmp_path / "other") == str(tmp_path / "other/datasets/w.txt")
    assert get_file("w.txt", source.as_uri(), cache_subdir=str(tmp_path / "abs")) == str(tmp_path / "abs" / "w.txt")


def test_downloads_once_unless_forced(home, source):
    path = Path(get_file(origin=source.as_uri()))
    source.write_bytes(b"newer")
    get_file(origin=source.as_uri())
    assert path.read_bytes() == CONTENT
    get_file(origin=source.as_uri(), force_download=True)
    assert path.read_bytes() == b"newer"


@pytest.mark.parametrize(
    "arguments",
    [
        {"file_hash": hashlib.sha256(CONTENT).hexdigest()},
        {"file_hash": hashlib.md5(CONTENT).hexdigest()},
        {"file_hash": hashlib.sha256(CONTENT).hexdigest(), "hash_algorithm": "sha256"},
        {"md5_hash": hashlib.md5(CONTENT).hexdigest()},
    ],
)
def test_hashes(home, source, arguments):
    path = Path(get_file(origin=source.as_uri(), **arguments))
    path.write_bytes(b"damaged")
    get_file(origin=source.as_uri(), **arguments)
    assert path.read_bytes() == CONTENT
    source.write_bytes(b"damaged at its origin")
    path.unlink()
    with pytest.raises(ValueError, match="incomplete or not the right one"):
        get_file(origin=source.as_uri(), **arguments)
    assert not path.exists()


def test_extract(home, archive):
    folder = home / "datasets" / "archive_extracted"
    assert get_file(archive.name, archive.as_uri(), extract=True) == str(folder)
    assert (folder / "inner" / "words.txt").read_bytes() == CONTENT
    named = get_file("things", archive.as_uri(), extract=True)
    assert named == str(home / "datasets" / "things")
    assert (home / "datasets" / "things_archive").is_file()
    assert sorted(path.name for path in (home / "datasets").iterdir()) == [
        archive.name,
        "archive_extracted",
        "things",
        "things_archive",
    ]


def test_places_equal_keras(home, archive, real_keras, tmp_path):
    for index, arguments in enumerate(({}, {"fname": "things"}, {"fname": archive.name}, {"fname": "a.b.c"})):
        common = {"origin": archive.as_uri(), "extract": True, **arguments}
        for folder in ("ours", "theirs"):
            (tmp_path / f"{folder}{index}").mkdir()
        ours = get_file(cache_dir=str(tmp_path / f"ours{index}"), **common)
        theirs = real_keras.utils.get_file(cache_dir=str(tmp_path / f"theirs{index}"), **common)
        assert Path(ours).relative_to(tmp_path / f"ours{index}") == Path(theirs).relative_to(
            tmp_path / f"theirs{index}"
        )


@pytest.mark.parametrize("name", ["../outside.txt", "/outside.txt"])
def test_a_tar_that_would_write_outside(home, tmp_path, name):
    write_tar(tmp_path / "bad.tar.gz", (name, CONTENT))
    try:
        get_file("bad.tar.gz", (tmp_path / "bad.tar.gz").as_uri(), untar=True)
    except ValueError:
        assert sorted(path.name for path in (home / "datasets").iterdir()) == ["bad.tar.gz"]
    assert not list(home.glob("outside.txt"))
    assert not Path("/outside.txt").exists()


def test_a_tar_with_a_link_outside_is_refused_and_leaves_nothing(home, tmp_path):
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(link)
    with pytest.raises(ValueError, match="was not unpacked"):
        get_file("bad.tar", (tmp_path / "bad.tar").as_uri(), extract=True)
    assert sorted(path.name for path in (home / "datasets").iterdir()) == ["bad.tar"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_archives_are_refused(home, tmp_path, kind):
    """Also links inside of the folder: chains of them could lead out of it (CVE-2025-4517)."""
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        for name, entry_kind in (("file", tarfile.REGTYPE), ("link", kind)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = entry_kind, "file"
            tar.addfile(entry)
    with pytest.raises(ValueError, match=r"bad.tar was not unpacked: 'link' is a link or a device.* by hand\."):
        get_file("bad.tar", (tmp_path / "bad.tar").as_uri(), extract=True)
    assert sorted(path.name for path in (home / "datasets").iterdir()) == ["bad.tar"]


@pytest.mark.parametrize("name", ["bomb.tar.gz", "bomb.tar.xz", "bomb.zip"])
def test_archives_of_an_implausible_size_are_refused(home, tmp_path, name, monkeypatch):
    monkeypatch.setattr(archives, "SPARE", 2**20)
    zeros, path = bytes(2**24), tmp_path / name
    if name.endswith("zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("zeros", zeros)
    else:
        with tarfile.open(path, "w:" + name.rpartition(".")[2]) as tar:
            entry = tarfile.TarInfo("zeros")
            entry.size = len(zeros)
            tar.addfile(entry, io.BytesIO(zeros))
    with pytest.raises(ValueError, match="was not unpacked: its members take more than 16,777,728 bytes"):
        get_file(name, path.as_uri(), extract=True)
    assert sorted(path.name for path in (home / "datasets").iterdir()) == [name]


@pytest.mark.parametrize("name", ["cut.tar.gz", "cut.zip"])
def test_damaged_archives_raise_a_clear_error(home, tmp_path, name):
    path = tmp_path / name
    noise = np.random.default_rng(0).bytes(100_000)
    if name.endswith("zip"):
        with zipfile.ZipFile(path, "w") as zipped:
            zipped.writestr("noise", noise)
        content = bytearray(path.read_bytes())
        content[5000] ^= 1
    else:
        write_tar(path, ("noise", noise))
        content = path.read_bytes()[:50_000]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{name} was not unpacked: "):
        get_file(name, path.as_uri(), extract=True)
    assert sorted(path.name for path in (home / "datasets").iterdir()) == [name]


def test_what_is_no_archive_gives_a_warning(home, source):
    with pytest.warns(UserWarning, match="not an archive"):
        get_file(origin=source.as_uri(), extract=True)
    with pytest.raises(ValueError, match="archive_format is 'rar'"):
        get_file("again", origin=source.as_uri(), extract=True, archive_format="rar")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fname": "a.txt"}, "needs origin="),
        ({"origin": "http://127.0.0.1:9/"}, "does not end in a file name"),
        ({"origin": "http://127.0.0.1:9/..", "fname": ".."}, "does not end in a file name"),
        ({"origin": "gopher://127.0.0.1:9/a"}, "must begin with http, https, ftp or file"),
        ({"origin": "http://127.0.0.1:9/a", "fname": "folder/a"}, "pass the folder as cache_dir="),
    ],
)
def test_wrong_arguments(home, arguments, message):
    with pytest.raises(ValueError, match=message):
        get_file(**arguments)


def test_no_network_says_which_file_goes_where(home):
    with pytest.raises(ConnectionError, match=r"as words\.txt"):
        get_file(origin="http://127.0.0.1:9/words.txt")


def test_what_is_unpacked_is_on_the_disk_before_it_has_its_name(home, archive, monkeypatch):
    from cornu.utils import files

    flushed = []
    monkeypatch.setattr(files, "flush_folder", lambda path: flushed.append(Path(path)))
    folder = Path(get_file(archive.name, archive.as_uri(), extract=True))
    *inside, parent = flushed
    assert parent == folder.parent
    assert {path.name for path in inside} >= {"words.txt", "inner"}
    assert all(path.is_relative_to(folder.parent) and not path.is_relative_to(folder) for path in inside)


def test_what_a_killed_process_left_while_unpacking_is_removed_after_a_day(home, archive):
    left = [home / "datasets" / f".archive_extracted-{number}" for number in (1, 2)]
    for path in left:
        path.mkdir(parents=True)
    os.utime(left[0], (1, 1))
    get_file(archive.name, archive.as_uri(), extract=True)
    assert [path.exists() for path in left] == [False, True]
