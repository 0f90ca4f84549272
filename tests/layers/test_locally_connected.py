"""LocallyConnected1D and 2D against the answers of tf.keras 2.15: the last Keras that had them."""

import numpy as np
import pytest

import cornu
from cornu import layers
from layers.locally_connected_cases import ANSWERS, CASES, computed


def test_every_form_computes_what_tf_keras_does():
    found = [computed(number, layers) for number in range(len(CASES))]
    with np.load(ANSWERS) as answers:
        assert [str(shapes) for _, shapes in found] == answers["shapes"].tolist()
        np.testing.assert_allclose(
            np.concatenate([outputs.ravel() for outputs, _ in found]), answers["outputs"], rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("implementation", [1, 2, 3])
def test_it_learns_and_is_saved(tmp_path, implementation):
    layer = layers.LocallyConnected2D(2, 2, implementation=implementation, kernel_regularizer="l2")
    model = cornu.Sequential([cornu.Input((5, 4, 2)), layer, layers.Flatten(), layers.Dense(1)])
    model.compile("adam", "mse")
    x = np.random.default_rng(0).standard_normal((16, 5, 4, 2)).astype("float32")
    losses = model.fit(x, x.sum((1, 2, 3)), epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        again = cornu.models.load_model(tmp_path / name)
        np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.LocallyConnected1D(2, 3, padding="same"), "needs implementation=2 or 3"),
        (lambda: layers.LocallyConnected1D(2, 3, implementation=4), "must be 1, 2 or 3"),
        (lambda: layers.LocallyConnected1D(0, 3), "`filters` must be an integer of at least 1"),
        (lambda: layers.LocallyConnected1D(2, 3)(cornu.Input((2, 4))), "does not fit into inputs"),
        (lambda: layers.LocallyConnected1D(2, 3)(cornu.Input((None, 4))), "which is unknown"),
        (lambda: layers.LocallyConnected2D(2, 3)(cornu.Input((8, 4))), "4 axes"),
    ],
)
def test_errors_are_clear(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_inputs_of_another_length_are_refused():
    layer = layers.LocallyConnected1D(2, 3)
    layer(np.ones((1, 7, 4)))
    with pytest.raises(ValueError, match="axis 1 of size 7"):
        layer(np.ones((1, 8, 4)))


@pytest.mark.old_spellings
def test_arguments_of_keras_1():
    layer = layers.LocallyConnected2D(4, 3, 2, activation="relu", border_mode="valid", subsample=(1, 1))
    assert (layer.filters, layer.kernel_size, layer.strides) == (4, (3, 2), (1, 1))
    layer = layers.LocallyConnected1D(nb_filter=4, filter_length=3, subsample_length=2, input_shape=(8, 2))
    assert (layer.filters, layer.kernel_size, layer.strides) == (4, (3,), (2,))
