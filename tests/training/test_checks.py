"""Mistakes in losses, metrics, steps and data are answered in words: what came, what was expected, what to do."""

import contextlib

import jax.numpy as jnp
import numpy as np
import pytest

import cornu
from cornu import layers, losses, metrics, models
from cornu.losses import CategoricalCrossentropy, SparseCategoricalCrossentropy

x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
y = x.sum(1, keepdims=True)
labels = (y[:, 0] > 0).astype(np.int32)


def dense(units=1, loss="mse", **options):
    model = models.Sequential([layers.Input((4,)), layers.Dense(units)])
    model.compile("sgd", loss, **options)
    return model


def branching(y_true, y_pred):
    return jnp.mean(y_pred) if jnp.mean(y_pred) > 0 else jnp.mean(y_true)


def with_numpy(y_true, y_pred):
    return np.mean(np.asarray(y_true) == np.asarray(y_pred))


def with_float(y_true, y_pred):
    return float(jnp.mean(y_pred))


def nothing(y_true, y_pred):
    jnp.mean(y_pred)


sparse = SparseCategoricalCrossentropy(from_logits=True)
CASES = {
    "a loss with if": (dense(loss=branching), y, {}, r"The loss 'branching' cannot be compiled.*keras\.ops"),
    "a metric with numpy": (dense(metrics=[with_numpy]), y, {}, "The metric 'with_numpy' cannot be compiled"),
    "a metric with float": (dense(metrics=[with_float]), y, {}, "The metric 'with_float' cannot be compiled"),
    "a loss without return": (dense(loss=nothing), y, {}, "The loss 'nothing' returned None"),
    "a metric for other labels": (
        dense(2, sparse, metrics=[metrics.Precision()]),
        labels,
        {},
        "The metric 'precision'",
    ),
    "a loss for other shapes": (dense(3), np.ones((40, 2)), {}, "The loss 'mean_squared_error' cannot compare y"),
    "weights per nothing": (dense(), y, {"sample_weight": np.ones((40, 7))}, r"sample_weight has shape \(32, 7\)"),
    "labels outside": (dense(2, sparse), labels + 1, {}, "2 classes, 0 to 1; y contains labels from 1 to 2"),
    "classes for one-hot": (dense(2, CategoricalCrossentropy()), labels, {}, "sparse_categorical_crossentropy"),
    "no loss": (dense(loss=None), y, {}, "nothing to minimize"),
}


@pytest.mark.parametrize("name", CASES)
def test_mistakes_raise_a_clear_error(name):
    model, targets, options, words = CASES[name]
    with pytest.raises((ValueError, TypeError), match=f"(?s){words}") as caught:
        model.fit(x, targets, verbose=0, **options)
    assert not any(word in str(caught.value).lower() for word in ("tracer", "traced", "jaxpr", "shapedarray", "xla"))


def test_labels_outside_are_found_on_single_batches_and_in_subclassed_models():
    class Classifier(models.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, inputs):
            return self.dense(inputs)

    for model in (dense(2, sparse), Classifier()):
        model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
        with pytest.raises(ValueError, match="y contains labels from 1 to 2"):
            model.train_on_batch(x, labels + 1)


def test_numbers_outside_an_embedding():
    model = models.Sequential([layers.Embedding(5, 2), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"5 rows, for indices from 0 to 4; x contains indices from 0 to 7"):
        model.fit(np.array([[0, 7], [1, 2]]), np.ones(2), verbose=0)


def test_one_array_for_two_outputs():
    start = layers.Input((4,))
    model = models.Model(start, [layers.Dense(1)(start), layers.Dense(1)(start)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="got a single array"):
        model.fit(x, y, verbose=0)


def test_a_custom_step_that_returns_nothing():
    class Silent(models.Sequential):
        def train_step(self, data):
            return None

    model = Silent([layers.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match="returns a dictionary"):
        model.fit(x, y, verbose=0)


def test_a_model_whose_constructor_forgets_the_base_class():
    class Forgetful(models.Model):
        def __init__(self):
            self.dense = layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

    with pytest.raises(RuntimeError, match=r"does not call super\(\).__init__"):
        Forgetful().compile("sgd", "mse")


def test_shapes_in_errors_have_none_for_the_batch():
    class Around(models.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

    model = Around()
    model.predict(x, verbose=0)
    with pytest.raises(ValueError, match=r"\(None, 2\)"):
        model.predict(x[:, :2], verbose=0)


def masked_loss(y_true, y_pred):
    known = ~jnp.isnan(y_true)
    errors = jnp.where(known, jnp.where(known, y_true, 0.0) - y_pred, 0.0)
    return jnp.sum(errors**2) / jnp.sum(known)


class MaskedLoss(losses.Loss):
    def call(self, y_true, y_pred):
        return masked_loss(y_true, y_pred)


def with_missing_labels():
    labels = np.array(x[:, :2])
    labels[3, 0] = np.nan
    labels[5] = np.nan
    return labels


@pytest.mark.parametrize("loss", [masked_loss, MaskedLoss()])
def test_a_custom_loss_may_leave_out_nan(loss):
    model = models.Sequential([layers.Input((4,)), layers.Dense(2)])
    model.compile("sgd", loss)
    labels = with_missing_labels()
    assert np.isfinite(model.fit(x, labels, verbose=0).history["loss"]).all()  # the first bad row has a loss
    with pytest.warns(UserWarning, match="first in row 0: the loss is NaN unless the model leaves them out"):
        history = model.fit(x[5:], labels[5:], verbose=0, shuffle=False).history
    assert np.isfinite(history["loss"]).all()


def test_a_custom_step_or_compute_loss_may_leave_out_nan():
    class Own(models.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return masked_loss(y, y_pred)

    model = Own([layers.Input((4,)), layers.Dense(2)])
    model.compile("sgd")
    with pytest.warns(UserWarning, match="unless the model leaves them out"):
        assert np.isfinite(model.fit(x[5:], with_missing_labels()[5:], verbose=0).history["loss"]).all()


def test_nan_in_a_metric_alone_is_a_warning(real_keras):
    labels, histories = with_missing_labels()[:5], []

    def squares(y_true, y_pred):
        return jnp.where(jnp.isnan(y_true), 0.0, (jnp.nan_to_num(y_true) - y_pred) ** 2)

    for keras in (cornu, real_keras):
        model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2, kernel_initializer="ones")])
        model.compile("sgd", squares, metrics=["mae"])
        with pytest.warns(UserWarning, match="NaN in 'mae'") if keras is cornu else contextlib.nullcontext():
            histories.append(model.fit(x[:5], labels, verbose=0, shuffle=False).history)
    assert np.isnan(histories[0]["mae"]).all()
    np.testing.assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-5)


def test_nan_that_nothing_can_leave_out_is_refused():
    model = models.Sequential([layers.Input((4,)), layers.Dense(2)])
    for loss in ("mse", losses.Huber(), losses.LossFunctionWrapper(losses.mean_absolute_error)):
        model.compile("sgd", loss)
        with pytest.raises(ValueError, match="first in row 3; the loss would be NaN"):
            model.fit(x, with_missing_labels(), verbose=0)


def fitted(units, activation, loss, y, **options):
    model = cornu.Sequential([layers.Dense(units, activation=activation)])
    model.compile(cornu.optimizers.SGD(**options), loss)
    model.fit(np.ones((len(y), 3), "float32"), y, epochs=6, verbose=0)


def test_a_softmax_of_one_unit_is_said():
    with pytest.warns(UserWarning, match="softmax over one unit"):
        fitted(1, "softmax", "binary_crossentropy", np.array([0.0, 1.0]))


@pytest.mark.parametrize("y", [np.array([-1.0, 1.0]), np.array([0, 2])])
def test_labels_that_are_no_probabilities_are_said(y):
    with pytest.warns(UserWarning, match=rf"expects labels from 0 to 1; y contains values from {y[0]:g} to {y[1]:g}"):
        fitted(1, "sigmoid", "binary_crossentropy", y)


def test_labels_that_are_probabilities_are_not():
    fitted(1, "sigmoid", "binary_crossentropy", np.array([0.0, 0.3]))


def test_the_epoch_in_which_the_loss_became_nan_is_said_once():
    with pytest.warns(UserWarning, match=r"The loss became NaN in epoch \d\. Try a smaller learning rate") as said:
        fitted(1, None, "mse", np.ones(4), learning_rate=1e30)
    assert len(said) == 1


def test_integer_classes_of_each_step_fit_an_output_of_unknown_length():
    inputs = cornu.Input((None, 2))
    model = cornu.Model(inputs, layers.Dense(3, activation="softmax")(inputs))
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = np.ones((2, 5, 2), "float32"), np.ones((2, 5), "int32")
    for labels in (y, y[..., None]):
        model.fit(x, labels, verbose=0)
    with pytest.raises(ValueError, match="expects integer classes of shape"):
        model.fit(x, np.ones((2, 5, 3), "int32"), verbose=0)
