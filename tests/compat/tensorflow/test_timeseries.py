"""Windows of time series. The expected windows are those of tf.keras 2.15.1."""

import numpy as np
import pytest

import cornu
from cornu.compat.tensorflow.timeseries import timeseries_dataset_from_array

SERIES = np.arange(20)


def windows(dataset):
    return [(x.tolist(), y.tolist()) for x, y in dataset]


def test_windows_and_targets_in_batches():
    dataset = timeseries_dataset_from_array(SERIES, SERIES[5:] * 10, 4, sequence_stride=3, batch_size=3)
    expected = [
        ([[s, s + 1, s + 2, s + 3] for s in part], [(s + 5) * 10 for s in part]) for part in ((0, 3, 6), (9, 12))
    ]
    assert windows(dataset) == windows(dataset) == expected
    assert len(dataset) == 2


def test_a_sampling_rate_and_a_part_of_the_data():
    dataset = timeseries_dataset_from_array(
        SERIES, SERIES + 100, 3, sampling_rate=2, batch_size=2, start_index=4, end_index=11
    )
    assert windows(dataset) == [([[4, 6, 8], [5, 7, 9]], [104, 105]), ([[6, 8, 10]], [106])]


def test_windows_alone_and_without_batches():
    data = np.arange(24.0).reshape(12, 2)
    (batch,) = timeseries_dataset_from_array(data, None, 5)
    assert batch.shape == (8, 5, 2)
    singles = list(timeseries_dataset_from_array(data, data[:, 0], 5, batch_size=None))
    assert len(singles) == 8
    np.testing.assert_array_equal(singles[3][0], batch[3])
    assert singles[3][1] == data[3, 0]
    first = next(iter(timeseries_dataset_from_array(data, None, 5, batch_size=None)))
    np.testing.assert_array_equal(first.numpy(), batch[0])


def test_a_seed_repeats_the_order_and_each_epoch_has_another():
    def orders(seed):
        dataset = timeseries_dataset_from_array(SERIES, None, 1, shuffle=True, seed=seed, batch_size=20)
        return [next(iter(dataset)).ravel().tolist() for _ in range(2)]

    first, second = orders(3)
    assert sorted(first) == sorted(second) == SERIES.tolist()
    assert first != second
    assert orders(3) == [first, second]
    assert orders(4)[0] != first


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"sampling_rate": 0}, "sampling_rate must be from 1 to 19 for data of 20 steps; got 0"),
        ({"sequence_stride": 20}, "sequence_stride must be from 1 to 19"),
        ({"start_index": -1}, "start_index must be from 0 to 19"),
        ({"start_index": 5, "end_index": 5}, "end_index must be from 6 to 19 for data of 20 steps and start_index=5"),
        ({"end_index": 20}, "end_index must be from 1 to 19"),
        ({"sequence_length": 30}, "no window of sequence_length=30"),
    ],
)
def test_what_does_not_fit_is_said(arguments, said):
    with pytest.raises(ValueError, match=said):
        timeseries_dataset_from_array(SERIES, None, **{"sequence_length": 3} | arguments)


def test_it_is_where_keras_has_it_and_trains_a_model():
    assert cornu.utils.timeseries_dataset_from_array is timeseries_dataset_from_array
    series = np.sin(np.arange(200) / 5).astype("float32")[:, None]
    dataset = cornu.preprocessing.timeseries_dataset_from_array(series[:-8], series[8:], 8, batch_size=32, shuffle=True)
    model = cornu.Sequential([cornu.Input((8, 1)), cornu.layers.Flatten(), cornu.layers.Dense(1)])
    model.compile(cornu.optimizers.Adam(0.02), "mse")
    losses = model.fit(dataset, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < 0.1 * losses[0]
