"""What a drawing measures, from the ultrasound regions of its frame. Pure.

`frontend/src/viewer/annotation/measure.ts` says the same;
`tests/annotations/measurements/measures.json` holds both to known truths.

Points are image pixels as in DICOM's SCOORD: (0, 0) is the outer corner of the first pixel, whose middle is (0.5, 0.5).
A region with corners x0 to x1 covers x0 to x1 + 1. All points must lie in one region whose scale can be trusted. Where
regions lie one over another, the topmost counts: one of high priority over one of low priority (PS3.3, C.8.5.5.1.3),
else the one that lies inside the other; of others nobody knows which counts. A drawing that any region of another scale
lies over, at its points or between them, has no number, only the reason. Steps per pixel may differ between x and y:
everything, angles too, is computed after scaling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import acos, degrees, hypot, pi
from typing import Annotated, Literal, NotRequired, TypedDict

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
M_MODE = "across an M-mode trace is time: only a line straight down has a length"
NO_ZERO = "uncalibrated: the file does not say where the zero line of this trace is"
NOT_A_TRACE = "uncalibrated: the resistive index needs a Doppler trace with a velocity scale"
NOT_PEAK = "the first point must be the systolic peak, farther from the zero line than the second"
CROSSES = "the line crosses itself: it has no area"
NO_ARM = "an arm of the angle has no length"
VELOCITIES: dict[str, VelocityUnit] = {"cm/s": "cm/s", "Hz": "Hz"}
_EDGE = 1e-6
"""Pixels by which a point may miss an edge that it lies on."""
_STRAIGHT_DOWN = 1.0
"""Pixels across to which a line down an M-mode trace may lean."""


class MeasuredPayload(TypedDict):
    """What a drawing measures, as JSON and as reads keep it; numbers have four decimals."""

    quantity: Quantity
    unit: Unit
    value: Annotated[float | None, "in the unit; None where there is a reason"]
    reason: str
    more: Annotated[dict[str, float], "what else follows from the points, such as width_mm; the unit is in the name"]
    scale: NotRequired[Annotated[str, "where the scale is from; absent: an ultrasound region of the file"]]


@dataclass(frozen=True)
class Measured:
    """``value`` in ``unit``, or None and the ``reason``; ``more`` holds what else follows, its unit in its name.

    ``scale`` names what the number rests on where that is no ultrasound region.
    """

    quantity: Quantity
    unit: Unit
    value: float | None = None
    reason: str = ""
    more: dict[str, float] = field(default_factory=dict)
    scale: str = ""

    def as_json(self) -> MeasuredPayload:
        value = None if self.value is None else round(self.value, 4)
        more = {name: round(number, 4) for name, number in self.more.items()}
        payload: MeasuredPayload = {
            "quantity": self.quantity,
            "unit": self.unit,
            "value": value,
            "reason": self.reason,
            "more": more,
        }
        return {**payload, "scale": self.scale} if self.scale else payload


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
    return _of_picture(tool, points, in_frame) if tool in _QUANTITIES else None


def _of_picture(tool: str, points: Sequence[Point], regions: Sequence[Region]) -> Measured:
    quantity, unit, compute = _QUANTITIES[tool]
    try:
        region = _topmost(_shape(tool, points), regions, alike=_scale)
        value, more = compute(_scaled(tool, points, region))
    except Uncalibrated as refusal:
        return Measured(quantity, unit, reason=str(refusal))
    return Measured(quantity, unit, value, more=more, scale=_stated_by(region))


def _stated_by(region: Region) -> str:
    source = region.get("source")
    return f"scale from {source}, not from ultrasound regions" if source else ""


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


@dataclass(frozen=True)
class _Shape:
    """What a drawing covers: points that all lie in its region, and lines, which around an area are closed."""

    points: Sequence[Point]
    lines: Sequence[tuple[Point, Point]]
    closed: bool = False

    def meets(self, region: Region) -> bool:
        """Whether any of it lies within the region; what only shares an edge with it does not."""
        return any(_passes(region, line) for line in self.lines) or (self.closed and self._surrounds(region))

    def _surrounds(self, region: Region) -> bool:
        """Whether a region that no line enters lies inside: lines to the right of its middle are odd in number."""
        x, y = (region["x0"] + region["x1"] + 1) / 2, (region["y0"] + region["y1"] + 1) / 2
        inside = False
        for (ax, ay), (bx, by) in self.lines:
            if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
                inside = not inside
        return inside


def _shape(tool: str, points: Sequence[Point]) -> _Shape:
    """Of an ellipse the box around it."""
    if tool == "box":
        corners = _corners(*points)
        return _Shape(corners, list(pairwise([*corners, corners[0]])), closed=True)
    if tool == "ellipse":
        (x, y), (u, v) = _axes(points)
        across, down = hypot(u[0], v[0]), hypot(u[1], v[1])
        corners = _corners((x - across, y - down), (x + across, y + down))
        return _Shape(corners, list(pairwise([*corners, corners[0]])), closed=True)
    if tool == "freehand":
        return _Shape(points, list(pairwise([*points, points[0]])), closed=True)
    return _Shape(points, list(pairwise(points)))


def _corners(a: Point, b: Point) -> list[Point]:
    return [a, (b[0], a[1]), b, (a[0], b[1])]


def _passes(region: Region, line: tuple[Point, Point]) -> bool:
    """Whether any of a line lies within the region, beyond its edges."""
    first, last = 0.0, 1.0
    for axis, (low, high) in enumerate(((region["x0"], region["x1"] + 1), (region["y0"], region["y1"] + 1))):
        start, step = line[0][axis], line[1][axis] - line[0][axis]
        if not step and not low + _EDGE < start < high - _EDGE:
            return False
        if step:
            enters, leaves = sorted(((low + _EDGE - start) / step, (high - _EDGE - start) / step))
            first, last = max(first, enters), min(last, leaves)
    return first < last


def _lies_over(one: Region, other: Region) -> bool:
    """Whether a region counts, and not the other, where both are."""
    low, other_low = (bool(region.get("low_priority")) for region in (one, other))
    return other_low if low != other_low else _lies_inside(one, other)


def _lies_inside(one: Region, other: Region) -> bool:
    edges, others = ((r["x0"], r["y0"], r["x1"], r["y1"]) for r in (one, other))
    inside = edges[0] >= others[0] and edges[1] >= others[1] and edges[2] <= others[2] and edges[3] <= others[3]
    return inside and edges != others


def _topmost(shape: _Shape, regions: Sequence[Region], *, alike: Callable[[Region], object]) -> Region:
    """The region that counts for a drawing; raises Uncalibrated, also where one that is not ``alike`` may count."""
    holding = _holding(shape.points, regions)
    region = next(each for each in holding if not any(_lies_over(other, each) for other in holding))
    for other in regions:
        may_count = any(other is each for each in holding) or shape.meets(other)
        if may_count and not _lies_over(region, other) and alike(other) != alike(region):
            raise Uncalibrated(OVERLAP)
    return region


def _scale(region: Region) -> object:
    return region["dx_cm"], region["dy_cm"]


def _scaled(tool: str, points: Sequence[Point], region: Region) -> list[Point]:
    """The points in millimetres; raises Uncalibrated."""
    dx, dy = region["dx_cm"], region["dy_cm"]
    if dy is None or (dx is None and region.get("type") != "m_mode"):
        raise Uncalibrated(_why_no_scale(region))
    if dx is None:
        return [(0.0, 10 * dy * y) for y in _heights(tool, points)]
    return [(10 * dx * x, 10 * dy * y) for x, y in points]


def _heights(tool: str, points: Sequence[Point]) -> list[float]:
    """Of a line down an M-mode trace; raises Uncalibrated."""
    if tool != "length" or abs(points[1][0] - points[0][0]) >= _STRAIGHT_DOWN:
        raise Uncalibrated(M_MODE)
    return [y for _, y in points]


def _why_no_scale(region: Region) -> str:
    if not region.get("inside", True):
        return BEYOND
    return TRACE if region.get("type") in ("spectral", "waveform", "m_mode") else NO_CENTIMETRES


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
    region = _topmost(_Shape(points, [(point, point) for point in points]), regions, alike=id)
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
