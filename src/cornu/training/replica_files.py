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
