"""Several random layers in a row, or mixed: which ones is drawn at random too."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from cornu.core import registry
from cornu.core.errors import unknown
from cornu.kernels.random_bits import uniform
from cornu.kernels.resampling import INTERPOLATIONS
from cornu.layers.argument_checks import check_integer, number_in
from cornu.layers.image_preprocessing.affine import RandomRotation, RandomShear, RandomTranslation
from cornu.layers.image_preprocessing.base import BoxOptions, ImagePreprocessingLayer, images_of
from cornu.layers.image_preprocessing.colors import RandomColorDegeneration
from cornu.layers.image_preprocessing.histograms import Equalization
from cornu.layers.image_preprocessing.ranges import factor_range, pixel_range
from cornu.layers.image_preprocessing.sharpness import RandomSharpness
from cornu.layers.image_preprocessing.tones import (
    BYTES,
    AutoContrast,
    Factor,
    RandomBrightness,
    RandomContrast,
    RandomPosterization,
    Solarization,
)


class PolicyLayer(ImagePreprocessingLayer):
    """Base of the layers that choose among eleven random layers.

    Args:
        factor: How far the layers go, from 0 to 1.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        pixels: The least and the greatest value of a pixel.
        seed: Integer that makes the random numbers reproducible.
        **kwargs: `data_format`, `bounding_box_format`, and arguments of `Layer`.
    """

    names: tuple[str, ...]  # of the layers to choose from, in order

    def __init__(
        self, factor: Factor, interpolation: str, pixels: Sequence[float], seed: int | None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.factor = factor = factor_range(self, "factor", factor, 0, 1)
        if interpolation not in INTERPOLATIONS:
            raise unknown("interpolation", interpolation, INTERPOLATIONS)
        self.interpolation, self.value_range = interpolation, pixel_range(self, pixels)
        self._draws_from(seed)
        shared: dict[str, Any] = {
            "data_format": self.data_format,
            "dtype": self.dtype_policy,
            "bounding_box_format": self.bounding_box_format,
        }
        random = {**shared, "seed": seed}
        moving = {**random, "interpolation": interpolation}
        self.random_shear = RandomShear(factor, factor, **moving)
        self.random_translation = RandomTranslation(factor, factor, **moving)
        self.random_rotation = RandomRotation(factor, **moving)
        self.random_brightness = RandomBrightness(factor, pixels, **random)
        self.random_color_degeneration = RandomColorDegeneration(factor, pixels, **random)
        self.random_contrast = RandomContrast(factor, pixels, **random)
        self.random_sharpness = RandomSharpness(factor, pixels, **random)
        self.random_posterization = RandomPosterization(max(1, int(8 * factor[1])), pixels, **random)
        self.solarization = Solarization(factor, factor, pixels, **random)
        self.auto_contrast = AutoContrast(pixels, **shared)
        self.equalization = Equalization(pixels, **shared)

    def _drawn(self, data: Any, key: jax.Array) -> dict[str, Any]:
        """Return a transformation of each layer, of which one will be used."""
        images = images_of(data)
        return {
            name: getattr(self, name).get_random_transformation(images, seed=jax.random.fold_in(key, number))
            for number, name in enumerate(self.names)
        }

    def _by_one(self, method: str, chosen: jax.Array, transforms: dict[str, Any], value: Any) -> Any:
        """Return what a method of the layer number `chosen` returns for a value; of others, nothing is computed."""

        def branch(name: str) -> Any:
            def changed(value: Any) -> Any:
                result = getattr(getattr(self, name), method)(value, transforms[name])
                return jax.tree.map(lambda new, old: new.astype(old.dtype), result, value)

            return changed

        return jax.lax.switch(chosen, [*map(branch, self.names), lambda value: value], value)


@registry.LAYERS.add()
class RandAugment(PolicyLayer):
    """In training, change each batch by layers that are drawn at random.

    Args:
        value_range: The least and the greatest value of a pixel.
        num_ops: How many layers are drawn.
        factor: How far the layers go, from 0 to 1.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: Integer that makes the random numbers reproducible.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Shapes:
        Images with 3 channels, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `factor` is not from 0 to 1, or another argument is not one of these.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/rand_augment/ and Cubuk et al. 2019,
    https://arxiv.org/abs/1909.13719

    >>> import numpy as np
    >>> RandAugment(seed=1)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    names = (
        "random_shear", "random_translation", "random_rotation", "random_brightness", "random_color_degeneration",
        "random_contrast", "random_sharpness", "random_posterization", "solarization", "auto_contrast", "equalization",
    )  # fmt: skip

    def __init__(
        self,
        value_range: Sequence[float] = BYTES,
        num_ops: int = 2,
        factor: Factor = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(factor, interpolation, value_range, seed, data_format=data_format, **kwargs)
        self.num_ops = check_integer(self, "num_ops", num_ops, 0)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        key = self._key(seed)
        chosen = uniform(jax.random.fold_in(key, len(self.names)), (self.num_ops,)) * len(self.names)
        return {"transforms": self._drawn(data, key), "layer_idxes": chosen.astype("int32")}

    def _after_all(self, method: str, value: Any, transformation: Any) -> Any:
        def after(value: Any, chosen: jax.Array) -> Any:
            return self._by_one(method, chosen, transformation["transforms"], value), None

        return jax.lax.scan(after, value, transformation["layer_idxes"])[0]

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        return self._after_all("transform_images", images, transformation)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        masks = jnp.asarray(segmentation_masks)
        return self._after_all("transform_segmentation_masks", masks, transformation) if training else masks

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return bounding_boxes
        return self._after_all("transform_bounding_boxes", bounding_boxes, transformation)


@registry.LAYERS.add()
class AugMix(PolicyLayer):
    """In training, mix each batch with versions of it, each changed by a chain of layers that are drawn at random.

    Args:
        value_range: The least and the greatest value of a pixel.
        num_chains: The number of versions.
        chain_depth: The number of layers that change a version.
        factor: How far the layers go, from 0 to 1.
        alpha: Parameter of the distributions that the weights are drawn from, above 0.
        all_ops: Whether brightness, color, contrast and sharpness change as well.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: Integer that makes the random numbers reproducible.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Images with 3 channels, or a dictionary with them, see `ImagePreprocessingLayer`; outputs have the same shapes.

    Raises:
        ValueError: `factor` is not from 0 to 1, or another argument is not one of these.

    Follows https://keras.io/api/layers/preprocessing_layers/image_augmentation/aug_mix/ and Hendrycks et al. 2019,
    https://arxiv.org/abs/1912.02781

    >>> import numpy as np
    >>> AugMix(seed=1)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Sequence[float] = BYTES,
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Factor = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[BoxOptions],
    ) -> None:
        super().__init__(factor, interpolation, value_range, seed, data_format=data_format, **kwargs)
        self.num_chains = check_integer(self, "num_chains", num_chains)
        self.chain_depth = check_integer(self, "chain_depth", chain_depth, 0)
        self.alpha = number_in(self, "alpha", alpha, 0)
        if self.alpha == 0:
            raise ValueError("AugMix: `alpha` must be above 0.")
        self.all_ops = all_ops

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The layers to choose from."""
        some = (
            "random_shear", "random_translation", "random_rotation", "random_posterization", "solarization",
            "auto_contrast", "equalization",
        )  # fmt: skip
        more = ("random_brightness", "random_color_degeneration", "random_contrast", "random_sharpness")
        return some + more if self.all_ops else some

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Return the weights, and for each place in each chain the number of a layer and the key of its transformation.

        The number after the last layer leaves the images as they are.
        """
        if not training:
            return None
        keys = jax.random.split(self._key(seed), 4)
        gamma = jax.random.gamma(keys[0], self.alpha, (self.num_chains,))
        shape = (self.num_chains, self.chain_depth)
        return {
            "chain_mixing_weights": gamma / gamma.sum(),
            "weight_sample": jax.random.beta(keys[1], self.alpha, self.alpha),
            "layer_idxes": (uniform(keys[2], shape) * (len(self.names) + 1)).astype("int32"),
            "keys": jax.random.split(keys[3], shape),
        }

    def _mixed(self, method: str, values: jax.Array, transformation: Any) -> jax.Array:
        def after(changed: jax.Array, place: tuple[jax.Array, ...]) -> tuple[jax.Array, None]:
            chosen, key = place
            return self._by_one(method, chosen, self._drawn(values, key), changed), None

        def with_chain(total: jax.Array, chain: tuple[jax.Array, ...]) -> tuple[jax.Array, None]:
            weight, *places = chain
            return total + weight * jax.lax.scan(after, values, tuple(places))[0], None

        names = ("chain_mixing_weights", "layer_idxes", "keys")
        start = jnp.zeros(values.shape, transformation["weight_sample"].dtype)
        total, _ = jax.lax.scan(with_chain, start, tuple(transformation[name] for name in names))
        share = transformation["weight_sample"]
        return share * values + (1 - share) * total

    def _changed(self, images: jax.Array, transformation: Any) -> jax.Array:
        return jnp.clip(self._mixed("transform_images", images, transformation), *self.value_range)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return segmentation_masks
        return self._mixed("transform_segmentation_masks", jnp.asarray(segmentation_masks), transformation)


__all__ = ["AugMix", "RandAugment"]
