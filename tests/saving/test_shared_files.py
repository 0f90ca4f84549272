"""Files that real Keras 2.2.4 and 3.15.1 wrote (see the README beside them): same predictions, same evaluate."""

import warnings

import numpy as np
import pytest

from cornu.models import load_model, model_from_json

pytestmark = [pytest.mark.shared, pytest.mark.old_spellings]
FILES = [
    *((version, name, ".h5") for version in ("keras-2.2.4", "keras-3.15.1") for name in ("mlp", "cnn", "act", "func")),
    *(("keras-3.15.1", name, ".keras") for name in ("mlp", "cnn", "act", "func")),
]
#: Steps that the optimizer had made, where the file says it: Keras 2.2.4 left that out for some optimizers.
STEPS = {("keras-2.2.4", "mlp"): 0, ("keras-2.2.4", "cnn"): 0}


@pytest.fixture
def digits(shared):
    with np.load(shared / "data" / "mnist.npz") as data:
        x_test, x_train = (data[name][:1000].astype("float32") / 255 for name in ("x_test", "x_train"))
        return x_test[:16], x_train, np.eye(10, dtype="float32")[data["y_train"][:1000]]


def check(model, name, folder, digits):
    x_test, x_train, y_train = digits
    shape = (-1, 28, 28, 1) if name == "cnn" else (-1, 784)
    with np.load(folder / f"{name}.expected.npz") as expected:
        predictions = model.predict(x_test.reshape(shape), verbose=0)
        assert predictions.shape == expected["predictions"].shape
        np.testing.assert_allclose(predictions, expected["predictions"], atol=1e-6)
        if model.compiled:
            scores = model.evaluate(x_train.reshape(shape), y_train, verbose=0)
            np.testing.assert_allclose(scores, expected["evaluate"], rtol=1e-5)
    return x_train.reshape(shape), y_train


@pytest.mark.parametrize(("version", "name", "suffix"), FILES)
def test_whole_model_computes_the_same_and_trains_on(shared, digits, version, name, suffix):
    folder = shared / "data" / "real-keras" / version
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = load_model(folder / f"{name}{suffix}")
    # Keras 3 wrote these files after the .h5 ones, and then leaves the optimizer's config out.
    assert len(caught) == (suffix == ".keras")
    assert all("does not say which optimizer" in str(warning.message) for warning in caught)
    x, y = check(model, name, folder, digits)
    assert int(model.optimizer.iterations) == STEPS.get((version, name), 40)
    slots = [variable.numpy() for variable in model.optimizer.variables if variable.shape]
    assert not slots or any(np.any(slot) for slot in slots)
    loss = model.evaluate(x, y, verbose=0)[0]
    model.fit(x, y, batch_size=100, verbose=0)
    assert model.evaluate(x, y, verbose=0)[0] < loss


@pytest.mark.parametrize("version", ["keras-2.2.4", "keras-3.15.1"])
@pytest.mark.parametrize("name", ["mlp", "cnn", "act", "func"])
def test_config_and_weights_files_compute_the_same(shared, digits, version, name):
    folder = shared / "data" / "real-keras" / version
    model = model_from_json((folder / f"{name}.json").read_text())
    model.load_weights(folder / f"{name}.weights.h5")
    check(model, name, folder, digits)
    by_whole_model = load_model(folder / f"{name}.h5", compile=False)
    assert not by_whole_model.compiled
    by_whole_model.load_weights(folder / f"{name}.h5")
    check(by_whole_model, name, folder, digits)
