"""Ragged tensors as inputs of models: ``tf.keras.Input(ragged=True)``, and `fit` on rows of different lengths.

Rows are filled up to one length with a number that marks what is no data. The model's first layer makes of it a mask,
which travels with the steps; a model with layers that would not heed it is refused.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from cornu.compat.tensorflow.ragged import RaggedTensor
from cornu.core import registry
from cornu.core.graph import SymbolicTensor
from cornu.core.layer import Layer
from cornu.core.signature import call_signature
from cornu.layers import Dot, GroupNormalization, Lambda
from cornu.layers.embedding import Embedding
from cornu.training.padding import padded_size

#: Layers that pass masks on or drop them, and compute with all steps.
_OVER_STEPS = (Dot, GroupNormalization)
#: Stands where a row has ended. All integers and floats of 32 bits have it.
_NO_DATA = -(2**31)


@registry.register_keras_serializable("cornu")
class RaggedRows(Layer):
    """Make rows of different lengths of padded ones: zeros behind their ends, and a mask.

    >>> import numpy as np
    >>> layer = RaggedRows()
    >>> x = padded(RaggedTensor.from_row_lengths(np.arange(1.0, 4.0), [1, 2]), 2)
    >>> layer(x).tolist(), layer.compute_mask(x).tolist()
    ([[1.0, 0.0], [2.0, 3.0]], [[True, False], [True, True]])
    """

    keeps_rows_apart = True
    is_part_of_input = True

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("autocast", False)  # 16 bits have no such number
        super().__init__(**kwargs)
        Embedding.keeps_masks = True  # in Keras 2, the vectors of ragged indices are ragged

    def call(self, inputs: Any) -> Any:
        return jnp.where(inputs == _NO_DATA, 0, inputs)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return where there is data, ``(batch, time)``."""
        return jnp.any(jnp.asarray(inputs != _NO_DATA).reshape(*inputs.shape[:2], -1), -1)


def start(tensor: SymbolicTensor) -> SymbolicTensor:
    """Return the rows of an input that takes ragged tensors. ValueError for texts."""
    if tensor.dtype == "string":
        raise ValueError(
            "Input(ragged=True, dtype=tf.string): rows of strings of different lengths cannot enter a model.\n"
            "Make numbers of them first: dataset.map(lambda x, y: (lookup(x), y))."
        )
    return RaggedRows(name=f"{tensor.name}_rows")(tensor)


def padded(rows: RaggedTensor, length: int | None = None) -> np.ndarray:
    """Return rows filled up to `length`, by default the longest's or a little more so that few lengths are compiled."""
    values, sizes = np.asarray(rows.flat_values), np.diff(np.asarray(rows.row_splits))
    longest = int(sizes.max(initial=1))
    length = max(length or padded_size(longest, several=False), longest)
    kind = values.dtype if values.dtype.kind == "f" else np.dtype("int32")
    found = np.full((len(sizes), length, *values.shape[1:]), _NO_DATA, kind)
    found[np.arange(length) < sizes[:, None]] = values
    return found


def dense(model: Any, x: Any) -> Any:
    """Return a model's inputs with ragged tensors padded for it. ValueError if it is not made for them."""
    if isinstance(x, RaggedTensor):
        return _dense(model, x, 0)
    if isinstance(x, dict):
        return {name: _dense(model, one, name) for name, one in x.items()}
    if isinstance(x, (list, tuple)) and any(isinstance(one, RaggedTensor) for one in x):
        return type(x)([_dense(model, one, place) for place, one in enumerate(x)])
    return x


def _dense(model: Any, rows: Any, place: int | str) -> Any:
    """Return the data of one input, known by its place or its name."""
    if not isinstance(rows, RaggedTensor):
        return rows
    network = model._network
    known = {} if network is None else dict(zip(network.input_names, network.flat_inputs, strict=True))
    tensor = {**known, **dict(enumerate(known.values()))}.get(place)
    if tensor is None or not any(isinstance(node.operation, RaggedRows) for node in _readers(network, tensor)):
        if len(set(rows.row_lengths().tolist())) <= 1:
            return rows.numpy()
        raise ValueError(
            f"The model {model.name!r} got a ragged tensor, for which it has no input.\n"
            "Begin it with tf.keras.Input((None,), ragged=True), or pass x.to_tensor(); a data set: padded_batch."
        )
    if rows.ragged_rank > 1 or rows.flat_values.dtype.kind in "OUS":
        kind = "strings" if rows.ragged_rank == 1 else f"rows in rows (ragged_rank={rows.ragged_rank})"
        raise ValueError(f"The model {model.name!r} got a ragged tensor of {kind}; it takes rows of numbers.")
    _check_layers(network, tensor)
    return padded(rows, tensor.shape[1])


def _readers(network: Any, tensor: SymbolicTensor) -> list[Any]:
    return [node for node in network.nodes if any(one is tensor for one in node.inputs)]


def _check_layers(network: Any, tensor: SymbolicTensor) -> None:
    """Raise ValueError if the steps of an input reach a layer that does not know which of them are data."""
    ragged = [tensor]
    while ragged:
        for node in _readers(network, ragged.pop()):
            layer = node.operation
            if not isinstance(layer, RaggedRows) and not _heeds_masks(layer):
                raise ValueError(
                    f"The layer {layer.name!r} ({type(layer).__name__}) takes no mask: it cannot compute with ragged "
                    "rows.\nLSTM, GlobalAveragePooling1D, Dense and the like can; or pass x.to_tensor() to a model "
                    "without ragged=True."
                )
            ragged += [one for one in _tensors(node.outputs) if one._keras_mask is not None]


def _tensors(outputs: Any) -> list[SymbolicTensor]:
    return [outputs] if isinstance(outputs, SymbolicTensor) else list(outputs)


def _heeds_masks(layer: Any) -> bool:
    if not isinstance(layer, Layer) or isinstance(layer, _OVER_STEPS):
        return False
    if isinstance(layer, Lambda):
        return bool(layer.supports_masking)
    computes = type(layer).compute_mask is not Layer.compute_mask
    return bool(layer.supports_masking or computes or call_signature(type(layer)).takes_mask)
