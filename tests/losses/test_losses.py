"""Every loss against real Keras: values, gradients, arguments, weights, reductions, configs."""

import jax
import keras
import numpy as np
import pytest

from cornu import losses

rng = np.random.default_rng(3)
ROWS, CLASSES = 6, 4
PROBABILITIES = rng.dirichlet(np.ones(CLASSES), ROWS).astype("float32")
LOGITS = rng.normal(0, 3, (ROWS, CLASSES)).astype("float32")
ONE_HOT = np.eye(CLASSES, dtype="float32")[rng.integers(0, CLASSES, ROWS)]
NUMBERS = ONE_HOT.argmax(-1)
BINARY = rng.integers(0, 2, (ROWS, CLASSES)).astype("float32")
REALS = rng.normal(0, 2, (ROWS, CLASSES)).astype("float32")
POSITIVE = np.abs(REALS) + 0.1
SIGNS = BINARY * 2 - 1
UNIT = LOGITS / np.linalg.norm(LOGITS, axis=-1, keepdims=True)

CASES = [
    ("mean_squared_error", REALS, LOGITS, {}),
    ("mean_absolute_error", REALS, LOGITS, {}),
    ("mean_absolute_percentage_error", REALS, LOGITS, {}),
    ("mean_squared_logarithmic_error", POSITIVE, REALS, {}),
    ("huber", REALS, LOGITS, {}),
    ("huber", REALS, LOGITS, {"delta": 2.5}),
    ("log_cosh", REALS, LOGITS, {}),
    ("log_cosh", REALS * 100, LOGITS, {}),
    ("categorical_crossentropy", ONE_HOT, PROBABILITIES, {}),
    ("categorical_crossentropy", ONE_HOT, PROBABILITIES * 3, {}),
    ("categorical_crossentropy", ONE_HOT, LOGITS, {"from_logits": True}),
    ("categorical_crossentropy", ONE_HOT, LOGITS, {"from_logits": True, "label_smoothing": 0.2}),
    ("categorical_crossentropy", ONE_HOT, PROBABILITIES, {"label_smoothing": 0.1}),
    ("categorical_crossentropy", ONE_HOT.T, PROBABILITIES.T, {"axis": 0}),
    ("categorical_crossentropy", ONE_HOT, np.eye(4, dtype="float32")[[0, 1, 2, 3, 0, 1]], {}),
    ("sparse_categorical_crossentropy", NUMBERS, PROBABILITIES, {}),
    ("sparse_categorical_crossentropy", NUMBERS[:, None], PROBABILITIES, {}),
    ("sparse_categorical_crossentropy", NUMBERS.astype("float32"), LOGITS, {"from_logits": True}),
    ("sparse_categorical_crossentropy", NUMBERS, LOGITS, {"from_logits": True, "ignore_class": 1}),
    ("sparse_categorical_crossentropy", NUMBERS, LOGITS, {"from_logits": True, "ignore_class": -1}),
    ("binary_crossentropy", BINARY, PROBABILITIES, {}),
    ("binary_crossentropy", BINARY, LOGITS * 30, {"from_logits": True}),
    ("binary_crossentropy", BINARY, LOGITS, {"from_logits": True, "label_smoothing": 0.3}),
    ("binary_crossentropy", BINARY, PROBABILITIES, {"label_smoothing": 0.3, "axis": 0}),
    ("binary_crossentropy", BINARY, BINARY[::-1], {}),
    ("binary_focal_crossentropy", BINARY, PROBABILITIES, {}),
    ("binary_focal_crossentropy", BINARY, LOGITS, {"from_logits": True, "gamma": 3.0, "label_smoothing": 0.1}),
    ("binary_focal_crossentropy", BINARY, PROBABILITIES, {"apply_class_balancing": True, "alpha": 0.4, "axis": 0}),
    ("categorical_focal_crossentropy", ONE_HOT, PROBABILITIES, {}),
    ("categorical_focal_crossentropy", ONE_HOT, LOGITS, {"from_logits": True, "gamma": 1.5, "label_smoothing": 0.1}),
    ("categorical_focal_crossentropy", ONE_HOT, PROBABILITIES, {"alpha": [0.1, 0.2, 0.3, 0.4]}),
    ("categorical_generalized_cross_entropy", NUMBERS, PROBABILITIES, {"q": 0.3}),
    ("hinge", SIGNS, LOGITS, {}),
    ("hinge", BINARY, LOGITS, {}),
    ("squared_hinge", SIGNS, LOGITS, {}),
    ("squared_hinge", BINARY, LOGITS, {}),
    ("categorical_hinge", ONE_HOT, LOGITS, {}),
    ("kl_divergence", PROBABILITIES[::-1], PROBABILITIES, {}),
    ("poisson", POSITIVE, PROBABILITIES, {}),
    ("cosine_similarity", REALS, LOGITS, {}),
    ("cosine_similarity", REALS, LOGITS, {"axis": 0}),
    ("cosine_similarity", REALS * 0, LOGITS, {}),
    ("dice", BINARY, PROBABILITIES, {}),
    ("dice", BINARY, PROBABILITIES, {"axis": 1}),
    ("dice", BINARY, PROBABILITIES, {"axis": (0, 1)}),
    ("tversky", BINARY, PROBABILITIES, {"alpha": 0.3, "beta": 0.8}),
    ("tversky", BINARY, PROBABILITIES, {"axis": 0}),
    ("circle", NUMBERS, UNIT, {}),
    ("circle", NUMBERS, UNIT, {"remove_diagonal": False, "gamma": 20, "margin": 0.2}),
    ("circle", NUMBERS, UNIT, {"ref_labels": NUMBERS[:3], "ref_embeddings": UNIT[::-1][:3]}),
    ("ctc", np.array([[1, 2], [3, 1]]), rng.normal(0, 1, (2, 7, 4)).astype("float32"), {}),
]


@pytest.mark.parametrize(("name", "y_true", "y_pred", "options"), CASES)
def test_a_function_gives_the_values_and_gradients_of_keras(name, y_true, y_pred, options):
    ours, theirs = getattr(losses, name), getattr(keras.losses, name)
    np.testing.assert_allclose(ours(y_true, y_pred, **options), theirs(y_true, y_pred, **options), rtol=2e-5, atol=2e-6)
    gradients = [jax.grad(lambda p, f=f: f(y_true, p, **options).sum())(y_pred) for f in (ours, theirs)]
    np.testing.assert_allclose(*gradients, rtol=1e-4, atol=1e-5)
