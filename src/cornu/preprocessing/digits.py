"""Handwritten digits in an image, located and centred as in MNIST."""

from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

SIDE, BOX = 28, 20  # pixels of an image of MNIST, and of the box into which its digit was fitted
MOST = 250  # digits in one picture
LARGEST = 1600  # pixels on a picture's longer side; more only costs time

#: Contrast below which a sheet is empty; levels of certain ink and of its edge (fractions of the darkest).
_EMPTY, _SURE, _REACH = 0.08, 0.5, 0.3
#: Thinnest stroke in pixels of the small image; MNIST's are two to four wide.
_THINNEST = 2.2
_ENOUGH = 120  # pixels that a digit is shrunk to before its strokes are measured


class Digits(NamedTuple):
    """Digits: `boxes` ``(n, 4)`` as left, top, right, bottom in pixels, and `images` ``(n, 28, 28)`` from 0 to 1."""

    boxes: np.ndarray
    images: np.ndarray


def digits_of(image: Any, separate: bool = True) -> Digits:
    """Find the digits in an image, and return each as an image like MNIST's.

    Each connected piece of ink is a digit; pieces directly above each other are one. The images are white on black: the
    digit is scaled to 20x20 pixels and its centre of mass moved to the middle of 28x28, as
    http://yann.lecun.com/exdb/mnist/ describes. Digits are in reading order.

    Args:
        image: ``(rows, columns)`` or ``(rows, columns, channels)`` of grey, RGB or RGBA values, integers from 0 to 255
            or floats from 0 to 1. Dark ink on light paper or the reverse; lighting may be uneven.
        separate: False takes all ink as one digit, as always for images of 28x28 pixels.

    Returns:
        A `Digits`, empty for an empty sheet.

    Raises:
        ValueError: The array is not an image.

    >>> sheet = np.full((60, 100), 255, "uint8")
    >>> sheet[10:50, 20:26] = sheet[10:50, 70:76] = 0
    >>> boxes, images = digits_of(sheet)
    >>> boxes.tolist(), images.shape
    ([[20, 10, 26, 50], [70, 10, 76, 50]], (2, 28, 28))
    """
    grey = _grey(image)
    step = -(-max(grey.shape) // LARGEST)
    height, width = grey.shape
    if step > 1:
        grey = _shrunk(grey, step)
    ink = _ink(grey)
    pieces, count = _pieces(ink)
    if not count:
        return Digits(np.zeros((0, 4), "int64"), np.zeros((0, SIDE, SIDE), "float32"))
    one = not separate or (height, width) == (SIDE, SIDE)
    groups = _groups(pieces, count)
    found = sorted_as_read([_joined(groups)] if one else groups)
    images = [_as_mnist(ink, pieces, piece) for piece in found]
    boxes = np.array([piece.box for piece in found]) * step
    return Digits(np.minimum(boxes, [width, height, width, height]), np.stack(images))


class _Piece(NamedTuple):
    """Ink that belongs together: its box (left, top, right, bottom) and the numbers of its connected components."""

    box: tuple[int, int, int, int]
    numbers: tuple[int, ...]


def _grey(image: Any) -> np.ndarray:
    """Return brightness from 0 to 1; transparent pixels count as paper."""
    image = np.asarray(image)
    if image.ndim not in (2, 3) or 0 in image.shape or (image.ndim == 3 and image.shape[2] not in (1, 2, 3, 4)):
        raise ValueError(
            f"An image must be an array (rows, columns) or (rows, columns, channels) with 1 to 4 channels; "
            f"got shape {image.shape}."
        )
    if image.dtype == bool:
        image = image.astype("float32")
    if np.issubdtype(image.dtype, np.integer):
        image = image / np.iinfo(image.dtype).max if image.dtype != np.int64 else image / 255
    image = np.nan_to_num(image.astype("float32"))
    if image.max() > 1:
        image = image / 255
    if image.ndim == 2:
        return image.clip(0, 1)
    channels = image.shape[2]
    colours = image[..., :3] if channels > 2 else image[..., :1]
    grey = colours @ np.array([0.299, 0.587, 0.114], "float32") if channels > 2 else colours[..., 0]
    if channels in (2, 4) and image[..., -1].min() < 1:
        alpha = image[..., -1]
        paper = 0.0 if grey[alpha > 0.5].mean() > 0.5 else 1.0  # for light strokes, transparent means black
        grey = grey * alpha + paper * (1 - alpha)
    return grey.clip(0, 1)


def _shrunk(grey: np.ndarray, step: int) -> np.ndarray:
    """Return the means of blocks of step x step pixels."""
    rows, columns = (-(-size // step) * step for size in grey.shape)
    padded = np.pad(grey, ((0, rows - grey.shape[0]), (0, columns - grey.shape[1])), mode="edge")
    return padded.reshape(rows // step, step, columns // step, step).mean((1, 3))


def _ink(grey: np.ndarray) -> np.ndarray:
    """Return how much darker each pixel is than the paper around it (lighter, for light ink), from 0 to 1."""
    low, middle, high = np.percentile(grey, [0.5, 50, 99.5])
    ink = 1 - grey if middle - low >= high - middle else grey
    ink = ndimage.gaussian_filter(ink, max(grey.shape) / LARGEST) if max(grey.shape) > 200 else ink
    # Strokes are narrower than a third of the image: what remains without them is the paper and its lighting.
    window = max(min(grey.shape) // 3, 3)
    step = max(min(grey.shape) // 150, 1)
    small = _shrunk(ink, step)
    paper = ndimage.grey_opening(small, size=max(window // step, 3), mode="nearest")
    paper = ndimage.uniform_filter(paper, max(window // step // 2, 1), mode="nearest")
    paper = paper.repeat(step, 0).repeat(step, 1)[: grey.shape[0], : grey.shape[1]]
    return (ink - paper).clip(0, 1)


def _pieces(ink: np.ndarray) -> tuple[np.ndarray, int]:
    """Number the connected components of ink, without specks and the edges of the sheet."""
    darkest = np.percentile(ink[ink >= ink.max() / 2], 80)
    if darkest < _EMPTY:
        return np.zeros(ink.shape, "int64"), 0
    numbers, count = ndimage.label(ink > _REACH * darkest, structure=np.ones((3, 3)))
    if not count:
        return numbers, 0
    sure = ndimage.maximum(ink, numbers, range(1, count + 1)) > _SURE * darkest
    boxes = ndimage.find_objects(numbers)
    heights = np.array([rows.stop - rows.start for rows, _ in boxes])
    widths = np.array([columns.stop - columns.start for _, columns in boxes])
    at_edge = np.array([_touches_edge(box, ink.shape) for box in boxes])
    inner = sure & ~at_edge
    kept = inner if (np.maximum(heights, widths)[inner] > 0.1 * min(ink.shape)).any() else sure
    sizes = np.maximum(heights, widths)
    kept = kept & (sizes >= 0.2 * sizes[kept].max(initial=0)) & (sizes >= 4)
    if kept.sum() > MOST:  # not an image of digits: keep the largest pieces
        kept &= sizes > np.sort(sizes[kept])[-MOST - 1]
    renumbered = np.concatenate([[0], np.cumsum(kept) * kept])
    return renumbered[numbers], int(kept.sum())


def _touches_edge(box: tuple[slice, slice], shape: tuple[int, ...]) -> bool:
    """Return whether a piece touches the edge of the image, as a shadow or the table under the sheet does."""
    rows, columns = box
    touching = [rows.start == 0, columns.start == 0, rows.stop == shape[0], columns.stop == shape[1]]
    return any(touching)


def _groups(pieces: np.ndarray, count: int) -> list[_Piece]:
    """Merge the pieces of one digit: those directly above each other, such as the bar of a 5."""
    found = [_Piece(_corners(box), (i + 1,)) for i, box in enumerate(ndimage.find_objects(pieces)[:count])]
    tallest = max(piece.box[3] - piece.box[1] for piece in found)
    groups: list[_Piece] = []
    for piece in found:
        while (other := next((one for one in groups if _are_one(one.box, piece.box, tallest)), None)) is not None:
            groups.remove(other)
            piece = _joined([other, piece])
        groups.append(piece)
    return groups


def _joined(pieces: list[_Piece]) -> _Piece:
    """Return several pieces as one, with the box around all of them."""
    left, top, right, bottom = zip(*(piece.box for piece in pieces), strict=True)
    numbers = tuple(number for piece in pieces for number in piece.numbers)
    return _Piece((min(left), min(top), max(right), max(bottom)), numbers)


def _corners(box: tuple[slice, slice]) -> tuple[int, int, int, int]:
    rows, columns = box
    return columns.start, rows.start, columns.stop, rows.stop


def _are_one(a: tuple[int, int, int, int], b: tuple[int, int, int, int], tallest: int) -> bool:
    across = min(a[2], b[2]) - max(a[0], b[0])
    gap = max(a[1], b[1]) - min(a[3], b[3])
    together = max(a[3], b[3]) - min(a[1], b[1])
    narrower = min(a[2] - a[0], b[2] - b[0])
    return across >= 0.4 * narrower and gap <= 0.15 * tallest and together <= 1.25 * tallest


def sorted_as_read(found: list[_Piece]) -> list[_Piece]:
    """Return pieces line by line, each line from left to right."""
    lines: list[list[_Piece]] = []
    for piece in sorted(found, key=lambda piece: piece.box[1] + piece.box[3]):
        middle = (piece.box[1] + piece.box[3]) / 2
        line = next((line for line in lines if any(p.box[1] <= middle < p.box[3] for p in line)), None)
        lines.append([piece]) if line is None else line.append(piece)
    return [piece for line in lines for piece in sorted(line, key=lambda piece: piece.box[0])]


def _as_mnist(ink: np.ndarray, pieces: np.ndarray, piece: _Piece) -> np.ndarray:
    """Return one digit scaled to 20x20 with its centre of mass in the middle of 28x28."""
    left, top, right, bottom = piece.box
    margin = 1 + max(right - left, bottom - top) // BOX
    window = tuple(slice(max(start - margin, 0), stop + margin) for start, stop in ((top, bottom), (left, right)))
    mask = ndimage.binary_dilation(np.isin(pieces[window], piece.numbers), iterations=margin)
    digit = np.where(mask, ink[window], 0)
    if (step := max(digit.shape) // _ENOUGH) > 1:
        digit, margin = _shrunk(digit, step), 2
    digit = _thick_enough(np.pad(digit / np.percentile(digit[digit >= digit.max() / 2], 60), margin).clip(0, 1))
    digit = _cropped(digit)
    scale = BOX / max(digit.shape)
    small = _resized(digit, max(round(digit.shape[0] * scale), 1), max(round(digit.shape[1] * scale), 1))
    small = (small / small.max()).clip(0, 1)
    result = np.zeros((SIDE * 2, SIDE * 2), "float32")
    rows, columns = (round(SIDE - mass) for mass in ndimage.center_of_mass(small))
    result[rows : rows + small.shape[0], columns : columns + small.shape[1]] = small
    half = SIDE // 2
    return result[half : half + SIDE, half : half + SIDE]


def _thick_enough(digit: np.ndarray) -> np.ndarray:
    """Thicken the strokes of a thin pen, which would be pale in the small image."""
    solid = digit > 0.5
    size = max(np.ptp(axis) + 1 for axis in np.nonzero(solid))
    wanted = _THINNEST * size / BOX
    width = 4 * ndimage.distance_transform_edt(solid)[solid].mean() - 1  # a strip's mean distance is a quarter of it
    more = round(wanted - width)
    if more < 1:
        return digit
    reach = np.hypot(*np.mgrid[-(more // 2) : (more + 1) // 2 + 1, -(more // 2) : (more + 1) // 2 + 1])
    return ndimage.grey_dilation(np.pad(digit, more), footprint=reach <= more / 2 + 0.5)


def _cropped(digit: np.ndarray) -> np.ndarray:
    rows, columns = (np.flatnonzero((digit > 0.25).any(axis)) for axis in (1, 0))
    return digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _resized(digit: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Resize an image; each pixel is the mean of the area that it covers."""
    return _areas(digit.shape[0], rows) @ digit @ _areas(digit.shape[1], columns).T


def _areas(old: int, new: int) -> np.ndarray:
    """Return the fraction of each new pixel that each old one covers: ``(new, old)``."""
    edges = np.linspace(0, old, new + 1)
    starts, stops = edges[:-1, None], edges[1:, None]
    pixels = np.arange(old)
    covered = np.minimum(stops, pixels + 1) - np.maximum(starts, pixels)
    return (covered.clip(0) / (stops - starts)).astype("float32")
