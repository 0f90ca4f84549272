"""`audio_dataset_from_directory`: a folder of recordings as a data set."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.data.zero_copy import fresh_array
from cornu.preprocessing import wav
from cornu.preprocessing.file_batches import Files
from cornu.utils.folder_datasets import Folder, Kind, contents_of, datasets_of

_RECORDINGS = Kind("recordings", (".wav",))


def audio_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """Return the recordings in a folder, its files ``.wav``, as a data set for `fit`, `evaluate` and `predict`.

    The files are read by threads when they are needed: PCM of 8, 16, 24 or 32 bits, or floats. The data set has the
    attributes `class_names` and `file_paths`.

    Args:
        directory: The folder. With inferred labels, each of its subfolders is a class.
        labels: ``"inferred"``, None for no labels, or a list with an integer for each file, sorted by path.
        label_mode: ``"int"`` (int32), ``"categorical"`` (one-hot), ``"binary"`` (0.0 or 1.0, ``(batch, 1)``) or None.
        class_names: The subfolders to read, in the order of their numbers; by default all, sorted.
        batch_size: Recordings per batch; None gives one recording after another, each of its own length.
        sampling_rate: Samples per second of the result; None leaves those of each file.
        output_sequence_length: Time steps of every recording, which is cut, or padded with zeros. None pads those of a
            batch to the longest of them.
        ragged: Only False: JAX has no ragged arrays.
        shuffle: Whether to shuffle the files, and the order of each epoch; otherwise they are sorted by path.
        seed: Seed of the order.
        validation_split: Fraction of the files for validation, the last of the order.
        subset: ``"training"``, ``"validation"``, or ``"both"`` for a list of the two.
        follow_links: Whether to enter folders that are links.
        verbose: Whether to print the number of files and classes.

    Returns:
        Batches ``(recordings, labels)``, or of recordings without labels: ``(batch, time, channels)``, float32 from -1
        to 1. Channels that other files of the batch have are zero.

    Raises:
        FileNotFoundError: There is no such folder; later, a file is gone.
        ValueError: An argument is wrong, or there are no recordings; later, a file cannot be read.

    Follows https://keras.io/api/data_loading/audio/

    >>> import pathlib, tempfile, wave
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("cat", "dog"):
    ...         pathlib.Path(folder, name).mkdir()
    ...         with wave.open(f"{folder}/{name}/1.wav", "wb") as file:
    ...             file.setparams((1, 2, 8000, 3, "NONE", ""))
    ...             file.writeframes(np.array([0, 16384, -32768], "<i2").tobytes())
    ...     data = audio_dataset_from_directory(folder, output_sequence_length=4)
    ...     print([(x.shape, x[0, :, 0].tolist()) for x, _ in data])
    Found 2 files belonging to 2 classes.
    [((2, 4, 1), [0.0, 0.5, -1.0, 0.0])]
    """
    folder = Folder(
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
        "tf", verbose,
    ).checked()  # fmt: skip
    if ragged:
        raise ValueError(
            "ragged=True is not supported, since JAX has no ragged arrays: leave it out, and the recordings of a batch "
            "are padded with zeros; or pass batch_size=None for one recording after another."
        )
    read = _Reading(sampling_rate, output_sequence_length)
    found = datasets_of(folder, _RECORDINGS, lambda paths, targets: Files(paths, targets, read, _space, _padded))
    return tuple(found) if isinstance(found, list) else found


class _Reading:
    """How a file becomes an array; the arguments are those of `audio_dataset_from_directory`."""

    def __init__(self, rate: int | None, length: int | None) -> None:
        for name, value in (("sampling_rate", rate), ("output_sequence_length", length)):
            if value is not None and (not isinstance(value, (int, np.integer)) or value < 1):
                raise ValueError(f"{name} must be a positive integer or None; got {value!r}.")
        self.rate, self.length = rate, length

    def __call__(self, path: str, recordings: list, row: int) -> None:
        recordings[row] = self._read(path)

    def _read(self, path: str) -> np.ndarray:
        data = contents_of(path, "recording")
        try:
            recording = wav.decoded(data, self.length if self.rate is None else None)
        except ValueError as error:
            raise ValueError(f"The recording {path!r} cannot be read. {error} Replace or delete it.") from None
        samples = recording.samples if self.rate is None else wav.resampled(recording, self.rate)
        if self.length is None:
            return samples
        return np.pad(samples[: self.length], ((0, max(0, self.length - len(samples))), (0, 0)))


def _space(count: int, _: Any) -> list:
    return [None] * count


def _padded(recordings: list[np.ndarray]) -> np.ndarray:
    """Return recordings ``(time, channels)`` as one array, padded with zeros at their ends."""
    largest = np.max([one.shape for one in recordings], axis=0)
    batch = fresh_array((len(recordings), *map(int, largest)), "float32")
    batch[...] = 0
    for row, one in zip(batch, recordings, strict=True):
        row[: one.shape[0], : one.shape[1]] = one
    return batch
