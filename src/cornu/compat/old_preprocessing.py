"""``keras.layers.experimental.preprocessing`` of TensorFlow 2.3 to 2.5: layers with other defaults, or gone today."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from cornu import layers
from cornu.compat.layers import OldLayer
from cornu.core import registry
from cornu.core.object_arrays import object_array
from cornu.layers.adapting import batches_of
from cornu.layers.host import HostLayer
from cornu.ops.image.sizes import resize

PreprocessingLayer = layers.Layer


class OldLookup(OldLayer):
    """A lookup layer under its old name, where index 0 was that of a mask unless the program said otherwise.

    >>> StringLookup(vocabulary=["a"]).get_vocabulary()
    ['', '[UNK]', 'a']
    """

    def __init__(self, today: type, mask: Any) -> None:
        super().__init__(today.__name__, today, 0)
        self.mask = mask

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make today's layer."""
        if len(args) < 3 and kwargs.keys().isdisjoint(("mask_token", "mask_value")):
            kwargs["mask_token"] = self.mask
        if kwargs.get("encoding", "") is None:
            del kwargs["encoding"]
        return self.today(*args, **kwargs)


StringLookup = OldLookup(layers.StringLookup, "")
IntegerLookup = OldLookup(layers.IntegerLookup, 0)


class CategoryEncoding(layers.CategoryEncoding):
    """Encode categories as vectors; without `num_tokens`, `adapt` finds their number.

    >>> layer = CategoryEncoding()
    >>> layer.adapt([[0, 2]])
    >>> layer([[1], [2]]).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ) -> None:
        num_tokens = kwargs.pop("max_tokens", None) if num_tokens is None else num_tokens
        super().__init__(num_tokens or 1, output_mode, sparse, **kwargs)
        self._finds_number = num_tokens is None

    def adapt(self, data: Any, **_: Any) -> None:
        """Find the number of categories in data: the largest one, and 0."""
        if self._finds_number:
            batches = batches_of(data, "CategoryEncoding", row_rank=0)
            self.num_tokens = 1 + max(int(np.max(np.asarray(batch), initial=0)) for batch in batches)


@registry.LAYERS.add()
class OldRandomCrop(layers.RandomCrop):
    """`RandomCrop` that, outside of training, resizes images until they cover the new size, then cuts out the middle.

    >>> RandomCrop(2, 2)(np.arange(8.0).reshape(1, 4, 2, 1), training=False).ravel().tolist()
    [2.0, 3.0, 4.0, 5.0]
    """

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        if training:
            return super().transform_images(images, transformation, training)
        height, width = self._space(images.shape)
        new_height, new_width = self._size
        if height / width > new_height / new_width:
            covering = int(new_width * height / width), new_width
        else:
            covering = new_height, int(new_height * width / height)
        images = resize(jnp.asarray(images).astype(self.compute_dtype), covering, data_format=self.data_format)
        starts = [(old - new) // 2 for old, new in zip(covering, self._size, strict=True)]
        return self._cut(images, starts, self._size)


RandomCrop = OldRandomCrop


@registry.LAYERS.add()
class CategoryCrossing(HostLayer):
    """Join the categories of several inputs: each with each other one in its row, as a string.

    Args:
        depth: How many inputs are joined: None for all of them, a tuple of numbers, or the largest of them.
        name: The name of the layer.
        separator: What is put between joined categories.
        **kwargs: Arguments of `Layer`.

    Shapes:
        A list of strings or integers of the shape ``(batch, n)`` each; outputs ``(batch, number of joined ones)``.

    Raises:
        ValueError: `depth` is larger than the number of inputs.

    Follows https://www.tensorflow.org/versions/r2.5/api_docs/python/tf/keras/layers/experimental/preprocessing/CategoryCrossing

    >>> CategoryCrossing()([np.array(["a", "b"]), np.array([1, 2])]).tolist()
    [['a_X_1'], ['b_X_2']]
    """

    keeps_rows_apart = True
    output_dtype = "string"

    def __init__(
        self, depth: Any = None, name: str | None = None, separator: str | None = "_X_", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.depth, self.separator = depth, "_X_" if separator is None else separator

    def _joined_inputs(self, number: int) -> Iterator[tuple[int, ...]]:
        """Yield the positions of the inputs that are joined."""
        depth = self.depth
        depths: Sequence[int] = depth if isinstance(depth, (list, tuple)) else range(1, (depth or 0) + 1)
        for size in depths if depth else [number]:
            if size > number:
                raise ValueError(
                    f"Layer {self.name!r} (CategoryCrossing) joins up to {size} inputs (depth={depth}); got {number}."
                )
            yield from itertools.combinations(range(number), size)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        sizes = [shape[1] if len(shape) > 1 else 1 for shape in input_shape]
        number = 0
        for joined in self._joined_inputs(len(sizes)):
            if any(sizes[i] is None for i in joined):
                return input_shape[0][0], None
            number += int(np.prod([sizes[i] for i in joined]))
        return input_shape[0][0], number

    def call(self, inputs: Any) -> np.ndarray:
        rows = [np.asarray(one).reshape(len(one), -1).tolist() for one in inputs]
        columns = []
        for joined in self._joined_inputs(len(rows)):
            parts = (rows[i] for i in joined)
            columns.append(
                [
                    [self.separator.join(map(str, each)) for each in itertools.product(*row)]
                    for row in zip(*parts, strict=True)
                ]
            )
        found = [list(itertools.chain.from_iterable(row)) for row in zip(*columns, strict=True)]
        flat = list(itertools.chain.from_iterable(found))
        return object_array(flat, (len(found), len(flat) // max(len(found), 1)))


__all__ = ["CategoryCrossing", "CategoryEncoding", "IntegerLookup", "PreprocessingLayer", "RandomCrop", "StringLookup"]
