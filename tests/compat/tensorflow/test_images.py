"""``tf.image``, compared with what TensorFlow gave."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.compat.tensorflow import image_cases
from tests.compat.tensorflow.own_tensorflow import OwnTensorflow

from cornu.compat.tensorflow import images
from cornu.data.dataset import Dataset

ANSWERS = json.loads((Path(__file__).parent / "image_cases.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found():
    return {one["call"]: one for one in image_cases.results(OwnTensorflow(image=images))}


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer["call"])
def test_equal_to_tensorflow(found, answer):
    own = found[answer["call"]]
    assert (own["shape"], own["dtype"]) == (answer["shape"], answer["dtype"])
    whole = answer["dtype"].startswith("uint")
    np.testing.assert_allclose(own["value"], answer["value"], rtol=1e-4, atol=1.01 if whole else 2e-5)
    if whole:  # roundings at most
        assert np.mean(np.asarray(own["value"]) != answer["value"]) < 0.05


PICTURE = np.random.default_rng(0).random((6, 5, 3)).astype("float32")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (images.random_flip_left_right, lambda x: [x, x[:, ::-1]]),
        (images.random_flip_up_down, lambda x: [x, x[::-1]]),
    ],
)
def test_half_of_all_pictures_are_flipped(change, expected):
    rows = Dataset.from_tensor_slices(np.broadcast_to(PICTURE, (200, *PICTURE.shape)).copy()).map(change)
    found = np.stack([np.asarray(one) for one in rows])
    kinds = [np.all(found == one, axis=(1, 2, 3)) for one in expected(PICTURE)]
    assert np.all(kinds[0] ^ kinds[1])
    assert 60 < kinds[1].sum() < 140


@pytest.mark.parametrize(
    ("change", "low", "high"),
    [
        (lambda x: images.random_brightness(x, 0.2) - x, -0.2, 0.2),
        (lambda x: images.random_contrast(x, 0.5, 1.5), -0.3, 1.3),
        (lambda x: images.random_saturation(x, 0.5, 1.5), 0, 1),
        (lambda x: images.random_hue(x, 0.1), 0, 1),
    ],
)
def test_random_changes_differ_within_their_limits(change, low, high):
    rows = Dataset.from_tensor_slices(np.broadcast_to(PICTURE, (50, *PICTURE.shape)).copy()).map(change)
    found = np.stack([np.asarray(one) for one in rows])
    assert len({one.tobytes() for one in found}) == 50
    assert low - 1e-6 <= found.min()
    assert found.max() <= high + 1e-6


def test_crops_are_parts_at_all_places():
    picture = np.arange(20).reshape(4, 5, 1)
    rows = Dataset.from_tensor_slices(np.broadcast_to(picture, (200, 4, 5, 1)).copy())
    corners = {int(np.asarray(one)[0, 0, 0]) for one in rows.map(lambda x: images.random_crop(x, (3, 3, 1)))}
    assert corners == {0, 1, 2, 5, 6, 7}
    with pytest.raises(ValueError, match="is not inside an array of shape"):
        images.random_crop(picture, (5, 5, 1))


def test_a_seed_repeats_stateless_functions():
    first, second = (images.stateless_random_brightness(PICTURE, 0.3, seed=(1, 2)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - images.stateless_random_brightness(PICTURE, 0.3, seed=(1, 3))).max() > 0


def test_seeds_may_be_elements_of_data_sets():
    count = Dataset.counter()
    rows = Dataset.from_tensor_slices(np.broadcast_to(PICTURE, (5, *PICTURE.shape)).copy())

    def change(picture, seed):
        picture = images.stateless_random_brightness(picture, max_delta=0.5, seed=seed)
        picture = images.stateless_random_flip_left_right(picture, seed)
        return images.stateless_random_crop(picture, size=[2, 2, 3], seed=seed)

    changed = Dataset.zip((rows, (count, count))).map(change)
    first, second = (np.stack([np.asarray(one) for one in changed]) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert len({one.tobytes() for one in first}) == 5
    with pytest.raises(TypeError, match="stateless_random_hue needs a seed of two numbers"):
        images.stateless_random_hue(PICTURE, 0.1)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="are not inside a picture of 6 rows and 5 columns"):
        images.crop_to_bounding_box(PICTURE, 4, 0, 3, 3)
    with pytest.raises(ValueError, match="does not fit into 6 x 5"):
        images.pad_to_bounding_box(PICTURE, 1, 0, 6, 5)
    with pytest.raises(ValueError, match="central_fraction must be above 0"):
        images.central_crop(PICTURE, 1.5)
    with pytest.raises(ValueError, match=r"method must be one of bilinear, nearest, .*; got 'cubic'"):
        images.resize(PICTURE, (3, 3), method="cubic")
