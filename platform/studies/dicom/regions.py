"""The ultrasound regions of a clip: where they lie, what a pixel in them is worth, and in which frames.

A scale is given only where it can be trusted: the rectangle inside the image (some devices write the right edge as the
width), and for lengths both units centimetres (PS3.3, C.8.5.5.1). Of an M-mode trace depth alone has one.
studies.dicom.facts.Region defines each value. Regions come with the clip; a frame of an enhanced object may bring its
own, which then take their place. Where a file has none at all, its pixel spacing makes the image one region.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from pydicom.dataset import Dataset

from studies.dicom import attributes, pixel_layout, spacing
from studies.dicom.bounded_reader import DicomFile
from studies.dicom.facts import Region, SpatialFormat

_MAX_REGIONS = 32
_MAX_RUNS = 256
_MAX_FRAMES = 10_000
_SPATIAL: dict[int, SpatialFormat] = {1: "2d", 2: "m_mode", 3: "spectral", 4: "waveform", 5: "graphics"}
_UNITS = {0: "none", 1: "percent", 2: "dB", 3: "cm", 4: "s", 5: "Hz", 6: "dB/s", 7: "cm/s", 8: "cm2", 9: "cm2/s"}
_CORNERS = ("MinX0", "MinY0", "MaxX1", "MaxY1")
_TRACES = ("m_mode", "spectral", "waveform")
_LOW_PRIORITY = 1
"""Bit 0 of the region flags (PS3.3, C.8.5.5.1.3)."""
_COLOUR_FLOW = 2
_OUTSIDE = "An ultrasound region lies outside the image: its scale is not used."


def of_clip(dataset: Dataset, pixels: pixel_layout.Layout, opened: DicomFile) -> list[Region]:
    """Those of the whole clip, then those of single frames; a warning where one lies outside the image."""
    regions = list(_sequence(dataset, pixels))
    frames = attributes.value(dataset, "PerFrameFunctionalGroupsSequence") or []
    regions += _runs([list(_sequence(item, pixels)) for item in islice(frames, _MAX_FRAMES)])
    if not regions:
        whole = spacing.of_clip(dataset, pixels, opened)
        return [*([whole] if whole else []), *_runs(list(spacing.of_frames(dataset, pixels, opened)))]
    if not all(region["inside"] for region in regions):
        opened.warnings.append(_OUTSIDE)
    return regions


def _runs(frames: list[list[Region]]) -> list[Region]:
    """The regions of single frames, each once for all neighbouring frames that have the very same ones."""
    runs: list[Region] = []
    first = 1
    for number, regions in enumerate(frames, 1):
        if number < len(frames) and frames[number] == regions:
            continue
        runs += [{**region, "frames": (first, number)} for region in regions]
        first = number + 1
        if len(runs) > _MAX_RUNS:
            break
    return runs[:_MAX_RUNS]


def _sequence(item: Dataset, pixels: pixel_layout.Layout) -> Iterator[Region]:
    for region in islice(attributes.value(item, "SequenceOfUltrasoundRegions") or [], _MAX_REGIONS):
        corners = [attributes.whole(region, f"RegionLocation{name}") for name in _CORNERS]
        if None not in corners:
            yield _region(region, [int(corner or 0) for corner in corners], pixels)


def _region(item: Dataset, corners: list[int], pixels: pixel_layout.Layout) -> Region:
    x0, y0, x1, y1 = corners
    inside = 0 <= x0 < x1 <= pixels.columns and 0 <= y0 < y1 <= pixels.rows
    kind = _SPATIAL.get(attributes.whole(item, "RegionSpatialFormat") or 0, "other")
    units = [_UNITS.get(attributes.whole(item, f"PhysicalUnits{axis}Direction") or 0, "other") for axis in "XY"]
    deltas = [attributes.number(item, f"PhysicalDelta{axis}") or 0.0 for axis in "XY"]
    across, down = _scale(kind, units, deltas) if inside else (None, None)
    region: Region = {
        "x0": x0,
        "y0": y0,
        "x1": x1,
        "y1": y1,
        "dx_cm": across,
        "dy_cm": down,
        "units": units[0] if units[0] == units[1] else "/".join(units),
        "type": kind,
        "inside": inside,
    }
    _add_flags(region, item)
    if inside and units[0] == "s" and all(deltas):
        _add_trace(region, item, units=(units[0], units[1]), deltas=(deltas[0], deltas[1]))
    return region


def _scale(kind: str, units: list[str], deltas: list[float]) -> tuple[float | None, float | None]:
    """Centimetres per pixel, across and down: both of a picture, that of depth of an M-mode trace, of others none."""
    known = [unit == "cm" and 0 < abs(delta) < 1 for unit, delta in zip(units, deltas, strict=True)]
    if kind == "m_mode" and known[1]:
        return None, abs(deltas[1])
    return (abs(deltas[0]), abs(deltas[1])) if kind not in _TRACES and all(known) else (None, None)


def _add_flags(region: Region, item: Dataset) -> None:
    if (attributes.whole(item, "RegionFlags") or 0) & _LOW_PRIORITY:
        region["low_priority"] = True
    if attributes.whole(item, "RegionDataType") == _COLOUR_FLOW:
        region["flow"] = True


def _add_trace(region: Region, item: Dataset, *, units: tuple[str, str], deltas: tuple[float, float]) -> None:
    """What only a trace over time has: the pixel whose value is known makes its zero line."""
    x, y = (attributes.whole(item, f"ReferencePixel{axis}0") for axis in "XY")
    at_x, at_y = (attributes.number(item, f"ReferencePixelPhysicalValue{axis}") or 0.0 for axis in "XY")
    region["axes"] = units
    region["delta"] = deltas
    region["reference"] = None if x is None or y is None else (x, y)
    region["reference_value"] = (at_x, at_y)
