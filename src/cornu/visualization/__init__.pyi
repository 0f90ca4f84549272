# Written by scripts/stubs; a test compares.

from cornu.visualization.drawing import draw_bounding_boxes as draw_bounding_boxes
from cornu.visualization.drawing import draw_segmentation_masks as draw_segmentation_masks
from cornu.visualization.galleries import plot_bounding_box_gallery as plot_bounding_box_gallery
from cornu.visualization.galleries import plot_image_gallery as plot_image_gallery
from cornu.visualization.galleries import plot_segmentation_mask_gallery as plot_segmentation_mask_gallery
