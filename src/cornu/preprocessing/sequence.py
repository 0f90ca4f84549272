"""Sequences: padding to one length, windows of time series, and the pairs that word2vec learns from."""

import json
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
    """Return sequences as one array of shape ``(sequences, maxlen, ...)``.

    `maxlen` is the longest length where it is None; `padding` and `truncating` say whether `value` is put, and what is
    too long is cut, at the front (``"pre"``) or the end (``"post"``). Raises ValueError for other words and for what is
    no sequence. Follows https://keras.io/api/data_loading/timeseries/#padsequences-function

    >>> pad_sequences([[1], [2, 3, 4]], maxlen=2).tolist()
    [[0, 1], [3, 4]]
    """
    for name, word in (("padding", padding), ("truncating", truncating)):
        if word not in ("pre", "post"):
            raise ValueError(f"pad_sequences: {name} is 'pre' or 'post'; it got {word!r}.")
    if not hasattr(sequences, "__len__") or not all(hasattr(one, "__len__") for one in sequences):
        raise ValueError(
            "pad_sequences takes a list of sequences, for example [[1, 2], [3]]; some entry has no length."
        )
    if isinstance(value, str) and np.dtype(dtype) != object and np.dtype(dtype).kind not in "US":
        raise ValueError(f"pad_sequences: value={value!r} is a string, but dtype is {dtype}; give dtype=object.")
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
    """Return the probability with which word2vec keeps the i-th most frequent word, for i below `size`.

    The frequencies follow Zipf's law (Euler's constant rounded to 0.577, as in Keras); see Mikolov et al. 2013, https://arxiv.org/abs/1310.4546
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
    """Return pairs (word, other word) and labels: 1 where the other stands within the window, 0 for a random word.

    Word 0 is no word. `negative_samples` is how many random pairs there are per true one; `sampling_table` gives each
    word's probability to be used. `categorical` makes labels ``[0, 1]`` and ``[1, 0]``.
    """
    random = np.random.RandomState(np.random.randint(2**31 - 1) if seed is None else seed)
    couples, labels = [], []
    for place, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random_sample()):
            continue
        for other in range(max(0, place - window_size), min(len(sequence), place + window_size + 1)):
            if other != place and sequence[other]:
                couples.append([word, sequence[other]])
                labels.append([0, 1] if categorical else 1)
    words = random.permutation([couple[0] for couple in couples])
    wrong = [
        [int(words[i % len(words)]), int(random.randint(1, vocabulary_size))]
        for i in range(int(len(labels) * negative_samples))
    ]
    couples, labels = couples + wrong, labels + [[1, 0] if categorical else 0] * len(wrong)
    order = random.permutation(len(couples)) if shuffle else range(len(couples))
    return [couples[i] for i in order], [labels[i] for i in order]


class TimeseriesGenerator(PyDataset):
    """Batches of windows of a time series, with the target that follows each window.

    Args:
        data: values, time first; `targets`: one per time step, aligned with `data`.
        length: how long a window reaches back; `sampling_rate`: every so many steps inside a window one is taken.
        stride: steps between windows; `start_index` and `end_index`: the part of `data` that is used.
        shuffle: windows at random places; `reverse`: windows run backwards in time.

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
    ) -> None:
        super().__init__()
        if len(data) != len(targets):
            raise ValueError(
                f"TimeseriesGenerator: data has {len(data)} steps and targets {len(targets)}; give as many."
            )
        self.data, self.targets, self.length = np.asarray(data), np.asarray(targets), length
        self.sampling_rate, self.stride, self.batch_size = sampling_rate, stride, batch_size
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse = shuffle, reverse
        if self.start_index > self.end_index:
            raise ValueError(
                f"TimeseriesGenerator: windows of length {length} do not fit between start_index={start_index} and "
                f"end_index={self.end_index}; give a shorter length or more data."
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
        """Return the arguments, with data and targets as JSON texts."""
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
        """Return class name and config as JSON."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


offer(globals(), _IMPORTED)
