"""Files of real Keras from 2.2.4 to 3.15.1 (see the README beside them): predictions, evaluate, further training."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from cornu.models import load_model, model_from_json

pytestmark = [pytest.mark.shared, pytest.mark.old_spellings]
SHARED = Path(__file__).resolve().parents[3] / "shared"
FOLDER = SHARED / "data" / "real-keras"
DIGITS = ("mlp", "cnn", "act", "func")
#: Models whose data are beside them -> the batch size of the further epochs.
SMALL = dict.fromkeys(("ops", "siamese", "nested"), 12) | dict.fromkeys(
    ("lstm", "gru", "birnn", "simple", "attention"), 16
)
FILES = sorted(
    (path.parent.name, path.stem, path.suffix)
    for path in FOLDER.glob("*/*")
    if path.stem in (*DIGITS, *SMALL) and path.suffix in (".h5", ".keras")
)
CONFIGS = sorted((path.parent.name, path.stem) for path in FOLDER.glob("*/*.json") if path.stem in (*DIGITS, *SMALL))
#: Steps that the optimizer had made, where the file says it: Keras 2.2.4 left that out for some optimizers.
STEPS = {("keras-2.2.4", "mlp"): 0, ("keras-2.2.4", "cnn"): 0}


@pytest.fixture(scope="module")
def digits():
    with np.load(SHARED / "data" / "mnist.npz") as data:
        x_test, x_train = (data[name][:1000].astype("float32") / 255 for name in ("x_test", "x_train"))
        return x_test[:16], x_train, np.eye(10, dtype="float32")[data["y_train"][:1000]]


def data_of(name, expected, digits):
    """Return inputs to predict, inputs to train on, and targets."""
    if name in SMALL:
        x = [expected[key] for key in sorted(expected) if key.startswith("x")]
        return (x, x, expected["y"]) if len(x) > 1 else (x[0], x[0], expected["y"])
    x_test, x_train, y_train = digits
    shape = (-1, 28, 28, 1) if name == "cnn" else (-1, 784)
    return x_test.reshape(shape), x_train.reshape(shape), y_train


def check(model, version, name, digits):
    with np.load(FOLDER / version / f"{name}.expected.npz") as file:
        expected = dict(file)
    x_test, x, y = data_of(name, expected, digits)
    predictions = model.predict(x_test, verbose=0)
    assert predictions.shape == expected["predictions"].shape
    np.testing.assert_allclose(predictions, expected["predictions"], atol=1e-5)
    if model.compiled:
        scores = np.ravel(model.evaluate(x, y, verbose=0))
        np.testing.assert_allclose(scores, np.ravel(expected["evaluate"]), rtol=1e-4)
    return x, y, expected


@pytest.mark.parametrize(("version", "name", "suffix"), FILES)
def test_whole_model_computes_the_same_and_trains_on(digits, version, name, suffix):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = load_model(FOLDER / version / f"{name}{suffix}")
    # Keras 3 wrote these files after the .h5 ones, and then leaves the optimizer's config out.
    assert len(caught) == (version == "keras-3.15.1" and suffix == ".keras")
    assert all("does not say which optimizer" in str(warning.message) for warning in caught)
    x, y, expected = check(model, version, name, digits)
    if "losses" in expected:
        epochs = len(expected["losses"])
        losses = model.fit(x, y, batch_size=SMALL[name], epochs=epochs, shuffle=False, verbose=0).history["loss"]
        np.testing.assert_allclose(losses, expected["losses"], rtol=2e-3)
        return
    assert int(model.optimizer.iterations) == STEPS.get((version, name), 40)
    slots = [variable.numpy() for variable in model.optimizer.variables if variable.shape]
    assert not slots or any(np.any(slot) for slot in slots)
    loss = model.evaluate(x, y, verbose=0)[0]
    model.fit(x, y, batch_size=100, verbose=0)
    assert model.evaluate(x, y, verbose=0)[0] < loss


@pytest.mark.parametrize(("version", "name"), CONFIGS)
def test_config_and_weights_files_compute_the_same(digits, version, name):
    folder = FOLDER / version
    model = model_from_json((folder / f"{name}.json").read_text())
    weights = folder / f"{name}.weights.h5"
    model.load_weights(weights if weights.exists() else folder / f"{name}.h5")
    check(model, version, name, digits)
    by_whole_model = load_model(folder / f"{name}.h5", compile=False)
    assert not by_whole_model.compiled
    by_whole_model.load_weights(folder / f"{name}.h5")
    check(by_whole_model, version, name, digits)
