"""`get_file`: download a file into the cache folder once, and extract it on request."""

import glob
import os
import shutil
import time
import warnings
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from cornu.core.atomic_files import DAY, flush_folder
from cornu.datasets.fetch import cache_folder, download, has_digest
from cornu.utils import archives


def get_file(
    fname: str | os.PathLike | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | list[str] | tuple[str, ...] | None = "auto",
    cache_dir: str | os.PathLike | None = None,
    force_download: bool = False,
) -> str:
    """Return the path of the file at `origin`, downloaded at most once.

    Args:
        fname: Name of the local file, by default its name at `origin`. With `extract`, a name without a dot is the name
            of the folder.
        origin: URL (http, https, ftp or file).
        untar: Older form of ``extract=True, archive_format="tar"``.
        md5_hash: Older form of an MD5 `file_hash`.
        file_hash: SHA-256 or MD5 of the content. A cached file with another hash is downloaded again; a download with
            another hash is rejected.
        cache_subdir: Folder inside `cache_dir`, or an absolute path.
        hash_algorithm: ``"sha256"``, ``"md5"``, or ``"auto"`` to choose by the length of `file_hash`.
        extract: Whether to extract a .tar, .tar.gz, .tar.bz2, .tar.xz or .zip file, and return the folder.
        archive_format: ``"tar"``, ``"zip"``, a list of them, ``"auto"`` for both, or None for none.
        cache_dir: None for ``$KERAS_HOME`` or ``~/.keras``.
        force_download: Whether to download even if the file exists.

    Raises:
        ConnectionError: The download failed; the message says where to put the file by hand.
        ValueError: No origin, a path as `fname`, content with another hash, a server on the internet that redirects to
            an address of this machine or its network, or an archive with links or of an implausible size.

    Follows https://keras.io/api/utils/python_utils/#getfile-function
    """
    if not origin:
        raise ValueError("get_file needs origin=, the URL of the file.")
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    name = _plain_name(fname, origin)
    unpack = extract or untar
    folder = cache_folder(cache_dir, cache_subdir)
    target = folder / (f"{name}_archive" if unpack and (fname is None or "." not in name) else name)
    fresh = force_download or not _is_there(target, file_hash, hash_algorithm)
    if fresh:
        download(origin, target, file_hash, hash_algorithm)
    if not unpack:
        return str(target)
    unpacked = folder / (f"{name.partition('.')[0]}_extracted" if target.name == name else name)
    if fresh or not unpacked.exists():
        _unpack(target, unpacked, "tar" if untar else archive_format)
    return str(unpacked)


def _plain_name(fname: str | os.PathLike | None, origin: str) -> str:
    name = os.fspath(fname) if fname else os.path.basename(urlsplit(origin).path)
    if name in ("", ".", ".."):
        raise ValueError(f"The URL {origin!r} does not end in a file name: pass one as fname=.")
    if "/" in name or os.sep in name:
        raise ValueError(f"fname is {name!r}; it must be a name without folders: pass the folder as cache_dir=.")
    return name


def _is_there(path: Path, file_hash: str | None, algorithm: str) -> bool:
    if not path.is_file():
        return False
    if file_hash is None or has_digest(path, file_hash, algorithm):
        return True
    print(f"{path} does not have the expected content (digest {file_hash}): downloading it again.")
    return False


def _unpack(archive: Path, folder: Path, formats: str | list[str] | tuple[str, ...] | None) -> None:
    """Extract next to `folder`, then rename, so that `folder` never holds half an archive."""
    if formats == "auto":
        formats = ("tar", "zip")
    formats = (formats,) if isinstance(formats, str) else tuple(formats or ())
    unknown = set(formats) - {"tar", "zip"}
    if unknown:
        raise ValueError(f"archive_format is {unknown.pop()!r}; it must be 'auto', 'tar', 'zip' or None.")
    temporary = folder.with_name(f".{folder.name}-{uuid4().hex}")
    for left in folder.parent.glob(f".{glob.escape(folder.name)}-*"):  # from a process that was killed
        if time.time() - left.stat().st_mtime > DAY:
            shutil.rmtree(left, ignore_errors=True)
    try:
        if not archives.extract(archive, temporary, formats):
            warnings.warn(f"{archive} is not an archive of a known kind: it was not unpacked.", stacklevel=3)
        elif folder.exists():
            shutil.copytree(temporary, folder, symlinks=True, dirs_exist_ok=True)
            _flush(folder)
        else:
            _flush(temporary)
            temporary.rename(folder)
            flush_folder(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _flush(folder: Path) -> None:
    """Wait until all files below a folder, and their names, are on disk."""
    for place, _, names in os.walk(folder):
        for name in names:
            if not os.path.islink(found := os.path.join(place, name)):
                flush_folder(Path(found))
        flush_folder(Path(place))
