"""From a decoded frame to what the network sees. Version "p1": a change here needs a new version and new models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PREPROCESSING = "p1"
INPUT_SIZE = 128

Box = tuple[int, int, int, int]


def prepare(frame: NDArray[np.uint8], box: Box | None = None, *, size: int = INPUT_SIZE) -> NDArray[np.uint8]:
    """One frame as the network's input: grey, cropped to its region, padded to a square, area-resized.

    `frame` is uint8 [H, W] or [H, W, 3]; `box` is (x0, y0, x1, y1) of the 2-D ultrasound region in pixels, the last
    two inclusive as in DICOM (PS3.3 C.8.5.5.1.2). A box that leaves no pixel is ignored. Returns uint8 [size, size].
    Raises ValueError for any other frame.
    """
    if frame.dtype != np.uint8 or frame.ndim not in (2, 3) or frame.size == 0:
        raise ValueError(f"a frame is uint8 [H, W] or [H, W, 3], not {frame.dtype} {list(frame.shape)}")
    square = _pad_to_square(_crop(_grey(frame), box))  # [L, L]
    shrink = Image.Resampling.BOX if square.shape[0] >= size else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(square).resize((size, size), shrink), dtype=np.uint8)  # [S, S]


def _grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Luma (ITU-R BT.601) in integers, so that every machine rounds alike."""
    if frame.ndim == 2:
        return frame
    if frame.shape[2] != 3:
        raise ValueError(f"a colour frame has 3 channels, not {frame.shape[2]}")
    wide = frame.astype(np.uint32)  # [H, W, 3]
    luma = (299 * wide[..., 0] + 587 * wide[..., 1] + 114 * wide[..., 2] + 500) // 1000  # [H, W]
    return luma.astype(np.uint8)


def _crop(grey: NDArray[np.uint8], box: Box | None) -> NDArray[np.uint8]:
    if box is None:
        return grey
    x0, y0, x1, y1 = box
    region = grey[max(y0, 0) : max(y1 + 1, 0), max(x0, 0) : max(x1 + 1, 0)]
    return region if region.size else grey


def _pad_to_square(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = grey.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    square = np.zeros((side, side), dtype=np.uint8)
    square[top : top + height, left : left + width] = grey
    return square
