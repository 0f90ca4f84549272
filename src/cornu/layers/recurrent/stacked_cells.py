"""Several cells as one."""

from collections.abc import Sequence
from typing import Any, Unpack

from cornu.core import registry
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions
from cornu.layers.recurrent.any_cell import call_cell, check_cell, first_states, output_size, takes_constants


@registry.LAYERS.add()
class StackedRNNCells(Layer):
    """Make one cell of several: each gets the output of the one before, and has states of its own.

    Args:
        cells: A list of cells.
        **kwargs: Arguments of `Layer`.

    Call arguments:
        inputs: ``(batch, ...)``.
        states: A list with the states of each cell.
        training: Whether the cells train.
        constants: Tensors for the cells whose ``call`` takes them.

    Returns:
        The output of the last cell, and a list with the new states of each cell.

    Raises:
        ValueError: One of the cells has no ``call`` or no ``state_size``.

    Follows https://keras.io/api/layers/recurrent_layers/stacked_rnn_cells/

    >>> import numpy as np
    >>> from cornu.layers import RNN, LSTMCell
    >>> RNN(StackedRNNCells([LSTMCell(8), LSTMCell(4)]))(np.ones((2, 10, 3))).shape
    (2, 4)
    """

    keeps_rows_apart = True

    def __init__(self, cells: Sequence[Any], **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.cells = [check_cell(cell) for cell in cells]

    @property
    def state_size(self) -> list[Any]:
        """The state sizes of the cells, a list."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The size of the last cell's outputs."""
        return output_size(self.cells[-1])

    def get_initial_state(self, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> list[Any]:
        """Return the first states of each cell, as they give them, else zeros.

        Args:
            inputs: The inputs of a step; the batch size is theirs if `batch_size` is None.
            batch_size: Size of the batch.
            dtype: A dtype for zeros; None is the layer's compute dtype.
        """
        batch = inputs.shape[0] if batch_size is None else batch_size
        return [first_states(cell, batch, dtype or self.compute_dtype) for cell in self.cells]

    def build(self, input_shape: tuple) -> None:
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
                cell.built = True
            size = output_size(cell)
            input_shape = (input_shape[0], *(size if isinstance(size, (list, tuple)) else [size]))

    def call(self, inputs: Any, states: Sequence[Any], training: Any = False, constants: Any = None) -> tuple[Any, Any]:
        after = []
        for cell, before in zip(self.cells, states, strict=True):
            several = isinstance(before, (list, tuple))
            inputs, new = call_cell(cell, training, constants if takes_constants(cell) else None)(
                inputs, before if several else [before]
            )
            new = list(new) if isinstance(new, (list, tuple)) else [new]
            after.append(new if several else new[0])
        return inputs, after


__all__ = ["StackedRNNCells"]
