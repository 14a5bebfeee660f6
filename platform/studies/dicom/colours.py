"""Luma and colour differences (PS3.3, C.7.6.3.1.2): shared ones written out, limited ranges, who makes RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.pixels.processing import convert_color_space

from studies.dicom import jpeg, jpeg2000

Pixels = npt.NDArray[np.uint8]
_AS_DECODED = {"YBR_RCT": "RGB", "YBR_ICT": "RGB", "YBR_FULL_422": "YBR_FULL"}
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


def lie_in_planes(frame: bytes, pixels: int) -> bool:
    """Whether halved colours lie in planes: colour differences of ultrasound are mostly 128, for grey."""
    data = np.frombuffer(frame, np.uint8)[: 2 * pixels]
    return _coloured(data[pixels:]) <= _coloured(data.reshape(-1, 4)[:, 2:])


def _coloured(differences: Pixels) -> float:
    """How far from grey, on average."""
    return float(np.abs(differences.astype(np.int16) - 128).mean())


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
    """The colours that a compressed frame says it has; empty where it does not."""
    if data[:2] == jpeg.SOI:
        found = jpeg.facts(data)
        return found.colours if found else ""
    return "RGB" if jpeg2000.transforms(data) else ""


def decided(data: bytes, photometric: str) -> str:
    """What the three samples of a compressed frame are: RGB, or luma and differences.

    The frame decides over the header, which devices and converters forget to change; a lossless JPEG transforms
    nothing, and is what the header says, whatever its markers are.
    """
    header = _in_stream(photometric, in_jpeg=data[:2] == jpeg.SOI)
    found = jpeg.facts(data)
    return header if found and found.lossless else of_stream(data) or header


def _in_stream(photometric: str, *, in_jpeg: bool) -> str:
    """What the header means for samples that no longer share colours; in a JPEG the range is always the full one."""
    if in_jpeg and photometric.startswith("YBR"):
        return "YBR_FULL"
    return _AS_DECODED.get(photometric, photometric)


def in_words(photometric: str) -> str:
    """As the header would name it, were it written as it should be."""
    return " ".join(photometric.upper().replace("PALETTE_COLOR", "PALETTE COLOR").split())
