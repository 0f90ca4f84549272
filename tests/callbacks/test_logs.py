import pytest

from cornu.callbacks.logs import Logs


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        ("accuracy", "acc"),
        ("acc", "accuracy"),
        ("val_accuracy", "val_acc"),
        ("out_accuracy", "out_acc"),
        ("val_out_acc", "val_out_accuracy"),
        ("categorical_accuracy", "acc"),
        ("val_sparse_categorical_accuracy", "val_accuracy"),
        ("learning_rate", "lr"),
        ("mean_squared_error", "mse"),
        ("mae", "mean_absolute_error"),
    ],
)
def test_either_spelling_is_found(there, asked):
    logs = Logs({there: 0.5})
    assert logs[asked] == logs.get(asked) == 0.5
    assert asked in logs
    assert list(logs) == [there]


def test_other_names_are_not_found():
    logs = Logs(loss=1.0, accuracy=0.5)
    assert logs.get("val_acc") is None
    assert "auc" not in logs
    with pytest.raises(KeyError, match="'val_acc' is not among the logs: loss, accuracy"):
        logs["val_acc"]


def test_an_exact_name_wins():
    assert Logs(acc=1, accuracy=2)["acc"] == 1


def test_joining_and_copying_keep_the_spellings():
    assert (Logs(loss=1) | {"val_accuracy": 2})["val_acc"] == 2
    assert Logs(accuracy=3).copy()["acc"] == 3


def test_extras_can_be_looked_up_and_are_not_listed():
    logs = Logs(loss=1.0)
    logs.extras = {"size": 20}
    assert logs["size"] == logs.get("size") == 20
    assert "size" in logs
    assert list(logs) == ["loss"]
    assert "size" not in Logs(loss=1.0)
