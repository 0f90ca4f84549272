"""TimeDistributed against real Keras."""

import functools

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import cornu
import cornu.layers as layers
from contract.compare import assert_like_keras
from cornu.core.scope import get_mask


def array(*shape):
    return np.random.default_rng(len(shape)).standard_normal(shape).astype("float32")


INNER = [
    (lambda module: module.Dense(3, activation="relu", kernel_regularizer="l2"), (2, 4, 5)),
    (lambda module: module.Flatten(), (2, 3, 4, 2)),
    (lambda module: module.Conv2D(2, 2), (2, 3, 4, 4, 1)),
    (lambda module: module.TimeDistributed(module.Dense(2)), (2, 3, 4, 2)),
    (lambda module: module.Reshape((2, -1)), (2, 3, 4)),
    (lambda module: module.LSTM(3), (2, 3, 4, 2)),
    (lambda module: module.Bidirectional(module.GRU(2, return_sequences=True)), (2, 3, 4, 2)),
    (lambda module: module.ConvLSTM1D(2, 2), (2, 3, 2, 4, 1)),
]


@pytest.mark.parametrize(("make", "shape"), INNER)
def test_is_keras_layer(make, shape):
    ours, theirs = (module.TimeDistributed(make(module)) for module in (layers, keras.layers))
    assert_like_keras(ours, theirs, array(*shape))


@pytest.mark.parametrize("training", [True, False])
def test_batch_statistics_are_kept_step_by_step(training):
    ours, theirs = (module.TimeDistributed(module.BatchNormalization()) for module in (layers, keras.layers))
    assert_like_keras(ours, theirs, array(4, 3, 2), training=training)


def test_every_step_drops_other_elements():
    outputs = np.asarray(layers.TimeDistributed(layers.Dropout(0.5))(np.ones((2, 3, 200), "float32"), training=True))
    assert set(np.unique(outputs).tolist()) == {0.0, 2.0}
    assert not np.array_equal(outputs[:, 0], outputs[:, 1])


def test_masks_reach_the_layer_inside_step_by_step_and_pass_on():
    mask = np.array([[True, False, True], [False, True, True]])
    inputs = array(2, 3, 4)

    def ours_function(x, mask):
        return x * mask[:, None]

    ours = layers.TimeDistributed(layers.Lambda(ours_function))
    theirs = keras.layers.TimeDistributed(keras.layers.Lambda(ours_function))
    np.testing.assert_allclose(ours(inputs, mask=mask), theirs(inputs, mask=keras.ops.convert_to_tensor(mask)))
    masked = layers.Masking()(np.where(mask[..., None], inputs, 0))
    np.testing.assert_array_equal(get_mask(layers.TimeDistributed(layers.Dense(2))(masked)), mask)
    with pytest.raises(ValueError, match=r"shape \(2, 3\) \(batch, time\); got \(2, 2\)"):
        ours(inputs, mask=mask[:, :2])


def test_the_number_of_steps_may_be_unknown():
    layer = layers.TimeDistributed(layers.BatchNormalization())
    assert tuple(layer(layers.Input((None, 5)), training=True).shape) == (None, None, 5)
    assert tuple(layers.TimeDistributed(layers.Dense(3))(layers.Input((None, 5))).shape) == (None, None, 3)


def test_errors_are_clear():
    with pytest.raises(ValueError, match="at least 3 axes"):
        layers.TimeDistributed(layers.Dense(2))(array(2, 3))
    with pytest.raises(TypeError, match="TimeDistributed wraps a layer"):
        layers.TimeDistributed("dense")


def custom(module, kind):
    """Return layers of a program's own, for Cornu's or Keras's module of layers."""

    class Base(module.Layer):
        def compute_output_shape(self, input_shape):
            return input_shape

    class Centered(Base):
        def call(self, inputs):
            return inputs - inputs.mean(axis=0)

    class Count(Base):
        def build(self, input_shape):
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

        def call(self, inputs):
            self.count.assign(self.count + 1.0)
            return inputs * self.count

    class Penalized(Base):
        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(input_shape[-1], 2), name="kernel")

        def call(self, inputs):
            self.add_loss((inputs**2).mean())
            return inputs @ self.kernel

    class Weighted(Base):
        def call(self, inputs, mask=None):
            return inputs if mask is None else inputs * mask[:, None] / (mask.sum() + 1.0)

    return {"centered": Centered, "count": Count, "penalized": Penalized, "weighted": Weighted}[kind]()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", ["centered", "count", "weighted"])
def test_custom_layers_meet_each_step_apart(kind, training):
    ours, theirs = (module.TimeDistributed(custom(module, kind)) for module in (layers, keras.layers))
    assert_like_keras(ours, theirs, array(4, 3, 2), training=training)


@pytest.mark.parametrize(
    "make",
    [
        lambda module: module.BatchNormalization(),
        lambda module: custom(module, "count"),
        lambda module: custom(module, "weighted"),
        lambda module: module.Dense(2),
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_masked_steps_equal_keras(make, training):
    ours, theirs = (module.TimeDistributed(make(module)) for module in (layers, keras.layers))
    mask = np.array([[True, False, True], [False, True, True], [True, True, True], [True, False, False]])
    assert_like_keras(ours, theirs, array(4, 3, 2), training=training, mask=jnp.asarray(mask))


@pytest.mark.parametrize("kind", ["centered", "penalized", "count"])
def test_models_around_custom_layers_train_and_predict_as_in_keras(kind):
    results = []
    for package in (cornu, keras):
        module = package.layers
        x = module.Input((None, 2))
        inner = module.TimeDistributed(custom(module, kind))
        outputs = module.Dense(1, kernel_initializer="ones")(inner(x))
        assert tuple(outputs.shape) == (None, None, 1)
        model = package.Model(x, outputs)
        values = np.random.default_rng(3)
        model.set_weights([values.uniform(0.5, 1, weight.shape) for weight in model.get_weights()])
        model.compile(package.optimizers.SGD(0.01), "mse")
        data = array(8, 3, 2)
        history = model.fit(data, data[..., :1], batch_size=4, epochs=2, shuffle=False, verbose=0).history["loss"]
        outputs = model.predict(data, batch_size=4, verbose=0)
        results.append((history, outputs, *model.get_weights(), model.evaluate(data, data[..., :1], verbose=0)))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=1e-5)


def test_a_model_with_state_inside_is_scanned_and_its_gradients_are_those_of_single_steps():
    inner = cornu.Sequential([layers.Dense(3), layers.BatchNormalization(), layers.Dropout(0.5)])
    layer = layers.TimeDistributed(inner)
    x = array(4, 6, 2)
    layer(x)
    jaxpr = jax.make_jaxpr(lambda x: layer.stateless_call(*values(layer), x, training=True))(x)
    assert [equation.primitive.name for equation in jaxpr.eqns].count("scan") == 1

    def loss(weights, others, compiled):
        call = functools.partial(layer.stateless_call, training=True)
        outputs, after = (jax.jit(call) if compiled else call)(weights, others, x)
        return (outputs**2).sum(), after

    (first, second) = (jax.grad(loss, has_aux=True)(*values(layer), compiled) for compiled in (True, False))
    for ours, theirs in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def values(layer):
    return [v._value for v in layer.trainable_variables], [v._value for v in layer.non_trainable_variables]


def test_functions_that_draw_random_numbers_draw_others_at_each_step():
    layer = layers.TimeDistributed(layers.Lambda(lambda x: x + cornu.random.uniform(x.shape)))
    model = cornu.Sequential([layers.Input((4, 5)), layer])
    for outputs in (layer(np.zeros((2, 4, 5), "float32")), model.predict(np.zeros((2, 4, 5), "float32"), verbose=0)):
        assert len({np.asarray(outputs)[:, step].tobytes() for step in range(4)}) == 4


def test_a_model_with_batch_normalization_at_each_step_is_saved_and_loaded(tmp_path):
    model = cornu.Sequential([layers.Input((None, 2)), layers.TimeDistributed(layers.BatchNormalization())])
    model.compile("sgd", "mse")
    model.fit(array(8, 3, 2), array(8, 3, 2), verbose=0)
    model.save(tmp_path / "model.keras")
    again = cornu.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(array(8, 5, 2), verbose=0), model.predict(array(8, 5, 2), verbose=0))


def frames_classifier(module):
    frame = [module.Input((6, 5, 1)), module.layers.Conv2D(2, 3), module.layers.BatchNormalization()]
    cnn = module.Sequential([*frame, module.layers.GlobalMaxPooling2D()])
    stack = [module.layers.TimeDistributed(cnn), module.layers.LSTM(3), module.layers.Dense(1)]
    return module.Sequential([module.Input((4, 6, 5, 1)), *stack])


def test_a_cnn_over_frames_before_an_lstm_trains_as_in_keras():
    x, y = array(3, 4, 6, 5, 1), array(3, 1)
    ours, theirs = frames_classifier(cornu), frames_classifier(keras)
    ours.set_weights(theirs.get_weights())
    losses = []
    for model in (ours, theirs):
        model.compile("sgd", "mse")
        losses.append([float(model.train_on_batch(x, y)) for _ in range(5)])
    np.testing.assert_allclose(*losses, rtol=1e-4)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.parametrize("make", [lambda lay: lay.LSTM(3), lambda lay: lay.Conv1D(2, 2)])
def test_layers_of_the_library_are_one_call_for_all_steps(make):
    """Neither a loop nor a copy for each step: the program is the same for 2 steps and for 50."""
    layer = layers.TimeDistributed(make(layers))
    layer(array(2, 3, 4, 2))
    sizes = [len(jax.make_jaxpr(layer.call)(array(2, steps, 4, 2)).jaxpr.eqns) for steps in (2, 50)]
    assert sizes[0] == sizes[1]
