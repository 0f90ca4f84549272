"""Names of the files of several replicas of a model."""

import os
from typing import Any


def replica_path(path: Any, replica: int) -> str:
    """Return the name of a replica's file: that of the first is `path`.

    >>> replica_path("model.keras", 0), replica_path("best.weights.h5", 2)
    ('model.keras', 'best.replica-2.weights.h5')
    """
    if replica == 0:
        return os.fspath(path)
    folder, name = os.path.split(os.fspath(path))
    stem, suffix = os.path.splitext(name)
    if stem.endswith(".weights"):
        stem, suffix = stem.removesuffix(".weights"), f".weights{suffix}"
    return os.path.join(folder, f"{stem}.replica-{replica}{suffix}")


def replica_files(path: Any, count: int) -> dict[int, str]:
    """Return the files of all replicas beside `path`, by replica; nothing if one of them is missing."""
    if not isinstance(path, (str, os.PathLike)):
        return {}
    found = {replica: replica_path(path, replica) for replica in range(count)}
    return found if all(map(os.path.exists, found.values())) else {}
