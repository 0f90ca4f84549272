"""``tf.data.experimental``: functions for `apply`, and tables of CSV files."""

import numpy as np
import pytest

from cornu.compat.tensorflow import transformations
from cornu.data.dataset import Dataset


def test_functions_for_apply():
    source = Dataset.range(4)
    assert len(list(source.apply(transformations.shuffle_and_repeat(4, count=2)))) == 8
    batches = source.apply(transformations.map_and_batch(lambda x: x * 2, 2))
    assert [batch.numpy().tolist() for batch in batches] == [[0, 2], [4, 6]]
    assert [int(one) for one in batches.apply(transformations.unbatch())] == [0, 2, 4, 6]
    assert len(list(source.apply(transformations.assert_cardinality(4)))) == 4
    assert len(list(source.apply(transformations.prefetch_to_device("/gpu:0")))) == 4
    assert int(transformations.get_single_element(Dataset.range(1))) == 0


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("age,name,price\n3,ann,1.5\n4,bob,2.5\n,cy,3\n", encoding="utf-8")
    return str(path)


def test_batches_of_columns(table):
    data = transformations.make_csv_dataset(table, 2, label_name="price", num_epochs=1, shuffle=False)
    columns, prices = next(iter(data))
    assert (columns["age"].numpy().tolist(), columns["name"].numpy().tolist()) == ([3, 4], [b"ann", b"bob"])
    assert np.asarray(prices).tolist() == [1.5, 2.5]
    assert len(list(data)) == 2
    with pytest.raises(ValueError, match="label_name='cost' is not a column; there are age, name, price"):
        transformations.make_csv_dataset(table, 2, label_name="cost")


def test_lines_as_tuples(table):
    rows = list(transformations.CsvDataset(table, [[0], [""], [0.0]], header=True))
    assert [(int(age), name.numpy().decode(), float(price)) for age, name, price in rows] == [
        (3, "ann", 1.5), (4, "bob", 2.5), (0, "cy", 3.0),
    ]  # fmt: skip
