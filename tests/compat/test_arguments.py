"""Old keywords, positions, methods and attributes mean today's; what cannot be followed is said in words."""

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.compat.arguments import translate_constructor, translate_keywords
from cornu.compat.attributes import METHODS, old_attribute


def like(name, arguments, bases=()):
    """Return a class of the library with an ``__init__`` that takes `arguments`."""
    scope = {}
    exec(f"def __init__(self, {arguments}): pass", scope)
    return type(name, bases, {"__init__": scope["__init__"], "__module__": "cornu.layers.some"})


Dense = like("Dense", "units, activation=None, use_bias=True, kernel_initializer=0, kernel_regularizer=0, **kwargs")
Conv2D = like(
    "Conv2D",
    "filters, kernel_size, strides=1, padding='valid', data_format=None, kernel_initializer=0, dilation_rate=1, **k",
)
Embedding = like("Embedding", "input_dim, output_dim, embeddings_initializer='uniform', **kwargs")
Dropout = like("Dropout", "rate, noise_shape=None, seed=None, **kwargs")
BatchNormalization = like("BatchNormalization", "axis=-1, momentum=0.99, epsilon=1e-3, beta_initializer=0, **kwargs")
LeakyReLU = like("LeakyReLU", "negative_slope=0.3, **kwargs")
ELU = like("ELU", "alpha=1.0, **kwargs")
Model = like("Model", "*args, **kwargs")
Adam = like("Adam", "learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, decay=0.0, **kwargs")
SGD = like("SGD", "learning_rate=0.01, momentum=0.0, nesterov=False, **kwargs")
RMSprop = like("RMSprop", "learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, **kwargs")
MaxNorm = like("MaxNorm", "max_value=2, axis=0")
RandomNormal = like("RandomNormal", "mean=0.0, stddev=0.05, seed=None")
RandomUniform = like("RandomUniform", "minval=-0.05, maxval=0.05, seed=None")
VarianceScaling = like("VarianceScaling", "scale=1.0, mode='fan_in', distribution='truncated_normal', seed=None")
ReduceLROnPlateau = like("ReduceLROnPlateau", "monitor='val_loss', min_delta=1e-4, mode='auto', **kwargs")
ModelCheckpoint = like("ModelCheckpoint", "filepath, mode='auto', save_freq='epoch'")
Loss = like("MeanSquaredError", "reduction='sum_over_batch_size', name='mse'")
MaxPooling1D = like("MaxPooling1D", "pool_size=2, strides=None, padding='valid', **kwargs")

TRANSLATED = [
    (
        Dense,
        (),
        {"output_dim": 3, "init": "he_normal", "bias": False},
        (),
        {"units": 3, "kernel_initializer": "he_normal", "use_bias": False},
    ),
    (Dense, (3,), {"W_regularizer": "l2"}, (3,), {"kernel_regularizer": "l2"}),
    (Dense, (3,), {"input_dtype": "int32"}, (3,), {"dtype": "int32"}),
    (
        Embedding,
        (),
        {"input_dim": 5, "output_dim": 3, "init": "normal"},
        (),
        {"input_dim": 5, "output_dim": 3, "embeddings_initializer": "normal"},
    ),
    (
        Embedding,
        (5, 3),
        {"dropout": 0.2, "init": "normal"},
        (5, 3),
        {"dropout": 0.2, "embeddings_initializer": "normal"},
    ),
    (Dropout, (), {"p": 0.5}, (), {"rate": 0.5}),
    (LeakyReLU, (), {"alpha": 0.1}, (), {"negative_slope": 0.1}),
    (ELU, (), {"alpha": 0.1}, (), {"alpha": 0.1}),
    (BatchNormalization, (), {"mode": 0, "axis": 1, "beta_init": "one"}, (), {"axis": 1, "beta_initializer": "one"}),
    (Conv2D, (8,), {"nb_row": 3, "nb_col": 5}, (8,), {"kernel_size": (3, 5)}),
    (Conv2D, (), {"nb_filter": 8, "nb_row": 3, "nb_col": 5}, (), {"filters": 8, "kernel_size": (3, 5)}),
    (Conv2D, (8, 3), {"nb_col": 5}, (8,), {"kernel_size": (3, 5)}),
    (Conv2D, (8, 3, 3), {"border_mode": "same"}, (8, (3, 3)), {"padding": "same"}),
    (Conv2D, (8, 3, 2), {}, (8, 3, 2), {}),
    (
        Conv2D,
        (8, 3),
        {"dim_ordering": "th", "subsample": (2, 2)},
        (8, 3),
        {"data_format": "channels_first", "strides": (2, 2)},
    ),
    (Conv2D, (8, 3), {"dim_ordering": "default"}, (8, 3), {"data_format": None}),
    (Conv2D, (8, 3), {"atrous_rate": (2, 2)}, (8, 3), {"dilation_rate": (2, 2)}),
    (MaxPooling1D, (), {"pool_length": 3, "stride": 2}, (), {"pool_size": 3, "strides": 2}),
    (Model, (), {"input": "a", "output": "b"}, (), {"inputs": "a", "outputs": "b"}),
    (Adam, (), {"lr": 0.1, "epsilon": None, "decay": 0.0}, (), {"learning_rate": 0.1, "decay": 0.0}),
    (Adam, (0.1, 0.9, 0.99, None, 1e-6), {}, (), {"learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.99, "decay": 1e-6}),
    (Adam, (0.1, 0.9, 0.99, 1e-7, True), {}, (0.1, 0.9, 0.99, 1e-7, True), {}),
    (SGD, (0.1, 0.9, True), {}, (0.1, 0.9, True), {}),
    (SGD, (0.1, 0.9, 1e-6, True), {}, (), {"learning_rate": 0.1, "momentum": 0.9, "decay": 1e-6, "nesterov": True}),
    (RMSprop, (0.1, 0.9, 1e-8), {}, (), {"learning_rate": 0.1, "rho": 0.9, "epsilon": 1e-8}),
    (RMSprop, (0.1, 0.9, 0.5), {}, (0.1, 0.9, 0.5), {}),
    (MaxNorm, (), {"m": 3}, (), {"max_value": 3}),
    (RandomNormal, (), {"scale": 0.1}, (), {"stddev": 0.1}),
    (RandomUniform, (), {"scale": 0.1}, (), {"minval": -0.1, "maxval": 0.1}),
    (
        VarianceScaling,
        (),
        {"scale": 2.0, "distribution": "normal"},
        (),
        {"scale": 2.0, "distribution": "truncated_normal"},
    ),
    (ReduceLROnPlateau, (), {"epsilon": 0.1, "mode": "min"}, (), {"min_delta": 0.1, "mode": "min"}),
    (ModelCheckpoint, ("a.h5",), {"period": 1}, ("a.h5",), {}),
    (Loss, (), {"reduction": "auto"}, (), {}),
    (Loss, (), {"reduction": "none"}, (), {"reduction": "none"}),
]


@pytest.mark.parametrize(("cls", "args", "kwargs", "new_args", "new_kwargs"), TRANSLATED)
def test_constructor_arguments(cls, args, kwargs, new_args, new_kwargs):
    assert translate_constructor(cls, args, dict(kwargs)) == (new_args, new_kwargs)


@pytest.mark.parametrize(
    ("cls", "args", "kwargs", "words"),
    [
        (BatchNormalization, (), {"mode": 2}, "training=True"),
        (Conv2D, (8, 3), {"border_mode": "full"}, "ZeroPadding"),
        (ModelCheckpoint, ("a.h5",), {"period": 5}, "save_freq"),
    ],
)
def test_what_cannot_be_followed_is_refused(cls, args, kwargs, words):
    with pytest.raises(ValueError, match=words):
        translate_constructor(cls, args, kwargs)


def test_old_and_new_name_together():
    with pytest.raises(TypeError, match=r"output_dim.*units"):
        translate_constructor(Dense, (), {"output_dim": 3, "units": 3})
    with pytest.raises(TypeError, match="nb_row, nb_col"):
        translate_constructor(Conv2D, (8,), {"nb_row": 3})


def test_two_equal_numbers_after_the_filters_are_explained():
    with pytest.warns(UserWarning, match="strides=3"):
        assert translate_constructor(Conv2D, (8, 3, 3), {}) == ((8, 3, 3), {})


def test_a_class_of_the_users_own_is_left_alone():
    class Mine:
        def __init__(self, output_dim, **kwargs):
            pass

    class Inherits(Dense):
        pass

    given = {"output_dim": 3, "p": 1}
    assert translate_constructor(Mine, (), given) == ((), given)
    assert translate_constructor(Inherits, (), {"output_dim": 3}) == ((), {"units": 3})


def test_initializer_function_of_keras_1():
    _, kwargs = translate_constructor(Dense, (3,), {"init": lambda shape, name=None: np.ones(shape)})
    assert kwargs["kernel_initializer"]((2, 3), dtype="float32").shape == (2, 3)


@pytest.mark.parametrize(
    ("where", "given", "expected"),
    [
        ("fit", {"nb_epoch": 3, "x": 1}, {"epochs": 3, "x": 1}),
        ("fit", {"workers": 2, "max_q_size": 3}, {}),
        ("compile", {"class_mode": "categorical", "loss": "mse"}, {"loss": "mse"}),
        ("compile", {"target_tensors": None, "sample_weight_mode": None}, {}),
        ("Model", {"input": 1, "output": 2, "name": "m"}, {"inputs": 1, "outputs": 2, "name": "m"}),
        ("nothing known", {"a": 1}, {"a": 1}),
    ],
)
def test_method_keywords(where, given, expected):
    assert translate_keywords(where, given) == expected


def test_method_keywords_are_clear():
    assert translate_keywords("fit", {"show_accuracy": True}, object()) == {}
    with pytest.raises(ValueError, match="add_loss"):
        translate_keywords("compile", {"target_tensors": [1]})
    with pytest.raises(TypeError, match="nb_epoch"):
        translate_keywords("fit", {"nb_epoch": 1, "epochs": 2})


class Pretender:
    """Stands for a model: remembers what its methods were called with."""

    add_weight = None
    kernel = "the kernel"

    def predict(self, x, **_):
        return np.asarray(x)

    def fit(self, x, **kwargs):
        return list(x), kwargs

    def evaluate(self, x, **kwargs):
        return x, kwargs

    def __getattr__(self, name):
        return old_attribute(self, name)


def test_predict_classes_and_probabilities():
    model = Pretender()
    assert model.predict_classes([[0.1, 0.9], [0.8, 0.2]]).tolist() == [1, 0]
    assert model.predict_classes([[0.1], [0.8]]).tolist() == [[0], [1]]
    assert model.predict_proba([[0.1]]).tolist() == [[0.1]]
    with pytest.warns(UserWarning, match="does not return probabilities"):
        model.predict_proba([[3.0]])


def test_fit_generator_of_both_eras():
    batches = [(np.zeros((4, 2)), np.zeros(4)) for _ in range(3)]
    seen, kwargs = Pretender().fit_generator(iter(batches), 3, 2, verbose=0)
    assert len(seen) == 3
    assert kwargs == {"steps_per_epoch": 3, "epochs": 2, "verbose": 0}
    seen, kwargs = Pretender().fit_generator(iter(batches), samples_per_epoch=10, nb_epoch=2)
    assert len(seen) == 3
    assert kwargs == {"steps_per_epoch": 3, "epochs": 2}
    _, kwargs = Pretender().fit_generator(
        iter(batches), 12, nb_epoch=1, validation_data=iter(batches), nb_val_samples=8
    )
    assert (kwargs["steps_per_epoch"], kwargs["validation_steps"], len(list(kwargs["validation_data"]))) == (3, 2, 3)
    assert Pretender().evaluate_generator(iter(batches), val_samples=12)[1]["steps"] == 3


def test_attributes():
    model = Pretender()
    assert model.W == "the kernel"
    assert model.uses_learning_phase is False
    assert model.updates == []
    assert model._make_predict_function() is None
    assert not hasattr(model, "b")
    with pytest.raises(AttributeError, match="Did you mean 'predict'"):
        model.predikt  # noqa: B018
    with pytest.raises(AttributeError, match="to_json"):
        model.to_yaml()
    assert set(METHODS) == {
        "predict_classes",
        "predict_proba",
        "fit_generator",
        "evaluate_generator",
        "predict_generator",
    }


def test_functions_take_old_keywords_too():
    from cornu.utils import to_categorical

    assert to_categorical(y=[0, 1], nb_classes=4).shape == (2, 4)


def test_accuracy_that_fit_asks_for():
    model = cornu.Sequential([cornu.layers.Dense(3, activation="softmax", input_shape=(4,))])
    model.compile("sgd", "categorical_crossentropy")
    x, y = np.random.rand(10, 4), np.eye(3)[np.random.randint(0, 3, 10)]
    assert np.isscalar(model.evaluate(x, y, verbose=0))
    history = model.fit(x, y, nb_epoch=1, show_accuracy=True, verbose=0)
    _, accuracy = model.evaluate(x, y, show_accuracy=True, verbose=0)
    assert "acc" in history.history
    assert accuracy == pytest.approx((model.predict(x, verbose=0).argmax(1) == y.argmax(1)).mean())


def test_an_initializer_in_second_place():
    layer = cornu.layers.Dense(3, "uniform", "relu")
    assert type(layer.kernel_initializer).__name__ == "RandomUniform"
    assert layer.activation is cornu.activations.relu
    assert cornu.layers.Dense(3, "relu").activation is cornu.activations.relu


@pytest.mark.parametrize(
    ("method", "keywords", "words"),
    [
        (
            "compile",
            {"optimzer": "sgd", "loss": "mse"},
            "compile has no argument 'optimzer'. Did you mean 'optimizer'?",
        ),
        ("fit", {"x": [[0.0]], "batchsize": 3}, "fit has no argument 'batchsize'. Did you mean 'batch_size'?"),
        ("predict", {"x": [[0.0]], "verbos": 0}, "predict has no argument 'verbos'. Did you mean 'verbose'?"),
    ],
)
def test_an_unknown_keyword_of_a_method_is_named_with_the_nearest(method, keywords, words):
    with pytest.raises(TypeError) as error:
        getattr(cornu.Sequential([cornu.layers.Dense(1)]), method)(**keywords)
    assert words in str(error.value)


def test_the_weights_of_an_optimizer_are_its_variables_and_nadam_has_its_old_schedule():
    optimizer = cornu.optimizers.Nadam(schedule_decay=0.004)
    assert len(optimizer.weights) == len(optimizer.variables) > 0
    assert float(optimizer.schedule_decay) == pytest.approx(0.004)


def test_batch_renormalization_is_a_layers_own_argument():
    assert cornu.layers.BatchNormalization(renorm=True).renorm


def test_nb_words_of_data_sets_is_num_words():
    assert translate_keywords("load_data", {"nb_words": 20}) == {"num_words": 20}
    for module in (cornu.datasets.imdb, cornu.datasets.reuters):
        with pytest.raises(TypeError, match="the old and the new name of one argument"):
            module.load_data(nb_words=20, num_words=20)


def test_adapt_always_starts_again():
    layer = layers.Normalization()
    layer.adapt(np.zeros((2, 1)), reset_state=True)
    with pytest.raises(ValueError, match=r"adapt.reset_state=False. is not supported: adapt.. starts from scratch"):
        layer.adapt(np.ones((2, 1)), reset_state=False)
