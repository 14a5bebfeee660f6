"""What a drawing measures, from the ultrasound regions of its frame. Pure.

`frontend/src/viewer/annotation/measure.ts` says the same;
`tests/annotations/measurements/measures.json` holds both to known truths.

Points are image pixels as in DICOM's SCOORD: (0, 0) is the outer corner of the first pixel, whose middle is (0.5, 0.5).
A region with corners x0 to x1 covers x0 to x1 + 1. All points must lie in one region whose scale can be trusted, and
none of them within another of different scale; otherwise there is no number, only the reason. Steps per pixel may
differ between x and y: everything, angles too, is computed after scaling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import acos, degrees, hypot, pi
from typing import Annotated, Literal, TypedDict

from studies.dicom.facts import Region

Point = tuple[float, float]
"""(x, y), in image pixels or, after scaling, in millimetres."""
Quantity = Literal["length", "angle", "area", "resistive_index", "velocity"]
VelocityUnit = Literal["cm/s", "Hz"]
Unit = Literal["mm", "°", "cm²", "", VelocityUnit]

NO_SCALE = "uncalibrated: the file states no scale"
OUTSIDE = "uncalibrated: a point lies outside every ultrasound region"
TWO_REGIONS = "uncalibrated: the points lie in two regions"
OVERLAP = "uncalibrated: regions of different scale overlap here"
NO_CENTIMETRES = "uncalibrated: this region has no scale in centimetres"
BEYOND = "uncalibrated: the region reaches beyond the image, so its scale is not used"
TRACE = "uncalibrated: a trace over time has no distances"
NO_ZERO = "uncalibrated: the file does not say where the zero line of this trace is"
NOT_A_TRACE = "uncalibrated: the resistive index needs a Doppler trace with a velocity scale"
NOT_PEAK = "the first point must be the systolic peak, farther from the zero line than the second"
CROSSES = "the line crosses itself: it has no area"
NO_ARM = "an arm of the angle has no length"
VELOCITIES: dict[str, VelocityUnit] = {"cm/s": "cm/s", "Hz": "Hz"}
_EDGE = 1e-6
"""Pixels by which a point may miss an edge that it lies on."""


class MeasuredPayload(TypedDict):
    """What a drawing measures, as JSON and as reads keep it; numbers have four decimals."""

    quantity: Quantity
    unit: Unit
    value: Annotated[float | None, "in the unit; None where there is a reason"]
    reason: str
    more: Annotated[dict[str, float], "what else follows from the points, such as width_mm; the unit is in the name"]


@dataclass(frozen=True)
class Measured:
    """``value`` in ``unit``, or None and the ``reason``; ``more`` holds what else follows, its unit in its name."""

    quantity: Quantity
    unit: Unit
    value: float | None = None
    reason: str = ""
    more: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> MeasuredPayload:
        value = None if self.value is None else round(self.value, 4)
        more = {name: round(number, 4) for name, number in self.more.items()}
        return {"quantity": self.quantity, "unit": self.unit, "value": value, "reason": self.reason, "more": more}


class Uncalibrated(Exception):
    """There is no number; the message says why."""


Result = tuple[float, dict[str, float]]
"""A value and what else follows."""


def measure(
    tool: str, points: Sequence[Point], regions: Sequence[Region], *, preset: str = "", frame: int = 1
) -> Measured | None:
    """What a drawing of a frame measures; None for what measures nothing. ``regions``: all those of the clip."""
    in_frame = of_frame(regions, frame)
    if preset == "ri":
        return _measured("resistive_index", "", lambda: _resistive_index(points, in_frame))
    if tool == "point":
        return _velocity(points, in_frame)
    if tool not in _QUANTITIES:
        return None
    quantity, unit, compute = _QUANTITIES[tool]
    return _measured(quantity, unit, lambda: compute(_scaled(tool, points, in_frame)))


def of_frame(regions: Sequence[Region], frame: int) -> list[Region]:
    """A frame's own regions in place of those of the whole clip."""
    own = [region for region in regions if region.get("frames") and _within(frame, region["frames"])]
    return own or [region for region in regions if not region.get("frames")]


def _within(frame: int, run: Sequence[int]) -> bool:
    return run[0] <= frame <= run[1]


def _measured(quantity: Quantity, unit: Unit, compute: Callable[[], Result]) -> Measured:
    try:
        value, more = compute()
    except Uncalibrated as refusal:
        return Measured(quantity, unit, reason=str(refusal))
    return Measured(quantity, unit, value, more=more)


# ---------- regions ----------


def _covers(region: Region, point: Point, edge: float = _EDGE) -> bool:
    x, y = point
    across = region["x0"] - edge <= x <= region["x1"] + 1 + edge
    return bool(across and region["y0"] - edge <= y <= region["y1"] + 1 + edge)


def _holding(points: Sequence[Point], regions: Sequence[Region]) -> list[Region]:
    """The regions that hold all points, at least one; raises Uncalibrated."""
    holding = [region for region in regions if all(_covers(region, point) for point in points)]
    if holding:
        return holding
    if not regions:
        raise Uncalibrated(NO_SCALE)
    everywhere = all(any(_covers(region, point) for region in regions) for point in points)
    raise Uncalibrated(TWO_REGIONS if everywhere else OUTSIDE)


def _touched(points: Sequence[Point], regions: Sequence[Region]) -> list[Region]:
    """The regions within which any of the points lies; those that only share an edge with it are none."""
    return [region for region in regions if any(_covers(region, point, edge=-_EDGE) for point in points)]


def _scale(points: Sequence[Point], regions: Sequence[Region]) -> tuple[float, float]:
    """Millimetres per pixel, across and down, where all points are."""
    holding = _holding(points, regions)
    scales = {(region["dx_cm"], region["dy_cm"]) for region in [*holding, *_touched(points, regions)]}
    if len(scales) > 1:
        raise Uncalibrated(OVERLAP)
    dx, dy = scales.pop()
    if dx is None or dy is None:
        raise Uncalibrated(_why_no_scale(holding[0]))
    return 10 * dx, 10 * dy


def _why_no_scale(region: Region) -> str:
    if not region.get("inside", True):
        return BEYOND
    return TRACE if region.get("type") in ("spectral", "waveform", "m_mode") else NO_CENTIMETRES


def _scaled(tool: str, points: Sequence[Point], regions: Sequence[Region]) -> list[Point]:
    """The points in millimetres; raises Uncalibrated."""
    mx, my = _scale([*points, *_extent(tool, points)], regions)
    return [(mx * x, my * y) for x, y in points]


def _extent(tool: str, points: Sequence[Point]) -> list[Point]:
    """Corners of what a box or an ellipse covers: the points alone may lie in a region that it leaves."""
    if tool == "box":
        (ax, ay), (bx, by) = points
        return [(ax, by), (bx, ay)]
    if tool != "ellipse":
        return []
    centre, (u, v) = _axes(points)
    reach = (hypot(u[0], v[0]), hypot(u[1], v[1]))
    return [(centre[0] + sx * reach[0], centre[1] + sy * reach[1]) for sx in (-1, 1) for sy in (-1, 1)]


# ---------- quantities, of points in millimetres ----------


def _distance(a: Point, b: Point) -> float:
    return hypot(b[0] - a[0], b[1] - a[1])


def _length(points: Sequence[Point]) -> Result:
    return _distance(points[0], points[1]), {}


def _angle(points: Sequence[Point]) -> Result:
    """At the second point."""
    (ax, ay), (bx, by), (cx, cy) = points
    arms = _distance(points[1], points[0]) * _distance(points[1], points[2])
    if not arms:
        raise Uncalibrated(NO_ARM)
    cosine = ((ax - bx) * (cx - bx) + (ay - by) * (cy - by)) / arms
    return degrees(acos(max(-1.0, min(1.0, cosine)))), {}


def _box(points: Sequence[Point]) -> Result:
    """Of two opposite corners."""
    width, height = abs(points[1][0] - points[0][0]), abs(points[1][1] - points[0][1])
    return width * height / 100, {"width_mm": width, "height_mm": height}


def _axes(points: Sequence[Point]) -> tuple[Point, tuple[Point, Point]]:
    """The centre of an ellipse and the halves of its axes."""
    a, b, c, d = points
    u, v = ((b[0] - a[0]) / 2, (b[1] - a[1]) / 2), ((d[0] - c[0]) / 2, (d[1] - c[1]) / 2)
    return ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2), (u, v)


def _ellipse(points: Sequence[Point]) -> Result:
    """Of the ends of one axis, then of the other. Where x and y scale differently these are conjugate diameters, and
    the area is still pi times their cross product."""
    _, (u, v) = _axes(points)
    axes = {"first_axis_mm": 2 * hypot(*u), "second_axis_mm": 2 * hypot(*v)}
    return pi * abs(u[0] * v[1] - u[1] * v[0]) / 100, axes


def _freehand(points: Sequence[Point]) -> Result:
    """Of a closed line: the last point is joined to the first."""
    edges = list(pairwise([*points, points[0]]))
    if crosses(edges):
        raise Uncalibrated(CROSSES)
    twice = sum(a[0] * b[1] - b[0] * a[1] for a, b in edges)
    return abs(twice) / 200, {"perimeter_mm": sum(_distance(a, b) for a, b in edges)}


def crosses(edges: Sequence[tuple[Point, Point]]) -> bool:
    """Whether any two edges of a closed line that are no neighbours cross."""
    return any(_cross(*edges[i], *edges[j]) for i, j in _not_neighbours(len(edges)))


def _not_neighbours(count: int) -> Iterator[tuple[int, int]]:
    for i in range(count):
        for j in range(i + 2, count - (i == 0)):
            yield i, j


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: Point, b: Point, p: Point) -> float:
    """On which side of the line from a to b the point lies, as the sign."""
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


_QUANTITIES: dict[str, tuple[Quantity, Unit, Callable[[Sequence[Point]], Result]]] = {
    "length": ("length", "mm", _length),
    "angle": ("angle", "°", _angle),
    "ellipse": ("area", "cm²", _ellipse),
    "freehand": ("area", "cm²", _freehand),
    "box": ("area", "cm²", _box),
}


# ---------- Doppler ----------


@dataclass(frozen=True)
class _Trace:
    """The velocity scale of a trace over time."""

    unit: VelocityUnit
    row: float
    """The middle of the pixel whose velocity is known."""
    known: float
    """Its velocity."""
    per_row: float

    def velocity(self, y: float) -> float:
        """At a height in the image."""
        return self.known + (y - self.row) * self.per_row


def _trace(points: Sequence[Point], regions: Sequence[Region]) -> _Trace:
    """Of the one region that holds all points; raises Uncalibrated."""
    region, *others = _holding(points, regions)
    if others or any(touched is not region for touched in _touched(points, regions)):
        raise Uncalibrated(OVERLAP)
    axes = region.get("axes")
    unit = VELOCITIES.get(axes[1]) if axes and region.get("type") == "spectral" else None
    if unit is None:
        raise Uncalibrated(NOT_A_TRACE if region.get("inside", True) else BEYOND)
    reference = region.get("reference")
    if not reference:
        raise Uncalibrated(NO_ZERO)
    # The reference is a pixel, and pixels count at their middle.
    row = region["y0"] + reference[1] + 0.5
    return _Trace(unit, row, region["reference_value"][1], region["delta"][1])


def _resistive_index(points: Sequence[Point], regions: Sequence[Region]) -> Result:
    """(PSV - EDV) / PSV, of the systolic peak and the end of diastole."""
    trace = _trace(points, regions)
    peak, end = (trace.velocity(y) for _, y in points)
    if abs(peak) <= abs(end) or not peak:
        raise Uncalibrated(NOT_PEAK)
    unit = trace.unit.replace("/", "_")
    sign = 1 if peak > 0 else -1
    return (peak - end) / peak, {f"psv_{unit}": sign * peak, f"edv_{unit}": sign * end}


def _velocity(points: Sequence[Point], regions: Sequence[Region]) -> Measured | None:
    """A point in a Doppler trace reads its velocity; anywhere else it measures nothing."""
    try:
        trace = _trace(points, regions)
    except Uncalibrated:
        return None
    return Measured("velocity", trace.unit, trace.velocity(points[0][1]))
