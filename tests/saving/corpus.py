"""Model files worth keeping: each was read or refused in a way in which none before it was, or was a finding once.

They lie in ``corpus.zip``, with what came of each. `scripts/fuzz --collect` adds to them.
"""

import json
import re
import zipfile
from pathlib import Path
from typing import NamedTuple

ZIP = Path(__file__).with_name("corpus.zip")
INDEX = "index.json"
EARLIEST = (1980, 1, 1, 0, 0, 0)


class Kept(NamedTuple):
    """A file: which good file it was made from, its content, and by which ways it was read."""

    name: str
    content: bytes
    read: dict[str, bool]


def load(path=ZIP):
    """Return the files by their numbers."""
    with zipfile.ZipFile(path) as archive:
        index = json.loads(archive.read(INDEX))
        return {number: Kept(name, archive.read(number), read) for number, (name, read) in index.items()}


def save(files, path=ZIP):
    """Write files by their numbers; the same files give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        index = {number: [kept.name, kept.read] for number, kept in files.items()}
        for name, content in ((INDEX, json.dumps(index, indent=0)), *((n, kept.content) for n, kept in files.items())):
            info = zipfile.ZipInfo(name, EARLIEST)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)


def sign(way, error):
    """Return what stands for one outcome: the way, and the kind of its error's words without names and numbers."""
    if error is None:
        return f"{way} read"
    words = re.sub(r"'[^']*'|\"[^\"]*\"|\[.*\]|\(.*\)|\d[\d,.]*", "", str(error).partition("\n")[0])
    return f"{way} {type(error).__name__} {' '.join(words.split()[:4])}"
