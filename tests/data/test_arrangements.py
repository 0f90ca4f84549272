"""Chains of data sets, compared with what TensorFlow gave."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.data import chain_cases

import cornu
from cornu.data.dataset import Dataset

ANSWERS = json.loads((Path(__file__).parent / "chain_cases.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found():
    return {one["chain"]: one["elements"] for one in chain_cases.results(Dataset, None)}


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer["chain"])
def test_equal_to_tensorflow(found, answer):
    assert found[answer["chain"]] == answer["elements"]


def test_texts_are_filled_up_with_empty_ones():
    rows = Dataset.from_generator(lambda: iter([np.array(["a"], object), np.array(["b", "c"], object)]))
    (batch,) = rows.padded_batch(2)
    assert np.asarray(batch).tolist() == [["a", ""], ["b", "c"]]


def test_samples_are_in_proportion_and_use_all():
    sources = [Dataset.from_tensors(0).repeat(30), Dataset.from_tensors(1).repeat(270)]
    values = [int(one) for one in Dataset.sample_from_datasets(sources, [0.1, 0.9], seed=1)]
    assert sorted(values) == [0] * 30 + [1] * 270
    assert 0 < sum(one == 0 for one in values[:100]) < 30
    short = list(Dataset.sample_from_datasets(sources, seed=1, stop_on_empty_dataset=True))
    assert len(short) < 120


def test_files_are_listed(tmp_path):
    for name in "bac":
        (tmp_path / f"{name}.txt").write_text(name)
    listed = [one.numpy() for one in Dataset.list_files(str(tmp_path / "*.txt"), shuffle=False)]
    assert listed == [str(tmp_path / f"{name}.txt").encode() for name in "abc"]
    again = [one.numpy() for one in Dataset.list_files([str(tmp_path / "a.*"), str(tmp_path / "b.*")], seed=3)]
    assert sorted(again) == listed[:2]
    with pytest.raises(ValueError, match="no files that match"):
        Dataset.list_files(str(tmp_path / "*.png"))


def test_single_elements_and_iterators():
    assert int(Dataset.range(5).batch(5).get_single_element()[4]) == 4
    with pytest.raises(ValueError, match="several elements"):
        Dataset.range(5).get_single_element()
    with pytest.raises(ValueError, match="no element"):
        Dataset.range(0).get_single_element()
    assert int(Dataset.range(5).make_one_shot_iterator().get_next()) == 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"an element of shape \(3,\) does not fit into \(2,\)"):
        list(Dataset.from_tensors(np.arange(3)).padded_batch(1, [2]))
    with pytest.raises(ValueError, match="index from 0 to 1"):
        Dataset.range(3).shard(2, 2)
    with pytest.raises(ValueError, match="need 2 bucket_batch_sizes"):
        Dataset.range(3).bucket_by_sequence_length(int, [1], [1])


def test_windows_of_a_series_train_a_model():
    series = np.sin(np.arange(60) / 5).astype("float32")
    windows = Dataset.from_tensor_slices(series).window(9, shift=1, drop_remainder=True).flat_map(lambda w: w.batch(9))
    data = windows.map(lambda w: (w[:-1, None], w[-1])).shuffle(52).batch(8).prefetch(1)
    model = cornu.Sequential([cornu.layers.Flatten(), cornu.layers.Dense(1)])
    model.compile(cornu.optimizers.Adam(0.05), "mse")
    losses = model.fit(data, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 4
