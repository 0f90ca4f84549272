import numpy as np
import pytest

from cornu.callbacks.monitor import comparison, value_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("acc", np.greater),
        ("val_accuracy", np.greater),
        ("val_out_sparse_categorical_accuracy", np.greater),
        ("auc", np.greater),
        ("fmeasure", np.greater),
        ("val_f1_score", np.greater),
        ("val_precision", np.greater),
        ("val_mean_io_u", np.greater),
        ("quality", None),
        ("loss", np.less),
        ("val_accurate_head_loss", np.less),
        ("val_mae", np.less),
        ("mean_squared_error", np.less),
        ("false_positives", np.less),
        ("val_learning_rate", np.less),
    ],
)
def test_auto_tells_by_the_name(name, expected):
    if expected is None:
        with pytest.warns(UserWarning, match=f"cannot tell from the name '{name}'"):
            assert comparison(name, "auto", "EarlyStopping") is np.less
    else:
        assert comparison(name, "auto", "EarlyStopping") is expected


def test_a_given_mode_wins():
    assert comparison("acc", "min", "X") is np.less
    assert comparison("loss", "max", "X") is np.greater


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.array([0.5])])
def test_one_number_is_a_float(value):
    assert value_of("loss", {"loss": value}, {}, "X") == 0.5


def test_an_array_is_no_number():
    with pytest.raises(ValueError, match=r"X watches 'loss', whose value is an array of shape \(2,\)"):
        value_of("loss", {"loss": np.ones(2)}, {}, "X")


def test_missing_names_are_told_with_those_there_are():
    with pytest.warns(UserWarning, match="X watches 'auc', which is not among the logs: loss, acc"):
        assert value_of("auc", {"loss": 1.0, "acc": 0.5}, {}, "X") is None
    with pytest.warns(UserWarning, match="among the logs: nothing"):
        assert value_of("auc", None, {}, "X") is None
