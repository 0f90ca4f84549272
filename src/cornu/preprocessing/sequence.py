"""Sequences: padding to one length, windows of time series, and training pairs for word2vec."""

import json
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.core.public import offer
from cornu.data.streams import PyDataset

_IMPORTED = frozenset(globals())


def pad_sequences(
    sequences: Sequence,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Pad and truncate sequences to one length.

    Args:
        sequences: A list of sequences of numbers, or of steps of one shape.
        maxlen: Length of the result, by default the longest length.
        dtype: Dtype of the result.
        padding: ``"pre"`` or ``"post"``: where `value` is added.
        truncating: ``"pre"`` or ``"post"``: where long sequences are cut.
        value: What to pad with.

    Returns:
        An array ``(sequences, maxlen, ...)``.

    Raises:
        ValueError: An entry is not a sequence, steps have different shapes, or an option is unknown.

    Follows https://keras.io/api/data_loading/timeseries/#padsequences-function

    >>> pad_sequences([[1], [2, 3, 4]], maxlen=2).tolist()
    [[0, 1], [3, 4]]
    """
    for name, word in (("padding", padding), ("truncating", truncating)):
        if word not in ("pre", "post"):
            raise ValueError(f"pad_sequences: {name} must be 'pre' or 'post'; got {word!r}.")
    if not hasattr(sequences, "__len__") or not all(hasattr(one, "__len__") for one in sequences):
        raise ValueError(
            "pad_sequences expects a list of sequences, for example [[1, 2], [3]]; an entry has no length."
        )
    if isinstance(value, str) and np.dtype(dtype) != object and np.dtype(dtype).kind not in "US":
        raise ValueError(f"pad_sequences: value={value!r} is a string, but dtype is {dtype}; use dtype=object.")
    longest = max(map(len, sequences), default=0) if maxlen is None else maxlen
    shape = next((np.asarray(one).shape[1:] for one in sequences if len(one)), ())
    result = np.full((len(sequences), longest, *shape), value, dtype=dtype)
    for row, one in enumerate(sequences):
        kept = np.asarray(one[max(len(one) - longest, 0) :] if truncating == "pre" else one[:longest], dtype=dtype)
        if len(kept) and kept.shape[1:] != shape:
            raise ValueError(f"pad_sequences: entry {row} has steps of shape {kept.shape[1:]}; the first has {shape}.")
        if len(kept):
            place = slice(None, len(kept)) if padding == "post" else slice(longest - len(kept), None)
            result[row, place] = kept
    return result


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """Return the probability that word2vec keeps the i-th most frequent word, for i below `size`.

    Args:
        size: Number of words.
        sampling_factor: Threshold of the word frequency; smaller values drop more frequent words.

    Returns:
        An array ``(size,)``.

    Frequencies follow Zipf's law (Euler's constant rounded to 0.577, as in Keras); see Mikolov et al. 2013,
    https://arxiv.org/abs/1310.4546

    >>> make_sampling_table(3).shape
    (3,)
    """
    rank = np.arange(size)
    rank[0] = 1
    frequency = 1 / (rank * (np.log(rank) + 0.577) + 0.5 - 1 / (12 * rank))
    ratio = sampling_factor / frequency
    return np.minimum(1.0, np.sqrt(ratio))


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list, list]:
    """Return word pairs and labels for word2vec's skip-gram model.

    Args:
        sequence: Integer words; 0 is not a word.
        vocabulary_size: Number of words, 0 included.
        window_size: Largest distance between two words of a true pair.
        negative_samples: Number of random pairs per true pair.
        shuffle: Whether to shuffle the pairs.
        categorical: Whether labels are ``[0, 1]`` and ``[1, 0]`` instead of 1 and 0.
        sampling_table: Probability to use each word, as from `make_sampling_table`.
        seed: Seed of the order if `shuffle`. It seeds Python's `random`, from which all else is drawn.

    Returns:
        A list of pairs ``[word, other]`` and a list of labels: 1 for words near each other, 0 for random pairs.

    Follows https://keras.io/2.15/api/preprocessing/sequence/

    >>> pairs, labels = skipgrams([1, 2], vocabulary_size=3, negative_samples=0, shuffle=False)
    >>> pairs, labels
    ([[1, 2], [2, 1]], [1, 1])
    """
    couples: list[list[int]] = []
    for place, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):
            continue
        window = range(max(0, place - window_size), min(len(sequence), place + window_size + 1))
        couples += [[word, sequence[other]] for other in window if other != place and sequence[other]]
    labels: list = [[0, 1] if categorical else 1] * len(couples)
    if negative_samples > 0:
        words = [word for word, _ in couples]
        random.shuffle(words)
        count = int(len(couples) * negative_samples)
        couples += [[words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(count)]
        labels += [[1, 0] if categorical else 0] * count
    if shuffle:
        seed = random.randint(0, 10_000_000) if seed is None else seed
        for pairs in (couples, labels):
            random.seed(seed)
            random.shuffle(pairs)
    return couples, labels


class TimeseriesGenerator(PyDataset):
    """Batches of windows of a time series, each with the target that follows it.

    Args:
        data: Values ``(time, ...)``.
        targets: One per time step, aligned with `data`.
        length: Number of time steps that a window reaches back.
        sampling_rate: Distance between the steps of a window.
        stride: Distance between two windows.
        start_index, end_index: The part of `data` to use.
        shuffle: Whether to draw windows at random places.
        reverse: Whether windows run backwards in time.
        batch_size: Number of windows per batch.
        **kwargs: Arguments of `PyDataset`.

    Raises:
        ValueError: `data` and `targets` differ in length, or no window fits.

    >>> windows = TimeseriesGenerator(np.arange(6), np.arange(6) * 10, length=2, batch_size=3)
    >>> x, y = windows[0]
    >>> x.tolist(), y.tolist()
    ([[0, 1], [1, 2], [2, 3]], [20, 30, 40])
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if len(data) != len(targets):
            raise ValueError(
                f"TimeseriesGenerator: data has {len(data)} steps and targets {len(targets)}; they must be equal."
            )
        self.data, self.targets, self.length = np.asarray(data), np.asarray(targets), length
        self.sampling_rate, self.stride, self.batch_size = sampling_rate, stride, batch_size
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse = shuffle, reverse
        if self.start_index > self.end_index:
            raise ValueError(
                f"TimeseriesGenerator: windows of length {length} do not fit between start_index={start_index} and "
                f"end_index={self.end_index}; use a shorter length or more data."
            )

    def __len__(self) -> int:
        steps = self.end_index - self.start_index + self.batch_size * self.stride
        return steps // (self.batch_size * self.stride)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if self.shuffle:
            ends = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            first = self.start_index + self.batch_size * self.stride * index
            ends = np.arange(first, min(first + self.batch_size * self.stride, self.end_index + 1), self.stride)
        windows = np.stack([self.data[end - self.length : end : self.sampling_rate] for end in ends])
        return (windows[:, ::-1] if self.reverse else windows), self.targets[ends]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, with data and targets as JSON."""
        return {
            "data": json.dumps(self.data.tolist()),
            "targets": json.dumps(self.targets.tolist()),
            "length": self.length,
            "sampling_rate": self.sampling_rate,
            "stride": self.stride,
            "start_index": self.start_index,
            "end_index": self.end_index,
            "shuffle": self.shuffle,
            "reverse": self.reverse,
            "batch_size": self.batch_size,
        }

    def to_json(self, **kwargs: Any) -> str:
        """Return class name and config as JSON, for `timeseries_generator_from_json`; `kwargs` go to ``json.dumps``."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def timeseries_generator_from_json(json_string: str) -> TimeseriesGenerator:
    """Return the `TimeseriesGenerator` that `TimeseriesGenerator.to_json` described.

    Raises ValueError if the text does not describe one.

    >>> windows = TimeseriesGenerator(np.arange(6), np.arange(6), length=2)
    >>> timeseries_generator_from_json(windows.to_json())[0][1].tolist()
    [2, 3, 4, 5]
    """
    try:
        config = dict(json.loads(json_string)["config"])
        config |= {name: json.loads(config[name]) for name in ("data", "targets")}
        config["start_index"] -= config["length"]  # the config has the end of the first window
        return TimeseriesGenerator(**config)
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"This is not the JSON of a TimeseriesGenerator ({type(error).__name__}: {str(error)[:200]}).\n"
            "Pass the text that to_json() returned."
        ) from None


offer(globals(), _IMPORTED)
