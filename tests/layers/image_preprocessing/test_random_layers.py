"""Random layers on arrays and in models: what is drawn, for whom, when; dictionaries, dtypes, files and errors."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import cornu
from cornu import layers, models

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.uniform(0, 255, (64, 6, 8, 3)).astype("float32")
QUICKLY = {"xla_backend_optimization_level": 0}


def drawn(layer, name, rows=4000, **options):
    return np.asarray(layer.get_random_transformation(np.zeros((rows, 2, 2, 3), "float32"), **options)[name])


@pytest.mark.parametrize(
    ("layer", "name", "low", "high"),
    [
        (layers.RandomRotation((-0.25, 0.5), seed=1), "angle", -90, 180),
        (layers.RandomContrast((0.4, 0.2), seed=1), "contrast_factor", 0.8, 1.4),
        (layers.Solarization(0.2, (0.5, 1), seed=1), "thresholds", 0.5, 255),
        (layers.RandomSharpness(0.6, seed=1), "factor", 0, 0.6),
    ],
    ids=lambda one: getattr(one, "name", one),
)
def test_what_is_drawn_is_uniform(layer, name, low, high):
    values = drawn(layer, name)
    assert low <= values.min() < low + 0.01 * (high - low)
    assert high - 0.01 * (high - low) < values.max() <= high
    counts, _ = np.histogram(values, 8, (low, high))
    assert abs(counts - len(values) / 8).max() < 110  # five standard deviations


@pytest.mark.parametrize(
    ("layer", "name", "share"),
    [
        (layers.RandomFlip(seed=1), "flips", 0.5),
        (layers.RandomInvert((0.2, 0.2), seed=1), "apply_inversion", 0.2),
        (layers.RandomErasing((0, 1), seed=1), "apply_erasing", 0.5),
    ],
    ids=lambda one: getattr(one, "name", one),
)
def test_what_happens_has_its_probability(layer, name, share):
    assert abs(drawn(layer, name).mean() - share) < 0.04


def test_bits_are_drawn_from_the_first_up_to_the_second():
    assert sorted(set(8 - drawn(layers.RandomPosterization((2, 5), seed=1), "shift_factor"))) == [2, 3, 4]
    assert set(8 - drawn(layers.RandomPosterization((3, 3)), "shift_factor")) == {3}


def test_seeds_and_images():
    first, second = (layers.RandomFlip("horizontal", seed=5) for _ in range(2))
    once = np.asarray(first(IMAGES))
    np.testing.assert_array_equal(once, second(IMAGES))
    assert (once != np.asarray(first(IMAGES))).any()
    flipped = [not np.array_equal(one, image) for one, image in zip(once, IMAGES, strict=True)]
    assert 10 < sum(flipped) < 54
    np.testing.assert_array_equal(once[flipped], IMAGES[flipped][:, :, ::-1])
    np.testing.assert_array_equal(first(IMAGES, training=False), IMAGES)


def test_a_layer_whose_attributes_change():
    layer = layers.RandomBrightness((0.2, 0.2))
    assert layer(np.zeros((1, 1, 1, 3))).max() == 51
    layer.factor = (0.4, 0.4)
    assert layer(np.zeros((1, 1, 1, 3))).max() == 102


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float64"])
def test_dtypes_become_the_compute_dtype(dtype):
    pixels = IMAGES[:2].astype(dtype)
    assert layers.RandomRotation(0.1)(pixels).dtype == "float32"
    assert layers.RandomBrightness((-1.0, -1.0))(pixels).max() == 0
    assert layers.RandomFlip(dtype="mixed_bfloat16")(pixels).dtype == "bfloat16"
    kept = layers.Resizing(3, 3)(pixels).dtype
    assert kept == ("uint8" if dtype == "uint8" else "float32")


def boxes_of(rows):
    return {
        "boxes": np.tile(np.array([[[1.0, 2, 4, 5]]], "float32"), (rows, 1, 1)),
        "labels": np.ones((rows, 1), "int32"),
    }


def test_labels_masks_and_boxes_move_with_their_images():
    """A mask that is the image stays the image; a box around what is seen stays around it."""
    images = np.zeros((32, 9, 9, 3), "float32")
    images[:, 2:5, 1:4] = 1
    data = {
        "images": images,
        "segmentation_masks": images,
        "labels": np.eye(32),
        "bounding_boxes": boxes_of(32),
        "id": "a",
    }
    result = layers.RandomFlip(seed=1, bounding_box_format="xyxy")(data)
    np.testing.assert_array_equal(result["images"], result["segmentation_masks"])
    np.testing.assert_array_equal(result["labels"], np.eye(32))
    assert result["id"] == "a"
    for image, (left, top, right, bottom) in zip(
        result["images"], result["bounding_boxes"]["boxes"][:, 0], strict=True
    ):
        rows, columns, _ = np.nonzero(np.asarray(image))
        assert [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] == pytest.approx(
            [float(left), float(top), float(right), float(bottom)], abs=1e-5
        )
    assert data["images"] is images


def test_one_image_with_all_that_belongs_to_it():
    data = {
        "images": IMAGES[0],
        "labels": np.eye(3)[0],
        "segmentation_masks": np.ones((6, 8, 1)),
        "bounding_boxes": {"boxes": [[1, 2, 4, 5], [0, 0, 8, 6]], "labels": [1, 2]},
    }
    result = layers.Resizing(12, 16, bounding_box_format="xyxy")(data)
    assert result["images"].shape == (12, 16, 3)
    assert result["segmentation_masks"].shape == (12, 16, 1)
    np.testing.assert_allclose(result["bounding_boxes"]["boxes"], [[2, 4, 8, 10], [0, 0, 16, 12]], atol=1e-5)
    assert result["labels"].shape == (3,)


def test_lists_of_boxes_are_padded():
    boxes = {"boxes": [[[0, 0, 2, 2]], [[1, 1, 3, 3], [0, 0, 4, 4]], []], "labels": [[1], [2, 3], []]}
    data = {"images": IMAGES[:3], "bounding_boxes": boxes}
    result = layers.MaxNumBoundingBoxes(2, bounding_box_format="xyxy")(data)["bounding_boxes"]
    assert result["labels"].tolist() == [[1, -1], [2, 3], [-1, -1]]
    assert result["boxes"].shape == (3, 2, 4)


def test_elastic_distortion_moves_masks_with_images():
    images = np.tile(np.arange(16.0, dtype="float32")[:, None, None], (2, 1, 16, 3))
    layer = layers.RandomElasticTransform(interpolation="nearest", seed=1)
    result = layer({"images": images, "segmentation_masks": images})
    np.testing.assert_array_equal(result["images"], result["segmentation_masks"])
    assert np.abs(result["images"] - images).max() >= 1


def test_random_crops_are_parts_and_their_boxes_move_with_them():
    images = np.arange(10 * 12, dtype="float32").reshape(1, 10, 12, 1)
    layer = layers.RandomCrop(4, 5, seed=2, bounding_box_format="xyxy")
    tops = set()
    for _ in range(12):
        result = layer({"images": images, "bounding_boxes": {"boxes": [[[0, 0, 12, 10]]], "labels": [[1]]}})
        top, left = divmod(int(result["images"][0, 0, 0, 0]), 12)
        tops.add(top)
        np.testing.assert_array_equal(result["images"], images[:, top : top + 4, left : left + 5])
        assert result["bounding_boxes"]["boxes"].tolist() == [[[0, 0, 5, 4]]]
    assert len(tops) > 2
    assert layer(images, training=False).shape == (1, 4, 5, 1)


def test_rand_augment_is_one_of_its_layers():
    layer, images = layers.RandAugment(num_ops=1, factor=0.4, seed=1), IMAGES[:2]
    transforms = layer.get_random_transformation(images)["transforms"]
    shapes = {name: one.pop("input_shape") for name, one in transforms.items() if one and "input_shape" in one}

    @functools.partial(jax.jit, compiler_options=QUICKLY)
    def augmented(number):
        return layer.transform_images(images, {"layer_idxes": number[None], "transforms": transforms})

    assert shapes
    for number, name in enumerate(layer.names):
        expected = getattr(layer, name).transform_images(images, transforms[name])
        np.testing.assert_allclose(augmented(jnp.array(number)), expected, rtol=1e-4, atol=2e-2, err_msg=name)


def test_aug_mix_is_the_mean_of_its_chains():
    layer, images = layers.AugMix(num_chains=2, chain_depth=1, all_ops=False, seed=3), IMAGES[:2]
    drawn = layer.get_random_transformation(images)
    total = 0
    for weight, (chosen,), (key,) in zip(
        drawn["chain_mixing_weights"], drawn["layer_idxes"], drawn["keys"], strict=True
    ):
        changed = images
        if int(chosen) < len(layer.names):
            name = layer.names[int(chosen)]
            changed = getattr(layer, name).transform_images(images, layer._drawn(images, key)[name])
        total = total + weight * changed
    share = drawn["weight_sample"]
    expected = np.clip(share * images + (1 - share) * total, 0, 255)
    result = jax.jit(lambda drawn: layer.transform_images(images, drawn), compiler_options=QUICKLY)(drawn)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-2)


def test_mixing_keeps_what_there_is():
    data = {"images": IMAGES[:8], "labels": np.eye(8, dtype="float32")}
    for layer in (layers.MixUp(0.5, seed=1), layers.CutMix(seed=1)):
        result = layer(data)
        np.testing.assert_allclose(result["labels"].sum(1), np.ones(8), rtol=1e-5)
        mixed = np.einsum("ij,jhwc->ihwc", np.asarray(result["labels"]), IMAGES[:8])
        if isinstance(layer, layers.MixUp):
            np.testing.assert_allclose(result["images"], mixed, rtol=1e-4, atol=1e-2)
        else:  # each pixel is that of one of two images
            found = (np.asarray(result["images"])[:, None] == IMAGES[None, :8]).all(-1)
            assert found.any(1).all()
        assert not type(layer).keeps_rows_apart


def test_random_heights_change_arrays_and_keep_the_shapes_of_steps():
    layer = layers.RandomHeight((0.5, 1.0), seed=1)
    heights = {layer(IMAGES[:1]).shape[1] for _ in range(8)}
    assert heights <= set(range(9, 13))
    assert len(heights) > 1
    traced = jax.eval_shape(
        lambda x: layer.stateless_call([], [v.value for v in layer.non_trainable_variables], x)[0], IMAGES
    )
    assert traced.shape == IMAGES.shape


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: layers.RandomFlip("sideways"), "mode of RandomFlip"),
        (lambda: layers.RandomRotation(2.0), "`factor` must be a number from -1 to 1"),
        (lambda: layers.RandomRotation(0.1, fill_mode="reflekt"), "Did you mean 'reflect'"),
        (lambda: layers.RandomRotation(0.1, interpolation="bicubic"), "interpolation"),
        (lambda: layers.RandomZoom(-1.0), "above -1"),
        (lambda: layers.RandomTranslation(0.1, "a"), "`width_factor`"),
        (lambda: layers.RandomShear(-0.2), "`x_factor` must be a number from 0 to 1"),
        (lambda: layers.RandomBrightness(0.1, value_range=3), "`value_range` must be two numbers"),
        (lambda: layers.RandomGaussianBlur(kernel_size=4), "one odd number"),
        (lambda: layers.RandomErasing(fill_value=(1, 2)), "three numbers"),
        (lambda: layers.RandomPosterization(9), "from 1 to 8"),
        (lambda: layers.Resizing(0, 4), "`height` must be an integer"),
        (lambda: layers.Resizing(4, 4, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), "only one"),
        (lambda: layers.MixUp(0), "`alpha` must be above 0"),
        (lambda: layers.Pipeline([3]), "list of layers"),
        (lambda: layers.RandomFlip()(IMAGES[0, 0]), r"3 axes \(one image\) or 4"),
        (lambda: layers.RandomFlip()({"labels": IMAGES}), "needs the key 'images'"),
        (lambda: layers.RandomFlip()({"images": IMAGES, "bounding_boxes": boxes_of(64)}), 'bounding_box_format="xyxy"'),
        (
            lambda: layers.RandomFlip(bounding_box_format="xyxy")({"images": IMAGES, "bounding_boxes": {}}),
            "'boxes' and",
        ),
        (lambda: layers.RandomHue(0.1)(IMAGES[..., :2]), "3 channels"),
    ],
)
def test_errors_are_clear(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ---- in models, as tutorials of their years have them


def augmented_model():
    augmentation = cornu.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)], name="augmentation")
    inputs = cornu.Input((6, 8, 3))
    x = layers.Rescaling(1 / 255)(augmentation(inputs))
    return cornu.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))


def test_a_model_that_augments_trains_predicts_and_survives_a_file(tmp_path):
    model = augmented_model()
    model.compile("adam", cornu.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(IMAGES, RANDOM.integers(0, 2, 64), epochs=2, batch_size=16, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    outputs = model.predict(IMAGES, verbose=0)
    assert np.abs(np.asarray(model(IMAGES)) - outputs).max() > 1e-3  # without `training`, layers augment as in Keras 3
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(IMAGES, verbose=0), outputs, rtol=1e-5, atol=1e-5)


def test_each_step_and_each_image_is_augmented_anew():
    seen = []

    class Watching(cornu.Model):
        def __init__(self):
            super().__init__()
            self.flip = layers.RandomFlip("horizontal", seed=1)

        def call(self, x, training=None):
            return self.flip(x, training=training)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return (y_pred * y).sum()

    watching = Watching()
    watching.compile("sgd")
    signs = np.where(np.arange(8) < 4, 1.0, -1.0)[None, None, :, None] * np.ones((1, 6, 8, 3))
    signs = signs.astype("float32")
    for _ in range(12):
        seen.append(np.sign(float(watching.train_on_batch(signs, signs))))
    assert set(seen) == {1.0, -1.0}


def test_mixup_in_a_pipeline_of_batches_and_in_fit():
    mixup = layers.MixUp(alpha=0.4, seed=1)
    labels = np.eye(2, dtype="float32")[RANDOM.integers(0, 2, 64)]

    def batches():
        for start in range(0, 64, 16):
            mixed = mixup({"images": IMAGES[start : start + 16], "labels": labels[start : start + 16]})
            yield mixed["images"], mixed["labels"]

    model = cornu.Sequential([cornu.Input((6, 8, 3)), layers.Flatten(), layers.Dense(2, activation="softmax")])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    assert np.isfinite(model.fit(batches(), verbose=0).history["loss"]).all()

    class Mixing(cornu.Model):
        def __init__(self):
            super().__init__()
            self.mixup, self.classifier = layers.MixUp(0.4), model

        def call(self, x):
            return self.classifier(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            if training:
                mixed = self.mixup({"images": x, "labels": y}, training=True)
                y, y_pred = mixed["labels"], self.classifier(mixed["images"], training=True)
            return super().compute_loss(x, y, y_pred, sample_weight)

    mixing = Mixing()
    mixing.compile("adam", "categorical_crossentropy")
    assert np.isfinite(mixing.fit(IMAGES, labels, batch_size=16, verbose=0).history["loss"]).all()


def test_symbolic_dictionaries():
    inputs = {"images": cornu.Input((6, 8, 3)), "labels": cornu.Input((2,))}
    outputs = layers.MixUp(seed=1)(inputs)
    assert {name: one.shape for name, one in outputs.items()} == {"images": (None, 6, 8, 3), "labels": (None, 2)}
    assert layers.RandomCrop(3, 4)(cornu.Input((None, None, 3))).shape == (None, 3, 4, 3)
