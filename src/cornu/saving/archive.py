"""The only place that reads zip files: known members, each once, and nothing between them."""

import contextlib
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cornu.saving.hdf5_limits import BEST_PACKING, SMALL
from cornu.saving.json_text import MOST_JSON, parse
from cornu.saving.source import CORNU, GATES, Source, writer

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
ASSETS = "assets/"
ASSET_NAME = re.compile(r"assets(/[\w .+=@()-]*[\w+=@()-])+")  # no part is empty or made of dots
LONGEST_NAME, MOST_ASSETS = 500, 10_000
EARLIEST = (1980, 1, 1, 0, 0, 0)  # a fixed time in the entries: equal models give equal files except for the metadata
ENCRYPTED, HAS_DESCRIPTOR = 0x1, 0x8
LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
DESCRIPTORS = (12, 16, 20, 24)  # bytes after a member that was written as a stream
END_LENGTH, END_START = 22, b"PK\x05\x06"

#: What zipfile raises for a damaged archive.
DAMAGE = (zipfile.BadZipFile, EOFError, OSError, zlib.error, struct.error, NotImplementedError, RuntimeError)


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a ``.keras`` file and check its members; ValueError if it is damaged or contains anything else."""
    try:
        archive = zipfile.ZipFile(path)
    except (*DAMAGE, ValueError) as error:
        raise ValueError(f"{path.name!r} is damaged: {str(error)[:200]!r}.") from None
    with archive:
        check_members(path, archive)
        _check_places(path, archive)
        yield archive


def check_members(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise ValueError for a zip with members, or forms of members, that a model file does not have."""
    names = [info.filename for info in archive.infolist()]
    known: set[str] = set()
    for info in archive.infolist():
        problem = None
        is_asset = info.filename.startswith(ASSETS)
        if is_asset and not is_asset_name(info.filename):
            problem = "an asset with a name that no layer gives"
        elif info.orig_filename != info.filename or not (is_asset or info.filename in (METADATA, CONFIG, WEIGHTS)):
            problem = "which a model file does not have"
        elif info.filename in known:
            problem = "twice"
        elif info.flag_bits & ENCRYPTED or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            problem = "encrypted or compressed in an unusual way"
        elif (info.external_attr >> 28) not in (0, 0o10):  # the file type of Unix: anything but a plain file
            problem = "which is not a plain file"
        if problem:
            raise ValueError(f"{path.name!r} contains the member {info.orig_filename[:200]!r}, {problem}: refused.")
        known.add(info.filename)
    if len(known) > MOST_ASSETS:
        raise ValueError(
            f"{path.name!r} contains {len(known):,} members, more than the limit of {MOST_ASSETS:,}: refused."
        )
    missing = [name for name in (CONFIG, WEIGHTS) if name not in known]
    if missing:
        raise ValueError(
            f"{path.name!r} has no member {missing[0]!r}, so it is not a model file; it contains {names[:10]}."
        )


def is_asset_name(name: str) -> bool:
    """Return whether an archive may have an asset of a name."""
    return len(name) <= LONGEST_NAME and ASSET_NAME.fullmatch(name) is not None


def _check_places(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise ValueError if members overlap, or bytes of the file belong to none."""
    position, spare = 0, False
    with path.open("rb") as file:
        for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
            _check_gap(path, info.header_offset - position, spare)
            file.seek(info.header_offset)
            header = file.read(LOCAL_HEADER.size)
            if len(header) < LOCAL_HEADER.size:
                raise ValueError(f"{path.name!r} is damaged: the member {info.filename!r} is beyond its end.")
            fields = LOCAL_HEADER.unpack(header)
            position = info.header_offset + LOCAL_HEADER.size + fields[-2] + fields[-1] + info.compress_size
            spare = bool(info.flag_bits & HAS_DESCRIPTOR)
        _check_gap(path, archive.start_dir - position, spare)
        file.seek(max(path.stat().st_size - END_LENGTH, 0))
        if file.read(4) != END_START or archive.comment:
            raise ValueError(f"{path.name!r} continues after the end of the archive: refused.")


def _check_gap(path: Path, gap: int, spare: bool) -> None:
    if gap and not (spare and gap in DESCRIPTORS):
        what = "members that overlap" if gap < 0 else f"{gap:,} bytes that belong to no member"
        raise ValueError(f"{path.name!r} is damaged or malicious: it has {what}: refused.")


def read_member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return the bytes of a member; ValueError if there are more than `most`, or they are damaged."""
    info = archive.getinfo(name)
    if info.file_size > most:
        raise ValueError(f"The member {name!r} has {info.file_size:,} bytes, more than the limit of {most:,}: refused.")
    try:
        with archive.open(info) as file:
            content = file.read(most + 1)
    except DAMAGE as error:
        raise ValueError(f"The member {name!r} of {_name(archive)!r} is damaged: {str(error)[:200]!r}.") from None
    if len(content) != info.file_size:
        raise ValueError(
            f"The member {name!r} of {_name(archive)!r} does not have the size that the archive states: refused."
        )
    return content


def read_weights_member(archive: zipfile.ZipFile) -> bytes:
    """Return the weights; their compression ratio must be plausible."""
    packed = archive.getinfo(WEIGHTS).compress_size
    return read_member(archive, WEIGHTS, max(BEST_PACKING * packed, SMALL))


def config_of(archive: zipfile.ZipFile, what: str) -> dict[str, Any]:
    """Return the config of the model in an archive; `what` is the file, for messages."""
    found = parse(read_member(archive, CONFIG, MOST_JSON), f"{CONFIG} in {what}")
    compiled = found.get("compile_config")
    if not isinstance(compiled, (dict, type(None))):
        raise ValueError(f"{CONFIG} in {what} has {str(compiled)[:80]!r} as its compile_config, which is not a config.")
    return found


def metadata_of(archive: zipfile.ZipFile) -> dict[str, Any]:
    """Return who wrote an archive, and when; empty if it does not say."""
    if METADATA not in archive.namelist():
        return {}
    return parse(read_member(archive, METADATA, MOST_JSON), f"{METADATA} in {_name(archive)!r}")


def _name(archive: zipfile.ZipFile) -> str:
    return Path(archive.filename or "").name


def source_of(archive: zipfile.ZipFile, name: str) -> Source:
    """Return a file's name, which Keras version wrote it, or that Cornu did, and what its gates use."""
    metadata = metadata_of(archive)
    said = writer(metadata.get("keras_version"), metadata.get(CORNU)) or "an unknown version"
    return Source(name, said, metadata.get(GATES))
