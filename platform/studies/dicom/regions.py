"""The ultrasound regions of a clip: where they lie, what a pixel in them is worth, and in which frames.

Corners are the device's own pixel numbers, counted from 0, both ends in. A scale is given only where it can be trusted:
the rectangle inside the image (some devices write the right edge as the width), and for lengths both units centimetres.
Regions come with the clip; a frame of an enhanced object may bring its own, which then take their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from pydicom.dataset import Dataset

from studies.dicom import attributes, pixel_layout
from studies.dicom.bounded_reader import Opened

_MAX_REGIONS = 32
_MAX_RUNS = 256
_MAX_FRAMES = 10_000
_SPATIAL = {1: "2d", 2: "m_mode", 3: "spectral", 4: "waveform", 5: "graphics"}
_UNITS = {0: "none", 1: "percent", 2: "dB", 3: "cm", 4: "s", 5: "Hz", 6: "dB/s", 7: "cm/s", 8: "cm2", 9: "cm2/s"}
_CORNERS = ("MinX0", "MinY0", "MaxX1", "MaxY1")
_OUTSIDE = "An ultrasound region lies outside the image: its scale is not used."

Facts = dict[str, Any]


def of_clip(dataset: Dataset, pixels: pixel_layout.Layout, opened: Opened) -> list[Facts]:
    found = list(_sequence(dataset, pixels))
    frames = attributes.value(dataset, "PerFrameFunctionalGroupsSequence") or []
    found += _runs([list(_sequence(item, pixels)) for item in islice(frames, _MAX_FRAMES)])
    if not all(region["inside"] for region in found):
        opened.warnings.append(_OUTSIDE)
    return found


def _runs(frames: list[list[Facts]]) -> list[Facts]:
    """The regions of single frames, each once for all neighbouring frames that have the very same ones."""
    found: list[Facts] = []
    first = 1
    for number, regions in enumerate(frames, 1):
        if number < len(frames) and frames[number] == regions:
            continue
        found += [{**region, "frames": [first, number]} for region in regions]
        first = number + 1
        if len(found) > _MAX_RUNS:
            break
    return found[:_MAX_RUNS]


def _sequence(item: Dataset, pixels: pixel_layout.Layout) -> Iterator[Facts]:
    for region in islice(attributes.value(item, "SequenceOfUltrasoundRegions") or [], _MAX_REGIONS):
        corners = [attributes.whole(region, f"RegionLocation{name}") for name in _CORNERS]
        if None not in corners:
            yield _region(region, [int(corner or 0) for corner in corners], pixels)


def _region(item: Dataset, corners: list[int], pixels: pixel_layout.Layout) -> Facts:
    x0, y0, x1, y1 = corners
    inside = 0 <= x0 < x1 <= pixels.columns and 0 <= y0 < y1 <= pixels.rows
    units = [_UNITS.get(attributes.whole(item, f"PhysicalUnits{axis}Direction") or 0, "other") for axis in "XY"]
    deltas = [attributes.number(item, f"PhysicalDelta{axis}") or 0.0 for axis in "XY"]
    calibrated = inside and units == ["cm", "cm"] and all(0 < abs(delta) < 1 for delta in deltas)
    return {
        "x0": x0,
        "y0": y0,
        "x1": x1,
        "y1": y1,
        "dx_cm": abs(deltas[0]) if calibrated else None,
        "dy_cm": abs(deltas[1]) if calibrated else None,
        "units": units[0] if units[0] == units[1] else "/".join(units),
        "type": _SPATIAL.get(attributes.whole(item, "RegionSpatialFormat") or 0, "other"),
        "inside": inside,
        **_trace(item, units, deltas, usable=inside),
    }


def _trace(item: Dataset, units: list[str], deltas: list[float], *, usable: bool) -> Facts:
    """Of a trace over time: units and signed steps per pixel, and the pixel (from the region's corner) whose value is
    known, which makes its zero line. Nothing for other regions."""
    if not usable or units[0] != "s" or not all(deltas):
        return {}
    pixel = [attributes.whole(item, f"ReferencePixel{axis}0") for axis in "XY"]
    known = [attributes.number(item, f"ReferencePixelPhysicalValue{axis}") or 0.0 for axis in "XY"]
    return {"axes": units, "delta": deltas, "reference": None if None in pixel else pixel, "reference_value": known}
