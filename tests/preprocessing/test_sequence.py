"""Padding, windows and skip-grams equal real Keras's."""

import random

import numpy as np
import pytest

from cornu.preprocessing import sequence


@pytest.fixture
def reference(real_keras):
    from keras.src.legacy.preprocessing import sequence as reference

    return reference


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize("maxlen", [None, 2, 5])
def test_pad_sequences(real_keras, padding, truncating, maxlen):
    given = [[1], [2, 3, 4], [], [5, 6]]
    kwargs = {"maxlen": maxlen, "padding": padding, "truncating": truncating, "value": 9}
    theirs = real_keras.utils.pad_sequences(given, **kwargs)
    ours = sequence.pad_sequences(given, **kwargs)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def test_pad_sequences_of_vectors_and_words(real_keras):
    given = [np.ones((2, 3)), np.zeros((1, 3))]
    np.testing.assert_array_equal(sequence.pad_sequences(given), real_keras.utils.pad_sequences(given))
    words = sequence.pad_sequences([["a"], ["b", "c"]], dtype=object, value="-")
    assert words.tolist() == [["-", "a"], ["b", "c"]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sequence.pad_sequences([[1]], padding="front"), "'pre' or 'post'"),
        (lambda: sequence.pad_sequences([1, 2]), "has no length"),
        (lambda: sequence.pad_sequences([["a"]], value="-"), "dtype=object"),
        (lambda: sequence.pad_sequences([np.ones((2, 3)), np.ones((2, 4))]), "entry 1"),
        (lambda: sequence.TimeseriesGenerator([1, 2], [1], 1), "2 steps and targets 1"),
        (lambda: sequence.TimeseriesGenerator([1, 2], [1, 2], 5), "length 5"),
    ],
)
def test_mistakes(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_sampling_table(reference):
    np.testing.assert_allclose(sequence.make_sampling_table(20), reference.make_sampling_table(20), rtol=1e-6)


def test_skipgrams():
    words = [1, 2, 0, 3, 4, 5]
    couples, labels = sequence.skipgrams(words, 6, window_size=1, negative_samples=0, shuffle=False)
    assert couples == [[1, 2], [2, 1], [3, 4], [4, 3], [4, 5], [5, 4]]
    assert labels == [1] * 6
    couples, labels = sequence.skipgrams(words, 6, window_size=2, negative_samples=2.0, categorical=True, seed=1)
    assert labels.count([1, 0]) == 2 * labels.count([0, 1])
    assert all(1 <= other < 6 for _, other in couples)
    random.seed(1)
    first = sequence.skipgrams(words, 6, seed=3)
    random.seed(1)
    assert first == sequence.skipgrams(words, 6, seed=3)
    assert sequence.skipgrams(words, 6, sampling_table=np.zeros(6)) == ([], [])


@pytest.mark.parametrize(
    "kwargs", [{}, {"stride": 2}, {"sampling_rate": 2}, {"reverse": True}, {"start_index": 3, "end_index": 15}]
)
def test_time_series(reference, kwargs):
    data = np.random.rand(20, 2)
    ours = sequence.TimeseriesGenerator(data, data[:, 0], length=4, batch_size=5, **kwargs)
    theirs = reference.TimeseriesGenerator(data, data[:, 0], length=4, batch_size=5, **kwargs)
    assert len(ours) == len(theirs)
    for number in range(len(ours)):
        for one, other in zip(ours[number], theirs[number], strict=True):
            np.testing.assert_array_equal(one, other)


def test_time_series_at_random_places():
    x, y = sequence.TimeseriesGenerator(np.arange(50), np.arange(50), length=3, shuffle=True, batch_size=7)[0]
    np.testing.assert_array_equal(x[:, -1] + 1, y)
    assert '"length": 3' in sequence.TimeseriesGenerator(np.arange(5), np.arange(5), length=3).to_json()


def test_time_series_are_read_from_json():
    data = np.random.rand(20, 2)
    written = sequence.TimeseriesGenerator(data, data[:, 0], length=4, batch_size=5, start_index=2, reverse=True)
    again = sequence.timeseries_generator_from_json(written.to_json())
    assert len(again) == len(written)
    np.testing.assert_array_equal(again[1][0], written[1][0])
    with pytest.raises(ValueError, match="not the JSON of a TimeseriesGenerator"):
        sequence.timeseries_generator_from_json("{}")
