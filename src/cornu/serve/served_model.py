"""A model prepared for requests: its inputs and outputs by name, and programs for a few batch sizes."""

import bisect
import time
from typing import Any

import jax
import numpy as np

from cornu.serve.limits import RequestError
from cornu.serve.tensors import NAMES, Tensor
from cornu.training.program import Predictor

#: Batches have one of these numbers of rows; smaller batches are padded, so that all programs are compiled at startup.
SIZES = (1, 8, 32, 128)
#: How many row shapes may be compiled later, for models whose inputs have axes of any size.
MOST_SHAPES = 16


class ServedModel:
    """A built model with a name; it computes one batch at a time.

    Raises ValueError for a model whose inputs are unknown, or are neither a tensor nor a list or dictionary of them.
    """

    def __init__(self, name: str, model: Any, sizes: tuple[int, ...] = SIZES) -> None:
        self.name, self.model, self.sizes = name, model, sizes
        network = model._network
        if network is None:
            raise ValueError(
                f"The model {name!r} has no known inputs: build it from Input(...) and layers to serve it."
            )
        self._takes_texts = network.host is not None or network.runs_on_texts
        self._by_name = isinstance(network.inputs, dict)
        names = sorted(network.inputs) if self._by_name else network.input_names
        self.inputs = [_tensor(name, symbolic) for name, symbolic in zip(names, network.flat_inputs, strict=True)]
        self.outputs = [
            _tensor(name, symbolic) for name, symbolic in zip(network.output_names, network.flat_outputs, strict=True)
        ]
        self.takes_floats = all(tensor.dtype.startswith("float") for tensor in self.inputs)
        self.fixed = all(None not in tensor.shape for tensor in self.inputs)
        self.seconds: dict[int, float] = {}
        self.predictor = Predictor(model.learner)
        self._shapes: set[tuple] = set()

    def warm_up(self) -> None:
        """Compile the program for every batch size, and run each a few times to measure it."""
        for size in self.sizes if self.fixed else ():
            arrays = [_empty((size, *tensor.shape), tensor.dtype) for tensor in self.inputs]
            self._predicted(arrays)
            for _ in range(5):
                self._run(arrays)

    def expected_seconds(self, rows: int) -> float:
        """Return how many seconds a batch of `rows` takes, as measured so far."""
        return self._seconds_in(self.size_for(rows), rows) if rows <= self.sizes[-1] else float("inf")

    def size_for(self, rows: int) -> int:
        """Return the batch size for `rows`: they are padded to it, or split if several batches are quicker."""
        usual = self.sizes[min(bisect.bisect_left(self.sizes, rows), len(self.sizes) - 1)]
        return min((usual, *self.sizes), key=lambda size: self._seconds_in(size, rows)) if rows < usual else usual

    def _seconds_in(self, size: int, rows: int) -> float:
        return -(-rows // size) * self.seconds.get(size, float("inf"))

    def admit(self, arrays: list[np.ndarray]) -> tuple:
        """Return what rows must share to be in one batch; `RequestError` if there are too many different shapes."""
        key = tuple([array.shape[1:] for array in arrays])
        if not self.fixed and key not in self._shapes:
            if len(self._shapes) >= MOST_SHAPES:
                raise RequestError(
                    422,
                    f"The model {self.name!r} received rows of {MOST_SHAPES} different shapes and accepts no more: "
                    f"each is compiled separately. Pad rows to one of {sorted(self._shapes)[:4]}.",
                )
            self._shapes.add(key)
        return key

    def compute(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Return the outputs for any number of rows, computed in batches of the fixed sizes."""
        rows = len(arrays[0])
        size = self.size_for(rows)
        if rows == size:
            return self._run(arrays)
        if rows < size:
            return [output[:rows] for output in self._run([_filled_up(array, size) for array in arrays])]
        parts = [self.compute([array[start : start + size] for array in arrays]) for start in range(0, rows, size)]
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]

    def structure(self, arrays: list[Any]) -> Any:
        """Return arrays, one for each input, in the structure that the model is called with."""
        if self._by_name:
            return {tensor.name: array for tensor, array in zip(self.inputs, arrays, strict=True)}
        return arrays[0] if len(arrays) == 1 else arrays

    def _predicted(self, arrays: list[np.ndarray]) -> Any:
        given = self.structure(arrays)
        return self.predictor.on_batch(self.model._inputs_to_predict(given) if self._takes_texts else given)

    def _run(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Compute one batch of a fixed size, and record the shortest time for that size."""
        size, started = len(arrays[0]), time.perf_counter()
        outputs = jax.tree.leaves(self._predicted(arrays))
        found = [
            np.asarray(output).astype(tensor.dtype, copy=False)
            for output, tensor in zip(outputs, self.outputs, strict=True)
        ]
        self.seconds[size] = min(self.seconds.get(size, float("inf")), time.perf_counter() - started)
        return found


def _tensor(name: str, symbolic: Any) -> Tensor:
    """Describe a symbolic tensor; dtypes that the protocols lack, such as bfloat16, are sent as FP32."""
    dtype = "object" if symbolic.dtype == "string" else np.dtype(symbolic.dtype).name
    return Tensor(name, tuple(symbolic.shape[1:]), dtype if dtype in NAMES else "float32")


def _filled_up(array: np.ndarray, rows: int) -> np.ndarray:
    filled = _empty((rows, *array.shape[1:]), array.dtype)
    filled[: len(array)] = array
    return filled


def _empty(shape: tuple, dtype: Any) -> np.ndarray:
    """Return zeros, or empty strings."""
    return np.full(shape, "", object) if dtype == "object" else np.zeros(shape, dtype)
