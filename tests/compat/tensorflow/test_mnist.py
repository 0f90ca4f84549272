import numpy as np

from cornu.compat.tensorflow.mnist import DataSet, read_data_sets
from cornu.datasets import mnist


def test_parts_of_mnist(unpacked_mnist):
    (x, y), (x_test, _) = mnist.load_data()
    data = read_data_sets("somewhere", one_hot=True)
    assert [part.num_examples for part in data] == [55000, 5000, 10000]
    assert np.array_equal(data.validation.images[0], x[0].ravel().astype("float32") / 255)
    assert data.train.labels[0].argmax() == y[5000]
    assert read_data_sets(reshape=False).test.images.shape == (*x_test.shape, 1)


def test_batches_go_through_all_rows_again_and_again():
    data = DataSet(np.arange(10), np.arange(10) * 2)
    images, labels = data.next_batch(6)
    rest, _ = data.next_batch(6)
    assert np.array_equal(labels, images * 2)
    assert set(images) | set(rest[:4]) == set(range(10))
    assert data.epochs_completed == 1
    assert len(data.next_batch(25)[0]) == 25
