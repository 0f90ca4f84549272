"""Every metric against real Keras, over several batches, with and without sample weights."""

import jax
import keras
import numpy as np
import pytest

from cornu import metrics

pytestmark = pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # Keras asks for it

rng = np.random.default_rng(5)
ROWS, CLASSES = 8, 4


def batches(kind):
    """Return three batches of labels and predictions of a kind."""
    return [KINDS[kind]() for _ in range(3)]


def one_hot():
    return np.eye(CLASSES, dtype="float32")[rng.integers(0, CLASSES, ROWS)]


def probabilities():
    return rng.dirichlet(np.ones(CLASSES), ROWS).astype("float32")


def reals():
    return rng.normal(0, 1, (ROWS, CLASSES)).astype("float32")


def binary(*shape):
    return rng.integers(0, 2, shape or (ROWS, CLASSES)).astype("float32")


KINDS = {
    "one_hot": lambda: (one_hot(), probabilities()),
    "sparse": lambda: (one_hot().argmax(-1), probabilities()),
    "sparse_column": lambda: (one_hot().argmax(-1)[:, None], probabilities()),
    "sequence": lambda: (rng.integers(0, CLASSES, (ROWS, 3)), rng.random((ROWS, 3, CLASSES)).astype("float32")),
    "ids": lambda: (one_hot().argmax(-1), rng.permuted(np.tile(np.arange(CLASSES), (ROWS, 1)), axis=1)),
    "binary": lambda: (binary(), rng.random((ROWS, CLASSES)).astype("float32")),
    "binary_column": lambda: (binary(ROWS, 1), rng.random((ROWS, 1)).astype("float32")),
    "binary_row": lambda: (binary(ROWS), rng.random(ROWS).astype("float32")),
    "signs": lambda: (binary() * 2 - 1, reals()),
    "reals": lambda: (reals(), reals()),
    "positive": lambda: (np.abs(reals()), np.abs(reals())),
    "distributions": lambda: (probabilities(), probabilities()),
    "classes": lambda: (rng.integers(0, 3, (ROWS, 5)), rng.integers(0, 3, (ROWS, 5))),
    "maps": lambda: (np.eye(3, dtype="float32")[rng.integers(0, 3, (ROWS, 5))], rng.random((ROWS, 5, 3))),
    "column_and_row": lambda: (reals()[:, :1], reals()[:, 0]),
}

CASES = [
    ("Accuracy", "classes", {}),
    ("BinaryAccuracy", "binary", {}),
    ("BinaryAccuracy", "binary_column", {"threshold": 0.3}),
    ("CategoricalAccuracy", "one_hot", {}),
    ("SparseCategoricalAccuracy", "sparse", {}),
    ("SparseCategoricalAccuracy", "sparse_column", {}),
    ("SparseCategoricalAccuracy", "sequence", {}),
    ("TopKCategoricalAccuracy", "one_hot", {"k": 2}),
    ("SparseTopKCategoricalAccuracy", "sparse", {"k": 3}),
    ("SparseTopKCategoricalAccuracy", "ids", {"k": 2, "from_sorted_ids": True}),
    ("MeanSquaredError", "reals", {}),
    ("MeanSquaredError", "column_and_row", {}),
    ("RootMeanSquaredError", "reals", {}),
    ("RootMeanSquaredError", "column_and_row", {}),
    ("MeanAbsoluteError", "reals", {}),
    ("MeanAbsolutePercentageError", "reals", {}),
    ("MeanSquaredLogarithmicError", "positive", {}),
    ("LogCoshError", "reals", {}),
    ("CosineSimilarity", "reals", {}),
    ("Hinge", "signs", {}),
    ("SquaredHinge", "signs", {}),
    ("CategoricalHinge", "one_hot", {}),
    ("KLDivergence", "distributions", {}),
    ("Poisson", "positive", {}),
    ("BinaryCrossentropy", "binary", {"label_smoothing": 0.1}),
    ("BinaryCrossentropy", "reals", {"from_logits": True}),
    ("CategoricalCrossentropy", "one_hot", {"label_smoothing": 0.2}),
    ("CategoricalCrossentropy", "one_hot", {"from_logits": True}),
    ("SparseCategoricalCrossentropy", "sparse", {}),
    ("SparseCategoricalCrossentropy", "sequence", {"from_logits": True, "ignore_class": 2}),
    ("PearsonCorrelation", "reals", {}),
    ("ConcordanceCorrelation", "reals", {}),
    ("TruePositives", "binary", {}),
    ("FalsePositives", "binary_column", {"thresholds": [0.2, 0.6]}),
    ("TrueNegatives", "binary_row", {"thresholds": 0.4}),
    ("FalseNegatives", "binary", {}),
    ("Precision", "binary", {}),
    ("Precision", "binary", {"thresholds": [0.1, 0.7]}),
    ("Precision", "one_hot", {"top_k": 2}),
    ("Precision", "one_hot", {"class_id": 1, "thresholds": 0.25}),
    ("Recall", "binary_row", {}),
    ("Recall", "one_hot", {"top_k": 1, "class_id": 2}),
    ("SensitivityAtSpecificity", "binary", {"specificity": 0.4}),
    ("SpecificityAtSensitivity", "binary", {"sensitivity": 0.7, "num_thresholds": 20}),
    ("SpecificityAtSensitivity", "binary", {"sensitivity": 0.7, "num_thresholds": 1}),
    ("PrecisionAtRecall", "binary", {"recall": 0.8}),
    ("PrecisionAtRecall", "one_hot", {"recall": 0.5, "class_id": 1}),
    ("RecallAtPrecision", "binary", {"precision": 0.55}),
    ("RecallAtPrecision", "binary", {"precision": 1.0}),
    ("AUC", "binary", {}),
    ("AUC", "binary_row", {"curve": "PR"}),
    ("AUC", "binary_column", {"curve": "PRGAIN", "summation_method": "majoring"}),
    ("AUC", "binary", {"thresholds": [0.2, 0.4, 0.9], "summation_method": "minoring"}),
    ("AUC", "binary", {"multi_label": True}),
    ("AUC", "binary", {"multi_label": True, "num_labels": 4, "label_weights": [1.0, 2.0, 0.0, 1.0], "curve": "PR"}),
    ("AUC", "signs", {"from_logits": True}),
    ("F1Score", "one_hot", {}),
    ("F1Score", "binary", {"average": "macro", "threshold": 0.4}),
    ("FBetaScore", "binary", {"average": "micro", "beta": 2.0, "threshold": 0.4}),
    ("FBetaScore", "one_hot", {"average": "weighted", "beta": 0.5}),
    ("R2Score", "reals", {}),
    ("R2Score", "reals", {"class_aggregation": None}),
    ("R2Score", "reals", {"class_aggregation": "variance_weighted_average", "num_regressors": 2}),
    ("IoU", "classes", {"num_classes": 3, "target_class_ids": [0, 2]}),
    ("MeanIoU", "classes", {"num_classes": 3}),
    ("MeanIoU", "classes", {"num_classes": 3, "ignore_class": 1}),
    ("MeanIoU", "maps", {"num_classes": 3, "sparse_y_true": False, "sparse_y_pred": False}),
    ("BinaryIoU", "binary", {}),
    ("BinaryIoU", "binary", {"target_class_ids": [1], "threshold": 0.3}),
    ("OneHotIoU", "maps", {"num_classes": 3, "target_class_ids": [1]}),
    ("OneHotMeanIoU", "maps", {"num_classes": 3}),
]
ENTRYWISE = ("IoU", "MeanIoU", "BinaryIoU", "OneHotIoU", "OneHotMeanIoU")


def pair(name, options):
    theirs = dict(options)
    if name in ENTRYWISE:  # Keras cuts fractional weights to whole numbers unless told otherwise
        theirs["dtype"] = "float32"
    return getattr(metrics, name)(**options), getattr(keras.metrics, name)(**theirs)


def weights_for(name, kind, y_true):
    shape = np.shape(y_true)
    if name in ENTRYWISE:
        shape = shape[:-1] if "OneHot" in name else shape
    elif kind != "sequence":
        shape = shape[:1]
    return rng.random(shape).astype("float32")


@pytest.mark.parametrize(("name", "kind", "options"), CASES)
def test_batch_after_batch_the_result_is_that_of_keras(name, kind, options):
    ours, theirs = pair(name, options)
    for y_true, y_pred in batches(kind):
        ours.update_state(y_true, y_pred)
        theirs.update_state(y_true, y_pred)
        np.testing.assert_allclose(ours.result(), theirs.result(), rtol=3e-5, atol=2e-6)
    ours.reset_state()
    y_true, y_pred = batches(kind)[0]
    theirs.reset_state()
    np.testing.assert_allclose(ours(y_true, y_pred), theirs(y_true, y_pred), rtol=3e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "kind", "options"), CASES)
def test_sample_weights_count_as_in_keras(name, kind, options):
    if options.get("sparse_y_true") is False:
        pytest.skip("Keras takes no weights for maps here")
    ours, theirs = pair(name, options)
    for y_true, y_pred in batches(kind):
        weights = weights_for(name, kind, y_true)
        ours.update_state(y_true, y_pred, sample_weight=weights)
        theirs.update_state(y_true, y_pred, sample_weight=weights)
    np.testing.assert_allclose(ours.result(), theirs.result(), rtol=3e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "kind", "options"), CASES)
def test_a_compiled_update_gives_what_an_eager_one_does(name, kind, options):
    eager, traced = getattr(metrics, name)(**options), getattr(metrics, name)(**options)
    (y_true, y_pred), second, _ = batches(kind)
    traced.build(np.shape(y_true), np.shape(y_pred))
    update = jax.jit(traced.stateless_update_state)
    values = [variable.value for variable in traced.variables]
    for batch in ((y_true, y_pred), second):
        eager.update_state(*batch)
        values = update(values, *batch)
    np.testing.assert_allclose(traced.stateless_result(values), eager.result(), rtol=1e-5, atol=1e-6)
    assert all(not np.any(variable.numpy()) for variable in traced.variables)


@pytest.mark.parametrize(("name", "kind", "options"), CASES)
def test_configs_go_to_keras_and_back(name, kind, options):
    ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    y_true, y_pred = batches(kind)[0]
    expected = np.asarray(ours(y_true, y_pred))
    there = keras.metrics.deserialize(metrics.serialize(ours))
    back = metrics.deserialize(keras.metrics.serialize(theirs))
    again = metrics.deserialize(metrics.serialize(ours))
    for metric in (there, back, again):
        np.testing.assert_allclose(np.asarray(metric(y_true, y_pred)), expected, rtol=3e-5, atol=2e-6)
    assert again.get_config() == ours.get_config()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.get("acuracy"), "Did you mean"),
        (lambda: metrics.AUC(curve="PRC"), "Did you mean 'PR'"),
        (lambda: metrics.AUC(summation_method="x"), "Known ones"),
        (lambda: metrics.AUC(num_thresholds=1), "at least 2"),
        (lambda: metrics.AUC(multi_label=True, num_labels=2)(np.ones((2, 3)), np.ones((2, 3))), "expects 2 labels"),
        (lambda: metrics.Precision(thresholds=2.0), "from 0 to 1"),
        (lambda: metrics.Recall(thresholds=[0.5, None]), "from 0 to 1"),
        (lambda: metrics.SensitivityAtSpecificity(2), "`specificity` from 0 to 1"),
        (lambda: metrics.PrecisionAtRecall(0.5, num_thresholds=0), "at least 1"),
        (lambda: metrics.F1Score(average="mean"), "average of F1Score"),
        (lambda: metrics.FBetaScore(beta=0), "above 0"),
        (lambda: metrics.F1Score(threshold=0), "above 0"),
        (lambda: metrics.F1Score()(np.ones(3), np.ones(3)), "batch, classes"),
        (lambda: metrics.R2Score(class_aggregation="x"), "class_aggregation"),
        (lambda: metrics.R2Score(num_regressors=-1), "at least 0"),
        (lambda: metrics.IoU(2, [2]), "from 0 to 1"),
        (lambda: metrics.MeanIoU(2)(np.ones(4), np.ones(4), sample_weight=np.ones(3)), "3 weights for 4"),
        (lambda: metrics.Mean()(np.ones(4), sample_weight=np.ones(3)), r"sample_weight has shape \(3,\)"),
        (lambda: metrics.SparseCategoricalAccuracy()(np.ones((3, 2)), np.ones((3, 4))), "labels"),
        (lambda: metrics.Mean().stateless_result([1.0]), "2 variables"),
        (lambda: metrics.Metric().result(), "does not implement result"),
    ],
)
def test_anything_else_raises_a_clear_error(call, words):
    with pytest.raises((ValueError, NotImplementedError), match=words):
        call()


def test_binary_accuracy_of_single_numbers_counts_each_row():
    """Two batches of unlike size: the share of all rows, not the mean of two shares."""
    y_true, y_pred = np.array([1.0, 0, 1, 0, 1, 1]), np.array([0.9, 0.1, 0.2, 0.3, 0.1, 0.2])
    ours, theirs = metrics.BinaryAccuracy(), keras.metrics.BinaryAccuracy()
    for metric in (ours, theirs):
        metric.update_state(y_true, y_pred, sample_weight=[1, 2, 1, 0, 1, 1])
        metric.update_state(y_true[:2], y_pred[:2])
    np.testing.assert_allclose(ours.result(), theirs.result())
    np.testing.assert_array_equal(
        metrics.binary_accuracy(y_true[:, None], y_pred), keras.metrics.binary_accuracy(y_true[:, None], y_pred)
    )


def test_binary_accuracy_of_logits():
    metric = metrics.BinaryAccuracy(threshold=0)
    assert float(metric([0, 1, 1, 0], [-3.0, 0.2, -0.1, -2.0])) == 0.75


@pytest.mark.parametrize(
    ("y_true", "y_pred", "weights"),
    [
        ([1, 2, 3, 4], [0, 2, 3, 4], None),
        ([1, 2, 3, 4], [0, 2, 3, 4], [0.5, 0.2, 0.3, 0.5]),
        ([[1], [2], [3], [4]], [[0], [2], [3], [4]], [0.5, 0.2, 0.3, 0.5]),
        ([[1, 2], [3, 4]], [[0, 2], [3, 4]], [[0.5, 0.2], [0.3, 0.5]]),
        ([[1, 2], [3, 4]], [[1, 2], [3, 5]], [1.0, 5.0]),
        ([1, 2], [[1], [3]], None),
    ],
)
def test_accuracy_counts_entries_as_keras_does(real_keras, y_true, y_pred, weights):
    found = []
    for library in (metrics, real_keras.metrics):
        metric = library.Accuracy()
        for rows in (slice(0, 1), slice(1, None)):  # batches of different size
            part = None if weights is None else np.array(weights)[rows]
            metric.update_state(np.array(y_true)[rows], np.array(y_pred)[rows], sample_weight=part)
        found.append(float(metric.result()))
    np.testing.assert_allclose(*found, rtol=1e-6)


@pytest.mark.parametrize("weights", [[[1.0, 0.0]], [[1.0], [0.5]], [1.0, 0.5]])
@pytest.mark.parametrize("name", ["BinaryAccuracy", "MeanSquaredError"])
def test_weights_are_broadcast_to_the_predictions(real_keras, name, weights):
    y_true, y_pred = np.array([[1.0, 1], [0, 0]]), np.array([[0.98, 1], [0, 0.6]])
    if name == "MeanSquaredError" and np.shape(weights) == (1, 2):
        pytest.skip("one value per row")
    ours, theirs = (getattr(one, name)() for one in (metrics, real_keras.metrics))
    for metric in (ours, theirs):
        metric.update_state(y_true, y_pred, sample_weight=np.array(weights))
    np.testing.assert_allclose(ours.result(), theirs.result(), rtol=1e-6)


def test_a_wrapped_function_of_entries_takes_broadcast_weights(real_keras):
    y_true, y_pred = np.array([[1.0, 1], [0, 0]]), np.array([[0.9, 1], [0, 0.6]])
    ours, theirs = (one.MeanMetricWrapper(lambda a, b: abs(a - b)) for one in (metrics, real_keras.metrics))
    for metric in (ours, theirs):
        metric.update_state(y_true, y_pred, sample_weight=np.array([[1.0, 3.0]]))
    np.testing.assert_allclose(ours.result(), theirs.result(), rtol=1e-6)


@pytest.mark.parametrize(
    ("labels", "shape"), [([[2], [1]], (1, 2, 3)), ([2, 1], (2, 1, 3)), ([[[2], [1]]], (1, 2, 3)), ([[2, 1]], (2, 3))]
)
def test_integer_labels_may_have_another_axis_of_size_1(labels, shape):
    metric = metrics.SparseCategoricalAccuracy()
    metric.update_state(labels, np.array([[0.1, 0.6, 0.3], [0.05, 0.95, 0]]).reshape(shape))
    assert float(metric.result()) == 0.5
    with pytest.raises(ValueError, match="one integer class per prediction"):
        metric.update_state([0, 1, 2], np.ones((2, 3)))
    with pytest.raises(ValueError, match="one integer class per prediction"):
        metric.update_state(np.ones((3, 2), int), np.ones((2, 3, 4)))


OUTSIDE = [
    ([0, 1, 1, 0, 0], [-3.0, 2.0, 0.2, -0.1, 5.0]),
    ([0, 0, 1, 1], [-2.0, -1.0, 1.5, 3.0]),
]


@pytest.mark.parametrize(("y_true", "y_pred"), OUTSIDE)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("AUC", {}),
        ("AUC", {"curve": "PR"}),
        ("SensitivityAtSpecificity", {"specificity": 0.3}),
        ("PrecisionAtRecall", {"recall": 0.5}),
        ("Precision", {}),
        ("FalsePositives", {"thresholds": [0.2, 0.7]}),
    ],
)
def test_predictions_outside_0_to_1_count_as_in_keras(real_keras, name, options, y_true, y_pred):
    results = []
    for library in (metrics, real_keras.metrics):
        metric = getattr(library, name)(**options)
        metric.update_state(np.array(y_true), np.array(y_pred, "float32"))
        results.append(np.asarray(metric.result()))
    np.testing.assert_allclose(*results, rtol=1e-4)


def test_a_perfect_ranking_outside_0_to_1_is_perfect_at_given_thresholds_too():
    metric = metrics.AUC(thresholds=[0.1, 0.4, 0.9])
    metric.update_state(*OUTSIDE[1])
    assert float(metric.result()) == 1.0


@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 3.0, 0.5]])
def test_pooled_columns_count_by_their_label_weights(real_keras, weights):
    y_true = np.array([[0, 0, 1, 1], [1, 1, 1, 1]]).T
    y_pred = np.array([[0.0, 0.5, 0.3, 0.9], [0.0, 0.5, 0.3, 0.9]]).T
    results = []
    for library in (metrics, real_keras.metrics):
        metric = library.AUC(num_thresholds=5, multi_label=False, label_weights=[0.75, 0.25])
        metric.update_state(y_true, y_pred, sample_weight=None if weights is None else np.array(weights))
        results.append(float(metric.result()))
        assert metric.true_positives.shape == (5,)
    np.testing.assert_allclose(*results, rtol=1e-5)
    if weights is None:
        assert round(results[0], 4) == 0.8
    with pytest.raises(ValueError, match="2 label_weights"):
        metrics.AUC(label_weights=[1.0, 2.0]).update_state([0, 1], [0.5, 0.6])
