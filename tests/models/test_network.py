"""Graphs inside graphs: models that share layers, symbolic tensors, or both."""

import re

import numpy as np
import pytest

import cornu
from cornu import layers, models

ones = np.ones((2, 4), np.float32)


def test_an_inner_model_may_share_symbolic_tensors_with_the_outer_one():
    start = layers.Input((4,))
    hidden = layers.Dense(4, kernel_initializer="ones")(start)
    features = models.Model(start, hidden)
    twice = features(hidden)
    model = models.Model(start, [twice, layers.Dense(1, kernel_initializer="ones")(hidden)])
    model.compile("sgd", "mse")
    for outputs in (model.predict(ones, verbose=0), model(ones)):
        np.testing.assert_array_equal(outputs[0], np.full((2, 4), 16.0))
        np.testing.assert_array_equal(outputs[1], np.full((2, 1), 16.0))  # of `hidden`, not of what `features` made


def test_a_model_called_twice_shares_its_weights_and_counts_penalties_once():
    inner = models.Sequential([layers.Input((4,)), layers.Dense(3, kernel_regularizer="l2")])
    a, b = layers.Input((4,)), layers.Input((4,))
    model = models.Model([a, b], layers.subtract([inner(a), inner(b)]))
    assert len(model.weights) == 2
    assert len(model.losses) == 1
    np.testing.assert_array_equal(model.predict([ones, ones], verbose=0), np.zeros((2, 3)))


# ---- each of these is run by Cornu and by real Keras


def fixed_batch(library, tmp_path):
    """Return the shapes that models whose Input has a fixed batch size give for other numbers of rows."""
    x = np.random.default_rng(0).random((80, 4)).astype("float32")
    start = library.Input(batch_shape=(8, 4))
    model = library.Model(start, library.layers.Dense(2)(start))
    model.compile("sgd", "mse")
    shapes = [model.predict(x, verbose=0).shape, model.predict(x[:11], batch_size=8, verbose=0).shape]
    shapes += [model(x[:3]).shape, model.predict_on_batch(x[:5]).shape, tuple(model.output_shape)]
    model.fit(x[:11], x[:11, :2], verbose=0)
    assert np.isfinite(model.evaluate(x[:11], x[:11, :2], verbose=0))
    outer_start = library.Input((4,))
    outer = library.Model(outer_start, model(outer_start))
    shapes.append(outer.predict(x[:11], verbose=0).shape)
    stack = library.Sequential([library.Input((4,), batch_size=10), library.layers.Dense(2)])
    shapes.append(stack.predict(x[:10], verbose=0).shape)
    model.save(tmp_path / f"{library.__name__}.keras")
    loaded = library.models.load_model(tmp_path / f"{library.__name__}.keras")
    np.testing.assert_allclose(loaded.predict(x[:11], verbose=0), model.predict(x[:11], verbose=0), rtol=1e-6)
    return [tuple(shape) for shape in shapes]


def test_a_fixed_batch_size_takes_other_numbers_of_rows(real_keras, tmp_path):
    assert fixed_batch(cornu, tmp_path) == fixed_batch(real_keras, tmp_path)


def fixed_batch_function(library):
    start = library.Input(batch_shape=(10, 3))
    model = library.Model(start, library.layers.Lambda(lambda x: x + library.ops.ones((10, 3)))(start))
    return [model.predict(np.ones((10, 3)), verbose=0), model.predict(np.ones((30, 3)), batch_size=10, verbose=0)]


def test_a_function_may_use_the_fixed_batch_size(real_keras):
    for ours, theirs in zip(fixed_batch_function(cornu), fixed_batch_function(real_keras), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def difference_of(library, keys):
    """Return a model that subtracts the second of two inputs, which a dictionary names, from the first."""
    inputs = {key: library.Input((1,), name=key) for key in keys}
    return library.Model(inputs, library.layers.Subtract()(list(inputs.values())))


@pytest.mark.parametrize("form", [list, tuple])
def test_a_list_for_a_dictionary_of_inputs_in_another_order_than_the_alphabet_s_is_refused(real_keras, form):
    two, one = np.full((1, 1), 2.0), np.ones((1, 1))
    for library in (cornu, real_keras):
        model = difference_of(library, ["z", "a"])
        assert model.predict({"z": two, "a": one}, verbose=0) == 1.0
        assert model({"z": two, "a": one}) == 1.0
        with pytest.raises(ValueError, match=r"dictionary|structure"):
            model(form([two, one]))
        with pytest.raises(ValueError, match=r"dictionary|structure"):
            model.predict(form([two, one]), verbose=0)
        model.compile("sgd", "mse")
        with pytest.raises(ValueError, match=r"dictionary|structure"):
            model.fit(form([two, one]), one, verbose=0)
    symbolic = form([layers.Input((1,)), layers.Input((1,))])
    with pytest.raises(ValueError, match=r"'z': \.\.\., 'a': \.\.\."):
        difference_of(cornu, ["z", "a"])(symbolic)
    assert difference_of(cornu, ["a", "z"])(symbolic).shape == (None, 1)


@pytest.mark.filterwarnings("ignore:The structure of `inputs`")
def test_a_list_for_a_dictionary_of_inputs_in_alphabetical_order_is_taken_in_that_order(real_keras):
    two, one = np.full((1, 1), 2.0), np.ones((1, 1))
    for library in (cornu, real_keras):
        model = difference_of(library, ["a", "z"])
        assert model([two, one]) == 1.0
        assert model.predict([two, one], verbose=0) == 1.0


def of_an_intermediate_tensor(library, tmp_path):
    """Return what a model between two intermediate tensors holds, trains and gives."""
    dense = library.layers.Dense
    start = library.Input((3,))
    a = dense(3, name="a", kernel_initializer="ones")(start)
    b = dense(4, name="b", kernel_initializer="ones")(a)
    whole, part = library.Model(start, b), library.Model(a, b)
    both = library.Model([start, a], library.layers.Add()([start, a]))
    kernel = whole.get_layer("a").get_weights()[0]
    facts = [part.count_params(), len(part.get_config()["layers"]), len(part.trainable_weights)]
    facts += [[type(layer).__name__ for layer in model.layers] for model in (part, both)]
    facts.append(np.asarray(part(np.ones((1, 3)))).tolist())
    part.compile("sgd", "mse")
    part.fit(np.ones((4, 3)), np.ones((4, 4)), verbose=0)
    facts.append(np.array_equal(kernel, whole.get_layer("a").get_weights()[0]))
    facts.append(np.asarray(whole(np.ones((1, 3)))).round(4).tolist())
    part.save(tmp_path / f"{library.__name__}.keras")
    loaded = library.models.load_model(tmp_path / f"{library.__name__}.keras")
    facts.append(loaded.predict(np.ones((1, 3)), verbose=0).round(4).tolist())
    return facts


def test_a_model_from_an_intermediate_tensor_has_an_input_layer_and_only_the_layers_after_it(real_keras, tmp_path):
    assert of_an_intermediate_tensor(cornu, tmp_path) == of_an_intermediate_tensor(real_keras, tmp_path)


def test_tensors_of_the_whole_model_belong_to_a_model_from_an_intermediate_tensor_too():
    start = layers.Input((3,))
    a = layers.Dense(3, name="a")(start)
    b = layers.Dense(4, name="b")(a)
    part = models.Model(a, layers.Dense(2, name="c")(b))
    features = models.Model(part.input, part.get_layer("b").output)
    np.testing.assert_array_equal(features(ones[:, :3]), models.Model(a, b)(ones[:, :3]))
    with pytest.raises(ValueError, match="not among its inputs"):
        models.Model(part.input, start)


@pytest.mark.old_spellings
def test_functions_of_the_backend_take_the_input_of_a_model_from_an_intermediate_tensor():
    from cornu import backend

    start = layers.Input((3,))
    a = layers.Dense(3, name="a")(start)
    b = layers.Dense(4, name="b")(a)
    part = models.Model(a, layers.Dense(2, name="c")(b))
    for output in (part.get_layer("b").output, part.output):
        values = backend.function([part.input], [output])([ones[:, :3]])[0]
        np.testing.assert_allclose(values, models.Model(part.input, output)(ones[:, :3]), rtol=1e-6)


def dtypes(library):
    """Return the dtypes that models give whose Input has another dtype than the data."""
    results = []
    for declared in ("float16", "float32", "int32"):
        start = library.Input((2,), dtype=declared)
        model = library.Model(start, start + 2)
        outer_start = library.Input((2,), dtype="float32")
        outer = library.Model(outer_start, model(outer_start))
        for given in ("float64", "float16", "int32", "uint8", "bool"):
            data = np.ones((2, 2), given)
            results += [str(model(data).dtype), str(model.predict(data, verbose=0).dtype), str(outer(data).dtype)]
    return results


def test_data_take_the_dtype_of_the_input(real_keras):
    assert dtypes(cornu) == dtypes(real_keras)


def test_a_mask_stays_when_data_take_the_dtype_of_the_input():
    start = layers.Input((3, 2), dtype="float16")
    model = models.Model(start, layers.GlobalAveragePooling1D()(start))
    data = layers.Masking()(np.array([[[1.0, 1], [3, 3], [0, 0]]], "float32"))
    np.testing.assert_array_equal(model(data), [[2.0, 2.0]])


def optional_input(library):
    class Plus(library.layers.Layer):
        def call(self, x, y=None):
            return x if y is None else x + y

        def compute_output_shape(self, x_shape, y_shape=None):
            return x_shape

    a, b = library.Input((2,)), library.Input((2,), optional=True)
    model = library.Model([a, b], Plus()(a, b))
    given = ones[:, :2]
    with pytest.raises(ValueError, match="not optional"):
        model([None, given])
    return np.asarray(model([given, None])).tolist(), np.asarray(model([given, given])).tolist()


def test_an_optional_input_may_be_none(real_keras):
    assert optional_input(cornu) == optional_input(real_keras)


#: Shape of the data, shape of one input of the model, and the advice; None: nothing about reshaping.
ADVICE = {
    "flat images": ((5, 784), (28, 28, 1), "Reshape it: x.reshape((-1, 28, 28, 1))."),
    "images for a flat input": ((5, 28, 28), (784,), "Reshape it: x.reshape((-1, 784))."),
    "no channel axis": ((5, 28, 28), (28, 28, 3), "Pass data of shape (None, 28, 28, 3)"),
    "channels first": ((5, 3, 28, 28), (28, 28, 3), "Move the channels last: numpy.moveaxis(x, 1, -1)."),
    "channels last": ((5, 28, 28, 3), (3, 28, 28), "Move the channels first: numpy.moveaxis(x, -1, 1)."),
    "any image, channels first": ((5, 3, 28, 28), (None, None, 3), "numpy.moveaxis(x, 1, -1)"),
    "transposed": ((5, 4, 6), (6, 4), "numpy.moveaxis(x, 1, -1)"),
    "other order": (
        (5, 2, 6),
        (4, 3),
        "Pass data of shape (None, 4, 3), or change the model's input: keras.Input((2, 6))",
    ),
    "another number of features": ((8, 5), (4,), "keras.Input((5,))"),
    "another size": ((5, 32, 32, 3), (28, 28, 3), "keras.ops.image.resize(x, (28, 28))"),
    "gray images": ((5, 28, 28, 1), (28, 28, 3), "numpy.repeat(x, 3, axis=-1)"),
    "one flat sample": ((784,), (784,), "If this is a single sample, add the batch axis: x[None]."),
    "one image": ((28, 28, 1), (28, 28, 1), "x[None]"),
}


@pytest.mark.parametrize("case", ADVICE)
def test_advice_for_a_shape_keeps_rows_and_the_order_of_elements(case):
    came, want, advice = ADVICE[case]
    inputs = layers.Input(want)
    model = models.Model(inputs, layers.GlobalAveragePooling2D()(inputs) if None in want else layers.Flatten()(inputs))
    model.compile("sgd", "mse")
    x = np.ones(came, "float32")
    for use in (model, lambda x: model.predict(x, verbose=0), model.predict_on_batch):
        with pytest.raises(ValueError, match=re.escape(advice)) as raised:
            use(x)
        assert f"the data has shape {came}." in str(raised.value)
        if "Reshape" not in advice:
            assert "reshape" not in str(raised.value)
    with pytest.raises(ValueError, match=re.escape(advice)):
        model.fit(x, np.ones(len(x)), verbose=0)


def test_parts_of_a_real_keras_are_named(real_keras):
    theirs = real_keras.Input((3,))
    mixed = {
        "layer": lambda: models.Sequential([real_keras.layers.Dense(2)]),
        "input": lambda: layers.Dense(2)(theirs),
        "model": lambda: models.Model(theirs, theirs),
        "optimizer": lambda: models.Sequential([layers.Dense(2)]).compile(real_keras.optimizers.Adam(), "mse"),
    }
    k, stack = real_keras, lambda: models.Sequential([layers.Dense(2)])

    class Inherited(k.callbacks.Callback):
        """A custom callback of that Keras."""

    mixed |= {
        "loss": lambda: stack().compile("sgd", k.losses.MeanSquaredError()),
        "losses": lambda: stack().compile("sgd", {"a": k.losses.MeanSquaredError()}),
        "loss function": lambda: stack().compile("sgd", k.losses.mean_squared_error),
        "metric": lambda: stack().compile("sgd", "mse", metrics=[k.metrics.MeanAbsoluteError()]),
        "weighted metric": lambda: stack().compile("sgd", "mse", weighted_metrics=[[k.metrics.MeanAbsoluteError()]]),
        "schedule": lambda: cornu.optimizers.SGD(k.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)),
        "initializer": lambda: layers.Dense(2, kernel_initializer=k.initializers.Zeros()),
        "class": lambda: layers.Dense(2, kernel_initializer=k.initializers.Zeros),
        "regularizer": lambda: layers.Dense(2, kernel_regularizer=k.regularizers.L2(0.1)),
        "constraint": lambda: layers.Dense(2, kernel_constraint=k.constraints.NonNeg()),
        "activation": lambda: layers.Dense(2, activation=k.activations.relu),
        "activation layer": lambda: layers.Activation(k.layers.ReLU()),
        "dtype policy": lambda: layers.Dense(2, dtype=k.dtype_policies.DTypePolicy("float32")),
        "mixed policy": lambda: layers.Dense(2, dtype=k.dtype_policies.DTypePolicy("mixed_float16")),
        "default policy": lambda: cornu.config.set_dtype_policy(k.dtype_policies.DTypePolicy("mixed_bfloat16")),
        "callback": lambda: cornu.callbacks.CallbackList([k.callbacks.EarlyStopping()]),
        "custom callback": lambda: cornu.callbacks.CallbackList([[Inherited()]]),
    }
    for mix in mixed.values():
        with pytest.raises((TypeError, ValueError), match=r"It is from keras\.src\.\S+, another Keras"):
            mix()
