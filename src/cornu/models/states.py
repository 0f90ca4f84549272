"""The states that layers keep from batch to batch (``stateful=True``): how to reset them, and their batch size."""

from typing import Any

from cornu.data.batches import Batches
from cornu.models.parts import ModelPart


class StateMethods(ModelPart):
    """The methods of a model for the states of its stateful layers."""

    @property
    def stateful(self) -> bool:  # type: ignore[override]
        """Whether a layer of the model keeps its state from batch to batch."""
        return bool(self._stateful_layers())

    def reset_states(self) -> None:
        """Set the states of all stateful layers, also those inside other layers and models, to their first ones.

        >>> import cornu, numpy as np
        >>> inputs = cornu.Input(batch_shape=(2, 5, 3))
        >>> model = cornu.Model(inputs, cornu.layers.LSTM(4, stateful=True)(inputs))
        >>> first = model.predict(np.ones((2, 5, 3)), verbose=0)
        >>> second = model.predict(np.ones((2, 5, 3)), verbose=0)
        >>> model.reset_states()
        >>> again = model.predict(np.ones((2, 5, 3)), verbose=0)
        >>> bool((first == again).all()), bool((first == second).all())
        (True, False)
        """
        for layer in self._stateful_layers():
            getattr(layer, "reset_state", layer.reset_states)()

    def reset_state(self) -> None:
        """Set the states of all stateful layers to their first ones: another name of `reset_states`."""
        self.reset_states()

    def _fixed_batch_size(self) -> int | None:
        """Return the number of rows that every batch has to have, if a stateful layer is built for one."""
        sizes = (getattr(layer, "fixed_batch_size", None) for layer in self._stateful_layers())
        return next((size for size in sizes if size is not None), None)

    def _stateful_layers(self) -> list[Any]:
        """Return the layers that keep states and can be reset, wherever they are; those in Bidirectional as well."""
        layers = [layer for layer in self._flatten_layers() if not isinstance(layer, StateMethods)]
        return [layer for layer in layers if getattr(layer, "stateful", False) and hasattr(layer, "reset_states")]


def check_batch_size(model: Any, batches: Batches, size: int, steps: int | None, what: str) -> None:
    """Raise ValueError if arrays cannot be cut into batches of `size` rows, which a stateful layer needs.

    Args:
        model: The model.
        batches: The data.
        size: The number of rows that each batch has to have.
        steps: The number of batches to use; None uses all.
        what: The method that got the data.
    """
    rows, given = batches.rows, batches.batch_size
    if rows is None or (given == size and (rows % size == 0 or (steps or rows) * size <= rows)):
        return
    if given != size:
        raise ValueError(
            f"Model {model.name!r} is stateful for batches of {size} rows; {what} got batch_size={given}.\n"
            f"Use batch_size={size}, or build the model for other batches: Input(batch_shape=({given}, ...))."
        )
    whole = f", for example x[:{rows - rows % size}]" if rows > size else ""
    raise ValueError(
        f"Model {model.name!r} is stateful for batches of {size} rows; {what} got {rows} rows, of which the last batch "
        f"would have {rows % size}.\nPass a multiple of {size} rows{whole}."
    )
