"""Categories as bins by the hashes of their values: no vocabulary is needed."""

from typing import Any, Unpack

import numpy as np

from cornu.core import registry
from cornu.core.layer_options import LayerOptions
from cornu.core.settings import floatx
from cornu.core.text import is_text
from cornu.layers.argument_checks import check_integer
from cornu.layers.feature_preprocessing.category_encoding import MODES, checked_mode, encoded_by_numpy, encoded_shape
from cornu.layers.feature_preprocessing.fingerprints import crossed, fingerprints
from cornu.layers.feature_preprocessing.index_lookup import checked_salt, integers_of
from cornu.layers.feature_preprocessing.lookups import buckets
from cornu.layers.feature_preprocessing.strings import encoded, strings_of
from cornu.layers.host import HostLayer, as_host_arrays

FIRST_OF_CROSSES = 0xDECAFCAFFE  # with which TensorFlow starts the fingerprint of a cross


@registry.LAYERS.add()
class Hashing(HostLayer):
    """Map strings or integers to one of `num_bins` bins by a hash that is the same on every machine.

    Args:
        num_bins: How many bins there are.
        mask_value: A value with a bin of its own, the first; None for none.
        salt: An integer or two: the key of SipHash, which is used then instead of FarmHash.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"`` or ``"count"``; see `CategoryEncoding`.
        sparse: Accepted; outputs are dense.
        **kwargs: Arguments of `Layer`; `dtype` is that of the outputs.

    Shapes:
        Strings or numbers of any shape. In the mode ``"int"`` outputs have the same shape; see `CategoryEncoding` for
        the others.

    Raises:
        ValueError: An argument.
        TypeError: A value is neither a string nor a number.

    Follows https://keras.io/api/layers/preprocessing_layers/categorical/hashing/

    >>> Hashing(3)([["A"], ["B"], ["C"]]).tolist()
    [[1], [0], [1]]
    """

    keeps_rows_apart = True

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**kwargs | {"dtype": kwargs.get("dtype") or _usual_dtype(output_mode)})
        self.num_bins = check_integer(self, "num_bins", num_bins)
        self.mask_value = mask_value
        self.output_mode = checked_mode(self, output_mode, MODES)
        if self.output_mode == "int" and self.dtype not in ("int32", "int64"):
            raise ValueError(f"Hashing with output_mode='int' takes dtype='int32' or 'int64'; got {self.dtype!r}.")
        if sparse and self.output_mode == "int":
            raise ValueError("Hashing: sparse=True is for other output modes than 'int'.")
        self.salt, self.sparse = checked_salt(self, salt), sparse

    @property
    def output_dtype(self) -> str:
        """The dtype of the outputs."""
        return self.compute_dtype

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        shape = tuple(input_shape)
        shape = shape[:-1] if self.output_mode == "one_hot" and shape[-1:] == (1,) else shape
        return encoded_shape(shape, self.output_mode, self.num_bins)

    def call(self, inputs: np.ndarray) -> np.ndarray:
        inputs = np.stack(inputs) if isinstance(inputs, (list, tuple)) else inputs
        if self.output_mode == "one_hot" and inputs.shape[-1:] == (1,):
            inputs = inputs[..., 0]
        return encoded_by_numpy(self._bins(inputs), self.output_mode, self.num_bins, self.output_dtype)

    def _bins(self, values: np.ndarray) -> np.ndarray:
        has_mask = self.mask_value is not None and self.num_bins > 1
        bins = buckets(bytes_of(values, self), self.num_bins - has_mask, self.salt).reshape(values.shape)
        return np.where(values == self.mask_value, 0, bins + 1) if has_mask else bins

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; the salt has two integers, as in Keras."""
        return super().get_config() | {"salt": self.salt}


@registry.LAYERS.add()
class HashedCrossing(HostLayer):
    """Map tuples of values, one from each of several features, to one of `num_bins` bins by a hash.

    Args:
        num_bins: How many bins there are.
        output_mode: ``"int"`` or ``"one_hot"``.
        sparse: Accepted; outputs are dense.
        **kwargs: Arguments of `Layer`; `dtype` is that of the outputs.

    Shapes:
        A list or tuple of features, strings or integers, each of the shape ``()``, ``(batch,)`` or ``(batch, 1)``.
        Outputs have the same shape; in the mode ``"one_hot"`` it is ``(batch, num_bins)``.

    Raises:
        ValueError: An argument, fewer than two features, or their shapes.
        TypeError: A value is neither a string nor an integer.

    Follows https://keras.io/api/layers/preprocessing_layers/categorical/hashed_crossing/

    >>> HashedCrossing(5)((np.array(["A", "B", "A"]), np.array([101, 101, 101]))).tolist()
    [1, 4, 1]
    """

    keeps_rows_apart = True

    def __init__(
        self, num_bins: int, output_mode: str = "int", sparse: bool = False, **kwargs: Unpack[LayerOptions]
    ) -> None:
        super().__init__(**kwargs | {"dtype": kwargs.get("dtype") or _usual_dtype(output_mode)})
        self.num_bins = check_integer(self, "num_bins", num_bins)
        self.output_mode = checked_mode(self, output_mode, MODES[:2])
        self.sparse = sparse

    @property
    def output_dtype(self) -> str:
        """The dtype of the outputs."""
        return self.compute_dtype

    def host_arrays(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(
                f"Layer {self.name!r} (HashedCrossing) takes a list of at least two features; got "
                f"{type(inputs).__name__}."
            )
        return [as_host_arrays(one, self) for one in inputs]

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return encoded_shape(input_shape[0], self.output_mode, self.num_bins)

    def call(self, inputs: list[np.ndarray]) -> np.ndarray:
        shapes = [one.shape for one in inputs]
        shape = shapes[0]
        if len(set(shapes)) > 1 or len(shape) > 2 or shape[1:] not in ((), (1,)):
            raise ValueError(
                f"Layer {self.name!r} (HashedCrossing) takes features of one shape: (), (batch,) or (batch, 1); got "
                f"{', '.join(map(str, shapes))}."
            )
        found = np.full(int(np.prod(shape)), FIRST_OF_CROSSES, "uint64")
        for one in inputs:
            found = crossed(found, self._words(one))
        bins = (found % np.uint64(self.num_bins)).astype("int64").reshape(shape)
        return encoded_by_numpy(bins, self.output_mode, self.num_bins, self.output_dtype)

    def _words(self, feature: np.ndarray) -> np.ndarray:
        """Return 64 bits per value: integers themselves, and fingerprints of strings."""
        if is_text(feature):
            return fingerprints(encoded(strings_of(feature, self), self))
        if feature.dtype.kind not in "iu":
            raise TypeError(
                f"Layer {self.name!r} (HashedCrossing) takes strings or integers; got an array of {feature.dtype}."
            )
        return feature.astype("int64").ravel().view("uint64")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, as Keras does."""
        config = super().get_config() | {"dtype": self.dtype}
        config.pop("trainable")
        return config


def bytes_of(values: np.ndarray, layer: HostLayer) -> list[bytes]:
    """Return strings in UTF-8, and numbers as their digits, without fractions."""
    if is_text(values):
        return encoded(strings_of(values, layer), layer)
    if values.dtype.kind == "b":
        return [b"true" if one else b"false" for one in values.ravel().tolist()]
    return [b"%d" % one for one in integers_of(values, layer).ravel().tolist()]


def _usual_dtype(output_mode: str) -> str:
    return "int64" if output_mode == "int" else floatx()


__all__ = ["HashedCrossing", "Hashing"]
