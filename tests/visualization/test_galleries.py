"""Galleries of pictures."""

import numpy as np
import pytest

from cornu import visualization

pytest.importorskip("matplotlib")
import matplotlib

matplotlib.use("agg")
from matplotlib import image, pyplot

PICTURES = np.random.default_rng(0).random((5, 8, 9, 3)).astype("float32")


def written(path):
    return image.imread(path)


def test_pictures_stand_in_rows_and_columns(tmp_path):
    visualization.plot_image_gallery(
        PICTURES, y_true=[0, 1, 2, 0, 1], y_pred=[0, 0, 2, 1, 1], label_map={0: "a", 1: "b"}, value_range=(0, 1),
        path=tmp_path / "gallery.png",
    )  # fmt: skip
    found = written(tmp_path / "gallery.png")
    assert found.shape[2] == 4
    assert found[..., 3].max() > 0  # what is there is not transparent
    assert not pyplot.get_fignums()
    visualization.plot_image_gallery(PICTURES[..., :1], rows=1, cols=2, path=tmp_path / "row.png", transparent=False)
    height, width = written(tmp_path / "row.png").shape[:2]
    assert width > 1.5 * height


def test_a_gallery_may_be_left_to_the_caller():
    visualization.plot_image_gallery(
        PICTURES, y_true=[0, 9], label_map={0: "cat"}, rows=2, cols=3, value_range=(0, 1), show=False
    )
    axes = pyplot.gcf().axes
    titles = [axis.get_title() for axis in axes]
    assert (len(axes), titles[:3]) == (6, ["Label: cat", "Label: Unknown", ""])
    np.testing.assert_array_equal(axes[4].images[0].get_array(), (PICTURES[4] * 255).astype("uint8"))
    assert not axes[5].images
    pyplot.close("all")


def test_boxes_and_masks(tmp_path):
    boxes = {"boxes": np.array([[[1, 1, 5, 5]]] * 5), "labels": np.zeros((5, 1), int)}
    visualization.plot_bounding_box_gallery(
        PICTURES * 255, "xyxy", boxes, boxes, class_mapping={0: "cat"}, legend=True, show=False
    )
    (legend,) = pyplot.gcf().legends
    assert [text.get_text() for text in legend.get_texts()] == ["Ground Truth", "Prediction"]
    pyplot.close("all")
    masks = np.random.default_rng(1).integers(0, 3, (5, 8, 9, 1))
    visualization.plot_segmentation_mask_gallery(PICTURES * 255, 3, y_true=masks, y_pred=masks[..., 0], show=False)
    assert len(pyplot.gcf().axes) == 15
    pyplot.close("all")


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="a path or show=True"):
        visualization.plot_image_gallery(PICTURES, path="x.png", show=True)
    with pytest.raises(ValueError, match="need label_map"):
        visualization.plot_image_gallery(PICTURES, y_true=[1])
    with pytest.raises(ValueError, match="batch with 4 axes"):
        visualization.plot_image_gallery(PICTURES[0])
    with pytest.raises(ValueError, match="legend or legend_handles"):
        visualization.plot_bounding_box_gallery(PICTURES, "xyxy", legend=True, legend_handles=[1])
