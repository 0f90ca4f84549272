import numpy as np
import pytest

from cornu.visuals.measures import Classified, Measured, Tagged, calibration, confusion, fit_of, judged, scores, worst

ROWS = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])


def softmax_logits(p):
    return np.log(p) + 3


@pytest.mark.parametrize(
    ("y", "outputs", "loss", "kind"),
    [
        ([0, 1, 2], ROWS, "sparse_categorical_crossentropy", Classified),
        ([[0], [1], [2]], ROWS, "", Classified),
        (np.eye(3), ROWS, "mse", Classified),  # as in the oldest tutorials
        (np.eye(3), softmax_logits(ROWS), "categorical_crossentropy", Classified),
        (np.eye(3), ROWS * 0.5, "binary_crossentropy", Classified),
        ([0, 1, 1], [[0.2], [0.9], [0.8]], "binary_crossentropy", Classified),
        ([0, 1, 1], [-2.0, 3.0, 1.0], "BinaryCrossentropy", Classified),
        ([-1, 1, 1], [-0.5, 0.5, 0.9], "hinge", Classified),
        ([True, False], [0.9, 0.1], "", Classified),
        ([[1, 0, 1], [0, 0, 0], [1, 1, 1]], ROWS, "binary_crossentropy", Tagged),
        ([1.5, 2.5, 9.0], [1.0, 2.0, 3.0], "mse", Measured),
        ([0.0, 1.0, 1.0], [0.3, 0.9, 0.8], "mean_squared_error", Measured),
        (ROWS * 9, ROWS, "mae", Measured),
        (np.zeros((2, 4), int), np.full((2, 4, 3), 1 / 3), "sparse_categorical_crossentropy", Classified),
    ],
)  # fmt: skip
def test_what_predictions_are_of_is_seen(y, outputs, loss, kind):
    found = judged(y, outputs, loss)
    assert type(found) is kind
    if kind is Classified:
        assert np.allclose(found.probabilities.sum(1), 1)
        assert len(found.true) == len(found.probabilities)


def test_logits_and_signs_become_probabilities():
    assert np.allclose(judged([0, 1, 2], softmax_logits(ROWS)).probabilities, ROWS, atol=1e-6)
    assert np.allclose(
        judged([0, 1], [-2.0, 2.0], "binary_crossentropy").probabilities[:, 1], [0.1192, 0.8808], atol=1e-3
    )
    assert judged([-1, 1], [-1.0, 0.5], "hinge").probabilities[:, 1].tolist() == [0.0, 0.75]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"\(4,\).*\(3, 3\)"):
        judged(np.zeros(4), ROWS)


def test_scores_equal_scikit_learns_definitions():
    counts = confusion(np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 1]), 3)
    assert counts.tolist() == [[2, 1, 0], [0, 2, 0], [0, 1, 0]]
    found = scores(counts)
    assert np.allclose(found.precision[:2], [1.0, 0.5])
    assert np.isnan(found.precision[2])
    assert np.allclose(found.recall, [2 / 3, 1.0, 0.0])
    assert np.allclose(found.f1, [0.8, 2 / 3, 0.0])
    assert found.rows.tolist() == [3, 2, 1]


def test_calibration_of_a_model_that_is_as_right_as_it_is_sure():
    sure = np.repeat([0.55, 0.95], 100)
    right = np.concatenate([np.arange(100) < 55, np.arange(100) < 95])
    found = calibration(sure, right)
    assert found.error == 0
    assert found.rows.tolist() == [100, 100]
    assert calibration(np.ones(10), np.zeros(10, bool)).error == 1


def test_the_worst_mistake_is_the_surest():
    found = Classified(np.array([1, 1, 2]), ROWS)
    assert worst(found, 5).tolist() == [0]
    assert worst(Classified(np.array([1, 0, 0]), ROWS), 2).tolist() == [1, 0]


def test_fit_of_a_constant_is_none():
    assert np.isnan(fit_of(np.ones(3), np.ones(3)).r2)
    assert fit_of(np.array([0.0, 2.0]), np.array([1.0, 1.0])) == (1.0, 1.0, 0.0)
