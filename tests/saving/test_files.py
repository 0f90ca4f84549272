"""Which format a file gets, and what the arguments of saving and loading do."""

import io
import json
import os
import zipfile

import h5py
import numpy as np
import pytest

import cornu
from cornu import layers, saving
from cornu.models import load_model, save_model
from cornu.saving.description import describe

X = np.ones((2, 4), "float32")


def weights_of(model):
    return [variable.numpy() for variable in model.weights]


def same_weights(one, other):
    return all(np.array_equal(a, b) for a, b in zip(weights_of(one), weights_of(other), strict=True))


def like(model):
    return cornu.models.clone_model(model)


@pytest.mark.parametrize(
    "name", ["w", "w.h5", "w.hdf5", "w.ckpt", "w.weights.h5", "w.00-0.12.tf", "weights.best.keras"]
)
def test_weights_go_to_any_name_and_back(small, tmp_path, name):
    small.save_weights(tmp_path / name)
    other = like(small)
    assert not same_weights(other, small)
    other.load_weights(str(tmp_path / name))
    assert same_weights(other, small)
    assert os.listdir(tmp_path) == [name]
    with h5py.File(tmp_path / name) as file:
        assert ("layer_names" in file.attrs) == (not name.endswith(".weights.h5"))


def test_models_are_zips_by_their_ending_else_hdf5(small, tmp_path):
    for name, is_zip in (("m.keras", True), ("m.h5", False), ("m.hdf5", False), ("m", False)):
        save_model(small, tmp_path / name)
        assert zipfile.is_zipfile(tmp_path / name) == is_zip
        assert same_weights(load_model(tmp_path / name), small)
    save_model(small, tmp_path / "k", save_format="keras")
    assert zipfile.is_zipfile(tmp_path / "k")
    with pytest.raises(ValueError, match="save_format must be"):
        save_model(small, tmp_path / "x", save_format="pickle")


def test_endings_may_lie(small, tmp_path):
    small.save(tmp_path / "a.keras")
    small.save(tmp_path / "b.h5")
    (tmp_path / "a.keras").rename(tmp_path / "zip.h5")
    (tmp_path / "b.h5").rename(tmp_path / "hdf5.keras")
    for name in ("zip.h5", "hdf5.keras"):
        assert same_weights(load_model(tmp_path / name), small)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_without_optimizer_the_model_is_not_compiled(small, tmp_path, suffix):
    small.save(tmp_path / f"m{suffix}", include_optimizer=False)
    assert not load_model(tmp_path / f"m{suffix}").compiled
    small.save(tmp_path / f"m{suffix}")
    assert load_model(tmp_path / f"m{suffix}").compiled
    assert not load_model(tmp_path / f"m{suffix}", compile=False, safe_mode=False).compiled


def test_an_optimizer_without_config_is_left_out_with_a_warning(small, tmp_path):
    import optax

    small.compile(optax.sgd(0.1), "mse")
    with pytest.warns(UserWarning, match="will not have the arguments of compile"):
        small.save(tmp_path / "m.keras")
    assert not load_model(tmp_path / "m.keras").compiled


def double(x):
    return 2 * x


@saving.register_keras_serializable("tests")
class Scale(layers.Layer):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")

    def call(self, inputs):
        return inputs * self.scale * self.factor


class Shift(layers.Layer):
    def build(self, input_shape):
        self.table = self.add_weight(shape=(4,), initializer="ones")

    def call(self, inputs):
        return inputs + self.table

    def save_own_variables(self, store):
        store["mine"] = self.table.numpy() * 10

    def load_own_variables(self, store):
        self.table.assign(store["mine"] / 10)


def my_loss(y_true, y_pred):
    return cornu.ops.mean(cornu.ops.abs(y_true - y_pred))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_classes_and_functions_of_the_users_own_come_from_custom_objects(tmp_path, suffix):
    model = cornu.Sequential(
        [
            cornu.Input((4,)),
            Scale(3.0),
            layers.Lambda(double),
            layers.Dense(4, activation=double),
            Shift(),
        ]
    )
    model.compile("sgd", my_loss, metrics=[my_loss])
    model.layers[-1].table.assign([1.0, 2.0, 3.0, 4.0])
    path = tmp_path / f"m{suffix}"
    with pytest.warns(UserWarning, match=r"will not hold the functions of the Lambda layers 'lambda\w*' \(double\)"):
        model.save(path)
    with pytest.raises(ValueError, match=r"(?s)'(double|Shift)'.*custom_objects") as refused:
        load_model(path)
    assert path.name in str(refused.value)
    custom = {"double": double, "Shift": Shift}
    with pytest.raises(ValueError, match=r"(?s)cannot be compiled.*my_loss"):
        load_model(path, custom_objects=custom)
    assert not load_model(path, custom_objects=custom, compile=False).compiled
    loaded = load_model(path, custom_objects=custom | {"my_loss": my_loss})
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    assert loaded.evaluate(X, X, verbose=0) == model.evaluate(X, X, verbose=0)
    with saving.custom_object_scope(custom):
        assert load_model(path, compile=False).layers[0].factor == 3.0


class Net(cornu.Model):
    def __init__(self, units=3):
        super().__init__()
        self.units = units
        self.inner = [layers.Dense(units), layers.BatchNormalization()]
        self.last = layers.Dense(2)

    def call(self, x):
        for layer in self.inner:
            x = layer(x)
        return self.last(x)


def test_a_subclassed_model_is_made_by_its_class(tmp_path):
    model = Net(units=5)
    with pytest.raises(ValueError, match="no weights yet"):
        model.save_weights(tmp_path / "w")
    model.compile("adam", "mse")
    model.fit(X, np.ones((2, 2)), verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras", custom_objects={"Net": Net})
    assert loaded.units == 5
    assert same_weights(loaded, model)
    assert int(loaded.optimizer.iterations) == 1
    with pytest.raises(ValueError, match="'Net'"):
        load_model(tmp_path / "m.keras")


def test_missing_files_and_folders_are_named(small, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no file .*gone\.keras"):
        load_model(tmp_path / "gone.keras")
    with pytest.raises(FileNotFoundError, match="There is no file"):
        small.load_weights(tmp_path / "gone.h5")
    with pytest.raises(ValueError, match="is a folder"):
        load_model(tmp_path)
    small.save_weights(tmp_path / "w.h5")
    with pytest.raises(ValueError, match="has weights only"):
        load_model(tmp_path / "w.h5")


@pytest.mark.parametrize("name", ["w.h5", "w.weights.h5", "m.keras"])
def test_weights_that_do_not_fit_change_nothing(small, tmp_path, name):
    (small.save if name == "m.keras" else small.save_weights)(tmp_path / name)
    other = cornu.Sequential([cornu.Input((4,)), layers.Dense(3, name="first"), layers.Dense(5)])
    before = weights_of(other)
    with pytest.raises(ValueError, match=r"does not fit the model: layer .* \(3, 5\); the file's is \(3, 2\)"):
        other.load_weights(tmp_path / name)
    assert all(np.array_equal(a, b) for a, b in zip(before, weights_of(other), strict=True))
    with pytest.warns(UserWarning, match="Left unchanged"):
        other.load_weights(tmp_path / name, skip_mismatch=True)
    assert np.array_equal(other.layers[0].kernel, small.layers[0].kernel)
    assert np.array_equal(other.layers[1].kernel, before[2])


@pytest.mark.parametrize("name", ["w.h5", "w.weights.h5"])
def test_a_file_with_more_or_fewer_layers_is_refused(small, tmp_path, name):
    small.save_weights(tmp_path / name)
    shorter = cornu.Sequential([cornu.Input((4,)), layers.Dense(3)])
    longer = cornu.Sequential([cornu.Input((4,)), layers.Dense(3), layers.Dense(2), layers.Dense(2)])
    for model in (shorter, longer):
        with pytest.raises(ValueError, match="does not fit the model"):
            model.load_weights(tmp_path / name)


def test_by_name_takes_layers_of_the_same_name_only(small, tmp_path):
    small.save_weights(tmp_path / "w.h5")
    small.save_weights(tmp_path / "w.weights.h5")
    other = cornu.Sequential([cornu.Input((4,)), layers.Dense(3, name="first"), layers.Dense(7, name="new")])
    before = other.layers[1].kernel.numpy()
    other.load_weights(tmp_path / "w.h5", by_name=True)
    assert np.array_equal(other.layers[0].kernel, small.layers[0].kernel)
    assert np.array_equal(other.layers[1].kernel, before)
    stranger = cornu.Sequential([cornu.Input((4,)), layers.Dense(3, name="fir")])
    with pytest.warns(UserWarning, match="changed nothing.*'first'"):
        stranger.load_weights(tmp_path / "w.h5", by_name=True)
    with pytest.raises(ValueError, match="by_name works for files in Keras 2"):
        other.load_weights(tmp_path / "w.weights.h5", by_name=True)
    wider = cornu.Sequential([cornu.Input((4,)), layers.Dense(8, name="first")])
    with pytest.raises(ValueError, match="'first' has a weight 'kernel' of shape"):
        wider.load_weights(tmp_path / "w.h5", by_name=True)
    with pytest.warns(UserWarning, match="Left unchanged"):
        wider.load_weights(tmp_path / "w.h5", by_name=True, skip_mismatch=True)


def test_half_precision_weights_keep_their_values(tmp_path):
    model = cornu.Sequential([cornu.Input((4,)), layers.Dense(3, dtype="bfloat16"), layers.Dense(2, dtype="float16")])
    for name in ("w.weights.h5", "w.h5"):
        model.save_weights(tmp_path / name)
        other = like(model)
        other.load_weights(tmp_path / name)
        assert same_weights(other, model)
    model.save(tmp_path / "m.keras")
    assert same_weights(load_model(tmp_path / "m.keras"), model)


def changed_layer(source, target, **values):
    """Copy a ``.keras`` file, with more keys in the config of its first layer of weights."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["config"]["layers"][1]["config"].update(values)
                content = json.dumps(config)
            new.writestr(name, content)
    return target


def test_unknown_keys_of_configs_are_ignored_at_their_defaults_only(small, tmp_path):
    small.save(tmp_path / "m.keras")
    silent = changed_layer(tmp_path / "m.keras", tmp_path / "s.keras", quantization_config=None, groups=1, ragged=False)
    assert same_weights(load_model(silent), small)
    telling = changed_layer(tmp_path / "m.keras", tmp_path / "t.keras", groups=2)
    with pytest.raises(ValueError, match=r"(?s)'first' has groups=2.*t\.keras.*Keras 3\.15 format"):
        load_model(telling)


@pytest.mark.old_spellings
@pytest.mark.parametrize("graph", [False, True])
def test_names_with_slashes_of_keras_2(tmp_path, graph):
    """Keras 2 allowed them, and wrote such a layer's weights into a group inside of a group."""
    start = cornu.Input((4,), name="block_start")
    first, second = cornu.layers.Dense(3, name="block_one"), cornu.layers.Dense(2, name="out")
    model = cornu.Model(start, second(first(start))) if graph else cornu.Sequential([start, first, second])
    path = tmp_path / "m.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = file.attrs["model_config"].replace("block_", "block/")
        group = file["model_weights"]
        group.attrs["layer_names"] = [name.replace(b"block_", b"block/") for name in group.attrs["layer_names"]]
        for name in [name for name in group if name.startswith("block_")]:
            group.move(name, name.replace("_", "/"))
    again = load_model(path)
    assert [layer.name for layer in again.layers if layer.weights] == ["block_one", "out"]
    x = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    again.set_weights([np.zeros_like(weight) for weight in again.get_weights()])
    again.load_weights(path, by_name=True)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_large_files_may_have_many_names_of_variable_length(tmp_path):
    """Keras writes names so with h5py 3; the limit on their memory depends on the longest, not on the file's size."""
    dense = layers.Dense(1700, use_bias=False, kernel_initializer="zeros")
    model = cornu.Sequential([cornu.Input((1600,)), dense, *(layers.Activation("relu") for _ in range(120))])
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "a") as file:
        names = file["model_weights"].attrs["layer_names"]
        file["model_weights"].attrs["layer_names"] = list(map(bytes, names))
        assert file["model_weights"].attrs["layer_names"].dtype.kind == "O"
    assert len(names) * (tmp_path / "m.h5").stat().st_size > 1 << 30
    assert len(cornu.saving.load_model(tmp_path / "m.h5").layers) == 121


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_lambda_needs_custom_objects(tmp_path, suffix):
    model = cornu.Sequential([cornu.Input((4,)), layers.Lambda(lambda x: x * 2.0, name="twice")])
    with pytest.warns(UserWarning, match=r"'twice' \(<lambda>\), only their names: pass them in custom_objects"):
        model.save(tmp_path / f"m{suffix}")
    with pytest.raises(ValueError, match=r"(?s)a lambda.*custom_objects=\{'<lambda>': \.\.\.\}"):
        load_model(tmp_path / f"m{suffix}")
    read = load_model(tmp_path / f"m{suffix}", custom_objects={"<lambda>": lambda x: x * 2.0})
    np.testing.assert_array_equal(read(np.ones((1, 4), "float32")), 2 * np.ones((1, 4)))


@pytest.mark.parametrize("save_format", [None, "keras", "h5"])
def test_file_objects(small, save_format):
    file = io.BytesIO()
    small.save(file, save_format=save_format)
    assert (file.getvalue()[:2] == b"PK") == (save_format != "h5")
    file.seek(0)
    read = load_model(file)
    assert type(read.optimizer) is type(small.optimizer)
    for ours, theirs in zip(small.get_weights(), read.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match="'a file object'"):
        load_model(io.BytesIO(b"no model"))


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_who_wrote_a_file_is_said_and_keras_does_not_mind(small, tmp_path, suffix, real_keras):
    path = tmp_path / f"m{suffix}"
    writer = f"Cornu {cornu.__version__}, Keras 3.15 format"
    if suffix == ".weights.h5":
        small.save_weights(path)
        theirs = real_keras.Sequential([real_keras.Input((4,)), *[real_keras.layers.Dense(n) for n in (3, 2)]])
        theirs.load_weights(path)
        other = cornu.Sequential([cornu.Input((4,)), layers.Dense(7)])
        with pytest.raises(ValueError, match=f"written by {writer}"):
            other.load_weights(path)
    else:
        small.save(path)
        theirs = real_keras.models.load_model(path)
    assert describe(path)["written_by"] == writer
    for ours, one in zip(small.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, one)


@pytest.mark.parametrize("name", ["long.h5", "long.keras"])
def test_very_long_names(tmp_path, name):
    inputs = cornu.Input((2,), name="input" + "x" * 2**15)
    model = cornu.Model(inputs, layers.Dense(1, name="dense" + "y" * 2**15)(inputs))
    model.save(tmp_path / name)
    loaded = cornu.models.load_model(tmp_path / name)
    assert loaded.layers[1].name == model.layers[1].name
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
