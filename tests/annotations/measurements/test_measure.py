"""Known lengths, areas and angles, and what has no number."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.measurements.measure import OVERLAP, Measured, measure

CASES = json.loads((Path(__file__).parent / "measures.json").read_text())
REGION: Any = {"x0": 0, "y0": 0, "x1": 399, "y1": 299, "dx_cm": 0.02, "dy_cm": 0.03, "type": "2d", "inside": True}
coordinates = st.tuples(st.floats(0, 400), st.floats(0, 300))

# Whole and half pixels: what lies on an edge lies on it exactly.
spots = st.tuples(st.integers(0, 800).map(lambda n: n / 2), st.integers(0, 600).map(lambda n: n / 2))
drawings = st.one_of(
    *(
        st.tuples(st.just(tool), st.lists(spots, min_size=count, max_size=count))
        for tool, count in (("length", 2), ("angle", 3), ("freehand", 4), ("box", 2))
    )
)


def measured(tool: str, points: list[Any], regions: list[Any], **more: Any) -> Measured:
    result = measure(tool, points, regions, **more)
    assert result is not None
    return result


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_it_measures_what_is_known(case: dict[str, Any]) -> None:
    found = measured(case["tool"], case["points"], case["regions"], preset=case["preset"], frame=case["frame"])
    assert (found.quantity, found.unit, found.reason) == (case["quantity"], case["unit"], case["reason"])
    assert found.value == (None if case["value"] is None else pytest.approx(case["value"], rel=1e-6))
    assert found.more == pytest.approx(case["more"], rel=1e-6)
    assert found.scale == case.get("scale", "")


def test_numbers_are_kept_to_four_decimals() -> None:
    # Half axes of √500 px each: 500π px² of 0.06 mm². One axis spans 8 and 6 mm, the other 4 and 12 mm.
    kept = measured("ellipse", [(80, 90), (120, 110), (90, 120), (110, 80)], [REGION]).as_json()
    more = {"first_axis_mm": 10.0, "second_axis_mm": 12.6491}
    assert kept == {"quantity": "area", "unit": "cm²", "value": 0.9425, "reason": "", "more": more}


@given(a=coordinates, b=coordinates)
def test_a_length_is_the_same_from_both_ends_and_a_box_from_all_corners(a: Any, b: Any) -> None:
    there, back = measured("length", [a, b], [REGION]), measured("length", [b, a], [REGION])
    assert there.value == back.value
    corners = measured("box", [(a[0], b[1]), (b[0], a[1])], [REGION])
    assert corners.value == measured("box", [a, b], [REGION]).value


@given(a=coordinates, b=coordinates, c=coordinates)
def test_a_triangle_has_half_the_area_of_its_parallelogram(a: Any, b: Any, c: Any) -> None:
    area = measured("freehand", [a, b, c], [REGION]).value
    twice = abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) * 0.02 * 0.03
    assert area == pytest.approx(twice / 2, abs=1e-6)


def _along(points: list[Any], closed: bool) -> list[Any]:
    """Many spots on the lines of a drawing."""
    ends = [*points, points[0]] if closed else points
    shares = [step / 40 for step in range(41)]
    return [(a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])) for a, b in pairwise(ends) for t in shares]


@given(drawing=drawings, x=st.integers(0, 398), y=st.integers(0, 298), size=st.integers(0, 200), same=st.booleans())
def test_the_topmost_region_counts_and_what_touches_two_scales_has_no_number(
    drawing: tuple[str, list[Any]], x: int, y: int, size: int, *, same: bool
) -> None:
    tool, points = drawing
    inner = REGION | {"x0": x, "y0": y, "x1": min(x + size, 399), "y1": min(y + size, 299)}
    inner |= {} if same else {"dx_cm": 0.05}
    alone, found = measured(tool, points, [REGION]), measured(tool, points, [REGION, inner])
    (ax, ay), (bx, by) = points[0], points[1]
    corners = [(ax, ay), (bx, ay), (bx, by), (ax, by)] if tool == "box" else points
    spots = _along(corners, closed=tool in ("box", "freehand"))
    right, bottom = inner["x1"] + 1, inner["y1"] + 1
    inside = [x < px < right and y < py < bottom for px, py in spots]
    apart = max(px for px, _ in spots) < x or min(px for px, _ in spots) > right
    assert found == measured(tool, points, [inner, REGION])
    if same or apart:
        assert found == alone
    elif all(inside):
        assert found == measured(tool, points, [inner])
    elif any(inside):
        assert (found.value, found.reason) == (None, OVERLAP)


def test_a_point_in_a_picture_and_an_arrow_measure_nothing() -> None:
    assert measure("point", [(5, 5)], [REGION]) is None
    assert measure("arrow", [(5, 5), (9, 9)], [REGION]) is None
