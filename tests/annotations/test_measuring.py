"""Known lengths, areas and angles, and what has no number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.measuring import measure

CASES = json.loads((Path(__file__).parent / "measures.json").read_text())
REGION = {"x0": 0, "y0": 0, "x1": 399, "y1": 299, "dx_cm": 0.02, "dy_cm": 0.03, "type": "2d", "inside": True}
coordinates = st.tuples(st.floats(0, 400), st.floats(0, 300))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_it_measures_what_is_known(case: dict[str, Any]) -> None:
    found = measure(case["tool"], case["points"], case["regions"], preset=case["preset"], frame=case["frame"])
    assert (found.unit, found.reason) == (case["unit"], case["reason"])
    assert found.value == (None if case["value"] is None else pytest.approx(case["value"], rel=1e-6))


@given(a=coordinates, b=coordinates)
def test_a_length_is_the_same_from_both_ends_and_a_box_from_all_corners(a: Any, b: Any) -> None:
    there, back = measure("length", [a, b], [REGION]), measure("length", [b, a], [REGION])
    assert there.value == back.value
    corners = measure("box", [(a[0], b[1]), (b[0], a[1])], [REGION])
    assert corners.value == measure("box", [a, b], [REGION]).value


@given(a=coordinates, b=coordinates, c=coordinates)
def test_a_triangle_has_half_the_area_of_its_parallelogram(a: Any, b: Any, c: Any) -> None:
    area = measure("freehand", [a, b, c], [REGION]).value
    twice = abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) * 0.02 * 0.03
    assert area == pytest.approx(twice / 2, abs=1e-6)


def test_a_point_in_a_picture_and_an_arrow_measure_nothing() -> None:
    assert measure("point", [(5, 5)], [REGION]) is None
    assert measure("arrow", [(5, 5), (9, 9)], [REGION]) is None
