"""The callback: methods that training calls as it goes. Override those you want."""

from typing import Any


class Callback:
    """Something that watches training; override the methods you need.

    While a method runs, the model's variables are current: weights may be read, and the learning rate set. `model` is
    the model, `params` a dictionary with epochs, steps, batch size and the like, `validation_data` a list of the arrays
    (inputs, targets, weights) that `fit` validates on, where they are arrays. A callback that overrides a per-batch
    method makes training return to Python after each batch.
    Follows https://keras.io/api/callbacks/base_callback/

    >>> class Shout(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print("epoch", epoch, "done")
    >>> Shout().on_epoch_end(0)
    epoch 0 done
    """

    per_batch = True  # False: overridden per-batch methods are content with a call per block of batches
    model: Any = None
    params: dict[str, Any] = {}  # noqa: RUF012 (replaced, never changed)
    validation_data: Any = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Take the settings of the run."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Take the model."""
        self.model = model

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Old name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Old name of `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before an epoch, numbered from 0."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After an epoch; `logs` has loss, metrics, and those of the validation with ``val_``."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Any = None) -> None:
        """After the last epoch."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of training."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of training; `logs` has the means since the epoch began."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """Before an evaluation or validation."""

    def on_test_end(self, logs: Any = None) -> None:
        """After an evaluation or validation."""

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of evaluation."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of evaluation."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Before a prediction."""

    def on_predict_end(self, logs: Any = None) -> None:
        """After a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of prediction; `logs` has its ``outputs``."""


__all__ = [
    "Callback",
]
