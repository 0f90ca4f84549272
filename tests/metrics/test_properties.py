"""What holds of metrics for any data: equal to real Keras, whatever the weights and however rows are cut in batches."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cornu import metrics

pytestmark = pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # Keras asks for it

ROWS = 6
LABELS = arrays("int32", ROWS, elements=st.integers(0, 1))
SCORES = arrays("float32", ROWS, elements=st.integers(0, 16).map(lambda number: number / 16))
WEIGHTS = arrays("float32", ROWS, elements=st.integers(0, 4).map(lambda number: number / 2))
NAMES = ("BinaryAccuracy", "Precision", "Recall", "AUC", "MeanSquaredError", "FalsePositives")


@settings(max_examples=10)
@given(LABELS, SCORES, WEIGHTS, st.integers(1, ROWS - 1))
@pytest.mark.parametrize("name", NAMES)
def test_equal_to_keras_in_one_batch_or_two(name, labels, scores, weights, cut):
    labels, scores = labels[:, None], scores[:, None]
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    theirs.update_state(labels, scores, sample_weight=weights)
    for rows in (slice(None, cut), slice(cut, None)):
        ours.update_state(labels[rows], scores[rows], sample_weight=weights[rows])
    np.testing.assert_allclose(ours.result(), theirs.result(), rtol=1e-5, atol=1e-6)
    ours.reset_state()
    assert float(ours.result()) == float(getattr(metrics, name)().result())
