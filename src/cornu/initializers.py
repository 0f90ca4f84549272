"""Initializers: initial values of weights, drawn with numpy.

numpy rather than jax draws them: nothing is compiled at startup, and a layer can be built inside a trace.
"""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np

from cornu.core import registry, serialization, spellings
from cornu.core.dtype_policies import array_dtype
from cornu.core.errors import unknown
from cornu.core.public import offer
from cornu.core.seeds import fresh_seed
from cornu.core.serialization import Recorded, construct, default_config
from cornu.core.signature import any_signature

_IMPORTED = frozenset(globals())

Shape = Sequence[int]

# Standard deviation of a standard normal distribution truncated at -2 and 2.
CUT_NORMAL_STDDEV = 0.87962566103423978


def _numpy_dtype(dtype: Any) -> np.dtype:
    name = array_dtype(dtype)
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


def _sizes(shape: Any) -> tuple[int, ...]:
    """Return a shape as a tuple of integers; ValueError if a size is unknown or negative."""
    sizes = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if any(size is None or int(size) < 0 for size in sizes):
        raise ValueError(f"An initializer needs a shape of integers, for example (784, 10); got {shape!r}.")
    return tuple(int(size) for size in sizes)


class Initializer(metaclass=Recorded):
    """Base class of all initializers; a custom one overrides ``__call__(self, shape, dtype=None)``.

    Follows https://keras.io/api/layers/initializers/

    >>> class Alternating(Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return np.resize([1.0, -1.0], shape)
    >>> Alternating()((4,)).tolist()
    [1.0, -1.0, 1.0, -1.0]
    """

    @any_signature
    def __call__(self, shape: Shape, dtype: Any = None, **kwargs: Any) -> Any:
        """Return the initial values.

        Args:
            shape: a tuple of integers.
            dtype: dtype of the values; None takes ``floatx()``.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement __call__(self, shape, dtype=None).")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return default_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Initializer":
        """Return an initializer built from the arguments in `config`."""
        return construct(cls, config)

    def clone(self) -> "Initializer":
        """Return another initializer with the same arguments."""
        return type(self).from_config(self.get_config())


@registry.INITIALIZERS.add("zero")
class Zeros(Initializer):
    """All values are 0.

    Follows https://keras.io/api/layers/initializers/#zeros-class

    >>> Zeros()((2,)).tolist()
    [0.0, 0.0]
    """

    def __call__(self, shape: Shape, dtype: Any = None, **kwargs: Any) -> np.ndarray:
        return np.zeros(_sizes(shape), _numpy_dtype(dtype))


@registry.INITIALIZERS.add("one")
class Ones(Initializer):
    """All values are 1.

    Follows https://keras.io/api/layers/initializers/#ones-class

    >>> Ones()((2,)).tolist()
    [1.0, 1.0]
    """

    def __call__(self, shape: Shape, dtype: Any = None, **kwargs: Any) -> np.ndarray:
        return np.ones(_sizes(shape), _numpy_dtype(dtype))


@registry.INITIALIZERS.add()
class Constant(Initializer):
    """All values are `value`.

    Args:
        value: a number, or an array that broadcasts to the shape.

    Follows https://keras.io/api/layers/initializers/#constant-class

    >>> print(Constant(3.0)((2,)))
    [3. 3.]
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Shape, dtype: Any = None, **kwargs: Any) -> np.ndarray:
        return np.broadcast_to(np.asarray(self.value), _sizes(shape)).astype(_numpy_dtype(dtype))


@registry.INITIALIZERS.add("IdentityInitializer")
class Identity(Initializer):
    """The identity matrix times `gain`, ``(rows, columns)``.

    Args:
        gain: the value on the diagonal.

    Raises:
        ValueError: when called with a shape that does not have two axes.

    Follows https://keras.io/api/layers/initializers/#identity-class

    >>> Identity(gain=2.0)((2, 2)).tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Shape, dtype: Any = None, **kwargs: Any) -> np.ndarray:
        sizes = _sizes(shape)
        if len(sizes) != 2:
            raise ValueError(f"Identity creates matrices, so it needs a shape with two axes; got {sizes}.")
        return (self.gain * np.eye(*sizes)).astype(_numpy_dtype(dtype))


@registry.INITIALIZERS.add("STFTInitializer")
class STFT(Initializer):
    """Kernels of a convolution that computes one part of a short-time Fourier transform.

    Args:
        side: ``"real"`` or ``"imag"``.
        window: Weights of a window ``(frame_length,)``, or a name in ``scipy.signal.windows``; None for equal weights.
        scaling: ``"density"`` or ``"spectrum"`` divides by the window's L2 or L1 norm; None does not.
        periodic: Whether a named window is periodic rather than symmetric.

    Raises:
        ValueError: An argument is unknown, or the window's length is not the shape's.

    Follows https://keras.io/api/layers/initializers/#stft-class

    >>> STFT("real", window=None)((4, 1, 3))[1, 0].round(6).tolist()  # cosines of frequencies 0, 1/4 and 1/2
    [1.0, 0.0, -1.0]
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        if side not in ("real", "imag"):
            raise ValueError(f"STFT: side must be 'real' or 'imag'; got {side!r}.")
        if scaling not in ("density", "spectrum", None):
            raise ValueError(f"STFT: scaling must be 'density', 'spectrum' or None; got {scaling!r}.")
        self.side, self.scaling, self.periodic = side, scaling, periodic
        self.window = window.tolist() if isinstance(window, np.ndarray) else window
        self._weights(1 if isinstance(window, str) or window is None else len(window))

    def __call__(self, shape: Shape, dtype: Any = None, **kwargs: Any) -> np.ndarray:
        steps, _, frequencies = _sizes(shape)
        angles = -np.pi * np.arange(steps)[:, None, None] * np.arange(frequencies) / max(frequencies - 1, 1)
        weights = self._weights(steps)[:, None, None]  # (frame_length, 1, 1)
        if self.window is not None and self.scaling is not None:
            weights = weights / (np.sqrt(np.sum(weights**2)) if self.scaling == "density" else np.sum(np.abs(weights)))
        return ((np.cos if self.side == "real" else np.sin)(angles) * weights).astype(_numpy_dtype(dtype))

    def _weights(self, steps: int) -> np.ndarray:
        if self.window is None:
            return np.ones(steps)
        weights = np.asarray(self.window if not isinstance(self.window, str) else self._named(steps), "float64")
        if weights.shape != (steps,):
            raise ValueError(f"STFT: window must have the shape ({steps},) of a frame; got {weights.shape}.")
        return weights

    def _named(self, steps: int) -> np.ndarray:
        from scipy.signal import get_window

        try:
            return get_window(self.window, steps, fftbins=self.periodic)
        except ValueError:
            raise ValueError(
                f"STFT: window must be a name in scipy.signal.windows, such as 'hann', an array or None; got "
                f"{self.window!r}."
            ) from None


class RandomInitializer(Initializer):
    """Base class of random initializers; a custom one overrides `draw`.

    With a `seed`, every call returns the same values; without one, each call draws new ones.

    >>> class Coin(RandomInitializer):
    ...     def draw(self, generator, shape):
    ...         return generator.integers(0, 2, shape)
    >>> Coin()((3, 2)).shape
    (3, 2)
    """

    seed: Any = None

    def __call__(self, shape: Shape, dtype: Any = None, **kwargs: Any) -> np.ndarray:
        return np.asarray(self.draw(self._generator(), _sizes(shape))).astype(_numpy_dtype(dtype), copy=False)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Return values of the shape `shape`, drawn from `generator`."""
        raise NotImplementedError(f"{type(self).__name__} does not implement draw(self, generator, shape).")

    def _generator(self) -> np.random.Generator:
        if self.seed is None:
            return np.random.default_rng(fresh_seed())
        if hasattr(self.seed, "next"):  # a SeedGenerator advances with each call
            import jax

            return np.random.default_rng(np.asarray(jax.random.key_data(self.seed.next())).ravel())
        return np.random.default_rng(abs(int(self.seed)))


def _cut_normal(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return standard normal values between -2 and 2: those outside are redrawn."""
    values = generator.standard_normal(math.prod(shape), dtype=np.float32)
    outside = np.flatnonzero(np.abs(values) > 2)
    while outside.size:
        values[outside] = generator.standard_normal(outside.size, dtype=np.float32)
        outside = outside[np.abs(values[outside]) > 2]
    return values.reshape(shape)


def _uniform(generator: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> np.ndarray:
    return np.float32(low) + np.float32(high - low) * generator.random(shape, dtype=np.float32)


@registry.INITIALIZERS.add("normal")
class RandomNormal(RandomInitializer):
    """Normal distribution.

    Args:
        mean: mean of the distribution.
        stddev: standard deviation.
        seed: an integer or a `SeedGenerator`; an integer gives the same values on every call.

    Follows https://keras.io/api/layers/initializers/#randomnormal-class

    >>> RandomNormal(stddev=1.0, seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return np.float32(self.mean) + np.float32(self.stddev) * generator.standard_normal(shape, dtype=np.float32)


@registry.INITIALIZERS.add()
class TruncatedNormal(RandomInitializer):
    """Normal distribution truncated at two standard deviations: values outside are redrawn.

    Args:
        mean: mean of the distribution.
        stddev: standard deviation before truncation.
        seed: an integer or a `SeedGenerator`; an integer gives the same values on every call.

    Follows https://keras.io/api/layers/initializers/#truncatednormal-class

    >>> bool(np.abs(TruncatedNormal(stddev=1.0, seed=1)((1000,))).max() <= 2)
    True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return np.float32(self.mean) + np.float32(self.stddev) * _cut_normal(generator, shape)


@registry.INITIALIZERS.add("uniform")
class RandomUniform(RandomInitializer):
    """Uniform distribution from `minval` to `maxval`; for integer dtypes, integers below `maxval`.

    Args:
        minval: lower bound, included.
        maxval: upper bound, excluded.
        seed: an integer or a `SeedGenerator`; an integer gives the same values on every call.

    Follows https://keras.io/api/layers/initializers/#randomuniform-class

    >>> RandomUniform(0, 2, seed=1)((3, 2), "int32").shape
    (3, 2)
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def __call__(self, shape: Shape, dtype: Any = None, **kwargs: Any) -> np.ndarray:
        kind = _numpy_dtype(dtype)
        if kind.kind in "iu":
            return self._generator().integers(int(self.minval), int(self.maxval), _sizes(shape)).astype(kind)
        return super().__call__(shape, dtype)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return _uniform(generator, shape, self.minval, self.maxval)


MODES = ("fan_in", "fan_out", "fan_avg")
DISTRIBUTIONS = ("normal", "truncated_normal", "untruncated_normal", "uniform")


def compute_fans(
    shape: Shape, input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """Return the number of inputs and of outputs of a unit of a weight.

    Args:
        shape: for example ``(inputs, outputs)`` or ``(rows, columns, inputs, outputs)``: the last axis counts outputs,
            the one before it inputs, and the window of a convolution multiplies both.
        input_axes, output_axes: the axes that count inputs and outputs, if they are others.

    >>> compute_fans((3, 3, 32, 64))
    (288, 576)
    """
    sizes = tuple(int(size) for size in shape)
    if input_axes is not None and output_axes is not None:
        fan_in, fan_out = (math.prod(sizes[axis] for axis in axes) for axes in (input_axes, output_axes))
        both = {axis % len(sizes) for axis in (*input_axes, *output_axes)}
        window = math.prod(size for axis, size in enumerate(sizes) if axis not in both)
        return fan_in * window, fan_out * window
    if len(sizes) < 2:
        return (sizes[0], sizes[0]) if sizes else (1, 1)
    window = math.prod(sizes[:-2])
    return sizes[-2] * window, sizes[-1] * window


@registry.INITIALIZERS.add()
class VarianceScaling(RandomInitializer):
    """Values whose variance is `scale` divided by the fan-in, the fan-out, or their mean.

    Args:
        scale: a number above 0.
        mode: ``"fan_in"``, ``"fan_out"`` or ``"fan_avg"``.
        distribution: ``"truncated_normal"`` (also ``"normal"``), ``"untruncated_normal"`` or ``"uniform"``.
        seed: an integer or a `SeedGenerator`; an integer gives the same values on every call.
        input_axes, output_axes: the axes of the weight that count inputs and outputs; see `compute_fans`.

    Raises:
        ValueError: if an argument is unknown or out of range.

    Follows https://keras.io/api/layers/initializers/#variancescaling-class

    >>> values = VarianceScaling(scale=3.0, mode="fan_in", distribution="uniform", seed=1)((4, 1000))
    >>> bool(np.abs(values).max() <= 1.5)
    True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        if scale <= 0:
            raise ValueError(f"VarianceScaling needs a `scale` above 0; got {scale}.")
        if str(mode).lower() not in MODES:
            raise unknown("mode of VarianceScaling", mode, MODES)
        if str(distribution).lower() not in DISTRIBUTIONS:
            raise unknown("distribution of VarianceScaling", distribution, DISTRIBUTIONS)
        self.scale, self.seed = scale, seed
        self.mode, self.distribution = mode.lower(), distribution.lower()
        self.input_axes, self.output_axes = input_axes, output_axes

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(1.0, fan))
        if self.distribution == "uniform":
            limit = math.sqrt(3) * stddev
            return _uniform(generator, shape, -limit, limit)
        if self.distribution == "untruncated_normal":
            return np.float32(stddev) * generator.standard_normal(shape, dtype=np.float32)
        return np.float32(stddev / CUT_NORMAL_STDDEV) * _cut_normal(generator, shape)


class _NamedScaling(VarianceScaling):
    """A `VarianceScaling` with the constants of a paper."""

    numbers: tuple[float, str, str]

    def __init__(
        self,
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(*self.numbers, seed=seed, input_axes=input_axes, output_axes=output_axes)


@registry.INITIALIZERS.add()
class GlorotUniform(_NamedScaling):
    """Uniform, variance ``2 / (inputs + outputs)``; the default of most layers.

    Args:
        seed: an integer or a `SeedGenerator`; an integer gives the same values on every call.
        input_axes, output_axes: see `VarianceScaling`.

    Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks.
    Follows https://keras.io/api/layers/initializers/#glorotuniform-class

    >>> bool(np.abs(GlorotUniform(seed=1)((20, 4))).max() <= 0.5)
    True
    """

    numbers = (1.0, "fan_avg", "uniform")


@registry.INITIALIZERS.add()
class GlorotNormal(_NamedScaling):
    """Truncated normal, variance ``2 / (inputs + outputs)``.

    Args:
        seed: an integer or a `SeedGenerator`; an integer gives the same values on every call.
        input_axes, output_axes: see `VarianceScaling`.

    Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks.
    Follows https://keras.io/api/layers/initializers/#glorotnormal-class

    >>> GlorotNormal(seed=1)((20, 4)).shape
    (20, 4)
    """

    numbers = (1.0, "fan_avg", "truncated_normal")


@registry.INITIALIZERS.add()
class HeUniform(_NamedScaling):
    """Uniform, variance ``2 / inputs``.

    Args:
        seed: an integer or a `SeedGenerator`; an integer gives the same values on every call.
        input_axes, output_axes: see `VarianceScaling`.

    He et al. 2015, https://arxiv.org/abs/1502.01852
    Follows https://keras.io/api/layers/initializers/#heuniform-class

    >>> bool(np.abs(HeUniform(seed=1)((24, 4))).max() <= 0.5)
    True
    """

    numbers = (2.0, "fan_in", "uniform")


@registry.INITIALIZERS.add()
class HeNormal(_NamedScaling):
    """Truncated normal, variance ``2 / inputs``.

    Args:
        seed: an integer or a `SeedGenerator`; an integer gives the same values on every call.
        input_axes, output_axes: see `VarianceScaling`.

    He et al. 2015, https://arxiv.org/abs/1502.01852
    Follows https://keras.io/api/layers/initializers/#henormal-class

    >>> HeNormal(seed=1)((24, 4)).shape
    (24, 4)
    """

    numbers = (2.0, "fan_in", "truncated_normal")


@registry.INITIALIZERS.add()
class LecunUniform(_NamedScaling):
    """Uniform, variance ``1 / inputs``.

    Args:
        seed: an integer or a `SeedGenerator`; an integer gives the same values on every call.
        input_axes, output_axes: see `VarianceScaling`.

    LeCun et al. 1998, Efficient BackProp.
    Follows https://keras.io/api/layers/initializers/#lecununiform-class

    >>> bool(np.abs(LecunUniform(seed=1)((12, 4))).max() <= 0.5)
    True
    """

    numbers = (1.0, "fan_in", "uniform")


@registry.INITIALIZERS.add()
class LecunNormal(_NamedScaling):
    """Truncated normal, variance ``1 / inputs``.

    Args:
        seed: an integer or a `SeedGenerator`; an integer gives the same values on every call.
        input_axes, output_axes: see `VarianceScaling`.

    LeCun et al. 1998, Efficient BackProp.
    Follows https://keras.io/api/layers/initializers/#lecunnormal-class

    >>> LecunNormal(seed=1)((12, 4)).shape
    (12, 4)
    """

    numbers = (1.0, "fan_in", "truncated_normal")


@registry.INITIALIZERS.add("OrthogonalInitializer")
class Orthogonal(RandomInitializer):
    """A random orthogonal matrix times `gain`.

    With more than two axes, all but the last are flattened into rows. Rows or columns, whichever are fewer, are
    orthogonal to each other.

    Args:
        gain: length of these vectors.
        seed: an integer or a `SeedGenerator`; an integer gives the same values on every call.

    Raises:
        ValueError: when called with a shape of fewer than two axes.

    Saxe et al. 2013, https://arxiv.org/abs/1312.6120
    Follows https://keras.io/api/layers/initializers/#orthogonal-class

    >>> matrix = Orthogonal(seed=1)((3, 3))
    >>> bool(np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-6))
    True
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        self.gain, self.seed = gain, seed

    def without_values(self, shape: Shape, dtype: Any = None) -> np.ndarray:
        """Return zeros for weights that a file replaces: a large matrix takes long. Seeds advance as in a call."""
        _check_matrix(_sizes(shape))
        self._generator()
        return np.zeros(_sizes(shape), _numpy_dtype(dtype))

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        _check_matrix(shape)
        rows, columns = math.prod(shape[:-1]), shape[-1]  # (height, width, inputs, filters) -> (rows, columns)
        q, r = np.linalg.qr(generator.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))  # so that each orthogonal matrix is equally likely
        return self.gain * (q.T if rows < columns else q).reshape(shape)


def _check_matrix(shape: tuple[int, ...]) -> None:
    if len(shape) < 2:
        raise ValueError(f"Orthogonal needs a shape with at least two axes; got {shape}.")


IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal
zeros, ones, constant, identity, orthogonal = Zeros, Ones, Constant, Identity, Orthogonal
random_normal, truncated_normal, random_uniform = RandomNormal, TruncatedNormal, RandomUniform
variance_scaling, glorot_uniform, glorot_normal = VarianceScaling, GlorotUniform, GlorotNormal
he_uniform, he_normal, lecun_uniform, lecun_normal = HeUniform, HeNormal, LecunUniform, LecunNormal
registry.INITIALIZERS.things["Initializer"] = Initializer


def get(identifier: Any) -> Any:
    """Return the initializer for an identifier.

    Args:
        identifier: a name, a config, a class, a callable or an array; None stays None.

    Raises:
        ValueError: if the name is unknown.

    Follows https://keras.io/api/layers/initializers/

    >>> type(get("he_normal")).__name__
    'HeNormal'
    """
    if hasattr(identifier, "__array__") and not callable(identifier):
        return Constant(identifier)
    return serialization.get(identifier, registry.INITIALIZERS)


def serialize(initializer: Initializer | Callable) -> Any:
    """Return the config of an initializer.

    >>> serialize(Zeros())["class_name"]
    'Zeros'
    """
    return serialization.serialize(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the initializer for a config.

    Args:
        config: the config, as `serialize` returns it.
        custom_objects: names of custom classes and functions.

    Raises:
        ValueError: if the class is unknown.

    >>> deserialize(serialize(Constant(3.0))).value
    3.0
    """
    return serialization.deserialize(config, custom_objects, registry.INITIALIZERS)


if not TYPE_CHECKING:  # type checkers would take every misspelt name for one of the module's
    __getattr__ = spellings.names_of(__name__)
offer(globals(), _IMPORTED | {"compute_fans", "RandomInitializer"})
