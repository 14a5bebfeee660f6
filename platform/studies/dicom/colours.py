"""Luma and colour differences (PS3.3, C.7.6.3.1.2): shared ones written out, limited ranges, who makes RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.pixels.processing import convert_color_space

Pixels = npt.NDArray[np.uint8]
_JP2_STREAM = b"jp2c"
_APP14, _SOS = 0xEE, 0xDA
_SOC, _COD, _SOT = 0xFF4F, 0xFF52, 0xFF90
# Y from 16 to 235 and differences from 16 to 240, as in television (ITU-R BT.601).
_FROM_PARTIAL = np.array(
    [[1.164383, 0, 1.596027], [1.164383, -0.391762, -0.812968], [1.164383, 2.017232, 0]], dtype=np.float32
)


def whole(frame: bytes, rows: int, columns: int, *, sampling: str, planar: bool) -> Pixels:
    """Y, Cb and Cr of every pixel [H, W, 3] from one uncompressed frame in which pixels share their differences."""
    data = np.frombuffer(frame, np.uint8)
    if planar:
        tall = 2 if sampling == "420" else 1
        edge, size = rows * columns, rows * columns // (2 * tall)
        luma = data[:edge].reshape(rows, columns)
        differences = data[edge : edge + 2 * size].reshape(2, rows // tall, columns // 2)
        blue, red = differences.repeat(tall, axis=1).repeat(2, axis=2)
    else:
        pairs = data.reshape(rows, columns // 2, 4)
        luma = pairs[..., :2].reshape(rows, columns)
        blue, red = (pairs[..., index].repeat(2, axis=1) for index in (2, 3))
    return np.stack([luma, blue, red], axis=-1)


def to_rgb(array: npt.NDArray[Any], photometric: str) -> npt.NDArray[Any]:
    """RGB of Y, Cb and Cr [H, W, 3]; anything else as it is."""
    if photometric.startswith("YBR_FULL"):
        rgb: npt.NDArray[Any] = convert_color_space(array, "YBR_FULL", "RGB")
        return rgb
    if photometric.startswith("YBR_PARTIAL") and array.dtype == np.uint8:
        centred = array.astype(np.float32) - np.array([16, 128, 128], np.float32)
        bright: Pixels = np.clip(np.rint(centred @ _FROM_PARTIAL.T), 0, 255).astype(np.uint8)
        return bright
    return array


def of_stream(data: bytes) -> str:
    """The colours that a decoder returns for a compressed frame, where its own bytes say; empty where they do not."""
    if data[:2] == b"\xff\xd8":
        return _adobe_says(data)
    return "RGB" if _stream_transforms(data) else ""


def _adobe_says(data: bytes) -> str:
    """The colours that the Adobe marker of a JPEG names; empty where it has none."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _SOS:
        length = int.from_bytes(data[at + 2 : at + 4])
        if data[at + 1] == _APP14 and data[at + 4 : at + 9] == b"Adobe" and length >= 14:
            return "YBR_FULL" if data[at + 15] == 1 else "RGB"
        at += 2 + max(length, 2)
    return ""


def _stream_transforms(data: bytes) -> bool:
    """Whether a JPEG 2000 stream has a component transform, which its decoder undoes whatever the header says."""
    at = data.find(_JP2_STREAM) + len(_JP2_STREAM) if data[4:8] == b"jP  " else 0
    if int.from_bytes(data[at : at + 2]) != _SOC:
        return False
    at += 2
    while at + 9 <= len(data):
        marker, length = int.from_bytes(data[at : at + 2]), int.from_bytes(data[at + 2 : at + 4])
        if marker == _COD:
            return data[at + 8] == 1
        if marker == _SOT or length < 2:
            return False
        at += 2 + length
    return False
