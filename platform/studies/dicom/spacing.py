"""The scale of an image whose file has no ultrasound regions: from pixel spacings, which are named wherever it counts.

Spacings are pairs in millimetres: between rows (down), then between columns (across) (PS3.3, 10.7.1.3). The first
element that is there decides. What no ultrasound image can have is not believed, and said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from math import isfinite

from pydicom.dataset import Dataset

from studies.dicom import attributes, pixel_layout
from studies.dicom.bounded_reader import DicomFile
from studies.dicom.facts import Region, ScaleSource

_ELEMENTS: dict[str, ScaleSource] = {
    "PixelSpacing": "Pixel Spacing",
    "ImagerPixelSpacing": "Imager Pixel Spacing",
    "NominalScannedPixelSpacing": "Nominal Scanned Pixel Spacing",
}
_MAX_FRAMES = 10_000
_LEAST_MM, _MOST_MM = 0.005, 10.0
_MOST_SIDE_MM = 1000.0
_MOST_UNEVEN = 10.0
_UNSET = (1.0, 1.0)
"""What programs write that know no spacing."""
_NOT_BELIEVED = "Its {} ({} mm) cannot be true of an ultrasound image: not used as a scale."

Spacing = tuple[float, float]
"""(down, across) in mm."""


def of_clip(dataset: Dataset, pixels: pixel_layout.Layout, opened: DicomFile) -> Region | None:
    """The whole image with the scale of its first spacing element; None, with a warning, where that cannot be true."""
    for keyword, source in _ELEMENTS.items():
        if attributes.value(dataset, keyword) is not None:
            return _region(dataset, keyword, source, pixels, opened)
    shared = attributes.value(dataset, "SharedFunctionalGroupsSequence") or []
    return next((_measured(group, pixels, opened) for group in islice(shared, 1)), None)


def of_frames(dataset: Dataset, pixels: pixel_layout.Layout, opened: DicomFile) -> Iterator[list[Region]]:
    """For each frame the image with the frame's own scale, or nothing."""
    for group in islice(attributes.value(dataset, "PerFrameFunctionalGroupsSequence") or [], _MAX_FRAMES):
        region = _measured(group, pixels, opened)
        yield [region] if region else []


def _measured(group: Dataset, pixels: pixel_layout.Layout, opened: DicomFile) -> Region | None:
    """By the pixel measures of a functional group (PS3.3, C.7.6.16.2.1)."""
    for item in islice(attributes.value(group, "PixelMeasuresSequence") or [], 1):
        if attributes.value(item, "PixelSpacing") is not None:
            return _region(item, "PixelSpacing", "Pixel Measures", pixels, opened)
    return None


def _region(
    item: Dataset, keyword: str, source: ScaleSource, pixels: pixel_layout.Layout, opened: DicomFile
) -> Region | None:
    down_across = _pair(attributes.value(item, keyword))
    if down_across is None or not _is_credible(down_across, pixels):
        warning = _NOT_BELIEVED.format(source, attributes.text(item, keyword, 40).replace(" ", " x "))
        _say_once(opened, warning)
        return None
    down, across = down_across
    _say_once(opened, f"Its scale is from {source}, not from ultrasound regions.")
    return {
        "x0": 0,
        "y0": 0,
        "x1": pixels.columns - 1,
        "y1": pixels.rows - 1,
        "dx_cm": across / 10,
        "dy_cm": down / 10,
        "units": "cm",
        "type": "2d",
        "inside": True,
        "source": source,
    }


def _say_once(opened: DicomFile, warning: str) -> None:
    if warning not in opened.warnings:
        opened.warnings.append(warning)


def _pair(raw: object) -> Spacing | None:
    if not isinstance(raw, Sequence) or isinstance(raw, str | bytes) or len(raw) != 2:
        return None
    try:
        return float(raw[0]), float(raw[1])
    except (TypeError, ValueError, OverflowError):
        return None


def _is_credible(spacing: Spacing, pixels: pixel_layout.Layout) -> bool:
    if not all(isfinite(each) and _LEAST_MM <= each <= _MOST_MM for each in spacing) or spacing == _UNSET:
        return False
    sides = spacing[0] * pixels.rows, spacing[1] * pixels.columns
    return max(sides) <= _MOST_SIDE_MM and max(spacing) <= _MOST_UNEVEN * min(spacing)
