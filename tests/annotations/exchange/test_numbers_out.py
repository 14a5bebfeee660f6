"""The numbers of drawings wherever they leave the server: as they follow from the points by hand, none lost."""

from __future__ import annotations

import json
from math import pi, sin
from typing import Any

import pytest
from django.test import Client
from pydicom.dataset import Dataset
from pydicom.uid import UltrasoundMultiFrameImageStorage

from accounts.models import User
from accounts.roles import Role
from studies.models import Study
from tests.accounts.people import person
from tests.annotations import factories
from tests.annotations.exchange.test_exchange import export, given, objects, rows, text

pytestmark = pytest.mark.django_db
PICTURE = {"x0": 0, "y0": 0, "x1": 399, "y1": 149, "dx_cm": 0.02, "dy_cm": 0.03, "type": "2d", "inside": True}
NO_SCALE = {"dx_cm": None, "dy_cm": None, "inside": True, "type": "spectral", "x0": 0, "x1": 399, "y0": 150, "y1": 299}
# The zero line is row 150 + 99 + 0.5; a row is half a centimetre per second, in the third frame 25 hertz.
TRACE = NO_SCALE | {"axes": ["s", "cm/s"], "delta": [0.005, -0.5], "reference": [0, 99], "reference_value": [0, 0]}
HERTZ = TRACE | {"axes": ["s", "Hz"], "delta": [0.005, -25], "frames": [3, 3]}
SLANTING = [[80, 90], [120, 110], [90, 120], [110, 80]]
L_SHAPE = [[20, 20], [120, 20], [120, 60], [60, 60], [60, 100], [20, 100]]
DRAWN: dict[str, dict[str, Any]] = {
    "length": {"points": [[20, 20], [50, 40]]},
    "vi": {"points": [[10, 10], [110, 10]], "preset": "vi", "side": "left"},
    "angle": {"tool": "angle", "points": [[110, 60], [80, 40], [50, 40]]},
    "box": {"tool": "box", "points": [[10, 20], [30, 60]]},
    "ellipse": {"tool": "ellipse", "points": SLANTING},
    "freehand": {"tool": "freehand", "points": L_SHAPE},
    "ri": {"points": [[50, 189.5], [90, 229.5]], "preset": "ri"},
    "ri-hertz": {"points": [[50, 189.5], [90, 229.5]], "preset": "ri", "frame": 3},
    "point": {"tool": "point", "points": [[50, 189.5]]},
    "point-hertz": {"tool": "point", "points": [[50, 189.5]], "frame": 3},
    "across": {"points": [[20, 20], [20, 200]]},
    "arrow": {"tool": "arrow", "points": [[5, 5], [9, 9]]},
}
TWO = "uncalibrated: the points lie in two regions"


def measured(quantity: str, unit: str, value: float | None, reason: str = "", **more: float) -> dict[str, Any]:
    return {"quantity": quantity, "unit": unit, "value": value, "reason": reason, "more": more}


KNOWN = {
    "length": measured("length", "mm", 8.4853),  # 6 mm across and 6 mm down
    "vi": measured("length", "mm", 20.0),
    "angle": measured("angle", "°", 135.0),  # arms of (6, 6) and (-6, 0) mm
    "box": measured("area", "cm²", 0.48, width_mm=4.0, height_mm=12.0),
    # 500π px² of 0.06 mm²; the axes span 8 and 6 mm, 4 and 12 mm
    "ellipse": measured("area", "cm²", 0.9425, first_axis_mm=10.0, second_axis_mm=12.6491),
    # 5600 px² of 0.06 mm²; 200 px across, 160 px down
    "freehand": measured("area", "cm²", 3.36, perimeter_mm=88.0),
    "ri": measured("resistive_index", "", 0.6667, psv_cm_s=30.0, edv_cm_s=10.0),  # 60 and 20 rows above zero
    "ri-hertz": measured("resistive_index", "", 0.6667, psv_Hz=1500.0, edv_Hz=500.0),
    "point": measured("velocity", "cm/s", 30.0),
    "point-hertz": measured("velocity", "Hz", 1500.0),
    "across": measured("length", "mm", None, TWO),
    "arrow": None,
}
REPORTED = {
    "length": [("410668003", 8.4853, "mm")],
    "vi": [("vi", 20.0, "mm")],
    "angle": [("1483009", 135.0, "deg")],
    "box": [("42798000", 0.48, "cm2"), ("103355008", 4.0, "mm"), ("121207", 12.0, "mm")],
    "ellipse": [("42798000", 0.9425, "cm2"), ("first_axis", 10.0, "mm"), ("second_axis", 12.6491, "mm")],
    "freehand": [("42798000", 3.36, "cm2"), ("131191004", 88.0, "mm")],
    "ri": [("12023-8", 0.6667, "1"), ("11726-7", 30.0, "cm/s"), ("11653-3", 10.0, "cm/s")],
    "ri-hertz": [("12023-8", 0.6667, "1"), ("11726-7", 1500.0, "Hz"), ("11653-3", 500.0, "Hz")],
    "point": [("velocity", 30.0, "cm/s")],
    "point-hertz": [("velocity", 1500.0, "Hz")],
}


@pytest.fixture
def admin() -> User:
    return person(Role.ADMIN)


@pytest.fixture
def drawn() -> Study:
    """A committed read, nine days old, with a drawing of every kind."""
    made = factories.study(minutes=9 * 24 * 60)
    facts = {"rows": 300, "columns": 400, "sop_class": UltrasoundMultiFrameImageStorage}
    made.clips.update(regions=[PICTURE, TRACE, HERTZ], **facts)
    common = {"tool": "length", "sop_uid": made.clips.get().sop_uid, "frame": 1}
    factories.read(made, right=0, left=0, drawings=[{**common, "uid": uid, **each} for uid, each in DRAWN.items()])
    return made


def _numbers(drawings: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["uid"]: each["measured"] for each in drawings}


def test_the_csv_holds_every_number(drawn: Study, admin: User) -> None:
    (row,) = rows(export(admin))
    assert _numbers(json.loads(row["drawings"])) == KNOWN


def test_the_json_holds_every_number(drawn: Study, admin: User) -> None:
    (read,) = json.loads(text(export(admin, "json")))["reads"]
    assert _numbers(read["findings"]["drawings"]) == KNOWN


@pytest.fixture
def by_spacing() -> Study:
    """A committed read of a box whose scale is from Pixel Spacing."""
    made = factories.study(minutes=9 * 24 * 60)
    made.clips.update(regions=[PICTURE | {"source": "Pixel Spacing"}], rows=300, columns=400)
    box = {"sop_uid": made.clips.get().sop_uid, "frame": 1, "uid": "box", **DRAWN["box"]}
    factories.read(made, right=0, left=0, drawings=[box])
    return made


STATED = (KNOWN["box"] or {}) | {"scale": "scale from Pixel Spacing, not from ultrasound regions"}


def test_a_scale_from_pixel_spacing_is_named_in_csv_json_and_coco(by_spacing: Study, admin: User) -> None:
    (row,) = rows(export(admin))
    (read,) = json.loads(text(export(admin, "json")))["reads"]
    (region,) = json.loads(text(export(admin, "coco")))["annotations"]
    assert _numbers(json.loads(row["drawings"])) == {"box": STATED}
    assert _numbers(read["findings"]["drawings"]) == {"box": STATED}
    assert _numbers([region["attributes"]]) == {"box": STATED}


def test_coco_holds_the_numbers_of_regions(drawn: Study, admin: User) -> None:
    regions = [each["attributes"] for each in json.loads(text(export(admin, "coco")))["annotations"]]
    assert _numbers(regions) == {uid: KNOWN[uid] for uid in ("box", "ellipse", "freehand")}


@pytest.mark.parametrize(
    ("uid", "area", "bbox"),
    [
        ("box", 20 * 40, [10, 20, 20, 40]),
        # Of 64 corners on it: 32 sin(2π / 64) in place of π. It reaches √500 px from its middle.
        ("ellipse", 500 * 32 * sin(pi / 32), [100 - 500**0.5, 100 - 500**0.5, 2 * 500**0.5, 2 * 500**0.5]),
        ("freehand", 100 * 40 + 40 * 40, [20, 20, 100, 80]),
    ],
)
def test_coco_tells_areas_and_boxes_in_pixels(
    drawn: Study, admin: User, uid: str, area: float, bbox: list[float]
) -> None:
    found = {each["attributes"]["uid"]: each for each in json.loads(text(export(admin, "coco")))["annotations"]}
    assert found[uid]["area"] == pytest.approx(area, abs=0.01)
    assert found[uid]["bbox"] == pytest.approx(bbox, abs=0.05)


def _groups(answer: Any) -> dict[str, list[Dataset]]:
    """The items of each measurement group of the one report, by the drawing's identifier."""
    (report,) = objects(answer)
    (measurements,) = [each for each in report.ContentSequence if _name(each) == "126010"]
    return {group.ContentSequence[0].TextValue: list(group.ContentSequence) for group in measurements.ContentSequence}


def _name(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeValue)


def _reported(item: Dataset) -> tuple[str, float, str]:
    (value,) = item.MeasuredValueSequence
    return _name(item), float(value.NumericValue), value.MeasurementUnitsCodeSequence[0].CodeValue


def test_a_report_names_each_number_with_its_unit(drawn: Study, admin: User) -> None:
    groups = _groups(export(admin, "sr"))
    numbers = {uid: [_reported(each) for each in items if each.ValueType == "NUM"] for uid, items in groups.items()}
    assert {uid: numbers[uid] for uid in DRAWN} == {uid: REPORTED.get(uid, []) for uid in DRAWN}


@pytest.mark.parametrize(
    ("uid", "kind", "points"),
    [
        ("length", "POLYLINE", DRAWN["length"]["points"]),
        ("box", "POLYLINE", [[10, 20], [30, 20], [30, 60], [10, 60], [10, 20]]),
        ("ellipse", "ELLIPSE", SLANTING),
        ("freehand", "POLYLINE", [*L_SHAPE, L_SHAPE[0]]),
        ("point", "POINT", DRAWN["point"]["points"]),
        ("across", "POLYLINE", DRAWN["across"]["points"]),
    ],
)
def test_a_report_holds_the_points_of_each_drawing(
    drawn: Study, admin: User, uid: str, kind: str, points: list[list[float]]
) -> None:
    item = _groups(export(admin, "sr"))[uid][-1]
    region = item if item.ValueType == "SCOORD" else item.ContentSequence[0]
    assert region.GraphicType == kind
    assert list(region.GraphicData) == [number for point in points for number in point]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_what_comes_back_has_the_same_numbers(drawn: Study, admin: User, form: str) -> None:
    sheet = export(admin, form).content
    drawn.reads.update(status="draft")
    assert given(admin, sheet, dry_run=False).json()["counts"] == {"new": 1}
    back = drawn.reads.get(context="import").revisions.get()
    assert _numbers(back.findings["drawings"]) == KNOWN


def test_the_drawings_of_a_prior_come_with_every_number(client: Client, reader: User, drawn: Study) -> None:
    later = factories.study(of=drawn.patient)
    client.force_login(reader)
    told = client.get(f"/api/v1/studies/{later.uid}/priors/{drawn.uid}/drawings/").json()
    assert _numbers(told["drawings"]) == KNOWN


def test_the_timeline_tells_the_numbers_of_measures(client: Client, reader: User, drawn: Study) -> None:
    later = factories.study(of=drawn.patient)
    client.force_login(reader)
    told = client.get(f"/api/v1/studies/{later.uid}/timeline/").json()["studies"][0]["read"]["measures"]
    assert [(each["preset"], each["side"], each["measured"]) for each in told] == [
        ("vi", "left", KNOWN["vi"]),
        ("ri", "", KNOWN["ri"]),
        ("ri", "", KNOWN["ri-hertz"]),
    ]
