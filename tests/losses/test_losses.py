"""Every loss against real Keras: values, gradients, arguments, weights, reductions, configs."""

import inspect

import jax
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cornu import losses
from cornu.core.graph import SymbolicTensor
from cornu.core.scope import set_mask

pytestmark = pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # Keras asks for it

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


CLASSES_OF_LOSSES = [
    ("MeanSquaredError", REALS, LOGITS, {}),
    ("MeanAbsoluteError", REALS, LOGITS, {}),
    ("MeanAbsolutePercentageError", REALS, LOGITS, {}),
    ("MeanSquaredLogarithmicError", POSITIVE, LOGITS, {}),
    ("Huber", REALS, LOGITS, {"delta": 0.7}),
    ("LogCosh", REALS, LOGITS, {}),
    ("BinaryCrossentropy", BINARY, LOGITS, {"from_logits": True, "label_smoothing": 0.1}),
    ("BinaryFocalCrossentropy", BINARY, PROBABILITIES, {"apply_class_balancing": True, "gamma": 1.0}),
    ("CategoricalCrossentropy", ONE_HOT, PROBABILITIES, {"label_smoothing": 0.1}),
    ("CategoricalFocalCrossentropy", ONE_HOT, PROBABILITIES, {"alpha": 0.5}),
    ("CategoricalGeneralizedCrossEntropy", NUMBERS, PROBABILITIES, {"q": 0.7}),
    ("SparseCategoricalCrossentropy", NUMBERS, LOGITS, {"from_logits": True}),
    ("SparseCategoricalCrossentropy", NUMBERS, LOGITS, {"from_logits": True, "ignore_class": 2}),
    ("Hinge", SIGNS, LOGITS, {}),
    ("SquaredHinge", SIGNS, LOGITS, {}),
    ("CategoricalHinge", ONE_HOT, LOGITS, {}),
    ("KLDivergence", PROBABILITIES[::-1], PROBABILITIES, {}),
    ("Poisson", POSITIVE, PROBABILITIES, {}),
    ("CosineSimilarity", REALS, LOGITS, {"axis": 1}),
    ("Dice", BINARY, PROBABILITIES, {"axis": 1}),
    ("Tversky", BINARY, PROBABILITIES, {"alpha": 0.3, "axis": 1}),
    ("Circle", NUMBERS, UNIT, {"gamma": 10.0}),
    ("CTC", rng.integers(1, 4, (ROWS, 2)), rng.normal(0, 1, (ROWS, 6, 4)).astype("float32"), {}),
]
REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None]
WEIGHTS = [None, 0.5, rng.random(ROWS).astype("float32"), np.zeros(ROWS, "float32")]


@pytest.mark.parametrize(("name", "y_true", "y_pred", "options"), CLASSES_OF_LOSSES)
def test_an_object_reduces_and_weighs_as_in_keras(name, y_true, y_pred, options):
    for reduction in REDUCTIONS:
        ours = getattr(losses, name)(**options, reduction=reduction)
        theirs = getattr(keras.losses, name)(**options, reduction=reduction)
        for weights in WEIGHTS:
            np.testing.assert_allclose(
                ours(y_true, y_pred, sample_weight=weights),
                theirs(y_true, y_pred, sample_weight=weights),
                rtol=3e-5,
                atol=2e-6,
                err_msg=f"{reduction} {weights}",
            )


@pytest.mark.parametrize(("name", "y_true", "y_pred", "options"), CLASSES_OF_LOSSES)
def test_configs_go_to_keras_and_back(name, y_true, y_pred, options):
    ours, theirs = getattr(losses, name)(**options), getattr(keras.losses, name)(**options)
    expected = ours(y_true, y_pred)
    again = losses.deserialize(losses.serialize(ours))
    theirs_config = keras.losses.serialize(theirs)
    found = [again]
    if set(options) <= set(theirs_config["config"]):  # Keras forgets the delta of Huber
        found.append(losses.deserialize(theirs_config))
    if name != "CategoricalGeneralizedCrossEntropy":  # Keras cannot read its own config of this one
        found.append(keras.losses.deserialize(losses.serialize(ours)))
    for loss in found:
        np.testing.assert_allclose(loss(y_true, y_pred), expected, rtol=3e-5, atol=2e-6)
    assert again.get_config() == ours.get_config()
    assert ours.name == theirs.name


def test_a_weight_per_sample_counts_for_the_whole_sample():
    y_true, y_pred = np.zeros((3, 3, 2)), np.ones((3, 3, 2))
    values = losses.MeanSquaredError(reduction="none")(y_true, y_pred, sample_weight=np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(values, [[1.0] * 3, [2.0] * 3, [3.0] * 3])
    with pytest.raises(ValueError, match=r"sample_weight has shape \(2,\)"):
        losses.MeanSquaredError()(y_true, y_pred, sample_weight=np.ones(2))


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "none", "mean_with_sample_weight"])
@pytest.mark.parametrize("weights", [None, rng.random((4, 3)).astype("float32")], ids=["plain", "weighted"])
def test_masked_entries_do_not_count_as_in_keras(reduction, weights):
    y_true = rng.normal(0, 1, (4, 3, 2)).astype("float32")
    y_pred, mask = jax.numpy.asarray(y_true * 2), rng.random((4, 3)) > 0.4
    masked = jax.numpy.array(y_pred)
    set_mask(masked, jax.numpy.asarray(mask))
    ours = losses.MeanSquaredError(reduction=reduction)(y_true, masked, sample_weight=weights)
    theirs = keras.losses.MeanSquaredError(reduction=reduction)(y_true, masked, sample_weight=weights)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_classes_may_lie_on_any_axis():
    moved = losses.sparse_categorical_crossentropy(NUMBERS[None], LOGITS.T[None], from_logits=True, axis=1)
    plain = losses.sparse_categorical_crossentropy(NUMBERS[None], LOGITS[None], from_logits=True)
    np.testing.assert_allclose(moved, plain, rtol=1e-6)


numbers = st.floats(-30, 30, width=32)


@settings(max_examples=25, deadline=None)
@given(arrays("float32", (3, 4), elements=numbers), arrays("float32", (3, 4), elements=numbers))
@pytest.mark.parametrize("name", ["mse", "mae", "log_cosh", "huber", "hinge", "categorical_hinge", "cosine_similarity"])
def test_functions_of_reals_agree_with_keras_for_any_numbers(name, y_true, y_pred):
    ours, theirs = losses.get(name)(y_true, y_pred), keras.losses.get(name)(y_true, y_pred)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(arrays("int32", 5, elements=st.integers(0, 3)), arrays("float32", (5, 4), elements=st.floats(-80, 80, width=32)))
def test_logits_of_any_size_agree_with_keras(labels, logits):
    hot = np.eye(4, dtype="float32")[labels]
    for name, y_true in [
        ("sparse_categorical_crossentropy", labels),
        ("categorical_crossentropy", hot),
        ("binary_crossentropy", hot),
    ]:
        ours, theirs = (getattr(m, name)(y_true, logits, from_logits=True) for m in (losses, keras.losses))
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_directions_of_tiny_vectors_count_as_in_keras():
    tiny, ones = np.full((1, 4), 1e-7, "float32"), np.ones((1, 4), "float32")
    for module in (losses, keras.losses):
        np.testing.assert_allclose(module.cosine_similarity(ones, tiny), [-1], rtol=1e-5)


def test_ctc_takes_zeros_at_the_end_of_labels_for_filling():
    labels, logits = np.array([[1, 2, 0], [3, 0, 0], [1, 1, 2]]), np.random.RandomState(0).randn(3, 8, 4)
    ours, theirs = (module.ctc(labels, logits.astype("float32")) for module in (losses, keras.losses))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("name", ["mse", "MSE", "mae", "mape", "msle", "bce", "kld", "KLD", "huber", "poisson", "dice"])
def test_a_name_gives_the_function_and_a_class_name_an_object(name):
    assert losses.serialize(losses.get(name)) == keras.losses.get(name).__name__
    assert isinstance(losses.get("MeanSquaredError"), losses.MeanSquaredError)


@pytest.mark.parametrize("name", [name for name in dir(keras.losses) if not name.startswith("_")])
def test_every_public_name_of_keras_is_here_with_its_arguments(name):
    arguments = [list(inspect.signature(getattr(module, name)).parameters) for module in (losses, keras.losses)]
    assert arguments[0] == arguments[1]


def test_a_loss_of_ones_own():
    class Worst(losses.Loss):
        def call(self, y_true, y_pred):
            return jax.numpy.max(abs(y_true - y_pred), axis=-1)

    assert float(Worst()([[0.0, 1.0]], [[0.5, 0.75]])) == 0.5
    assert Worst().name == "worst"
    wrapped = losses.LossFunctionWrapper(losses.huber, delta=2.0)
    assert losses.deserialize(losses.serialize(wrapped)).delta == 2.0


def test_symbolic_tensors_are_taken():
    y_true, y_pred = SymbolicTensor((None, 3)), SymbolicTensor((None, 3))
    assert tuple(losses.mean_squared_error(y_true, y_pred).shape) == (None,)
    assert tuple(losses.CategoricalCrossentropy()(y_true, y_pred).shape) == ()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: losses.get("msee"), "Did you mean 'mse'"),
        (lambda: losses.Huber(reduction="meen"), "Did you mean 'mean'"),
        (lambda: losses.Loss()(1.0, 1.0), "does not implement call"),
        (lambda: losses.categorical_crossentropy(NUMBERS, LOGITS), "loss='sparse_categorical_crossentropy'"),
        (lambda: losses.categorical_crossentropy(ONE_HOT[:, :2], LOGITS), "number of classes"),
        (lambda: losses.categorical_focal_crossentropy(NUMBERS, LOGITS), "to_categorical"),
        (lambda: losses.sparse_categorical_crossentropy(ONE_HOT, LOGITS), "For one-hot labels"),
        (lambda: losses.mean_squared_error(np.ones((3, 2)), np.ones((3, 3))), "but the predictions have shape"),
        (lambda: losses.ctc(np.ones(3), np.ones((3, 2))), "batch, time, classes"),
        (lambda: losses.CategoricalGeneralizedCrossEntropy(q=2), "0 < q < 1; got q=2"),
        (lambda: losses.Huber(dleta=2.0), "Did you mean 'delta'"),
    ],
)
def test_anything_else_raises_a_clear_error(call, words):
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=words):
        call()


@pytest.mark.parametrize("name", ["BinaryCrossentropy", "BinaryFocalCrossentropy"])
@pytest.mark.parametrize(
    ("y_true", "y_pred", "fits"),
    [
        ((4,), (4, 1), True),
        ((4, 1), (4,), True),
        ((4, 3, 1), (4, 3), True),
        ((4, 1), (4, 3), False),
        ((1, 3), (4, 3), False),
        ((4, 1, 3), (4, 2, 3), False),
        ((4, 3), (4, 1), False),
    ],
)
def test_binary_labels_are_not_broadcast_as_in_keras(real_keras, name, y_true, y_pred, fits):
    values = np.ones(y_true, "float32"), np.full(y_pred, 0.3, "float32")
    ours, theirs = getattr(losses, name)(), getattr(real_keras.losses, name)()
    if fits:
        np.testing.assert_allclose(ours(*values), theirs(*values), rtol=1e-6)
        return
    for loss, words in ((ours, "must match the last axis of the targets"), (theirs, "must have the same shape")):
        with pytest.raises(ValueError, match=words):
            loss(*values)


@pytest.mark.parametrize("dtype", ["mixed_float16", "float16", "bfloat16", None])
def test_a_loss_computes_in_the_dtype_of_its_policy(real_keras, dtype):
    found = [str(one.MeanSquaredError(dtype=dtype)(NUMBERS, NUMBERS).dtype) for one in (losses, real_keras.losses)]
    assert found[0] == found[1]
