"""Pictures with boxes and masks drawn on them, and galleries of pictures."""

from cornu.core.public import offer
from cornu.visualization.drawing import draw_bounding_boxes, draw_segmentation_masks
from cornu.visualization.galleries import (
    plot_bounding_box_gallery,
    plot_image_gallery,
    plot_segmentation_mask_gallery,
)

__all__ = [
    "draw_bounding_boxes",
    "draw_segmentation_masks",
    "plot_bounding_box_gallery",
    "plot_image_gallery",
    "plot_segmentation_mask_gallery",
]
offer(globals())
