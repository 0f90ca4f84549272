"""Programs of Keras 1, Keras 2 and tf.keras compute what they did then: numbers that those versions gave."""

import json
from pathlib import Path

import numpy as np
import pytest

import cornu
from compat import era_measures
from cornu.compat.configs import translate_meanings
from cornu.core import era
from cornu.losses.base import reduce_weighted

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
