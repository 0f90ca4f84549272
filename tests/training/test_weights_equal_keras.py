"""Sample weights, class weights and masks in whole runs: losses and metrics follow real Keras's."""

import numpy as np
import pytest

import cornu

random = np.random.RandomState(0)
ROWS, TIME = 20, 4
X = random.rand(ROWS, 4).astype("float32")
STEPS = random.rand(ROWS, TIME, 3).astype("float32")
STEPS[random.rand(ROWS, TIME) < 0.3] = 0.0
IDS = random.randint(0, 6, (ROWS, TIME)).astype("int32")
BINARY = random.randint(0, 2, ROWS).astype("float32")
LABELS = random.randint(0, 3, ROWS).astype("int32")
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
TARGETS = random.rand(ROWS, TIME, 2).astype("float32")
STEP_LABELS = random.randint(0, 3, (ROWS, TIME)).astype("int32")
W = random.rand(ROWS).astype("float32")
STEP_W = random.rand(ROWS, TIME).astype("float32")
CLASSES = {0: 1.0, 1: 3.0}


def binary(keras):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])


def regularized(keras):
    dense = keras.layers.Dense(1, kernel_regularizer="l2", activity_regularizer="l1")
    return keras.Sequential([keras.Input((4,)), dense])


def classes(keras):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])


def masked(keras):
    return keras.Sequential([keras.Input((TIME, 3)), keras.layers.Masking(), keras.layers.Dense(2)])


def embedded(keras):
    embedding = keras.layers.Embedding(6, 4, mask_zero=True)
    return keras.Sequential([keras.Input((TIME,)), embedding, keras.layers.Dense(3, activation="softmax")])


def heads(keras, start):
    return [
        keras.layers.Dense(1, activation="sigmoid", name="a")(start),
        keras.layers.Dense(3, activation="softmax", name="b")(start),
    ]


def two(keras):
    start = keras.Input((4,))
    return keras.Model(start, heads(keras, start))


def named(keras):
    start = keras.Input((4,))
    return keras.Model(start, dict(zip("ab", heads(keras, start), strict=True)))


def subclassed(keras):
    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.one = keras.layers.Dense(1, activation="sigmoid")
            self.other = keras.layers.Dense(3, activation="softmax")

        def call(self, inputs):
            return self.one(inputs), self.other(inputs)

    model = Two()
    model(X)
    return model


SIGMOID = {"loss": "binary_crossentropy", "metrics": ["accuracy", "AUC"], "weighted_metrics": ["accuracy", "mae"]}
SQUARES = {"loss": "mse", "metrics": ["mse"], "weighted_metrics": ["mae", "accuracy"]}
SPARSE = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], "weighted_metrics": ["accuracy"]}
HOT = {"loss": "categorical_crossentropy", "metrics": ["accuracy"], "weighted_metrics": ["accuracy", "mse"]}
LOSSES = ["binary_crossentropy", "categorical_crossentropy"]
BOTH = {"loss": LOSSES, "metrics": [["accuracy"], ["mse"]], "weighted_metrics": [["mae"], ["accuracy"]]}
BY_NAME = {"loss": dict(zip("ab", LOSSES, strict=True)), "weighted_metrics": {"b": ["accuracy"]}}

CASES = {
    "rows": (binary, X, BINARY, SIGMOID, {"sample_weight": W}),
    "columns": (binary, X, BINARY[:, None], SIGMOID, {"sample_weight": W[:, None]}),
    "class weights": (binary, X, BINARY, SIGMOID, {"class_weight": CLASSES}),
    "class weights of columns": (binary, X, BINARY[:, None], SQUARES, {"class_weight": {1: 2.0}}),
    "class weights, one-hot": (classes, X, ONE_HOT, HOT, {"class_weight": {**CLASSES, 2: 0.5}}),
    "class weights, sparse columns": (classes, X, LABELS[:, None], SPARSE, {"class_weight": CLASSES}),
    "one-hot": (classes, X, ONE_HOT, HOT, {"sample_weight": W}),
    "zeros": (binary, X, BINARY, SQUARES, {"sample_weight": np.zeros(ROWS)}),
    "integers": (binary, X, BINARY, SQUARES, {"sample_weight": np.arange(ROWS)}),
    "booleans": (binary, X, BINARY, SQUARES, {"sample_weight": np.arange(ROWS) % 2 == 0}),
    "validation": (binary, X, BINARY, SQUARES, {"validation_data": (X, BINARY, W)}),
    "split": (binary, X, BINARY, SQUARES, {"validation_split": 0.3, "sample_weight": W}),
    "penalties": (regularized, X, BINARY, SQUARES, {"sample_weight": W}),
    "steps": (embedded, IDS, STEP_LABELS, {"loss": SPARSE["loss"]}, {"sample_weight": STEP_W}),
    "masked steps": (masked, STEPS, TARGETS, {"loss": "mse"}, {"sample_weight": STEP_W}),
    "masked": (embedded, IDS, STEP_LABELS[..., None], {"loss": SPARSE["loss"]}, {}),
    "two outputs": (
        two,
        X,
        [BINARY, ONE_HOT],
        BOTH | {"loss_weights": [1.0, 0.5]},
        {"sample_weight": [W, W[::-1].copy()]},
    ),
    "one loss": (two, X, [BINARY, ONE_HOT], {"loss": ["mse", None], "metrics": [["mae", "mae"], []]}, {}),
    "named": (named, X, {"a": BINARY, "b": ONE_HOT}, BY_NAME, {"sample_weight": {"a": W, "b": W[::-1].copy()}}),
    "a tuple": (subclassed, X, (BINARY, ONE_HOT), {"loss": LOSSES}, {"sample_weight": (W, W[::-1].copy())}),
}


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # Keras asks for it
@pytest.mark.parametrize("case", CASES)
def test_runs_with_weights_follow_keras(real_keras, case):
    build, x, y, compiled, run = CASES[case]
    logs, start = [], None
    for keras in (cornu, real_keras):
        model = build(keras)
        start = start or [random.normal(size=weight.shape) for weight in model.get_weights()]
        model.set_weights(start)
        model.compile(keras.optimizers.SGD(0.1), **compiled)
        history = model.fit(x, y, batch_size=10, shuffle=False, verbose=0, **run).history
        weights = {} if "split" in case else {name: value for name, value in run.items() if name == "sample_weight"}
        logs.append(history | model.evaluate(x, y, batch_size=10, verbose=0, return_dict=True, **weights))
    different = set(logs[0]) ^ set(logs[1])
    assert all(name.endswith("_loss") for name in different)  # each output has one, as in Keras 2
    for name, value in logs[0].items():
        if name in logs[1]:
            np.testing.assert_allclose(value, logs[1][name], rtol=2e-4, atol=1e-6, err_msg=name)
