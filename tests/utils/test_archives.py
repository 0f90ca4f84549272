"""Damaged and hostile archives: each is refused with a ValueError; errors of the machine stay what they are."""

import errno
import io
import struct
import tarfile
import zipfile

import pytest

from cornu.utils import archives


def tar(*members):
    """Return a tar archive; a member whose name ends in a slash is a folder."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name in members:
            info = tarfile.TarInfo(name.rstrip("/"))
            info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            info.size = 0 if name.endswith("/") else 3
            archive.addfile(info, io.BytesIO(b"abc"))
    return stream.getvalue()


def zipped(*members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in members:
            archive.writestr(name, b"abc")
    return stream.getvalue()


def members_before_the_start():
    content = bytearray(zipped("a"))
    at = content.rindex(b"PK\x05\x06") + 16
    content[at : at + 4] = struct.pack("<I", struct.unpack_from("<I", content, at)[0] + 9)
    return bytes(content)


REFUSED = {
    "a folder, then a file of its name": tar("a/", "a"),
    "a file, then one inside it": tar("a", "a/b"),
    "a file, then a folder of its name": tar("a", "a/"),
    "a long name": tar("x" * 300),
    "a folder, then a file of its name, zip": zipped("a/", "a"),
    "a file, then one inside it, zip": zipped("a", "a/b"),
    "a long name, zip": zipped("x" * 300),
    "members before the start": members_before_the_start(),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_that_cannot_be_unpacked_is_refused(kind, tmp_path):
    path = tmp_path / "archive"
    path.write_bytes(REFUSED[kind])
    with pytest.raises(ValueError, match="archive was not unpacked: "):
        archives.extract(path, tmp_path / "folder", ("tar", "zip"))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_errors_of_the_machine_stay_what_they_are(number, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(number, "of the machine")

    monkeypatch.setattr(tarfile.TarFile, "extract", fail)
    path = tmp_path / "archive"
    path.write_bytes(tar("a"))
    with pytest.raises(OSError, match="of the machine") as caught:
        archives.extract(path, tmp_path / "folder", ("tar", "zip"))
    assert caught.value.errno == number
