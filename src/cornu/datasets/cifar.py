"""What CIFAR-10 and CIFAR-100 share: batches of 32x32 colour images, pickled, in one .tar.gz."""

import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cornu.core.settings import image_data_format
from cornu.datasets.arrays import ArrayUnpickler


def read_batches(path: Path, members: Sequence[str], label_key: str) -> dict[str, tuple[np.ndarray, list[int]]]:
    """Return ``{member: (images, labels)}`` straight from the archive, without extracting it.

    Images are ``(n, 32, 32, 3)``, or ``(n, 3, 32, 32)`` if `image_data_format` is ``"channels_first"``.
    """
    batches = {}
    with tarfile.open(path, "r:gz") as archive:
        for entry in archive:
            file = archive.extractfile(entry) if entry.isfile() and entry.name in members else None
            if file is not None:
                batch = ArrayUnpickler(file, encoding="bytes").load()
                batches[entry.name] = (_pictures(batch[b"data"]), batch[label_key.encode()])
    missing = [name for name in members if name not in batches]
    if missing:
        raise ValueError(f"{path} has no member {missing[0]}. Delete it; it will be downloaded again.")
    return batches


def _pictures(rows: np.ndarray) -> np.ndarray:
    pictures = rows.reshape(-1, 3, 32, 32)
    return pictures if image_data_format() == "channels_first" else pictures.transpose(0, 2, 3, 1)


def column(labels: Sequence[int], dtype: str) -> np.ndarray:
    """Return labels in Keras's form for CIFAR: ``(n, 1)``."""
    return np.array(labels, dtype).reshape(-1, 1)
