"""The callback: methods that training calls as it runs. Override the ones you need."""

from typing import Any


class Callback:
    """Base class of all callbacks, which watch training and may change it; override the methods you need.

    While a method runs, the model's variables are current: weights can be read, and the learning rate set. A callback
    that overrides a per-batch method makes training return to Python after each batch.

    Attributes:
        model: the model.
        params: a dictionary with the number of epochs and steps, the batch size and the like.
        validation_data: a list of the arrays (inputs, targets, sample weights) that `fit` validates on, if
            they are arrays.

    Follows https://keras.io/api/callbacks/base_callback/

    >>> class PrintEpoch(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print("epoch", epoch, "done")
    >>> PrintEpoch().on_epoch_end(0)
    epoch 0 done
    """

    per_batch = True  # False: overridden per-batch methods may be called once per block of batches
    only_reports = False  # True: it changes nothing, and of several processes only the first calls it
    ends_block_at_nan = False  # True: a block of batches ends with the first one after which the loss is not finite
    per_replica = False  # True: of several replicas of a model each has a copy, which gets its logs and weights
    model: Any = None
    params: dict[str, Any] = {}  # noqa: RUF012 (replaced, never changed)
    validation_data: Any = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Set the parameters of the run, before it starts."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Set the model, before the run starts."""
        self.model = model

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Old name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Old name of `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Called before an epoch, numbered from 0."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Called after an epoch; `logs` holds loss and metrics; those of the validation start with ``val_``."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Called before the first epoch."""

    def on_train_end(self, logs: Any = None) -> None:
        """Called after the last epoch."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Called before a training batch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after a training batch; `logs` holds the means since the start of the epoch."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """Called before an evaluation or validation."""

    def on_test_end(self, logs: Any = None) -> None:
        """Called after an evaluation or validation."""

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Called before an evaluation batch."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after an evaluation batch."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Called before a prediction."""

    def on_predict_end(self, logs: Any = None) -> None:
        """Called after a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Called before a prediction batch."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after a prediction batch; `logs` holds its ``outputs``."""


__all__ = [
    "Callback",
]
