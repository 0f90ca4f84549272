"""Data sets that are saved come back: `Dataset.save` and `Dataset.load`."""

import json

import jax
import ml_dtypes
import numpy as np
import pytest

from cornu.data.dataset import Dataset

IMAGES = np.arange(7 * 2 * 3, dtype="float32").reshape(7, 2, 3)
LABELS = np.arange(7, dtype="int64")


def ragged():
    for size in (2, 0, 3):
        yield {"x": np.arange(size, dtype="int16"), "text": ["é" * size, "b"], "pair": (np.float32(size), None)}


DATASETS = {
    "numbers": lambda: Dataset.range(5),
    "rows": lambda: Dataset.from_tensor_slices((IMAGES, {"label": LABELS})),
    "mapped": lambda: Dataset.from_tensor_slices(IMAGES).map(lambda x: (x * 2, x > 3)),
    "batches": lambda: Dataset.from_tensor_slices((IMAGES, LABELS)).batch(3),
    "whole batches": lambda: Dataset.from_tensor_slices((IMAGES, LABELS)).batch(3, drop_remainder=True),
    "batches of texts": lambda: Dataset.from_tensor_slices(np.array(["a", "bc", ""], object)).batch(2),
    "bytes": lambda: Dataset.from_tensor_slices(np.array([b"\x00\xff", b""], object)),
    "different shapes": lambda: Dataset.from_generator(ragged),
    "padded": lambda: Dataset.from_generator(ragged).map(lambda e: e["x"]).padded_batch(2),
    "narrow floats": lambda: Dataset.from_tensor_slices(IMAGES.astype(ml_dtypes.bfloat16)),
    "nothing": lambda: Dataset.range(0),
    "one": lambda: Dataset.from_tensors({"a": IMAGES}),
}


def plain(dataset):
    return [listed(one) for one in dataset._iterate()]


def listed(element):
    if isinstance(element, dict):
        return {key: listed(one) for key, one in element.items()}
    if isinstance(element, (tuple, list)):
        return tuple(map(listed, element))
    if element is None:
        return None
    array = np.asarray(element, object if isinstance(element, str | bytes) else None)
    return array.dtype.name, array.tolist()


@pytest.mark.parametrize("compression", [None, "GZIP"])
@pytest.mark.parametrize("name", DATASETS)
def test_elements_come_back(tmp_path, name, compression):
    DATASETS[name]().save(tmp_path / "saved", compression)
    found = Dataset.load(str(tmp_path / "saved"), compression=compression)
    expected = DATASETS[name]()
    if name == "different shapes":  # a list of texts is saved as an array
        expected = expected.map(lambda e: {**e, "text": np.array(e["text"], object)})
    assert plain(found) == plain(expected)
    assert plain(found) == plain(found)
    if name not in ("nothing", "different shapes"):
        assert found.element_spec == expected.element_spec


def test_rows_and_batches_stay_arrays_in_their_files(tmp_path):
    Dataset.from_tensor_slices((IMAGES, LABELS)).save(tmp_path / "rows")
    Dataset.from_tensor_slices((IMAGES, LABELS)).batch(3).map(lambda x, y: (x / 2, y)).save(tmp_path / "batches")
    rows, batches = Dataset.load(tmp_path / "rows"), Dataset.load(tmp_path / "batches")
    assert rows._rows is not None
    assert isinstance(rows._rows.read()[0].base, np.memmap)
    assert batches.batched_rows is not None
    assert (len(rows), len(batches)) == (7, 3)
    assert [len(x) for x, _ in batches] == [3, 3, 1]


def test_shards_are_read_as_asked(tmp_path):
    Dataset.range(6).save(tmp_path, shard_func=lambda number: number % 2)
    assert plain(Dataset.load(tmp_path)) == plain(Dataset.range(6))
    one_by_one = Dataset.load(tmp_path, reader_func=lambda shards: shards.flat_map(lambda one: one))
    assert [int(one) for one in one_by_one] == [0, 2, 4, 1, 3, 5]


def test_a_second_save_replaces_the_first_also_by_itself(tmp_path):
    Dataset.range(3).save(tmp_path)
    Dataset.load(tmp_path).map(lambda x: x + 1).save(tmp_path)
    assert [int(one) for one in Dataset.load(tmp_path)] == [1, 2, 3]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_save_that_fails_leaves_the_old_one(tmp_path):
    def broken():
        yield np.zeros(2)
        yield "text"

    Dataset.range(3).save(tmp_path)
    with pytest.raises(TypeError, match="array 0 of the elements is float64 in the first element; later, text"):
        Dataset.from_generator(broken).save(tmp_path)
    assert [int(one) for one in Dataset.load(tmp_path)] == [0, 1, 2]
    assert len(list(tmp_path.iterdir())) == 2


def test_what_cannot_be_saved_or_read_is_said(tmp_path):
    with pytest.raises(TypeError, match=r"elements must be arrays or texts, .* got Partial\. Map it"):
        Dataset.of_list([jax.tree_util.Partial(abs, IMAGES)]).save(tmp_path / "a")
    with pytest.raises(ValueError, match="compression must be None or 'GZIP'; got 'SNAPPY'"):
        Dataset.range(3).save(tmp_path / "a", compression="SNAPPY")
    with pytest.raises(ValueError, match="must have one structure"):
        Dataset.of_list([{"a": 1}, {"b": 1}]).save(tmp_path / "a")
    with pytest.raises(FileNotFoundError, match=r"has no dataset\.json"):
        Dataset.load(tmp_path / "none")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "dataset_spec.pb").touch()
    with pytest.raises(ValueError, match="was saved by TensorFlow"):
        Dataset.load(tmp_path / "theirs")
    Dataset.range(3).save(tmp_path / "good", "GZIP")
    with pytest.raises(ValueError, match="was saved with compression='GZIP'; got None"):
        Dataset.load(tmp_path / "good")


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.update(structure={"kind": "import"}),
        lambda table: table["shards"].update({"../..": table["shards"]["0"]}),
        lambda table: table["shards"]["0"]["columns"][0].update(dtype="O"),
        lambda table: table["shards"]["0"].update(size=-1),
        lambda table: table["shards"]["0"].update(size=4000),
        lambda table: table["shards"]["0"].update(columns=[]),
        lambda table: table.update(run="../elsewhere"),
        lambda table: table.pop("shards"),
    ],
)
def test_damaged_folders_are_value_errors(tmp_path, change):
    Dataset.range(3).save(tmp_path)
    table = json.loads((tmp_path / "dataset.json").read_text())
    change(table)
    (tmp_path / "dataset.json").write_text(json.dumps(table))
    with pytest.raises(ValueError, match="is damaged"):
        list(Dataset.load(tmp_path))


def test_files_that_were_cut_off_are_value_errors(tmp_path):
    for compression in (None, "GZIP"):
        Dataset.from_tensor_slices(np.array(["abc", "de"], object)).save(tmp_path, compression)
        for path in tmp_path.glob("*/0/0.data"):
            path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(ValueError, match="is damaged"):
            list(Dataset.load(tmp_path, compression=compression))


def test_random_numbers_are_the_same_in_each_epoch_unless_asked_for():
    first = lambda dataset: [int(one) for one in dataset.take(3)]  # noqa: E731
    one = Dataset.random(seed=4)
    assert first(one) == first(one) == first(Dataset.random(4))
    assert first(one) != first(Dataset.random(5))
    again = Dataset.random(4, rerandomize_each_iteration=True)
    assert first(again) != first(again)
    assert all(0 <= int(number) < 2**32 for number in one.take(100))
