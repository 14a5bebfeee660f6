"""From a decoded frame to what the network sees. Version "p1": a change here needs a new version and new models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PREPROCESSING = "p1"
INPUT_SIZE = 128
SHOWN_LEVEL = 20
SHOWN_SHARE = 0.04

Box = tuple[int, int, int, int]


def prepare(frame: NDArray[np.uint8], box: Box | None = None, *, size: int = INPUT_SIZE) -> NDArray[np.uint8]:
    """One frame as the network's input: grey, cropped to what its region shows, padded to a square, area-resized.

    `frame` is uint8 [H, W] or [H, W, 3]; `box` is (x0, y0, x1, y1) of the 2-D ultrasound region in pixels, the last
    two inclusive as in DICOM (PS3.3 C.8.5.5.1.2). A box that leaves no pixel is ignored. Returns uint8 [size, size].
    Raises ValueError for any other frame.
    """
    grey = grey_of(frame)  # [H, W]
    x0, y0, x1, y1 = shown_box(grey, box)
    square = _pad_to_square(grey[y0 : y1 + 1, x0 : x1 + 1])  # [L, L]
    shrink = Image.Resampling.BOX if square.shape[0] >= size else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(square).resize((size, size), shrink), dtype=np.uint8)  # [S, S]


def grey_of(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Luma (ITU-R BT.601) [H, W], in integers so that every machine rounds alike."""
    if frame.dtype != np.uint8 or frame.ndim not in (2, 3) or frame.size == 0:
        raise ValueError(f"a frame is uint8 [H, W] or [H, W, 3], not {frame.dtype} {list(frame.shape)}")
    if frame.ndim == 2:
        return frame
    if frame.shape[2] != 3:
        raise ValueError(f"a colour frame has 3 channels, not {frame.shape[2]}")
    wide = frame.astype(np.uint32)  # [H, W, 3]
    luma = (299 * wide[..., 0] + 587 * wide[..., 1] + 114 * wide[..., 2] + 500) // 1000  # [H, W]
    return luma.astype(np.uint8)


def shown_box(grey: NDArray[np.uint8], box: Box | None = None) -> Box:
    """The part of a grey frame [H, W] that `prepare` keeps, inclusive: where tissue shows within the region.

    A sector leaves half of its region black; cutting that off doubles the resolution of the head. Rows and columns
    belong to the picture from the first to the last in which a small share of the pixels is bright. A frame that
    shows next to nothing keeps its whole region.
    """
    x0, y0, x1, y1 = _region(grey, box)
    bright = grey[y0 : y1 + 1, x0 : x1 + 1] > SHOWN_LEVEL
    rows, columns = (np.flatnonzero(bright.mean(axis=axis) > SHOWN_SHARE) for axis in (1, 0))
    if min(np.ptp(rows) if rows.size else 0, np.ptp(columns) if columns.size else 0) < min(bright.shape) // 4:
        return x0, y0, x1, y1
    return x0 + int(columns[0]), y0 + int(rows[0]), x0 + int(columns[-1]), y0 + int(rows[-1])


def seen_square(grey: NDArray[np.uint8], box: Box | None = None) -> tuple[int, int, int]:
    """(x, y, side) of the square of a grey frame [H, W] that `prepare` shows to the network; it may reach outside."""
    x0, y0, x1, y1 = shown_box(grey, box)
    height, width = y1 - y0 + 1, x1 - x0 + 1
    side = max(height, width)
    return x0 - (side - width) // 2, y0 - (side - height) // 2, side


def _region(grey: NDArray[np.uint8], box: Box | None) -> Box:
    height, width = grey.shape
    if box is None:
        return 0, 0, width - 1, height - 1
    x0, y0, x1, y1 = max(box[0], 0), max(box[1], 0), min(box[2], width - 1), min(box[3], height - 1)
    return (x0, y0, x1, y1) if x0 <= x1 and y0 <= y1 else (0, 0, width - 1, height - 1)


def _pad_to_square(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = grey.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    square = np.zeros((side, side), dtype=np.uint8)
    square[top : top + height, left : left + width] = grey
    return square
