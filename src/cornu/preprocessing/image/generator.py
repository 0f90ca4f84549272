"""`ImageDataGenerator`: batches of randomly changed images, from arrays, folders or data frames."""

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from cornu.core import era, spellings
from cornu.core.public import offer
from cornu.core.settings import floatx, standardize_data_format
from cornu.preprocessing.image import augmentation
from cornu.preprocessing.image.file_iterator import DirectoryIterator
from cornu.preprocessing.image.frame_iterator import DataFrameIterator
from cornu.preprocessing.image.iterator import NumpyArrayIterator, check_images
from cornu.preprocessing.image.resampling import FILL_MODES
from cornu.preprocessing.image.transformations import OLD_PACKAGE, two_numbers

_IMPORTED = frozenset(globals())


class ImageDataGenerator:
    """Changes images at random while a model trains: one setting for arrays, folders and data frames.

    Args:
        featurewise_center: Whether to subtract the mean of the data, which `fit` computes.
        samplewise_center: Whether to subtract the mean of each image.
        featurewise_std_normalization: Whether to divide by the standard deviation of the data (from `fit`).
        samplewise_std_normalization: Whether to divide each image by its standard deviation.
        zca_whitening: Whether to decorrelate the pixels (ZCA, from `fit`).
        zca_epsilon: Smallest standard deviation that ZCA divides by.
        rotation_range: Largest angle of rotation, in degrees.
        width_shift_range, height_shift_range: Largest shift: a float is a fraction of the size if it is below 1, else
            pixels; an integer n means fewer than n whole pixels; from a list, one of its numbers is taken.
        brightness_range: Two factors between which brightness changes (0 is black, 1 the same), or None.
        shear_range: Largest angle of shear, in degrees.
        zoom_range: Two factors between which the size changes, or the largest difference from 1.
        channel_shift_range: Largest number that is added to all values.
        fill_mode: What is beyond the edges: ``"constant"``, ``"nearest"``, ``"reflect"`` or ``"wrap"``.
        cval: The value of the constant.
        horizontal_flip, vertical_flip: Whether to mirror half of the images.
        rescale: Factor for all values, after all changes; None leaves them.
        preprocessing_function: A function of one image, called after the changes and before `rescale`.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        validation_split: Fraction of the images for ``subset="validation"``.
        interpolation_order: Order of the spline that interpolates (0: nearest pixel, 1: linear); None means 1, and 0 in
            programs for Keras 1.
        dtype: Dtype of the batches, by default ``floatx()``.

    Raises:
        ValueError: An argument is out of range.

    Random amounts come from ``numpy.random`` in Keras's order, so that the same seed gives the same images.

    Follows https://keras.io/2.15/api/preprocessing/image/

    >>> generator = ImageDataGenerator(horizontal_flip=True, rescale=1 / 255)
    >>> x, y = next(generator.flow(np.zeros((10, 8, 8, 3)), np.arange(10), batch_size=4))
    >>> x.shape, y.shape
    ((4, 8, 8, 3), (4,))
    """

    @spellings.old_keywords("ImageDataGenerator")
    def __init__(
        self, featurewise_center: bool = False, samplewise_center: bool = False,
        featurewise_std_normalization: bool = False, samplewise_std_normalization: bool = False,
        zca_whitening: bool = False, zca_epsilon: float = 1e-6, rotation_range: float = 0,
        width_shift_range: Any = 0.0, height_shift_range: Any = 0.0, brightness_range: Any = None,
        shear_range: float = 0.0, zoom_range: Any = 0.0, channel_shift_range: float = 0.0, fill_mode: str = "nearest",
        cval: float = 0.0, horizontal_flip: bool = False, vertical_flip: bool = False, rescale: float | None = None,
        preprocessing_function: Any = None, data_format: str | None = None, validation_split: float = 0.0,
        interpolation_order: int | None = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        self.featurewise_center, self.samplewise_center = featurewise_center, samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening, self.zca_epsilon = zca_whitening, zca_epsilon
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.channel_shift_range, self.fill_mode, self.cval = channel_shift_range, fill_mode, cval
        self.horizontal_flip, self.vertical_flip, self.rescale = horizontal_flip, vertical_flip, rescale
        self.preprocessing_function = preprocessing_function
        self.data_format, self.dtype = standardize_data_format(data_format), dtype or floatx()
        axes = (1, 2, 3) if self.data_format == "channels_first" else (3, 1, 2)
        self.channel_axis, self.row_axis, self.col_axis = axes
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(f"validation_split must be a fraction between 0 and 1; got {validation_split!r}.")
        self._validation_split = validation_split
        default = 0 if era.holds(augmentation.OLD) else 1
        self.interpolation_order = default if interpolation_order is None else interpolation_order
        scalar = np.ndim(zoom_range) == 0 and np.isreal(zoom_range)
        self.zoom_range = list(two_numbers("zoom_range", (1 - zoom_range, 1 + zoom_range) if scalar else zoom_range))
        self.brightness_range = None if brightness_range is None else two_numbers("brightness_range", brightness_range)
        if fill_mode not in (*FILL_MODES, "mirror", "grid-mirror", "grid-wrap", "grid-constant"):
            raise ValueError(f"fill_mode must be one of {', '.join(FILL_MODES)}; got {fill_mode!r}.")
        self.mean: Any = None
        self.std: Any = None
        self.zca_whitening_matrix: Any = None
        self._function_draws = False
        self._settle()

    def _settle(self) -> None:
        """Set what other settings imply."""
        if self.zca_whitening:
            self._set("featurewise_center", True, "zca_whitening")
            self._set("featurewise_std_normalization", False, "zca_whitening")
        if self.featurewise_std_normalization:
            self._set("featurewise_center", True, "featurewise_std_normalization")
        if self.samplewise_std_normalization and not era.holds(augmentation.OLD):
            self._set("samplewise_center", True, "samplewise_std_normalization")

    def _set(self, name: str, value: bool, reason: str) -> None:
        if bool(getattr(self, name)) != value:
            warnings.warn(f"ImageDataGenerator: {reason}=True implies {name}={value}.", stacklevel=5)
            setattr(self, name, value)

    def _has(self, name: str, setting: str) -> bool:
        """Return whether `fit` has computed an attribute; warn if not."""
        if getattr(self, name) is None:
            warnings.warn(
                f"ImageDataGenerator: {setting}=True has no effect before fit(x), which computes the statistics.",
                stacklevel=4,
            )
            return False
        return True

    @spellings.old_keywords("flow")
    def flow(
        self, x: Any, y: Any = None, batch_size: int = 32, shuffle: bool = True, sample_weight: Any = None,
        seed: int | None = None, save_to_dir: Any = None, save_prefix: str = "", save_format: str = "png",
        ignore_class_split: bool = False, subset: str | None = None,
    ) -> NumpyArrayIterator:  # fmt: skip
        """Return batches of images from an array, without end; see `NumpyArrayIterator`."""
        return NumpyArrayIterator(
            x, y, self, batch_size, shuffle, sample_weight, seed, self.data_format, save_to_dir, save_prefix,
            save_format, subset, ignore_class_split, self.dtype,
        )  # fmt: skip

    def flow_from_directory(
        self, directory: Any, target_size: tuple[int, int] = (256, 256), color_mode: str = "rgb", classes: Any = None,
        class_mode: str | None = "categorical", batch_size: int = 32, shuffle: bool = True, seed: int | None = None,
        save_to_dir: Any = None, save_prefix: str = "", save_format: str = "png", follow_links: bool = False,
        subset: str | None = None, interpolation: str = "nearest", keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:  # fmt: skip
        """Return batches of the images in a folder, without end; see `DirectoryIterator`."""
        return DirectoryIterator(
            directory, self, target_size, color_mode, classes, class_mode, batch_size, shuffle, seed, self.data_format,
            save_to_dir, save_prefix, save_format, follow_links, subset, interpolation, keep_aspect_ratio, self.dtype,
        )  # fmt: skip

    @spellings.old_keywords("flow_from_dataframe")
    def flow_from_dataframe(
        self, dataframe: Any, directory: Any = None, x_col: str = "filename", y_col: Any = "class",
        weight_col: str | None = None, target_size: tuple[int, int] = (256, 256), color_mode: str = "rgb",
        classes: Any = None, class_mode: str | None = "categorical", batch_size: int = 32, shuffle: bool = True,
        seed: int | None = None, save_to_dir: Any = None, save_prefix: str = "", save_format: str = "png",
        subset: str | None = None, interpolation: str = "nearest", validate_filenames: bool = True,
    ) -> DataFrameIterator:  # fmt: skip
        """Return batches of the images that a data frame names, without end; see `DataFrameIterator`."""
        class_mode = "raw" if class_mode == "other" else class_mode
        return DataFrameIterator(
            dataframe, directory, self, x_col, y_col, weight_col, target_size, color_mode, classes, class_mode,
            batch_size, shuffle, seed, self.data_format, save_to_dir, save_prefix, save_format, subset, interpolation,
            False, self.dtype, validate_filenames,
        )  # fmt: skip

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """Return an image after `preprocessing_function`, rescaled, centred, divided and whitened.

        The array is changed in place where that is possible: pass a copy to keep it.
        """
        if self.preprocessing_function is not None:
            x = self.preprocessing_function(x)
        return augmentation.standardized(self, x, None)

    def get_random_transform(self, img_shape: Any, seed: int | None = None) -> dict[str, Any]:
        """Return random amounts for `apply_transform`.

        Args:
            img_shape: Shape of one image.
            seed: Seed for ``numpy.random``; None continues with its state.
        """
        if seed is not None:
            np.random.seed(seed)
        uniform, old = np.random.uniform, era.holds(augmentation.OLD)
        theta = uniform(-self.rotation_range, self.rotation_range) if self.rotation_range else 0
        tx = _shift(self.height_shift_range, img_shape[self.row_axis - 1], old)
        ty = _shift(self.width_shift_range, img_shape[self.col_axis - 1], old)
        shear = uniform(-self.shear_range, self.shear_range) if self.shear_range else 0
        low, high = self.zoom_range
        zx, zy = (1, 1) if low == high == 1 else uniform(low, high, 2)
        amounts = {"theta": theta, "tx": tx, "ty": ty, "shear": np.rad2deg(shear) if old else shear, "zx": zx, "zy": zy}
        shift = self.channel_shift_range
        if old:  # one shift for each channel; flips that are not wanted draw no number
            channels = img_shape[self.channel_axis - 1]
            intensity: Any = uniform(-shift, shift, channels) if shift != 0 else None
            flips: list[Any] = [
                wanted and np.random.random() < 0.5 for wanted in (self.horizontal_flip, self.vertical_flip)
            ]
        else:
            flips = [(np.random.random() < 0.5) * wanted for wanted in (self.horizontal_flip, self.vertical_flip)]
            intensity = uniform(-shift, shift) if shift != 0 else None
        brightness = None if self.brightness_range is None else uniform(*self.brightness_range)
        amounts |= {"flip_horizontal": flips[0], "flip_vertical": flips[1]}
        return amounts | {"channel_shift_intensity": intensity, "brightness": brightness}

    def apply_transform(self, x: Any, transform_parameters: dict[str, Any]) -> np.ndarray:
        """Return one image changed by given amounts.

        Args:
            x: An image with three axes.
            transform_parameters: Any of the entries that `get_random_transform` returns: ``theta`` and ``shear`` in
                degrees, ``tx`` (rows) and ``ty`` (columns) in pixels, the zoom factors ``zx`` and ``zy``,
                ``flip_horizontal``, ``flip_vertical``, ``channel_shift_intensity`` and ``brightness``.
        """
        return augmentation.transformed(self, np.array(x)[None], augmentation.stacked([transform_parameters]))[0]

    def random_transform(self, x: Any, seed: int | None = None) -> np.ndarray:
        """Return one image changed by random amounts; `seed` is for ``numpy.random``."""
        return self.apply_transform(x, self.get_random_transform(np.shape(x), seed))

    @spellings.old_keywords("flow")
    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Compute the mean, the standard deviation and the whitening matrix of the data, if they are used.

        Args:
            x: Images ``(n, rows, columns, channels)``, or channels second.
            augment: Whether to compute them from changed images.
            rounds: How many times to change each image.
            seed: Seed for ``numpy.random``.

        Raises:
            ValueError: `x` does not have four axes.
        """
        x = np.array(x, dtype=self.dtype)
        check_images("ImageDataGenerator.fit", x, self.data_format)
        if seed is not None:
            np.random.seed(seed)
        if self.rescale and not era.holds(augmentation.OLD):
            x *= self.rescale
        if augment:
            x = np.stack([self.random_transform(image) for _ in range(rounds) for image in x])
        axes = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = np.mean(x, axes, keepdims=True)[0]
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = np.std(x, axes, keepdims=True)[0]
            x /= self.std + 1e-6
        if self.zca_whitening:
            self.zca_whitening_matrix = _whitening(x.reshape(len(x), -1), self.zca_epsilon)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            return spellings.old_attribute(self, name)


def _shift(largest: Any, size: int, is_fraction: bool) -> float:
    """Return a random shift in pixels: between two numbers, or one of several with a random sign."""
    if np.ndim(largest) == 0 and not largest:
        return 0
    if np.ndim(largest) == 0 and (is_fraction or not isinstance(largest, (int, np.integer))):
        shift = np.random.uniform(-largest, largest)
    else:
        shift = np.random.choice(largest) * np.random.choice([-1, 1])
    return shift * size if is_fraction or np.max(largest) < 1 else shift


def _whitening(flat: np.ndarray, epsilon: float) -> np.ndarray:
    """Return the matrix that makes pixels uncorrelated with variance 1, and changes them least (ZCA)."""
    if era.holds(OLD_PACKAGE):
        u, variances, _ = np.linalg.svd(flat.T @ flat / len(flat))
        return (u / np.sqrt(variances + epsilon)) @ u.T
    u, values, _ = np.linalg.svd(flat.T, full_matrices=False)
    return (u * (np.sqrt(len(flat)) / (values + epsilon))) @ u.T


offer(globals(), _IMPORTED)
