"""A dense layer whose product is an einsum equation."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from cornu import activations, initializers
from cornu.core import registry
from cornu.core.layer import Layer
from cornu.core.layer_options import Identifier, OtherLayerOptions
from cornu.layers.weight_options import keep_options, make_weight

ELLIPSIS = "..."


class Equation(NamedTuple):
    """The letters of ``inputs,kernel->outputs``, and where the ellipsis was: "first", "last" or None."""

    inputs: str
    kernel: str
    outputs: str
    elided: str | None


@registry.LAYERS.add()
class EinsumDense(Layer):
    """Multiply by a kernel along an einsum equation, add a bias, apply an activation.

    Args:
        equation: Such as ``"abc,cd->abd"``. The first letter of inputs and outputs is the batch, or ``...`` comes
            before or after the named axes.
        output_shape: Sizes of the outputs without the batch; None takes the size from the inputs.
        activation: Name or function; None applies none.
        bias_axes: Letters of the output axes that the bias has; None adds no bias.
        kernel_*, bias_*, activity_regularizer: As in `Dense`.
        **kwargs: Arguments of `Layer`.

    Shapes:
        As the equation says: ``"abc,cd->abd"`` has inputs ``(batch, time, features)``, a kernel ``(features, units)``
        and outputs ``(batch, time, units)``.

    Raises:
        ValueError: The equation is malformed, or does not fit `output_shape`, `bias_axes` or the inputs.

    Follows https://keras.io/api/layers/core_layers/einsum_dense/

    >>> import numpy as np
    >>> EinsumDense("abc,cd->abd", output_shape=(None, 5), bias_axes="d")(np.ones((2, 3, 4))).shape
    (2, 3, 5)
    """

    keeps_rows_apart = True
    kernel_initializer: Any
    kernel_regularizer: Any
    kernel_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    bias_constraint: Any

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Identifier = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        activity_regularizer: Any = None,
        **kwargs: Unpack[OtherLayerOptions],
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.equation = equation
        self._letters = parse(equation)
        self._sizes = (output_shape,) if isinstance(output_shape, (int, np.integer)) else tuple(output_shape)
        self.bias_axes = bias_axes
        for letter in bias_axes or "":
            if letter not in self._letters.outputs:
                raise ValueError(f"EinsumDense: bias_axes={bias_axes!r} must be letters of the output of {equation!r}.")
        self.activation = activations.get(activation)
        keep_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        keep_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: tuple) -> None:
        sizes = self._letter_sizes(tuple(input_shape))
        shape = tuple(self._known(sizes, letter) for letter in self._letters.kernel)
        self.kernel = make_weight(self, "kernel", shape, initializer=self._initializer_for_kernel())
        self.bias = make_weight(self, "bias", self._bias_shape(sizes, len(input_shape))) if self.bias_axes else None

    def _initializer_for_kernel(self) -> Any:
        """Return the initializer; one that scales by fan-in or fan-out is told which kernel axes are outputs."""
        initializer = self.kernel_initializer
        if not isinstance(initializer, initializers.VarianceScaling) or None not in (
            initializer.input_axes,
            initializer.output_axes,
        ):
            return initializer
        is_output = [letter in self._letters.outputs for letter in self._letters.kernel]
        axes = {
            "input_axes": [axis for axis, output in enumerate(is_output) if not output],
            "output_axes": [axis for axis, output in enumerate(is_output) if output],
        }
        return type(initializer).from_config(initializer.get_config() | axes)

    def _letter_sizes(self, input_shape: tuple) -> dict[str, int | None]:
        """Return the size of each letter, from the inputs and from `output_shape`."""
        inputs, _, outputs, elided = self._letters
        hidden = len(input_shape) - len(inputs)
        if hidden < 0 or (hidden and elided is None):
            raise ValueError(f"EinsumDense: {self.equation!r} does not fit an input of shape {input_shape}.")
        named = input_shape[hidden:] if elided == "first" else input_shape[: len(inputs)]
        sizes = dict(zip(inputs, named, strict=True))
        wanted = self._sizes if elided == "first" else (named[0], *self._sizes)
        if len(wanted) < len(outputs) or (elided is None and len(wanted) > len(outputs)):
            raise ValueError(
                f"EinsumDense: output_shape={self._sizes} (without the batch) does not fit {self.equation!r}."
            )
        wanted = wanted[len(wanted) - len(outputs) :] if elided == "first" else wanted[: len(outputs)]
        for letter, size in zip(outputs, wanted, strict=True):
            if size is not None and sizes.get(letter) not in (size, None):
                raise ValueError(
                    f"EinsumDense: in {self.equation!r}, {letter!r} is {sizes[letter]} in an input of shape "
                    f"{input_shape}, but {size} in output_shape={self._sizes}."
                )
            sizes[letter] = sizes.get(letter) or size
        return sizes

    def _known(self, sizes: dict[str, int | None], letter: str) -> int:
        size = sizes.get(letter)
        if size is None:
            raise ValueError(
                f"EinsumDense: {letter!r} in {self.equation!r} has no known size; set it in Input(shape=...)."
            )
        return size

    def _bias_shape(self, sizes: dict[str, int | None], rank: int) -> tuple[int, ...]:
        """Return the bias shape: 1 for letters not in `bias_axes`, starting at the first letter that is."""
        outputs, bias_axes = self._letters.outputs, self.bias_axes or ""
        letters = outputs[min(outputs.index(letter) for letter in bias_axes) :]
        behind = rank - len(self._letters.inputs) if self._letters.elided == "last" else 0
        return (*(self._known(sizes, c) if c in bias_axes else 1 for c in letters), *(1,) * behind)

    def call(self, inputs: jax.Array) -> jax.Array:
        outputs = jnp.einsum(self.equation, inputs, jnp.asarray(self.kernel))
        if self.bias is not None:
            outputs = outputs + self.bias
        return outputs if self.activation is None else self.activation(outputs)


def parse(equation: str) -> Equation:
    """Return the parts of an equation; ValueError if it is not of the form ``inputs,kernel->outputs``."""
    sides = equation.replace(" ", "").split("->")
    terms = [*sides[0].split(","), *sides[1:]]
    places = [_ellipsis_place(term) for term in terms]
    letters = [term.replace(ELLIPSIS, "") for term in terms]
    plain = all(term.isalpha() or not term for term in letters)
    known = len(terms) == 3 and plain and set(letters[1]) <= {*letters[0], *letters[2]}
    if not known or places[0] != places[2] or places[1] is not None or "middle" in places:
        raise ValueError(
            f"EinsumDense takes an equation like 'abc,cd->abd', '...x,xy->...y' or 'ab...,bc->ac...'; got {equation!r}."
        )
    inputs, kernel, outputs = letters
    return Equation(inputs, kernel, outputs, places[0])


def _ellipsis_place(term: str) -> str | None:
    if ELLIPSIS not in term:
        return None
    return "first" if term.startswith(ELLIPSIS) else "last" if term.endswith(ELLIPSIS) else "middle"


__all__ = [
    "EinsumDense",
]
