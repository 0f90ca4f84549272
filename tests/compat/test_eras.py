"""Programs of Keras 1, Keras 2 and tf.keras compute what they did then: numbers that those versions gave."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cornu
from compat import era_measures
from cornu.compat import eras
from cornu.compat.configs import translate_meanings
from cornu.core import era
from cornu.losses.base import reduce_weighted
from cornu.programs import reading

pytestmark = pytest.mark.old_spellings
NUMBERS = json.loads(Path(__file__).with_name("era_numbers.json").read_text())
CASES = [(one, name) for one, numbers in NUMBERS.items() for name in numbers]


def of_era(one, name):
    cornu.backend.clear_session()
    with era.using(one):
        return getattr(era_measures, name)(cornu)


@pytest.mark.parametrize(("one", "name"), CASES)
def test_what_was_measured(one, name):
    expected, found = NUMBERS[one][name], of_era(one, name)
    if name == "names":
        assert found == expected
    elif name == "nesterov_with_decay":  # Keras 1 and 2 gave several answers, from run to run
        assert any(np.allclose(found, one_of_them, atol=2e-6) for one_of_them in expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)


#: Measure -> eras that give what Keras 3 gives (or what Cornu gives today: docs/differences.md has the default rates).
SAME_AS_TODAY = {
    "hinge": {"tf.keras"},
    "zero_weights": {"tf.keras"},
    "clipnorm": {"tf.keras"},
    "adagrad": {"tf.keras"},
    "adamax": {"1", "2"},
    "activity": {"tf.keras"},
    "bilinear": {"tf.keras"},
    "moving_variance": {"1"},
    "gates": {"tf.keras"},
}
ALIKE = ("nesterov_with_decay", "clipnorm_and_clipvalue")  # races, and is refused


@pytest.mark.parametrize("name", sorted({name for _, name in CASES if name not in ALIKE}))
def test_today_it_is_something_else(name):
    today = of_era("3", name)
    same = {one for one, numbers in NUMBERS.items() if name in numbers and _close(today, numbers[name])}
    assert same == SAME_AS_TODAY.get(name, set())


def _close(a, b):
    return a == b if isinstance(a[0], str) else np.allclose(a, b, rtol=2e-5, atol=2e-6)


def test_today_takes_one_kind_of_clipping():
    with pytest.raises(ValueError, match="accepts one kind of gradient clipping"):
        of_era("3", "clipnorm_and_clipvalue")


@pytest.mark.parametrize(
    ("one", "uses_batch", "moves"),
    [("1", True, True), ("2", True, False), ("tf.keras", False, False), ("3", False, False)],
)
@pytest.mark.parametrize("is_inside", [False, True])
def test_frozen_batch_normalization(one, uses_batch, moves, is_inside):
    """As the source of Keras 2.2.4 has it; Keras 1 ran a layer's updates whether it was frozen or not."""
    with era.using(one):
        norm = cornu.layers.BatchNormalization(epsilon=1e-3, momentum=0.5)
        frozen = cornu.Sequential([norm]) if is_inside else norm
        same = cornu.layers.Dense(2, use_bias=False, kernel_initializer="identity")
        model = cornu.Sequential([cornu.Input((2,)), frozen, same])
        frozen.trainable = False
        model.compile("sgd", "mse")
        x = np.array([[1.0, 2.0], [3.0, 8.0]], "float32")
        loss = model.train_on_batch(x, np.zeros_like(x))
        mean, variance = (x.mean(0), x.var(0)) if uses_batch else (0, 1)
        np.testing.assert_allclose(loss, np.mean((x - mean) ** 2 / (variance + 1e-3)), rtol=1e-4)
        np.testing.assert_allclose(norm.moving_mean, x.mean(0) * 0.5 * moves, rtol=1e-5)


def test_an_unknown_era():
    with pytest.raises(ValueError, match="Unknown era: '4'"):
        era.begin("4")
    assert era.current() == "3"


def test_a_loss_of_which_all_weights_are_zero_is_zero():
    with era.using("2"):
        assert float(cornu.losses.MeanSquaredError()([[1.0]], [[2.0]], sample_weight=[0.0])) == 0


def test_masks_and_weights_divide_as_in_keras_2():
    """Keras 2: values times mask / mean(mask), averaged over time, times weights / fraction of non-zero weights."""
    values, mask, weights = np.array([[1.0, 3.0], [5.0, 7.0]]), np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([0.0, 2.0])
    by_hand = ((values * mask / mask.mean()).mean(1) * weights / (weights != 0).mean()).mean()
    with era.using("2"):
        assert float(reduce_weighted(values, weights, mask, "sum_over_batch_size")) == pytest.approx(by_hand, rel=1e-6)


def test_evaluate_divides_each_batch_by_its_own_fraction():
    x, y, weights = np.ones((64, 2), "float32"), np.arange(64.0), np.repeat([1.0, 0.0, 2.0, 1.0], 16)
    with era.using("2"):
        model = era_measures.dense(cornu, 2, 1)
        model.compile("sgd", "mse")
        whole = model.evaluate(x, y, sample_weight=weights, verbose=0)
        halves = [model.evaluate(x[i], y[i], 32, 0, weights[i]) for i in (slice(32), slice(32, 64))]
    assert whole == pytest.approx(np.mean(halves), rel=1e-6)


def test_moving_averages_keep_their_count_between_fits_and_out_of_the_weights(tmp_path):
    with era.using("2"):
        layer = cornu.layers.BatchNormalization(momentum=0.5, input_shape=(1,))
        model = cornu.Sequential([layer])
        model.compile("sgd", "mse")
        x = np.array([[1.0], [3.0]])
        for rows in (x, x + 3):
            model.fit(rows, rows, verbose=0)
        assert layer.get_weights()[2] == pytest.approx((2 + 2 * 5) / 3, rel=1e-5)
        assert len(model.weights) == len(layer.non_trainable_weights) + 2 == 4
        assert layer.count_params() == 4
        model.save(tmp_path / "m.keras")
        again = cornu.models.load_model(tmp_path / "m.keras")
        np.testing.assert_array_equal(again.layers[0].get_weights()[2], layer.get_weights()[2])
        model.save_weights(tmp_path / "m.weights.h5")
    cornu.Sequential([cornu.layers.Input((1,)), cornu.layers.BatchNormalization()]).load_weights(
        tmp_path / "m.weights.h5"
    )


def test_an_activation_in_a_file_keeps_its_meaning_in_every_era(tmp_path):
    def answer(model):
        return float(np.ravel(model(np.array([[2.0]], "float32")))[0])

    def made():
        return cornu.Sequential([cornu.layers.Input((1,)), cornu.layers.Activation("hard_sigmoid")])

    for written, expected in (("3", 5 / 6), ("2", 0.9)):
        with era.using(written):
            model = made()
            assert answer(model) == pytest.approx(expected)
            assert answer(cornu.models.clone_model(model)) == pytest.approx(expected)
            for file in ("m.keras", "m.h5"):
                model.save(tmp_path / f"{written}-{file}")
        for read in era.ERAS:
            with era.using(read):
                for file in ("m.keras", "m.h5"):
                    assert answer(cornu.models.load_model(tmp_path / f"{written}-{file}")) == pytest.approx(expected)


def test_upsampling_in_a_file_keeps_its_meaning_in_every_era(tmp_path):
    x = np.arange(4.0).reshape(1, 1, 4, 1)
    for written in ("3", "2"):
        with era.using(written):
            layer = cornu.layers.UpSampling2D(2, interpolation="bilinear")
            model = cornu.Sequential([cornu.layers.Input((1, 4, 1)), layer])
            expected = model.predict(x, verbose=0)
            model.save(tmp_path / f"{written}.keras")
        for read in era.ERAS:
            with era.using(read):
                loaded = cornu.models.load_model(tmp_path / f"{written}.keras")
                np.testing.assert_array_equal(loaded.predict(x, verbose=0), expected)


def test_files_of_keras_2_enlarge_as_keras_2_did():
    entry = {"class_name": "UpSampling2D", "config": {"interpolation": "bilinear", "size": [2, 2], "name": "up"}}
    inner = {"class_name": "Sequential", "config": {"layers": [entry]}}

    def interpolation(writer):
        return translate_meanings(inner, writer)["config"]["layers"][0]["config"]["interpolation"]

    found = {
        writer: interpolation(writer) for writer in ("Keras 2.2.4", "Keras 2.3.1", "Keras 2.2.4-tf", "Keras 2.11.1")
    }
    assert list(found.values()) == ["bilinear_of_keras_2"] * 2 + ["bilinear"] * 2
    other = {"class_name": "Resizing", "config": {"interpolation": "bilinear"}}
    assert translate_meanings(other, "Keras 2.2.4") == other


@pytest.mark.parametrize("one", era.ERAS)
def test_configs_of_optimizers_mean_the_same_in_every_era(one):
    for cls in (cornu.optimizers.Nadam, cornu.optimizers.Adagrad, cornu.optimizers.Adadelta):
        config = cls().get_config()
        with era.using(one):
            optimizer = cls.from_config(config)
            assert optimizer.get_config() == config
            assert getattr(optimizer, "schedule_decay", 1.0) == 1.0
            own = cls()
            copy = cls.from_config(own.get_config())
        assert copy.get_config() == own.get_config()
        assert getattr(copy, "schedule_decay", 1.0) == getattr(own, "schedule_decay", 1.0)


def test_arguments_that_are_given_are_kept():
    with era.using("1"):
        assert cornu.optimizers.Adagrad(0.5, 0.25).initial_accumulator_value == 0.25
        assert cornu.optimizers.Adagrad(0.5).epsilon == 1e-8
        assert cornu.optimizers.Nadam(schedule_decay=0.5).schedule_decay == 0.5

        class Own(cornu.optimizers.Nadam):
            def __init__(self, learning_rate=0.5):
                super().__init__(learning_rate)

        assert Own().get_config()["learning_rate"] == 0.5
        assert Own.from_config({"learning_rate": 0.25}).get_config()["learning_rate"] == 0.25


def era_of(tmp_path, text, name="program.py"):
    path = tmp_path / name
    path.write_text(text)
    return eras.era_of(reading.read_program(path))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from keras.layers import Dense\nDense(3)\n", "3"),
        ("from keras.layers.core import Dense\n", "2"),
        ("from keras.models import Sequential\nmodel = Sequential()\nmodel.fit(x, y, nb_epoch=3)\n", "1"),
        ("from keras.layers import Convolution2D\n", "1"),
        ("import keras\nx = keras.layers.Convolution2D(3, 3, 3)\n", "1"),
        ("import keras.layers as L\nL.Dense(3, init='normal')\n", "1"),
        ("from keras.utils import np_utils\nmodel.fit(nb_epoch=3)\n", "1"),
        ("from keras.utils import np_utils\n", "2"),
        ("import keras\nmodel.fit_generator(data, nb_epoch=3, steps_per_epoch=1)\n", "2"),
        ("from keras.optimizers import Adam\nAdam(lr=0.1)\n", "2"),
        ("from keras import backend as K\nK.set_image_dim_ordering('th')\n", "2"),
        ("from keras import backend as K\nK.clear_session()\n", "3"),
        ("import keras\nplt.plot(hist.history['val_acc'])\n", "2"),
        ("import keras\nprint 'hello'\n", "2"),
        ("import keras\nimport tensorflow as tf\nsession = tf.Session()\n", "2"),
        ("import os\nos.environ['KERAS_BACKEND'] = 'theano'\nimport keras\n", "2"),
        ("import os\nos.environ['KERAS_BACKEND'] = 'jax'\nimport keras\n", "3"),
        ("from tensorflow.keras.layers import Dense\n", "tf.keras"),
        ("from tensorflow import keras\nkeras.layers.Dense(3)\n", "tf.keras"),
        ("import tensorflow as tf\ntf.keras.layers.Dense(3)\n", "tf.keras"),
        ("import tensorflow as tf\nx = tf.ones(3)\n", "3"),
        ("from tensorflow.python.keras.layers import Dense\n", "tf.keras"),
        ("from keras.layers import Dense\nfrom tensorflow.keras.optimizers import Adam\nAdam(lr=0.1)\n", "tf.keras"),
        ("from tensorflow import keras\nx = keras.ops.ones(3)\n", "3"),
        ("import keras\nfrom keras import ops\n", "3"),
        ("# pip install keras==1.2.2\nimport keras\n", "1"),
        ("# pip install Keras==2.2.4\nimport keras\n", "2"),
        ("# keras==2.11.0\nimport keras\n", "tf.keras"),
        ("import numpy\nprint(nb_epoch)\n", "3"),
        ("import tf_keras as keras\n", "tf.keras"),
        ("import keras\nx = keras.layers.merge.add([a, b])\n", "2"),
        ("from keras.layers import merge\n", "1"),
        ("from keras.layers import ZeroPadding2D\nZeroPadding2D(padding=(1, 1))\nm.fit(nb_epoch=1)\n", "1"),
        ("import keras\nflow.flow_from_directory('a', class_mode='binary')\nprint('~/.keras')\n", "3"),
        ("from __future__ import annotations\nimport keras\n", "3"),
        ("from __future__ import print_function\nimport keras\n", "2"),
        (f"import keras\nx = {'+'.join('a' * 3000)}\n", "3"),
        ("init(3, init=4, p=0.5)\nimport keras\nfrom sklearn import SVC\nSVC(p=3, lr=4)\n", "3"),
    ],
)
def test_the_era_is_told_from_what_a_program_says(tmp_path, text, expected):
    assert era_of(tmp_path, text).era == expected


def test_programs_of_an_era_are_told_apart():
    known = {
        "k0": {"1"},
        "k1": {"1", "2"},
        "k2": {"2", "3"},
        "k3": {"3"},
        "tf": {"tf.keras", "2"},
        "da": {"tf.keras", "3"},
    }
    for path in sorted(Path(__file__).with_name("programs").iterdir()):
        found = eras.era_of(reading.read_program(path))
        nothing_of_keras = {"3"} if "keras." not in path.read_text() else set()  # TensorFlow alone: any era will do
        assert found.era in known[path.name[:2]] | nothing_of_keras, path.name
        assert not any("several versions" in note for note in found.notes), path.name


def test_modules_beside_a_program_are_read_too(tmp_path):
    (tmp_path / "nets.py").write_text("from layers_of_mine import f\n")
    (tmp_path / "layers_of_mine.py").write_text("from keras.layers import Convolution2D\n")
    assert era_of(tmp_path, "import keras\nfrom nets import build\n").era == "1"
    (tmp_path / "layers_of_mine.py").write_text("this is not Python\n")
    assert era_of(tmp_path, "import keras\nfrom nets import build\n").era == "3"


def test_spellings_that_exclude_each_other_are_said_and_are_keras_3(tmp_path):
    text = "import keras\nmodel.fit(x, nb_epoch=2)\ny = keras.ops.ones(2)\n"
    assert era_of(tmp_path, text) == (
        "3",
        [
            "it is of several versions of Keras (nb_epoch=, line 2; ops, line 3) and taken for Keras 3; "
            "--era 1, 2 or tf.keras for another"
        ],
    )


def test_what_the_era_changes_is_said(tmp_path):
    text = (
        "from keras.utils import np_utils\nfrom keras.optimizers import SGD\nSGD(clipnorm=1.)\nm.get_layer('dense_1')\n"
    )
    assert era_of(tmp_path, text).notes == [
        "written for Keras 2 (np_utils, line 1): get_layer, clipnorm are as then; --era 3 for today's"
    ]
    assert era_of(tmp_path, "import keras\nm.get_layer('dense_1')\n").notes == [
        "nothing says for which Keras it was written: get_layer is as in Keras 3; --era 1 or 2 for another"
    ]
    assert era_of(tmp_path, "import keras\nm.get_layer('dense_1')\nm.save('a.keras')\n").notes == []
    assert era_of(tmp_path, "from keras.utils import np_utils\n").notes == []


def run(*arguments, folder):
    command = [sys.executable, "-m", "cornu", "run", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=200)


def test_era_on_the_command_line_goes_first(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "from keras.utils import np_utils\nfrom keras.layers import Dense, Input\nfrom keras.models import Model\n"
        "x = Input((1,))\ny = Dense(1)(x)\nm = Model(x, Dense(2)(y))\nprint([one.name for one in m.layers], m.name)\n"
    )
    assert run(program, folder=tmp_path).stdout == "['input_1', 'dense_1', 'dense_2'] model_1\n"
    assert run("--era", "3", program, folder=tmp_path).stdout == "['input_layer', 'dense', 'dense_1'] functional\n"
    assert run("--era", "tf.keras", program, folder=tmp_path).stdout == "['input_1', 'dense', 'dense_1'] model\n"
    assert "invalid choice: '4'" in run("--era", "4", program, folder=tmp_path).stderr


def test_a_run_that_goes_on_is_of_the_era_in_which_it_began(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import os, sys\nfrom keras.layers import Dense\nprint(Dense(1).name)\nsys.stdout.flush()\nos._exit(3)\n"
    )
    kept = tmp_path / "kept"
    options = ("--resume", kept, program)
    assert run("--era", "2", *options, folder=tmp_path).stdout == "dense_1\n"
    assert run(*options, folder=tmp_path).stdout == "dense_1\n"
    other = run("--era", "3", *options, folder=tmp_path)
    assert "has another run. Changed: its era, which was 2" in other.stderr
    assert other.returncode == 2
