"""Formats, clipping, moving, overlap and encoding of bounding boxes against real Keras."""

import numpy as np
import pytest

from cornu import utils
from cornu.ops import bounding_boxes

RANDOM = np.random.default_rng(0)
CORNERS = np.sort(RANDOM.uniform(0, 20, (2, 3, 2, 2)), axis=2).reshape(2, 3, 4).astype("float32")
OTHERS = np.sort(RANDOM.uniform(0, 20, (2, 3, 2, 2)), axis=2).reshape(2, 3, 4).astype("float32")
SIZE = {"height": 16, "width": 24}
ANGLES = np.array([10.0, -40.0], "float32")
ZERO, ONE = np.zeros(2, "float32"), np.ones(2, "float32")


@pytest.fixture(scope="module")
def theirs(real_keras):
    return real_keras.utils.bounding_boxes


@pytest.mark.parametrize("source", bounding_boxes.FORMATS)
def test_formats(theirs, source):
    for target in bounding_boxes.FORMATS:
        expected = theirs.convert_format(CORNERS, source, target, **SIZE)
        np.testing.assert_allclose(
            utils.bounding_boxes.convert_format(CORNERS, source, target, **SIZE), expected, rtol=1e-5, atol=1e-4
        )


def test_every_function_equals_keras(theirs):
    calls = {
        "clip_to_image_size": ({"boxes": CORNERS - 5, "labels": np.ones((2, 3), "int32")}, 8, 9),
        "crop": (CORNERS, 3, 2, 8, 9),
        "pad": (CORNERS, 3, 2),
        "affine_transform": (CORNERS, ANGLES, 0.1 * ONE, ZERO, 1.5 * ONE, 5 * ONE, -3 * ONE, 16, 24),
        "compute_iou": (CORNERS, OTHERS, "xyxy"),
        "compute_ciou": (CORNERS, OTHERS, "xyxy"),
        "encode_box_to_deltas": (CORNERS, OTHERS, "xyxy", "xyxy", "center_xywh", [0.1, 0.1, 0.2, 0.2]),
        "decode_deltas_to_boxes": (CORNERS, 0.1 * OTHERS, "xyxy", "xywh", "center_yxhw", [0.1, 0.1, 0.2, 0.2]),
    }
    for name, arguments in calls.items():
        found, expected = (getattr(module, name)(*arguments) for module in (utils.bounding_boxes, theirs))
        for key in found if isinstance(found, dict) else [...]:
            np.testing.assert_allclose(found[key], expected[key], rtol=1e-4, atol=1e-4, err_msg=name)
    masked = np.array(CORNERS)
    masked[0, 0] = -1
    np.testing.assert_allclose(
        utils.bounding_boxes.compute_iou(masked, OTHERS, "xyxy", use_masking=True),
        theirs.compute_iou(masked, OTHERS, "xyxy", use_masking=True),
        atol=1e-5,
    )
    assert {name for name in dir(theirs) if name[0] != "_"} <= set(dir(utils.bounding_boxes))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bounding_boxes.convert_format(CORNERS, "xyxy", "xyhw"), "Did you mean"),
        (lambda: bounding_boxes.convert_format(CORNERS, "xyxy", "rel_xyxy"), "`height` and `width`"),
        (lambda: bounding_boxes.convert_format(CORNERS[..., :3], "xyxy", "xywh"), "4 numbers"),
        (lambda: bounding_boxes.clip_to_image_size({"boxes": CORNERS}), "needs `height` and `width`"),
        (lambda: bounding_boxes.crop(CORNERS, 1, 1, 2, 2, "xywh"), 'format "xyxy"'),
        (
            lambda: utils.bounding_boxes.encode_box_to_deltas(CORNERS, CORNERS, "xyxy", "xyxy", variance=[1]),
            "4 numbers",
        ),
        (lambda: utils.bounding_boxes.compute_iou(CORNERS[0, 0], OTHERS, "xyxy"), "2 or 3 axes"),
    ],
)
def test_errors_are_clear(call, words):
    with pytest.raises(ValueError, match=words):
        call()
