"""Extraction of downloaded archives: only files and folders, only inside one folder, only of a plausible size."""

import errno
import lzma
import tarfile
import zipfile
import zlib
from pathlib import Path

from cornu.core.errors import readable

#: An archive may hold this many times its own size, and `SPARE` bytes more. Text seldom shrinks to less than a tenth;
#: deflate cannot shrink anything to less than a thousandth, but archives made to fill a disk come close to that.
RATIO, SPARE = 200, 2**28
HEADER = 512  # bytes of a member in the count, so that empty members cost something too
#: System errors whose cause is the archive: a place before its start, a member that is a file and a folder, long names.
CAUSED = (errno.EINVAL, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.EILSEQ)
BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, NotImplementedError)


def extract(archive: Path, folder: Path, formats: tuple[str, ...]) -> bool:
    """Extract a tar or zip archive.

    Args:
        archive: The file.
        folder: Where to extract it.
        formats: What to try: ``"tar"``, ``"zip"``.

    Returns:
        Whether it is an archive of one of these formats.

    Raises:
        ValueError: It is damaged or encrypted, has a member outside of the folder, a link or a device, or would take
            more space than an archive of its size should.
    """
    try:
        if "tar" in formats and tarfile.is_tarfile(archive):
            _extract_tar(archive, folder)
            return True
        if "zip" in formats and zipfile.is_zipfile(archive):
            _extract_zip(archive, folder)
            return True
    except (*BROKEN, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None and error.errno not in CAUSED:  # a full disk, ...
            raise
        raise ValueError(readable(f"{archive.name} was not unpacked: {error}.")) from error
    return False


def _extract_tar(archive: Path, folder: Path) -> None:
    taken = 0
    with tarfile.open(archive) as tar:
        for member in tar:
            # The standard library's filter let chains of links lead out of the folder (CVE-2025-4517).
            if not (member.isreg() or member.isdir()):
                raise tarfile.ExtractError(
                    f"{member.name!r} is a link or a device, and an archive from the internet may have neither. "
                    "If you trust this one, extract it by hand"
                )
            taken += member.size + HEADER
            _check_size(archive, taken)
            tar.extract(member, folder, filter="data")  # rejects members outside of the folder


def _extract_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as zipped:
        _check_size(archive, sum(member.file_size + HEADER for member in zipped.infolist()))  # it reads no more of each
        zipped.extractall(folder)  # drops drive letters, leading slashes and ".."; writes links as text


def _check_size(archive: Path, taken: int) -> None:
    size = archive.stat().st_size
    if taken > RATIO * size + SPARE:
        raise tarfile.ExtractError(
            f"its members take more than {taken:,} bytes, and an archive of {size:,} bytes should not have that many. "
            "If you trust it, extract it by hand"
        )
