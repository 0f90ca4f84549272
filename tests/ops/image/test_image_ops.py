"""`ops.image` has every name of Keras's, and each function gives Keras's values, of one image and of a batch."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import cornu
from contract.compare import QUICKLY
from cornu import ops
from cornu.core.graph import SymbolicTensor

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.uniform(size=(2, 7, 9, 3)).astype("float32")
ANGLES = np.array([0.5, -1.2])
COSINE, SINE, ONE = np.cos(ANGLES), np.sin(ANGLES), np.ones(2)
TRANSFORMS = np.stack([COSINE, 0.1 - SINE, 2.3 * ONE, SINE, COSINE, -1.7 * ONE, 0 * ONE, 0 * ONE], 1).astype("float32")
START = np.array([[[0, 0], [8, 0], [0, 6], [8, 6]]] * 2, "float32")
END = START + RANDOM.uniform(-1.5, 1.5, START.shape).astype("float32")
PLACES = RANDOM.uniform(-2, 9, (3, 4, 5)).astype("float32")
LARGE = RANDOM.uniform(size=(2, 16, 14, 3)).astype("float32")
NOISY = np.clip(LARGE + 0.1 * RANDOM.normal(size=LARGE.shape), 0, 1).astype("float32")
VOLUMES = RANDOM.uniform(size=(2, 5, 6, 7, 2)).astype("float32")
MARGINS = {"top_padding": 1, "left_padding": 2, "target_height": 9, "right_padding": 3}
EDGES = {"bottom_cropping": 1, "left_cropping": 2, "target_height": 3, "target_width": 4}

HOW = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
SCALED = {"output_shape": (2, 9, 4, 3), "scale": np.array([1.3, 0.5]), "translation": np.array([0.5, -1])}

#: Function, its arrays (a single image is the first of each), and options.
CASES = [
    ("rgb_to_grayscale", (IMAGES,), {}),
    ("rgb_to_hsv", (IMAGES,), {}),
    ("hsv_to_rgb", (IMAGES,), {}),
    *[("resize", (IMAGES,), {"size": (5, 12), "interpolation": how}) for how in HOW],
    ("resize", (IMAGES,), {"size": (3, 4), "antialias": True}),
    ("resize", (IMAGES,), {"size": (4, 15), "crop_to_aspect_ratio": True}),
    ("resize", (IMAGES,), {"size": (4, 15), "pad_to_aspect_ratio": True, "fill_value": 0.7}),
    ("resize", (IMAGES,), {"size": (15, 4), "pad_to_aspect_ratio": True}),
    *[("affine_transform", (IMAGES, TRANSFORMS), {"fill_mode": one, "fill_value": 3.0}) for one in MODES],
    ("affine_transform", (IMAGES, TRANSFORMS), {"interpolation": "nearest", "fill_mode": "reflect"}),
    ("perspective_transform", (IMAGES, START, END), {"fill_value": 2.0}),
    ("perspective_transform", (IMAGES, START, END), {"interpolation": "nearest"}),
    ("gaussian_blur", (IMAGES,), {"kernel_size": (5, 3), "sigma": (0.7, 2.0), "data_format": "channels_last"}),
    ("gaussian_blur", (IMAGES,), {"kernel_size": (4, 4), "data_format": "channels_last"}),
    ("ssim", (LARGE, NOISY), {}),
    ("ssim", (LARGE, NOISY), {"filter_size": 5, "filter_sigma": 1.0, "k1": 0.02, "k2": 0.05, "max_val": 2.0}),
    ("extract_patches", (IMAGES,), {"size": 3}),
    ("extract_patches", (IMAGES,), {"size": (2, 3), "strides": (2, 1), "padding": "same"}),
    ("extract_patches", (IMAGES,), {"size": 3, "strides": 1, "dilation_rate": 2}),
    ("extract_patches", (VOLUMES,), {"size": (2, 3, 1)}),
    ("extract_patches_3d", (VOLUMES,), {"size": 2, "strides": (1, 2, 3)}),
    ("pad_images", (IMAGES,), MARGINS),
    ("crop_images", (IMAGES,), EDGES),
]  # fmt: skip
BATCHES = [
    ("sobel_edges", (IMAGES,), {}),
    ("map_coordinates", (IMAGES[0], PLACES), {"order": 1, "fill_mode": "reflect"}),
    ("map_coordinates", (IMAGES[0], PLACES), {"order": 0, "fill_value": 2.0}),
    ("scale_and_translate", (IMAGES,), SCALED | {"spatial_dims": (1, 2), "method": "linear"}),
]  # fmt: skip
ONE_OF_EACH = list({case[0]: case for case in CASES}.values())
TOLERANCES = {"perspective_transform": 2e-4, "ssim": 1e-4}


def names(cases):
    return [f"{number} {case[0]}" for number, case in enumerate(cases)]


def computed(namespace, case):
    name, arrays, options = case
    function = functools.partial(getattr(namespace.image, name), **options)
    return jax.jit(function, compiler_options=QUICKLY)(*map(jnp.asarray, arrays))


def same(real_keras, case, tolerance=None):
    ours, theirs = computed(ops, case), computed(real_keras.ops, case)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    tolerance = tolerance or TOLERANCES.get(case[0], 2e-5)
    np.testing.assert_allclose(ours.astype("float32"), theirs.astype("float32"), rtol=tolerance, atol=tolerance)


def test_every_name_of_keras(real_keras):
    theirs = {name for name in dir(real_keras.ops.image) if not name.startswith("_")}
    assert theirs <= set(ops.image.__all__)
    assert set(ops.image.__all__) <= set(dir(ops.image))


@pytest.mark.parametrize("case", [*CASES, *BATCHES], ids=names([*CASES, *BATCHES]))
def test_a_batch_equals_keras(real_keras, case):
    same(real_keras, case)


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=names(ONE_OF_EACH))
def test_one_image_is_one_of_a_batch(case):
    name, arrays, options = case
    one = computed(ops, (name, [array[0] for array in arrays], options))
    np.testing.assert_allclose(one, computed(ops, case)[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", [case for case in (*ONE_OF_EACH, BATCHES[0]) if case[1][0].ndim == 4], ids=str)
def test_channels_first_is_channels_last_in_another_order(case):
    name, arrays, options = case
    moved = [np.moveaxis(array, -1, 1) if array.ndim == 4 else array for array in arrays]
    first = computed(ops, (name, moved, options | {"data_format": "channels_first"}))
    last = computed(ops, case)
    if last.ndim > 3:
        last = jnp.moveaxis(last, 3, 1)
    np.testing.assert_allclose(first, last, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["affine_transform", "rgb_to_hsv", "gaussian_blur"])
def test_half_precision_equals_keras(real_keras, name):
    _, arrays, options = next(case for case in CASES if case[0] == name)
    arrays = [arrays[0].astype("float16"), *arrays[1:]]
    same(real_keras, (name, arrays, options), 4e-3)


def test_bytes_are_rounded(real_keras):
    pixels = (IMAGES * 255).astype("uint8")
    for name, arrays, options in (
        ("affine_transform", (TRANSFORMS,), {"fill_mode": "reflect"}),
        ("resize", (), {"size": (5, 12)}),
    ):
        case = name, (pixels, *arrays), options
        ours, theirs = (np.asarray(computed(library, case), "int32") for library in (ops, real_keras.ops))
        assert ours.max() > 100
        assert abs(ours - theirs).max() <= 1  # of halves, the last bit decides


def test_transforms_divide_by_the_distance():
    """Real Keras on JAX adds the channel's number times ``c0``."""
    image = np.arange(12.0, dtype="float32").reshape(1, 12, 1)
    result = ops.image.affine_transform(image, [4, 0, 0, 0, 1, 0, 1, 0])
    expected = [4 * x / (x + 1) for x in range(12)]
    np.testing.assert_allclose(result[0, :, 0], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("affine_transform", {"fill_mode": "constant"}),
        ("gaussian_blur", {"kernel_size": (5, 3), "data_format": "channels_last"}),
        ("extract_patches", {"size": 3, "strides": 2}),
        ("rgb_to_hsv", {}),
        ("ssim", {"filter_size": 3}),
    ],
)
def test_gradients_equal_keras(real_keras, name, options):
    extra = {"affine_transform": (TRANSFORMS,), "ssim": (IMAGES[:, ::-1],)}.get(name, ())

    def gradient(library):
        function = functools.partial(getattr(library.image, name), **options)
        total = lambda images: jnp.sum(jnp.sin(function(images, *map(jnp.asarray, extra))))  # noqa: E731
        return jax.jit(jax.grad(total), compiler_options=QUICKLY)(jnp.asarray(IMAGES))

    np.testing.assert_allclose(gradient(ops), gradient(real_keras.ops), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize(("name", "arrays", "options"), [CASES[0], CASES[3], CASES[12], CASES[-1], CASES[-2]], ids=str)
def test_symbolic_tensors_have_the_shapes(name, arrays, options):
    symbols = [SymbolicTensor((None, *array.shape[1:]), "float32") for array in arrays]
    result = getattr(ops.image, name)(*symbols, **options)
    assert result.shape == (None, *computed(ops, (name, arrays, options)).shape[1:])


def test_elastic_transforms_are_smooth_and_follow_their_seed():
    images = np.broadcast_to(np.arange(32.0, dtype="float32")[:, None, None], (2, 32, 32, 1))  # the value is the row
    moved = ops.image.elastic_transform(images, alpha=4.0, sigma=3.0, fill_mode="nearest", seed=1)
    np.testing.assert_array_equal(moved, ops.image.elastic_transform(images, 4.0, 3.0, fill_mode="nearest", seed=1))
    shifts = np.asarray(moved - images)[:, 8:-8, 8:-8, 0]
    assert 0.5 < shifts.std() < 3  # the standard deviation is alpha * sigma / (2 sqrt(pi) sigma)
    assert abs(np.diff(shifts, axis=2)).max() < 1.5
    assert abs(shifts[0] - shifts[1]).max() > 0.5


def test_functions_between_layers_cross_to_keras(real_keras, tmp_path):
    inputs = cornu.Input((7, 9, 3))
    x = ops.image.resize(inputs, (6, 6), crop_to_aspect_ratio=True)
    x = ops.image.gaussian_blur(x, (3, 3), (0.5, 1.0), data_format="channels_last")
    x = ops.image.extract_patches(ops.image.hsv_to_rgb(x), 2)
    model = cornu.Model(inputs, x)
    model.save(tmp_path / "model.keras")
    theirs = real_keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(theirs.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0), atol=1e-5)
    again = cornu.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ops.image.resize(IMAGES, (5,)), "two positive integers"),
        (lambda: ops.image.resize(IMAGES[0, 0], (5, 4)), r"3 axes \(one image\) or 4"),
        (lambda: ops.image.resize(IMAGES, (5, 4), "bilinaer"), "Did you mean 'bilinear'"),
        (lambda: ops.image.resize(IMAGES, (5, 4), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), "only one"),
        (lambda: ops.image.resize(IMAGES, (5, 4), fill_mode="wrap"), "constant"),
        (lambda: ops.image.affine_transform(IMAGES, TRANSFORMS, fill_mode="x"), "fill_mode"),
        (lambda: ops.image.affine_transform(IMAGES, TRANSFORMS[:, :6]), r"\(8,\) or \(batch, 8\)"),
        (lambda: ops.image.affine_transform(IMAGES, np.zeros((5, 8))), "5 for 2 images"),
        (lambda: ops.image.perspective_transform(IMAGES, START[:, :2], END), r"\(4, 2\)"),
        (lambda: ops.image.map_coordinates(IMAGES[0], PLACES, 2), "nearest"),
        (lambda: ops.image.map_coordinates(IMAGES[0], PLACES[:2], 1), "each of the 3 axes"),
        (lambda: ops.image.rgb_to_hsv(IMAGES.astype("uint8")), "must be floats"),
        (lambda: ops.image.hsv_to_rgb(IMAGES[..., :2]), "3 channels"),
        (lambda: ops.image.ssim(IMAGES, IMAGES), "smaller than filter_size"),
        (lambda: ops.image.ssim(IMAGES, LARGE), "one shape"),
        (lambda: ops.image.extract_patches(IMAGES, (1, 2, 3, 4)), "three integers"),
        (lambda: ops.image.extract_patches(IMAGES[0, 0], 3), "3 axes, or 4"),
        (lambda: ops.image.scale_and_translate(IMAGES, IMAGES.shape, [1.0], [0.0], [1], "x"), "method"),
        (lambda: ops.image.crop_images(IMAGES, 1, 2, target_height=30, target_width=3), "negative"),
        (lambda: ops.image.sobel_edges(IMAGES[0]), "4 axes"),
    ],
)
def test_errors_are_clear(call, words):
    with pytest.raises(ValueError, match=words):
        call()
