import numpy as np
import pytest

import cornu
from callbacks.stubs import Model, drive
from cornu import layers
from cornu.callbacks import ModelCheckpoint


def saved(callback, values, name="val_loss"):
    model, _ = drive(callback, values, name)
    return [path for _, path in model.saved]


def test_names_are_filled_in(tmp_path):
    template = str(tmp_path / "new" / "weights.{epoch:02d}-{val_acc:.2f}.hdf5")
    paths = saved(ModelCheckpoint(template), [0.123, 0.5], "val_accuracy")
    assert paths == [str(tmp_path / "new" / name) for name in ("weights.01-0.12.hdf5", "weights.02-0.50.hdf5")]
    assert (tmp_path / "new").is_dir()


def test_name_that_is_missing_is_named_with_those_there_are(tmp_path):
    with pytest.raises(KeyError, match="contains 'val_auc', which is not among the logs: val_loss, epoch"):
        saved(ModelCheckpoint(tmp_path / "{val_auc}.keras"), [0.5])


@pytest.mark.parametrize(
    ("options", "epochs"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"save_best_only": True}, [1, 3, 5]),
        ({"save_best_only": True, "mode": "max"}, [1, 2]),
        ({"save_best_only": True, "initial_value_threshold": 0.25}, [5]),
        ({"period": 2}, [2, 4]),
        ({"period": 2, "save_best_only": True}, [2, 4]),
    ],
)
def test_which_epochs_are_saved(tmp_path, options, epochs):
    paths = saved(ModelCheckpoint(tmp_path / "{epoch}.keras", **options), [0.5, 0.6, 0.4, 0.4, 0.2])
    assert paths == [str(tmp_path / f"{epoch}.keras") for epoch in epochs]


def test_which_epochs_are_saved_equals_keras(tmp_path, real_keras):
    series = [0.5, 0.6, 0.4, 0.4, 0.2, 0.7]
    for mode in ("min", "max"):
        for threshold in (None, 0.45):
            options = {"mode": mode, "save_best_only": True, "initial_value_threshold": threshold}
            name = str(tmp_path / "{epoch}.keras")
            mine, theirs = ModelCheckpoint(name, **options), real_keras.callbacks.ModelCheckpoint(name, **options)
            assert saved(mine, series) == saved(theirs, series)


def test_missing_monitor_warns_and_saves_nothing(tmp_path):
    with pytest.warns(UserWarning, match="watches 'val_loss'.*: loss"):
        assert saved(ModelCheckpoint(tmp_path / "a.h5", save_best_only=True), [0.5], "loss") == []


def test_says_what_it_does(tmp_path, capsys):
    path = str(tmp_path / "a.h5")
    saved(ModelCheckpoint(path, verbose=1, save_best_only=True, monitor="val_acc"), [0.5, 0.4, 0.6], "val_acc")
    assert capsys.readouterr().out.splitlines() == [
        f"Epoch 1: val_acc improved from None to 0.50000, saving model to {path}",
        "Epoch 2: val_acc did not improve from 0.50000",
        f"Epoch 3: val_acc improved from 0.50000 to 0.60000, saving model to {path}",
    ]


@pytest.mark.parametrize("options", [{"save_freq": "epochs"}, {"save_freq": 0}, {"period": 0}, {"save_freq": True}])
def test_frequency_that_makes_no_sense_is_refused(options):
    with pytest.raises(ValueError, match="an integer"):
        ModelCheckpoint("a.keras", **options)


@pytest.mark.old_spellings
def test_old_keywords_that_changed_nothing_are_accepted():
    assert ModelCheckpoint("a.keras", load_weights_on_restart=False, options=None).save_freq == "epoch"


class Noting(cornu.Sequential):
    """Notes what is saved instead of writing it."""

    save, save_weights = Model.save, Model.save_weights


def trained(callback, epochs=2):
    model = Noting([layers.Input((2,)), layers.Dense(1)])
    model.saved = []
    model.compile("sgd", "mse")
    x = np.ones((40, 2), "float32")
    model.fit(x, x[:, :1], epochs=epochs, batch_size=4, verbose=0, callbacks=[callback])
    return model.saved


def test_every_so_many_batches_counted_over_epochs(tmp_path):
    callback = ModelCheckpoint(tmp_path / "{epoch}-{batch}.weights.h5", save_freq=8, save_weights_only=True)
    names = ["1-8", "2-6"]  # of 2 epochs of 10 batches: the 8th and the 16th
    assert trained(callback) == [("weights", str(tmp_path / f"{name}.weights.h5")) for name in names]


def test_a_subclass_that_watches_batches_gets_every_one():
    class Counting(ModelCheckpoint):
        count = 0

        def on_train_batch_end(self, batch, logs=None):
            self.count += 1

    callback = Counting("a.keras", save_freq="epoch", period=9)
    assert trained(callback) == []
    assert callback.count == 20


@pytest.mark.parametrize("name", ["best.keras", "best.h5", "best.hdf5", "weights.{epoch:02d}.hdf5", "best.ckpt"])
def test_weights_can_be_read_back_from_any_name(tmp_path, name):
    model = cornu.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((8, 2), "float32")
    callback = ModelCheckpoint(tmp_path / name, monitor="loss", save_best_only=True, save_weights_only=True)
    model.fit(x, x[:, :1], verbose=0, callbacks=[callback])
    expected = model.get_weights()
    model.set_weights([np.zeros_like(weight) for weight in expected])
    model.load_weights(tmp_path / name.format(epoch=1))
    for weight, saved_weight in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(weight, saved_weight)


@pytest.mark.parametrize("name", ["best.keras", "best.h5"])
def test_the_best_model_can_be_loaded(tmp_path, name):
    model = cornu.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    x = np.ones((8, 2), "float32")
    callback = ModelCheckpoint(tmp_path / name, monitor="loss", save_best_only=True)
    model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[callback])
    loaded = cornu.saving.load_model(tmp_path / name)
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)
