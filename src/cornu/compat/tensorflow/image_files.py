"""The part of ``tf.image`` and ``tf.io`` that reads and writes files of pictures; needs Pillow."""

import io
from typing import Any

import jax
import numpy as np

from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.dtypes import array_type
from cornu.compat.tensorflow.images import convert_image_dtype, stateless
from cornu.core.randomness import random_key
from cornu.data.dataset import EagerArray
from cornu.preprocessing.decoders import decoded
from cornu.preprocessing.pictures import opened, pillow


def file_bytes(contents: Any) -> bytes:
    """Return the bytes of a file's content, which may be in an array."""
    content: Any = on_host(contents) if hasattr(contents, "dtype") else contents
    content = np.asarray(content, object)[()]
    return content.encode("latin-1") if isinstance(content, str) else content


def _tensor(content: bytes) -> EagerArray:
    return np.array(content, object).view(EagerArray)


def decode_image(
    contents: Any, channels: int | None = None, dtype: Any = "uint8", name: Any = None, expand_animations: bool = True
) -> Any:
    """Return the pixels of a picture file's bytes, ``(height, width, channels)``; needs Pillow.

    `channels` is 1 (grey), 3 or 4; 0 or None: as in the file. ValueError if the bytes are no picture.
    """
    content = file_bytes(contents)
    if channels != 1 and expand_animations and content[:3] == b"GIF":
        return decode_gif(content)
    wanted = channels or _channels_of(content)
    fast = decoded(content, wanted, pillow().MAX_IMAGE_PIXELS, as_tensorflow=True)
    pixels = np.asarray(opened(io.BytesIO(content), wanted)) if fast is None else fast.copy()
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    wanted_dtype = array_type(dtype)
    return pixels.view(EagerArray) if wanted_dtype == "uint8" else convert_image_dtype(pixels, wanted_dtype)


def _channels_of(content: bytes) -> int:
    try:
        with pillow().open(io.BytesIO(content)) as picture:
            mode = picture.mode
    except OSError:
        return 3  # `opened` says what is wrong
    return 1 if mode in ("1", "L", "I", "I;16", "F") else 4 if mode in ("RGBA", "LA") else 3


def decode_jpeg(contents: Any, channels: int = 0, *_: Any, **__: Any) -> Any:
    """Return the pixels of a JPEG's bytes, as `decode_image` does."""
    return decode_image(contents, channels)


def decode_png(contents: Any, channels: int = 0, dtype: Any = "uint8", name: Any = None) -> Any:
    """Return the pixels of a PNG's bytes, as `decode_image` does."""
    return decode_image(contents, channels, dtype)


decode_bmp = decode_jpeg


def decode_gif(contents: Any, name: Any = None) -> Any:
    """Return all frames of a GIF's bytes: ``(frames, height, width, 3)``."""
    with pillow().open(io.BytesIO(file_bytes(contents))) as picture:
        frames = []
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            frames.append(np.asarray(picture.convert("RGB")))
    return np.stack(frames).view(EagerArray)


def _encoded(image: Any, form: str, **options: Any) -> bytes:
    pixels = on_host(image)
    if pixels.dtype != np.uint8:
        raise TypeError(f"tf.io.encode_{form.lower()} needs an image of uint8; got {pixels.dtype}.")
    file = io.BytesIO()
    from_array = pillow().fromarray
    from_array(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, form, **options)
    return file.getvalue()


def encode_png(image: Any, compression: int = -1, name: Any = None) -> Any:
    """Return the bytes of a PNG with these pixels, ``(height, width, channels)`` of uint8."""
    return _tensor(_encoded(image, "PNG", **({"compress_level": compression} if compression >= 0 else {})))


def encode_jpeg(image: Any, format: str = "", quality: int = 95, *_: Any, **__: Any) -> Any:
    """Return the bytes of a JPEG with these pixels, ``(height, width, channels)`` of uint8."""
    return _tensor(_encoded(image, "JPEG", quality=int(quality), subsampling="4:2:0"))


def adjust_jpeg_quality(image: Any, jpeg_quality: Any, dct_method: str = "", name: Any = None) -> Any:
    """Return an image as it is after it was a JPEG of this quality."""
    image = on_host(image)
    pixels = np.asarray(convert_image_dtype(image, "uint8", saturate=True))
    again = decode_image(_encoded(pixels, "JPEG", quality=int(jpeg_quality)), pixels.shape[-1])
    return convert_image_dtype(np.asarray(again), str(image.dtype), saturate=True)


def random_jpeg_quality(image: Any, min_jpeg_quality: int, max_jpeg_quality: int, seed: Any = None) -> Any:
    """Return an image as it is after it was a JPEG of a random quality."""
    key = random_key(seed, moves_on=True)
    return adjust_jpeg_quality(image, int(jax.random.randint(key, (), min_jpeg_quality, max_jpeg_quality)))


stateless_random_jpeg_quality = stateless(random_jpeg_quality)


def is_jpeg(contents: Any, name: Any = None) -> Any:
    """Return whether bytes are a JPEG."""
    return np.array(file_bytes(contents)[:3] == b"\xff\xd8\xff").view(EagerArray)


def extract_jpeg_shape(contents: Any, output_type: Any = "int32", name: Any = None) -> Any:
    """Return height, width and channels of a JPEG's bytes."""
    with pillow().open(io.BytesIO(file_bytes(contents))) as picture:
        shape = (picture.height, picture.width, len(picture.getbands()))
    return np.array(shape, array_type(output_type)).view(EagerArray)
