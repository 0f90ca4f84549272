"""Boxes and masks on pictures, compared with real Keras."""

from pathlib import Path

import numpy as np
import pytest
from tests.visualization import opencv_cases

from cornu import visualization

ANSWERS = np.load(Path(__file__).parent / "opencv_cases.npz")


@pytest.fixture(scope="module")
def found():
    return dict(opencv_cases.drawn(visualization.draw_bounding_boxes))


@pytest.mark.parametrize("name", ANSWERS.files)
def test_boxes_are_those_of_keras_with_opencv(found, name):
    np.testing.assert_array_equal(found[name], ANSWERS[name])


def test_names_are_written_above_or_inside(tmp_path):
    pytest.importorskip("PIL")
    boxes = {"boxes": np.array([[[10, 60, 90, 90], [10, 2, 90, 40]]]), "labels": np.array([[0, 7]])}
    plain = visualization.draw_bounding_boxes(np.zeros((1, 100, 120, 3)), boxes, "xyxy", {}, (9, 99, 199))
    for classes, changed, same in (({0: "cat"}, (35, 52), (0, 30)), ({7: "dog"}, (4, 38), (60, 100))):
        drawn = visualization.draw_bounding_boxes(np.zeros((1, 100, 120, 3)), boxes, "xyxy", classes, (9, 99, 199))
        assert (drawn != plain)[0, slice(*changed)].any()
        np.testing.assert_array_equal(drawn[0, slice(*same)], plain[0, slice(*same)])
    sure = boxes | {"confidences": np.array([[0.5, 0.9]])}
    more = visualization.draw_bounding_boxes(np.zeros((1, 100, 120, 3)), sure, "xyxy", {0: "cat"}, (9, 99, 199))
    less = visualization.draw_bounding_boxes(np.zeros((1, 100, 120, 3)), boxes, "xyxy", {0: "cat"}, (9, 99, 199))
    assert (more > 0).sum() > (less > 0).sum()
    grey = visualization.draw_bounding_boxes(np.zeros((1, 100, 120, 1)), boxes, "xyxy", {0: "cat"}, (200,))
    assert grey.shape == (1, 100, 120, 1)
    first = visualization.draw_bounding_boxes(np.zeros((1, 3, 100, 120)), boxes, "xyxy", data_format="channels_first")
    assert first.shape == (1, 3, 100, 120)


@pytest.mark.parametrize(
    "options",
    [
        {"num_classes": 3},
        {},
        {"num_classes": 3, "alpha": 0.3, "ignore_index": 0},
        {"num_classes": 3, "blend": False},
        {"num_classes": 2, "color_mapping": {0: (1, 2, 3), 1: (250, 9, 30)}},
    ],
    ids=str,
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_masks_are_those_of_keras(real_keras, options, data_format):
    random = np.random.default_rng(0)
    pictures, masks = random.integers(0, 256, (2, 6, 5, 3)), random.integers(0, 4, (2, 6, 5, 1))
    if data_format == "channels_first":
        pictures, masks = np.moveaxis(pictures, -1, 1), np.moveaxis(masks, -1, 1)
    own = visualization.draw_segmentation_masks(pictures, masks, data_format=data_format, **options)
    expected = real_keras.visualization.draw_segmentation_masks(pictures, masks, data_format=data_format, **options)
    np.testing.assert_array_equal(own, np.asarray(expected))
    flat = masks[:, 0] if data_format == "channels_first" else masks[..., 0]
    again = visualization.draw_segmentation_masks(pictures, flat, data_format=data_format, **options)
    np.testing.assert_array_equal(again, own)


def test_what_does_not_fit_is_refused():
    picture = np.zeros((1, 4, 4, 3))
    with pytest.raises(ValueError, match=r"batch with 4 axes; got shape \(4, 4, 3\)"):
        visualization.draw_bounding_boxes(picture[0], {}, "xyxy")
    with pytest.raises(TypeError, match="must be a dictionary; got list"):
        visualization.draw_bounding_boxes(picture, [], "xyxy")
    with pytest.raises(ValueError, match="needs 'boxes' and 'labels'"):
        visualization.draw_bounding_boxes(picture, {"boxes": np.zeros((1, 1, 4))}, "xyxy")
    with pytest.raises(TypeError, match="must be integers; got float64"):
        visualization.draw_segmentation_masks(picture, np.zeros((1, 4, 4)))
    with pytest.raises(ValueError, match=r"no color for the classes \[1\]"):
        visualization.draw_segmentation_masks(picture, np.zeros((1, 4, 4), int), 2, {0: (1, 1, 1)})
