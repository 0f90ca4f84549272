"""Numbers as the intervals that they are in."""

import itertools
from typing import Any, Unpack

import jax.numpy as jnp
import numpy as np
from jax import Array

from cornu.core import registry
from cornu.core.graph import SymbolicTensor
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions
from cornu.core.scope import scope
from cornu.core.spellings import old_keywords
from cornu.layers.adapting import batches_of
from cornu.layers.argument_checks import check_integer
from cornu.layers.feature_preprocessing.category_encoding import MODES, checked_mode, encoded_by_jax, encoded_shape


@registry.LAYERS.add()
class Discretization(Layer):
    """Replace each number by the index of its interval. The boundaries are given, or quantiles found by `adapt`.

    Args:
        bin_boundaries: Numbers in ascending order: n of them make n + 1 intervals; each is in the interval above.
        num_bins: How many intervals `adapt` makes. Exactly one of the two is given.
        epsilon: The precision of the quantiles as a fraction of the data: `adapt` keeps about ``1 / epsilon`` numbers.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"`` or ``"count"``; see `CategoryEncoding`.
        sparse: Accepted; outputs are dense.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs of any shape. In the mode ``"int"`` outputs are int32 of the same shape; see `CategoryEncoding` for the
        others, which are floats.

    Raises:
        ValueError: An argument, or boundaries that are not known yet.

    Follows https://keras.io/api/layers/preprocessing_layers/numerical/discretization/

    >>> Discretization([0.0, 1.0])(np.array([[-1.5, 0.0, 3.4]])).tolist()
    [[0, 1, 2]]
    >>> layer = Discretization(num_bins=2)
    >>> layer.adapt(np.array([1.0, 2.0, 3.0, 4.0]))
    >>> layer.bin_boundaries
    [2.0]
    """

    keeps_rows_apart = True

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**kwargs)
        if (num_bins is None) == (bin_boundaries is None):
            raise ValueError(
                "Discretization takes either `bin_boundaries` or `num_bins`; got "
                f"bin_boundaries={bin_boundaries!r} and num_bins={num_bins!r}."
            )
        self.bin_boundaries = None if bin_boundaries is None else np.asarray(bin_boundaries, "float64").ravel().tolist()
        if self.bin_boundaries is not None and sorted(self.bin_boundaries) != self.bin_boundaries:
            raise ValueError(f"Discretization takes `bin_boundaries` in ascending order; got {self.bin_boundaries}.")
        self.num_bins = None if num_bins is None else check_integer(self, "num_bins", num_bins, 0)
        self.epsilon = epsilon
        self.output_mode = checked_mode(self, output_mode, MODES)
        self.sparse = sparse
        self.summary = np.zeros((2, 0), "float32")  # of the data seen by `update_state`

    @old_keywords("adapt")
    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Find boundaries so that each interval has about equally many of the data, replacing those of an earlier call.

        A model that has run already keeps the earlier ones until `compile`.

        Args:
            data: An array, or an iterable of batches, larger than memory too. Of tuples, the first entry counts.
            batch_size: Accepted; it changes nothing.
            steps: How many batches to take; None takes all.

        Raises:
            ValueError: The layer was created with boundaries, or there is no data.
            TypeError: The data are not numbers.
        """
        if self.num_bins is None:
            raise ValueError(
                f"Layer {self.name!r} (Discretization) has the boundaries that it was created with; adapt() is for "
                "layers created with `num_bins`."
            )
        self.reset_state()
        for batch in itertools.islice(batches_of(data, "Discretization"), steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Take a batch of data into account for `finalize_state`."""
        try:
            numbers = np.asarray(data).astype("float32").ravel()
        except (TypeError, ValueError) as error:
            raise TypeError(f"Discretization.adapt() takes numbers; got {type(data).__name__}. ({error})") from None
        if numbers.size:
            self.summary = _merged(_summary(numbers, self.epsilon), self.summary, self.epsilon)

    def finalize_state(self) -> None:
        """Set the boundaries from the data seen since `reset_state`."""
        if self.num_bins is None:
            return
        if not self.summary.size:
            raise ValueError("Discretization.adapt() got no data: there is not a single number.")
        self.bin_boundaries = _compressed(self.summary, 1.0 / max(self.num_bins, 1))[0, :-1].tolist()

    def reset_state(self) -> None:
        """Forget the data seen by `update_state`."""
        self.summary = np.zeros((2, 0), "float32")

    def load_own_variables(self, store: dict[str, Any]) -> None:
        """Set the boundaries from what tf.keras stored: a summary of the data or, until 2.5, the ends of the bins."""
        if "bins" in store:
            ends = np.asarray(store["bins"], "float64").ravel()
            self.bin_boundaries = ends[np.isfinite(ends)].tolist()
            return
        summary = np.asarray(next(iter(store.values()), self.summary), "float32")
        if summary.ndim != 2 or len(summary) != 2 or len(store) > 1:
            raise ValueError(
                f"Layer {self.name!r} (Discretization) takes a summary of the shape (2, n); the file has "
                f"{[np.shape(one) for one in store.values()]}."
            )
        if store:
            self.summary = summary
            self.finalize_state()

    @property
    def names_in_old_files(self) -> tuple[str, ...]:
        """The names of what `load_own_variables` reads, in files where models inside others keep arrays in one list."""
        return () if self.num_bins is None else ("bins", "summary")

    @property
    def output_dtype(self) -> str:
        """The dtype of the outputs."""
        return "int32" if self.output_mode == "int" else self.compute_dtype

    def call(self, inputs: Any) -> Array:
        boundaries = self.bin_boundaries
        if boundaries is None and scope.probes and self.num_bins:  # a model inside another, before its file is read
            boundaries = [0.0] * (self.num_bins - 1)
        if boundaries is None:
            raise ValueError(
                f"Layer {self.name!r} (Discretization) does not know its boundaries yet: call adapt(data) first, or "
                "create it with `bin_boundaries`."
            )
        numbers = jnp.asarray(inputs, self.compute_dtype)
        indices = jnp.searchsorted(jnp.asarray(boundaries, numbers.dtype), numbers, side="right")
        return encoded_by_jax(indices, self.output_mode, len(boundaries) + 1, self.output_dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        depth = self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1
        return encoded_shape(input_shape, self.output_mode, depth)

    def compute_output_spec(self, inputs: Any, **_: Any) -> Any:
        return SymbolicTensor(self.compute_output_shape(inputs.shape), self.output_dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the boundaries that `adapt` found."""
        config = super().get_config() | {"bin_boundaries": self.bin_boundaries, "dtype": self.dtype}
        config.pop("trainable")  # as in Keras
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Discretization":
        """Make a layer from the result of `get_config`."""
        if config.get("bin_boundaries") is None or config.get("num_bins") is None:
            return super().from_config(config)  # type: ignore[return-value]
        found: Any = super().from_config(config | {"bin_boundaries": None})
        found.bin_boundaries = cls(config["bin_boundaries"]).bin_boundaries
        return found


# A summary of numbers has two rows: some of the numbers in ascending order, and how many numbers each stands for.


def _summary(numbers: np.ndarray, epsilon: float) -> np.ndarray:
    """Return every n-th of the sorted numbers, about ``1 / epsilon`` of them."""
    step = max(numbers.size * epsilon, 1)
    chosen = np.sort(numbers)[int(step - 1) :: int(step)]
    return np.stack([chosen, np.full_like(chosen, step)])


def _merged(one: np.ndarray, other: np.ndarray, epsilon: float) -> np.ndarray:
    both = np.concatenate((one, other), axis=1)
    return _compressed(both[:, np.argsort(both[0])], epsilon)


def _compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """Return a summary of about ``1 / epsilon`` numbers: quantiles of another."""
    if summary.shape[1] * epsilon < 1:
        return summary
    wanted = epsilon + np.arange(0.0, 1.0, epsilon)
    sums = summary[1].cumsum()
    fractions = sums / sums[-1]
    numbers, totals = np.interp(wanted, fractions, summary[0]), np.interp(wanted, fractions, sums)
    return np.stack((numbers, np.diff(totals, prepend=0))).astype("float32")


__all__ = ["Discretization"]
