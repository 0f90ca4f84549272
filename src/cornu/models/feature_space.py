"""`FeatureSpace`: the columns of a table, each preprocessed as its kind needs, as vectors for a model."""

import numbers
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu import layers
from cornu.core import registry, serialization
from cornu.core.errors import did_you_mean, unknown
from cornu.core.graph import is_symbolic, leaves, run_nodes
from cornu.core.layer import Layer
from cornu.core.names import automatic_name
from cornu.core.stateful import Program
from cornu.core.tables import array_batches, is_table
from cornu.core.text import is_text
from cornu.layers.adapting import CHUNK
from cornu.layers.host import as_host_arrays
from cornu.models.host_part import numpy_part, run_on_host
from cornu.models.network import Network
from cornu.saving.files import save_model

KERAS_MODULE = "keras.src.layers.preprocessing.feature_space"  # where configs say that the parts live
SLICE = 32  # rows from which quantiles are computed at once, as in Keras


@registry.MODELS.add()
class Feature:
    """A column: the dtype of its values, the layer that preprocesses them, and as what they are encoded.

    Args:
        dtype: Such as ``"float32"``, ``"int32"`` or ``"string"``.
        preprocessor: A layer.
        output_mode: ``"float"`` (as the layer's outputs are), ``"one_hot"`` (of integers) or ``"int"``.
    """

    keras_module = KERAS_MODULE

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        if output_mode not in ("int", "one_hot", "float"):
            raise unknown("output_mode of a feature", output_mode, ("int", "one_hot", "float"))
        self.dtype, self.output_mode = dtype, output_mode
        self.preprocessor = serialization.deserialize(preprocessor) if isinstance(preprocessor, dict) else preprocessor

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"dtype": self.dtype, "preprocessor": self.preprocessor, "output_mode": self.output_mode}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Feature":
        """Make a feature from the result of `get_config`."""
        return cls(**config)


@registry.MODELS.add()
class Cross:
    """Columns that are crossed: each combination of their values is hashed to one of `crossing_dim` numbers."""

    keras_module = KERAS_MODULE

    def __init__(self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> None:
        if output_mode not in ("int", "one_hot"):
            raise unknown("output_mode of a cross", output_mode, ("int", "one_hot"))
        self.feature_names = tuple(feature_names)
        self.crossing_dim, self.output_mode = crossing_dim, output_mode

    @property
    def name(self) -> str:
        """The names of the columns, joined."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        names = list(self.feature_names)
        return {"feature_names": names, "crossing_dim": self.crossing_dim, "output_mode": self.output_mode}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Cross":
        """Make a cross from the result of `get_config`."""
        return cls(**config)


@registry.MODELS.add()
class TFDIdentity(Layer):
    """Return numbers as they are; the name is that in Keras's files."""

    keras_module = KERAS_MODULE
    keeps_rows_apart = True

    def call(self, inputs: Any) -> Any:
        return jnp.asarray(inputs, self.compute_dtype)


@registry.MODELS.add()
class TFDConcat(Layer):
    """Join vectors; the name is that in Keras's files."""

    keras_module = KERAS_MODULE
    keeps_rows_apart = True

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Sequence[Any]) -> jax.Array:
        return jnp.concatenate([jnp.asarray(one, self.compute_dtype) for one in inputs], self.axis)


@registry.MODELS.add()
class FeatureSpace(Layer):
    """Preprocess the columns of a table and encode them as one vector per row, or as a dictionary.

    Args:
        features: The kind of each column by its name: ``"float"``, ``"float_normalized"``, ``"float_rescaled"``,
            ``"float_discretized"``, ``"integer_categorical"``, ``"string_categorical"``, ``"integer_hashed"``,
            ``"string_hashed"``, or what the methods of these names return; `feature` takes any layer.
        output_mode: ``"concat"`` (one vector: columns, then crosses, each in the order of their names) or ``"dict"``.
        crosses: Tuples of names, or what `cross` returns.
        crossing_dim: The size of crosses that are given as tuples.
        hashing_dim: The size of hashed columns that are given by name.
        num_discretization_bins: The number of intervals of ``"float_discretized"``.
        name: Name of the layer.

    Shapes:
        A dictionary of columns: ``(batch,)`` or ``(batch, 1)``, or single values for a single row.

    Raises:
        ValueError: An argument, a column that is missing, or a call before `adapt`.

    Follows https://keras.io/api/utils/feature_space/

    >>> space = FeatureSpace({"age": "float", "city": "string_categorical"})
    >>> space.adapt({"age": [30.0, 40.0], "city": ["Rome", "Oslo"]})
    >>> space({"age": [20.0], "city": ["Oslo"]}).tolist()
    [[20.0, 0.0, 0.0, 1.0]]
    """

    keras_module = "keras.utils"
    saves_whole = True  # files have it without a model
    compiled, optimizer = False, None

    def __init__(
        self,
        features: dict[str, Any],
        output_mode: str = "concat",
        crosses: Sequence[Any] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not features:
            raise ValueError("FeatureSpace needs `features`: the kind of each column by its name; there is none.")
        if output_mode not in ("concat", "dict"):
            raise unknown("output_mode of FeatureSpace", output_mode, ("concat", "dict"))
        self.output_mode = output_mode
        self.crossing_dim, self.hashing_dim = crossing_dim, hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features = {name: self._as_feature(name, feature) for name, feature in features.items()}
        self.crosses = [self._as_cross(cross) for cross in crosses or ()]
        self.crosses_by_name = {cross.name: cross for cross in self.crosses}
        self.inputs = {
            name: layers.Input((1,), dtype=feature.dtype, name=name) for name, feature in self.features.items()
        }
        self.preprocessors = {name: feature.preprocessor for name, feature in self.features.items()}
        self.crossers = {
            cross.name: layers.HashedCrossing(cross.crossing_dim, name=cross.name) for cross in self.crosses
        }
        self.one_hot_encoders: dict[str, Layer] = {}
        self.concat: Layer | None = None
        self.encoded_features: Any = None
        self._encoder: Encoder | None = None
        self.built = self._is_adapted = False

    # ---- kinds of columns

    @classmethod
    def cross(cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Cross columns: hash each combination of their values to one of `crossing_dim` numbers."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """Preprocess a column by any layer."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Keep numbers as they are."""
        return _feature("float", name, TFDIdentity, "float", dtype="float32")

    @classmethod
    def float_rescaled(cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """Compute ``numbers * scale + offset``."""
        return _feature("float_rescaled", name, layers.Rescaling, "float", scale=scale, offset=offset)

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Subtract the mean of the data and divide by their standard deviation."""
        return _feature("float_normalized", name, layers.Normalization, "float", axis=-1)

    @classmethod
    def float_discretized(
        cls, num_bins: int | None, bin_boundaries: Any = None, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Encode the intervals that numbers are in: see `Discretization`."""
        options = {"num_bins": num_bins, "bin_boundaries": bin_boundaries}
        return _feature("float_discretized", name, layers.Discretization, output_mode, **options)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Encode integers by a vocabulary: see `IntegerLookup`."""
        options = {"max_tokens": max_tokens, "num_oov_indices": num_oov_indices}
        return _feature("integer_categorical", name, layers.IntegerLookup, output_mode, "int32", **options)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Encode strings by a vocabulary: see `StringLookup`."""
        options = {"max_tokens": max_tokens, "num_oov_indices": num_oov_indices}
        return _feature("string_categorical", name, layers.StringLookup, output_mode, "string", **options)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Encode strings by their hashes: see `Hashing`."""
        return _feature("string_hashed", name, layers.Hashing, output_mode, "string", num_bins=num_bins)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Encode integers by their hashes: see `Hashing`."""
        return _feature("integer_hashed", name, layers.Hashing, output_mode, "int32", num_bins=num_bins)

    def _as_feature(self, name: str, feature: Any) -> Feature:
        if isinstance(feature, dict):
            feature = serialization.deserialize(feature)
        if isinstance(feature, Feature):
            return feature
        sizes = {"float_discretized": self.num_discretization_bins}
        sizes |= dict.fromkeys(("integer_hashed", "string_hashed"), self.hashing_dim)
        if feature not in KINDS:
            raise unknown(f"kind of the feature {name!r}", feature, KINDS)
        made: Callable[..., Feature] = getattr(self, feature)
        return made(sizes[feature], name=name) if feature in sizes else made(name=name)

    def _as_cross(self, cross: Any) -> Cross:
        cross = serialization.deserialize(cross) if isinstance(cross, dict) else cross
        cross = cross if isinstance(cross, Cross) else Cross(cross, self.crossing_dim)
        for name in cross.feature_names:
            if name not in self.features:
                raise ValueError(
                    f"FeatureSpace crosses {cross.feature_names}, but has no feature {name!r}."
                    f"{did_you_mean(name, self.features)}"
                )
        return cross

    # ---- learning

    def _adaptable(self) -> list[str]:
        """Return the names of the columns whose layers learn from data."""
        return [name for name, layer in self.preprocessors.items() if hasattr(layer, "adapt") and not _is_given(layer)]

    def adapt(self, dataset: Any) -> None:
        """Let the layers of all columns learn from data.

        Args:
            dataset: A dictionary of columns, a data frame, or a data set (or other iterable that can be repeated) of
                dictionaries: of batches or of single rows.

        Raises:
            ValueError: A column is missing.
            TypeError: The data are something else.
        """
        for name in self._adaptable():
            layer = self.preprocessors[name]
            layer.adapt(_in_slices(self._columns(dataset, name), isinstance(layer, layers.Discretization)))
        self._is_adapted = True
        self.encoded_features, self.one_hot_encoders, self.concat, self._encoder = None, {}, None, None
        self.get_encoded_features()
        self.built = True

    def _columns(self, dataset: Any, name: str) -> Iterator[np.ndarray]:
        """Return the values of a column batch by batch, with the shape (batch, 1)."""
        if hasattr(dataset, "columns"):  # a data frame
            dataset = {column: dataset[column] for column in dataset.columns}
        if isinstance(dataset, dict):
            batches: Iterable[Any] = [dataset]
        elif is_table(dataset):
            batches = array_batches(dataset, CHUNK)
        elif hasattr(dataset, "__iter__") and not hasattr(dataset, "__next__"):
            batches = dataset.batch(CHUNK) if _has_single_rows(dataset) else dataset
        else:
            raise TypeError(
                "FeatureSpace.adapt() takes a dictionary of columns, a data frame, or a data set of dictionaries, "
                f"which it reads once per column; got {type(dataset).__name__}."
            )
        for batch in batches:
            if not isinstance(batch, dict):
                raise TypeError(f"FeatureSpace.adapt() takes dictionaries of columns; got {type(batch).__name__}.")
            self._check_names(batch)
            column = self._column(batch[name], name)
            yield column.reshape(-1, 1) if column.ndim < 2 else column

    def _check_names(self, columns: dict[str, Any]) -> None:
        missing = [name for name in self.features if name not in columns]
        if missing:
            raise ValueError(
                f"FeatureSpace {self.name!r} needs the column {missing[0]!r}; the data have "
                f"{', '.join(map(repr, columns))}.{did_you_mean(missing[0], columns)}"
            )

    def _check_adapted(self) -> None:
        if not self._is_adapted and self._adaptable():
            raise ValueError(f"FeatureSpace {self.name!r} has to learn from data first: call adapt(data).")

    # ---- encoding

    def get_inputs(self) -> dict[str, Any]:
        """Return the symbolic inputs by the names of the columns."""
        self.get_encoded_features()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """Return the symbolic outputs for the inputs of `get_inputs`, to build a model on."""
        self._check_adapted()
        if self.encoded_features is None:
            self.encoded_features = self._encoded(self.inputs)
        return self.encoded_features

    def __call__(self, data: dict[str, Any]) -> Any:
        """Encode a dictionary of columns."""
        if not isinstance(data, dict):
            raise ValueError(f"A FeatureSpace is called on a dictionary of columns; got {type(data).__name__}.")
        self._check_names(data)
        self._check_adapted()
        columns = {name: self._column(data[name], name) for name in self.features}
        is_single = any(np.ndim(column) == 0 for column in columns.values())
        columns = {name: _with_axes(column) for name, column in columns.items()}
        found = self._encoded(columns) if self._is_traced(columns) else self._by_program(columns)
        if not is_single:
            return found
        return {name: value[0] for name, value in found.items()} if isinstance(found, dict) else found[0]

    def _column(self, values: Any, name: str) -> Any:
        if is_symbolic(values) or isinstance(values, jax.Array):
            return values
        column = as_host_arrays(values, self)
        if self.inputs[name].dtype == "string" or not is_text(column):
            return column
        for row, one in enumerate(column.ravel().tolist()):
            if not isinstance(one, numbers.Number):
                raise TypeError(
                    f"FeatureSpace {self.name!r} takes numbers in the column {name!r}; row {row} is {one!r:.80}.\n"
                    "Replace or drop what is missing, and convert text to numbers, before the call."
                )
        return np.array(column.tolist())

    def _is_traced(self, columns: dict[str, Any]) -> bool:
        return any(is_symbolic(one) or isinstance(one, jax.core.Tracer) for one in columns.values())

    def _by_program(self, columns: dict[str, Any]) -> Any:
        """Encode columns as `_encoded` does, by one program for all that need not run with numpy."""
        encoded = self.get_encoded_features()
        if any(tensor.dtype == "string" for tensor in leaves(encoded)):
            return self._encoded(columns)
        if self._encoder is None:
            self._encoder = Encoder(self.inputs, encoded)
        return self._encoder(columns)

    def _encoded(self, columns: dict[str, Any]) -> Any:
        found = {name: self.preprocessors[name](columns[name]) for name in self.features}
        crossed = {
            name: self.crossers[name]([found[one] for one in cross.feature_names])
            for name, cross in self.crosses_by_name.items()
        }
        ordered = {name: found[name] for name in sorted(found)} | {name: crossed[name] for name in sorted(crossed)}
        encoded = {name: self._one_hot(name, value) for name, value in ordered.items()}
        if self.output_mode == "dict":
            return encoded
        for name, value in encoded.items():
            if _kind(value) != "float":
                raise ValueError(
                    f"FeatureSpace cannot join {name!r} to the other features: it has the dtype {value.dtype}. Set its "
                    "output_mode to 'one_hot', or output_mode='dict' for all."
                )
        if self.concat is None:
            self.concat = TFDConcat(axis=-1)
        return self.concat(list(encoded.values()))

    def _one_hot(self, name: str, value: Any) -> Any:
        spec = self.features.get(name) or self.crosses_by_name[name]
        if spec.output_mode != "one_hot":
            return value
        if name not in self.one_hot_encoders:
            if _kind(value) != "int":
                raise ValueError(
                    f"The feature {name!r} has output_mode='one_hot', which is for integers; its layer gives "
                    f"{value.dtype}. Set it to 'float'."
                )
            self.one_hot_encoders[name] = layers.CategoryEncoding(self._size(name), "multi_hot")
        return self.one_hot_encoders[name](value)

    def _size(self, name: str) -> int:
        """Return how many integers the layer of a column or a cross may give."""
        layer = self.preprocessors.get(name) or self.crossers[name]
        if hasattr(layer, "vocabulary_size"):
            return int(layer.vocabulary_size())
        if isinstance(layer, layers.Discretization):
            return len(layer.bin_boundaries or ()) + 1
        size = getattr(layer, "num_bins", None) or getattr(layer, "num_tokens", None)
        if size is None:
            raise ValueError(
                f"The feature {name!r} has output_mode='one_hot', but how many values its layer "
                f"({type(layer).__name__}) gives is not known. Set it to 'int'."
            )
        return int(size)

    # ---- files

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        sizes = ("crossing_dim", "hashing_dim", "num_discretization_bins")
        config = {"features": self.features, "output_mode": self.output_mode, "crosses": self.crosses}
        return config | {name: getattr(self, name) for name in sizes}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "FeatureSpace":
        """Make a feature space from the result of `get_config`."""
        return cls(**config)

    def get_build_config(self) -> dict[str, Any]:
        """Return what the layers of the columns were built with."""
        return {name: layer.get_build_config() or {} for name, layer in self.preprocessors.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the layers of the columns with what `get_build_config` returned: they have learned."""
        for name, built in config.items():
            layer = self.preprocessors.get(name)
            if layer is not None and not layer.built and isinstance(built, dict):
                layer.build_from_config(built)
        self.built = self._is_adapted = True

    def save(self, filepath: Any) -> None:
        """Save as a ``.keras`` file, which `load_model` reads."""
        save_model(self, filepath, save_format="keras")


KINDS = (
    "float",
    "float_normalized",
    "float_rescaled",
    "float_discretized",
    "integer_categorical",
    "string_categorical",
    "integer_hashed",
    "string_hashed",
)


def _feature(
    kind: str, name: str | None, layer: Callable[..., Any], output_mode: str, dtype: str = "float32", **options: Any
) -> Feature:
    name = name or automatic_name(kind)
    return Feature(dtype, layer(name=f"{name}_preprocessor", **options), output_mode)


def _is_given(layer: Any) -> bool:
    """Return whether what a layer would learn was given to its constructor."""
    if isinstance(layer, layers.Normalization):
        return layer.input_mean is not None
    if isinstance(layer, layers.Discretization):
        return layer.num_bins is None
    return bool(getattr(layer, "_has_input_vocabulary", False))


def _has_single_rows(dataset: Any) -> bool:
    first = next(iter(dataset), None)
    return hasattr(dataset, "batch") and isinstance(first, dict) and all(np.ndim(one) == 0 for one in first.values())


def _in_slices(batches: Iterator[np.ndarray], is_sliced: bool) -> Iterator[np.ndarray]:
    for batch in batches:
        yield from (batch[i : i + SLICE] for i in range(0, len(batch), SLICE)) if is_sliced else [batch]


class Encoder:
    """The layers between symbolic inputs and outputs: those for strings and tables run with numpy, then a program."""

    def __init__(self, inputs: dict[str, Any], outputs: Any) -> None:
        self.inputs, self.outputs = inputs, outputs
        self.on_host, self.rest, self.cut = numpy_part(Network(inputs, outputs))
        self.program = Program(self._computed)

    def __call__(self, columns: dict[str, Any]) -> Any:
        """Return the outputs for a dictionary of arrays."""
        values = {id(tensor): columns[name] for name, tensor in self.inputs.items()}
        for node in self.on_host:
            run_on_host(node, values)
        found = iter(self.program([values[id(tensor)] for tensor in self.cut]))
        return {name: next(found) for name in self.outputs} if isinstance(self.outputs, dict) else next(found)

    def _computed(self, arrays: Sequence[Any]) -> Any:
        values = dict(zip(map(id, self.cut), arrays, strict=True))
        run_nodes(self.rest, values)
        outputs = self.outputs.values() if isinstance(self.outputs, dict) else [self.outputs]
        return [values[id(tensor)] for tensor in outputs]


def _with_axes(column: Any) -> Any:
    """Return a column of the shape (batch, 1)."""
    if is_symbolic(column) or np.ndim(column) > 1:
        return column
    return column.reshape(-1, 1)


def _kind(value: Any) -> str:
    if is_text(value) or value.dtype == "string":
        return "text"
    return "int" if str(value.dtype).startswith(("int", "uint")) else "float"
