"""Images for training: `ImageDataGenerator` and its iterators, conversions, and random changes of single images.

Read `generator.py` first; `augmentation.py` makes its batches, `resampling.py` does the arithmetic, and `conversion.py`
turns files into arrays.
"""

from cornu.core import spellings
from cornu.core.public import offer
from cornu.preprocessing.image.conversion import array_to_img, img_to_array, load_img, save_img
from cornu.preprocessing.image.file_iterator import DirectoryIterator
from cornu.preprocessing.image.frame_iterator import DataFrameIterator
from cornu.preprocessing.image.generator import ImageDataGenerator
from cornu.preprocessing.image.iterator import Iterator, NumpyArrayIterator
from cornu.preprocessing.image.transformations import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    flip_axis,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)

__getattr__ = spellings.names_of(__name__)

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "array_to_img",
    "flip_axis",
    "img_to_array",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
]
offer(globals())
