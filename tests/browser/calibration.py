"""Calibration phantoms: pictures with marks at known places, in every kind of pixel and scale, and what they measure.

A mark is a white square of three pixels a side on grey; its middle is at pixel number + 0.5 in the coordinates that are
kept. All truths are computed here from marks and scale, with none of the code under test.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, pi
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import generate_uid

from tests.studies.dicoms import dataset, encoded

ROWS, COLUMNS = 300, 400
GREY, WHITE = 60, 255
Spot = tuple[int, int]


def region(corners: tuple[int, int, int, int], scale: tuple[float, float], **facts: Any) -> Dataset:
    made = Dataset()
    x0, y0, x1, y1 = corners
    elements = {
        "RegionSpatialFormat": 1,
        "RegionDataType": 1,
        "RegionLocationMinX0": x0,
        "RegionLocationMinY0": y0,
        "RegionLocationMaxX1": x1,
        "RegionLocationMaxY1": y1,
        "PhysicalUnitsXDirection": 3,
        "PhysicalUnitsYDirection": 3,
        "PhysicalDeltaX": scale[0],
        "PhysicalDeltaY": scale[1],
    } | facts
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def trace(corners: tuple[int, int, int, int]) -> Dataset:
    """A Doppler trace of half a cm/s a pixel, upwards, its zero line 100 pixels below its upper edge."""
    facts = {"RegionSpatialFormat": 3, "PhysicalUnitsXDirection": 4, "PhysicalUnitsYDirection": 7}
    return region(corners, (0.005, -0.5), **facts, ReferencePixelX0=0, ReferencePixelY0=100)


@dataclass(frozen=True)
class Calibration:
    """A clip of one frame. ``marks`` are pixels; ``scale`` is centimetres a pixel where they lie, None for no scale."""

    name: str
    marks: tuple[Spot, Spot, Spot]
    scale: tuple[float, float] | None
    regions: tuple[Dataset, ...]
    kind: str = "grey"

    @property
    def points(self) -> list[tuple[float, float]]:
        return [(x + 0.5, y + 0.5) for x, y in self.marks]

    def _sides(self, a: int, b: int) -> tuple[float, float]:
        assert self.scale is not None
        (ax, ay), (bx, by) = self.points[a], self.points[b]
        return 10 * self.scale[0] * abs(bx - ax), 10 * self.scale[1] * abs(by - ay)

    @property
    def length_mm(self) -> float:
        """Between the first mark and the second."""
        return hypot(*self._sides(0, 1))

    @property
    def box_cm2(self) -> float:
        across, down = self._sides(0, 1)
        return across * down / 100

    @property
    def ellipse_cm2(self) -> float:
        return pi / 4 * self.box_cm2

    @property
    def angle_degrees(self) -> float:
        """At the second mark, between the first and the third."""
        assert self.scale is not None
        scaled = np.array(self.points) * np.array(self.scale)
        a, c = scaled[0] - scaled[1], scaled[2] - scaled[1]
        return float(np.degrees(np.arccos(a @ c / (np.linalg.norm(a) * np.linalg.norm(c)))))

    @property
    def triangle_cm2(self) -> float:
        assert self.scale is not None
        (ax, ay), (bx, by), (cx, cy) = np.array(self.points) * np.array(self.scale)
        return float(abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2)


MARKS: tuple[Spot, Spot, Spot] = ((60, 80), (160, 200), (300, 120))
WHOLE = (0, 0, COLUMNS - 1, ROWS - 1)
CALIBRATIONS = (
    Calibration("square", MARKS, (0.02, 0.02), (region(WHOLE, (0.02, 0.02)),)),
    Calibration("anisotropic", MARKS, (0.02, 0.03), (region(WHOLE, (0.02, 0.03)),)),
    Calibration(
        "two-regions",
        ((20, 40), (180, 200), (120, 60)),
        (0.02, 0.02),
        (region((0, 0, 199, 299), (0.02, 0.02)), region((200, 0, 399, 299), (0.05, 0.05))),
    ),
    Calibration(
        "second-region",
        ((220, 40), (380, 200), (320, 60)),
        (0.05, 0.05),
        (region((0, 0, 199, 299), (0.02, 0.02)), region((200, 0, 399, 299), (0.05, 0.05))),
    ),
    Calibration("cropped", MARKS, (0.015, 0.015), (region((40, 60, 330, 240), (0.015, 0.015)),)),
    Calibration("palette", MARKS, (0.02, 0.02), (region(WHOLE, (0.02, 0.02)),), kind="palette"),
    Calibration("ybr", MARKS, (0.02, 0.03), (region(WHOLE, (0.02, 0.03)),), kind="ybr"),
    Calibration("rgb", MARKS, (0.02, 0.02), (region(WHOLE, (0.02, 0.02)),), kind="rgb"),
    Calibration("sixteen-bit", MARKS, (0.02, 0.025), (region(WHOLE, (0.02, 0.025)),), kind="sixteen"),
    Calibration("inverted", MARKS, (0.02, 0.02), (region(WHOLE, (0.02, 0.02)),), kind="monochrome1"),
    Calibration("no-scale", MARKS, None, ()),
    Calibration("beyond", MARKS, None, (region((0, 0, 594, 413), (0.02, 0.02)),)),
    # The first mark stands 60 pixels above the zero line, the second 20: 30 and 10 cm/s.
    Calibration(
        "doppler",
        ((60, 190), (160, 230), (300, 170)),
        None,
        (region((0, 0, 399, 149), (0.02, 0.02)), trace((0, 150, 399, 299))),
    ),
)


def grey(calibration: Calibration) -> Any:
    """What a reader should see, 0 to 255."""
    made = np.full((ROWS, COLUMNS), GREY, np.uint8)
    made[::20, :] = made[:, ::20] = GREY - 30
    for x, y in calibration.marks:
        made[y - 1 : y + 2, x - 1 : x + 2] = WHITE
    return made


def pixels(calibration: Calibration) -> dict[str, Any]:
    """The elements that say the same picture in one kind of pixels."""
    shown = grey(calibration)
    kind = calibration.kind
    if kind == "sixteen":
        wide = shown.astype(np.uint16) * 16
        return {
            "BitsAllocated": 16,
            "BitsStored": 12,
            "HighBit": 11,
            "WindowCenter": 2040,
            "WindowWidth": 4081,
            "PixelData": wide.tobytes(),
        }
    if kind == "monochrome1":
        return {"PhotometricInterpretation": "MONOCHROME1", "PixelData": (255 - shown).tobytes()}
    if kind == "palette":
        table = bytes(range(256))
        tables = {f"{colour}PaletteColorLookupTableData": table for colour in ("Red", "Green", "Blue")}
        facts = {f"{colour}PaletteColorLookupTableDescriptor": [256, 0, 8] for colour in ("Red", "Green", "Blue")}
        return {"PhotometricInterpretation": "PALETTE COLOR", "PixelData": shown.tobytes(), **facts, **tables}
    if kind in ("rgb", "ybr"):
        colour = np.repeat(shown[..., None], 3, axis=2)
        data = colour if kind == "rgb" else convert_color_space(colour, "RGB", "YBR_FULL")
        name = "RGB" if kind == "rgb" else "YBR_FULL"
        return {
            "SamplesPerPixel": 3,
            "PlanarConfiguration": 0,
            "PhotometricInterpretation": name,
            "PixelData": data.tobytes(),
        }
    return {"PixelData": shown.tobytes()}


def _identity(study: str, series: str, number: int, name: str) -> dict[str, Any]:
    return {
        "StudyInstanceUID": study,
        "SeriesInstanceUID": series,
        "InstanceNumber": number,
        "SeriesDescription": f"COR {name}",
        "AcquisitionDateTime": f"202601051015{number:02}",
        "Rows": ROWS,
        "Columns": COLUMNS,
        "FrameTime": None,
    }


def write(folder: Path) -> tuple[str, list[Path]]:
    """One study with a still for each calibration, in order: (its uid, its files)."""
    study, series = generate_uid(), generate_uid()
    files = []
    for number, calibration in enumerate(CALIBRATIONS, 1):
        facts = _identity(study, series, number, calibration.name) | pixels(calibration)
        if calibration.regions:
            facts["SequenceOfUltrasoundRegions"] = list(calibration.regions)
        path = folder / f"{number:02}-{calibration.name}.dcm"
        path.write_bytes(encoded(dataset(frames=1, **facts)))
        files.append(path)
    return study, files
