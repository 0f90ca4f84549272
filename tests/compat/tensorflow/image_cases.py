"""Calls of ``tf.image``: ``python image_cases.py FILE`` with TensorFlow 2.

`image_cases.json` is what it wrote with TensorFlow 2.21: each call, and its result.
"""

import json
import sys

import numpy as np

CALLS = """
tf.image.resize(a, (4, 6)); tf.image.resize(b, [3, 3]); tf.image.resize(b, (4, 4), method="nearest")
tf.image.resize(a, (2, 3), method="bicubic"); tf.image.resize(a, (3, 3), antialias=True)
tf.image.resize(a, (10, 10), preserve_aspect_ratio=True); tf.image.resize(c, (2, 2), method="lanczos3")
tf.image.resize(b, (4, 4), tf.image.ResizeMethod.BILINEAR); tf.image.resize_with_crop_or_pad(a, 3, 8)
tf.image.resize_with_crop_or_pad(b, 8, 3); tf.image.resize_with_pad(a, 8, 8)
tf.image.crop_to_bounding_box(a, 1, 2, 3, 3)
tf.image.pad_to_bounding_box(a, 1, 2, 8, 9); tf.image.central_crop(a, 0.5); tf.image.central_crop(c, 0.7)
tf.image.flip_left_right(a); tf.image.flip_up_down(c); tf.image.transpose(a); tf.image.rot90(a); tf.image.rot90(c, k=3)
tf.image.convert_image_dtype(b, tf.float32); tf.image.convert_image_dtype(a, tf.uint8)
tf.image.convert_image_dtype(a * 3, tf.uint8, saturate=True); tf.image.convert_image_dtype(b, tf.uint16)
tf.image.convert_image_dtype(tf.cast(b, tf.uint16) * 200, tf.uint8); tf.image.adjust_brightness(a, 0.1)
tf.image.adjust_brightness(b, delta=-0.3); tf.image.adjust_contrast(a, 2.0); tf.image.adjust_contrast(b, 0.5)
tf.image.adjust_contrast(c, 1.5); tf.image.adjust_gamma(a, 0.5); tf.image.adjust_gamma(b, 2.0, gain=0.9)
tf.image.adjust_saturation(a, 1.7); tf.image.adjust_saturation(b, 0.2); tf.image.adjust_hue(a, 0.3)
tf.image.adjust_hue(b, -0.2); tf.image.rgb_to_grayscale(a); tf.image.rgb_to_grayscale(b)
tf.image.grayscale_to_rgb(a[..., :1]); tf.image.rgb_to_hsv(a); tf.image.hsv_to_rgb(a)
tf.image.per_image_standardization(a); tf.image.per_image_standardization(b); tf.image.per_image_standardization(c)
tf.image.per_image_standardization(tf.ones((4, 4, 3))); tf.image.total_variation(a); tf.image.total_variation(c)
tf.image.psnr(c, c * 0.9, max_val=1.0)
"""


def results(tf):
    """Yield each call with its result."""
    random = np.random.RandomState(0)
    names = {
        "tf": tf,
        "a": tf.constant(random.random_sample((5, 6, 3)).round(3).astype("float32")),
        "b": tf.constant(random.randint(0, 256, (5, 6, 3)).astype("uint8")),
        "c": tf.constant(random.random_sample((2, 4, 5, 3)).round(3).astype("float32")),
    }
    for call in filter(None, map(str.strip, CALLS.replace("\n", ";").split(";"))):
        value = np.asarray(eval(call, names))
        numbers = [float(f"{number:.6g}") for number in value.ravel().astype("float64")]
        yield {"call": call, "shape": list(value.shape), "dtype": value.dtype.name, "value": numbers}


if __name__ == "__main__":
    import tensorflow

    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(one, separators=(",", ":")) for one in results(tensorflow)) + "\n]\n")
