"""Pictures with boxes, drawn by real Keras: ``KERAS_BACKEND=jax python opencv_cases.py FILE`` with Keras and OpenCV.

`opencv_cases.npz` is what it wrote with Keras 3.15 and OpenCV 5.0.
"""

import sys

import numpy as np

BOXES = {
    "boxes": np.array(
        [[[6, 7, 13, 12], [0, 0, 4, 19], [10, 3, 40, 9]], [[2, 2, 5, 17], [8, 8, 8, 8], [1, 1, 1, 9]]], "float32"
    ),
    "labels": np.array([[0, 1, 2], [1, -1, 0]]),
}
PICTURES = np.random.default_rng(0).integers(0, 256, (2, 20, 22, 3)).astype("uint8")
OPTIONS = {
    "usual": {},
    "thin": {"line_thickness": 1, "color": (255, 0, 10)},
    "thick": {"line_thickness": 3},
    "thicker": {"line_thickness": 5},
    "filled": {"line_thickness": -1},
}


def drawn(draw):
    """Yield the name of each case and what it draws."""
    for name, options in OPTIONS.items():
        yield name, np.asarray(draw(PICTURES, dict(BOXES), "xyxy", **options))
    yield "floats", np.asarray(draw(PICTURES / np.float32(255), dict(BOXES), "xyxy"))
    relative = BOXES | {"boxes": BOXES["boxes"] / np.float32([22, 20, 22, 20])}
    yield "relative", np.asarray(draw(PICTURES, relative, "rel_xyxy"))


if __name__ == "__main__":
    from keras import visualization

    np.savez_compressed(sys.argv[1], **dict(drawn(visualization.draw_bounding_boxes)))
