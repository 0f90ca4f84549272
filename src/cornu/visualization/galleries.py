"""Galleries of pictures, drawn by matplotlib (the extra ``plot``), which is imported when it is used."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cornu.visualization.drawing import draw_bounding_boxes, draw_segmentation_masks, with_channels_last


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: Mapping[int, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: tuple[float, float] = (0, 255),
    scale: float = 2,
    path: Any = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: int = 60,
    legend_handles: Any = None,
    data_format: str | None = None,
) -> None:
    """Show pictures in rows and columns, with their labels and predictions above them.

    Args:
        images: ``(batch, height, width, channels)``.
        y_true, y_pred: Class numbers, ``(batch,)``.
        label_map: Class number -> name; needed for labels and predictions.
        rows, cols: How many there are; None makes a square. Pictures beyond them are left out.
        value_range: The values of black and white.
        scale: Inches for each picture.
        path: File to write instead of showing the gallery.
        show: Whether to show it; by default, if there is no `path`. False leaves it to the caller's matplotlib.
        transparent: Whether the file's background is transparent.
        dpi: Pixels per inch of the file.
        legend_handles: Entries of a legend, of matplotlib.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Raises:
        ValueError: `path` and `show` are given together, names are missing, or the pictures are no batch.
        ModuleNotFoundError: matplotlib is not installed.

    Follows https://keras.io/api/visualization/

    >>> import tempfile, os
    >>> file = os.path.join(tempfile.mkdtemp(), "gallery.png")
    >>> plot_image_gallery(np.zeros((4, 8, 8, 3)), path=file)
    >>> os.path.getsize(file) > 0
    True
    """
    pyplot = _pyplot()
    if path is not None and show:
        raise ValueError("plot_image_gallery takes a path or show=True, not both.")
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise ValueError("y_true and y_pred need label_map, a dictionary from class numbers to names.")
    pictures = with_channels_last(images, data_format)
    rows = rows or math.ceil(math.sqrt(len(pictures)))
    cols = cols or math.ceil(len(pictures) / rows)
    low, high = value_range
    pixels = np.clip((pictures.astype(np.float32) - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    size = {"figsize": (cols * scale, rows * scale), "frameon": False, "layout": "tight"}
    figure, axes = pyplot.subplots(rows, cols, squeeze=False, sharex="row", sharey="col", **size)
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    for number, axis in enumerate(axes.ravel()):
        axis.axis("off")
        if number < len(pixels):
            axis.imshow(pixels[number].squeeze(), cmap="gray", vmin=0, vmax=255)
            axis.set_title(_title(number, y_true, y_pred, label_map or {}), fontsize=8)
    if path is not None:
        figure.savefig(path, pad_inches=0, bbox_inches="tight", transparent=transparent, dpi=dpi)
        pyplot.close(figure)
    elif show is not False:
        pyplot.show()
        pyplot.close(figure)


def _pyplot() -> Any:
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError:
        raise ModuleNotFoundError("Galleries need matplotlib: pip install 'cornu[plot]'", name="matplotlib") from None
    return pyplot


def _title(number: int, y_true: Any, y_pred: Any, names: Mapping[int, str]) -> str:
    given = [("Label", y_true), ("Pred", y_pred)]
    known = [(word, np.asarray(classes)) for word, classes in given if classes is not None]
    return "  ".join(
        f"{word}: {names.get(int(classes[number]), 'Unknown')}" for word, classes in known if number < len(classes)
    )


def plot_bounding_box_gallery(
    images: Any,
    bounding_box_format: str,
    y_true: Any = None,
    y_pred: Any = None,
    value_range: tuple[float, float] = (0, 255),
    true_color: Sequence[int] = (0, 188, 212),
    pred_color: Sequence[int] = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: Mapping[int, str] | None = None,
    ground_truth_mapping: Mapping[int, str] | None = None,
    prediction_mapping: Mapping[int, str] | None = None,
    legend: bool = False,
    legend_handles: Any = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Show pictures with the boxes that are true and those that are predicted.

    Args:
        images: ``(batch, height, width, channels)``.
        bounding_box_format, y_true, y_pred, line_thickness, text_thickness, font_scale: As for `draw_bounding_boxes`.
        value_range: The values of black and white.
        true_color, pred_color: Colors of the boxes, red, green and blue, 0 to 255.
        class_mapping: Class number -> name, for both unless they have names of their own.
        ground_truth_mapping, prediction_mapping: The same for one of them.
        legend: Whether to say which color is which.
        legend_handles: Entries of a legend instead, of matplotlib.
        rows, cols, **kwargs: As for `plot_image_gallery`.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Raises:
        ValueError: `legend` and `legend_handles` are given together, or the pictures or boxes do not fit.

    Follows https://keras.io/api/visualization/
    """
    _pyplot()
    from matplotlib.patches import Patch

    if legend and legend_handles:
        raise ValueError("plot_bounding_box_gallery takes legend or legend_handles, not both.")
    pictures = with_channels_last(images, data_format)
    drawn = (
        (y_true, true_color, ground_truth_mapping or class_mapping),
        (y_pred, pred_color, prediction_mapping or class_mapping),
    )
    for boxes, color, names in drawn:
        if boxes is not None:
            pictures = draw_bounding_boxes(
                pictures, boxes, bounding_box_format, names, color, line_thickness,
                text_thickness or line_thickness, font_scale, "channels_last",
            )  # fmt: skip
    if legend:
        colors: dict[str, Any] = {"Ground Truth": true_color, "Prediction": pred_color}
        parts: dict[str, Any] = {label: np.array(color) / 255 for label, color in colors.items()}
        legend_handles = [Patch(color=color, label=label) for label, color in parts.items()]
    plot_image_gallery(
        pictures, value_range=value_range, legend_handles=legend_handles, rows=rows, cols=cols,
        data_format="channels_last", **kwargs,
    )  # fmt: skip


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int,
    value_range: tuple[float, float] = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: Mapping[int, Sequence[int]] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Show a picture in each row, beside it with its true mask and with the predicted one.

    Args:
        images: ``(batch, height, width, channels)``.
        num_classes, color_mapping, blend, alpha, ignore_index: As for `draw_segmentation_masks`.
        value_range: The values of black and white.
        y_true, y_pred: Masks of class numbers.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: As for `plot_image_gallery`.

    Follows https://keras.io/api/visualization/
    """
    pictures = with_channels_last(images, data_format)
    shown = [pictures]
    for masks in (y_true, y_pred):
        if masks is not None:
            numbers = with_channels_last(masks, data_format) if np.ndim(masks) == 4 else np.asarray(masks)
            shown.append(
                draw_segmentation_masks(
                    pictures, numbers.astype("int32"), num_classes, color_mapping, alpha, blend, ignore_index,
                    "channels_last",
                )
            )  # fmt: skip
    gallery = np.stack(shown, 1).reshape(-1, *pictures.shape[1:])
    plot_image_gallery(
        gallery, value_range=value_range, rows=len(pictures), cols=len(shown), data_format="channels_last", **kwargs
    )


__all__ = ["plot_bounding_box_gallery", "plot_image_gallery", "plot_segmentation_mask_gallery"]
