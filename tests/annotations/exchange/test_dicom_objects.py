"""SR and SEG as others read them: highdicom's readers, dciodvfy's rules, DCMTK's page."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import UltrasoundMultiFrameImageStorage

from accounts.models import User
from accounts.roles import Role
from annotations.exchange.dicom_seg import mask
from studies.models import Study
from tests.accounts.people import person
from tests.annotations import factories
from tests.annotations.exchange.test_exchange import export

pytestmark = pytest.mark.django_db
REGION = {"x0": 0, "y0": 0, "x1": 399, "y1": 299, "dx_cm": 0.02, "dy_cm": 0.02, "type": "2d", "inside": True}
BOX = {"uid": "b", "tool": "box", "points": [[10, 20], [30, 60]], "label": "clot", "frame": 2}
ELLIPSE = {"uid": "e", "tool": "ellipse", "points": [[100, 150], [180, 150], [140, 110], [140, 190]], "frame": 7}
INDEX = {"uid": "l", "tool": "length", "points": [[10, 10], [110, 10]], "preset": "vi", "side": "left", "frame": 2}
DRAWINGS = [BOX, ELLIPSE, INDEX]


@pytest.fixture
def admin() -> User:
    return person(Role.ADMIN)


@pytest.fixture
def read_study(study: Study) -> Study:
    """A read with two regions and a ventricular index, on frames of one clip."""
    study.clips.update(rows=300, columns=400, frames=10, regions=[REGION], sop_class=UltrasoundMultiFrameImageStorage)
    sop = study.clips.get().sop_uid
    drawings = [{**each, "sop_uid": sop} for each in DRAWINGS]
    factories.read(study, left=3, pvl=2, keyframes=[{"sop_uid": sop, "frame": 4}], drawings=drawings)
    return study


@pytest.fixture
def report(read_study: Study, admin: User) -> Any:
    (data,) = _files(export(admin, "sr", identified=True, reason="tests"))
    return hd.sr.srread(io.BytesIO(data))


@pytest.fixture
def segmentation(read_study: Study, admin: User) -> hd.seg.Segmentation:
    (data,) = _files(export(admin, "seg", identified=True, reason="tests"))
    return hd.seg.segread(io.BytesIO(data))


def _files(answer: Any) -> list[bytes]:
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    return [archive.read(name) for name in archive.namelist() if name.endswith(".dcm")]


# ---------- the report, by highdicom ----------


def _drawn(report: Any, name: str) -> Any:
    groups = report.content.get_planar_roi_measurement_groups()
    return next(group for group in groups if group.tracking_identifier == name)


def test_each_drawing_is_a_planar_roi_with_a_tracking_uid(report: Any) -> None:
    groups = report.content.get_planar_roi_measurement_groups()
    assert {group.tracking_identifier for group in groups} == {"b", "e", "l"}
    assert len({group.tracking_uid for group in groups}) == 3


def test_the_tracking_uid_of_a_drawing_is_the_same_in_every_export(read_study: Study, admin: User) -> None:
    first, second = (hd.sr.srread(io.BytesIO(_files(export(admin, "sr"))[0])) for _ in range(2))
    assert _drawn(first, "l").tracking_uid == _drawn(second, "l").tracking_uid


def test_a_measure_has_its_name_value_unit_site_and_side(report: Any) -> None:
    group = _drawn(report, "l")
    (number,), (site,) = group.get_measurements(), group.finding_sites
    assert (number.name.meaning, number.value, number.unit.value) == ("Ventricular index (Levene)", 20.0, "mm")
    assert (site.value.meaning, site.laterality.meaning) == ("Lateral Ventricle", "Left")
    assert group.finding_type.meaning == "Ventricular index (Levene)"


@pytest.mark.parametrize(("name", "kind", "frame"), [("b", "POLYLINE", 2), ("e", "ELLIPSE", 7), ("l", "POLYLINE", 2)])
def test_a_region_lies_on_its_frame(report: Any, read_study: Study, name: str, kind: str, frame: int) -> None:
    region = _drawn(report, name).roi
    source = region.ContentSequence[0].ReferencedSOPSequence[0]
    assert region.graphic_type.value == kind
    assert (source.ReferencedSOPInstanceUID, source.ReferencedFrameNumber) == (read_study.clips.get().sop_uid, frame)


def test_a_region_has_the_points_that_were_drawn(report: Any) -> None:
    assert _drawn(report, "e").roi.value.tolist() == ELLIPSE["points"]


def test_a_box_has_its_area_and_sides(report: Any) -> None:
    numbers = {each.name.meaning: (each.value, each.unit.value) for each in _drawn(report, "b").get_measurements()}
    assert numbers == {"Area": (0.32, "cm2"), "Width": (4.0, "mm"), "Height": (8.0, "mm")}


def test_a_number_says_by_its_method_that_no_ultrasound_region_states_its_scale(study: Study, admin: User) -> None:
    stated = [{**REGION, "source": "Nominal Scanned Pixel Spacing"}]
    study.clips.update(rows=300, columns=400, frames=10, regions=stated, sop_class=UltrasoundMultiFrameImageStorage)
    factories.read(study, left=3, drawings=[{**BOX, "sop_uid": study.clips.get().sop_uid}])
    (data,) = _files(export(admin, "sr", identified=True, reason="tests"))
    numbers = _drawn(hd.sr.srread(io.BytesIO(data)), "b").get_measurements()
    meaning = "Scale from Nominal Scanned Pixel Spacing, not from US regions"
    assert [each.method.meaning for each in numbers] == [meaning] * 3


def test_the_findings_are_said_in_the_words_of_the_schema(report: Any) -> None:
    groups = report.content.get_image_measurement_groups()
    findings = next(group for group in groups if group.tracking_identifier == "findings")
    said = {each.name.value: each.value.meaning for each in findings.get_qualitative_evaluations()}
    assert (said["left"], said["pvl"]) == ("III", "II")


def test_a_keyframe_names_its_frame(report: Any) -> None:
    groups = report.content.get_image_measurement_groups()
    (keyframe,) = [group for group in groups if group.finding_type.value == "keyframe"]
    assert keyframe.source_images[0].referenced_frame_numbers == [4]


def test_the_report_declares_whose_codes_are_in_it(report: Any) -> None:
    assert report.CodingSchemeIdentificationSequence[0].CodingSchemeDesignator == "99FONTANELLE"
    assert report.VerificationFlag == "UNVERIFIED"


def test_a_long_code_is_whole(study: Study, admin: User) -> None:
    """Codes of more than sixteen characters were cut, and answers of one field became one."""
    factories.read(study, right=4, left=0, phi=True, phi_extent="localised", cerebellar="not_assessed")
    (data,) = _files(export(admin, "sr"))
    codes = [each.value for each in dcmread(io.BytesIO(data)).iterall() if each.keyword == "LongCodeValue"]
    assert "cerebellar:not_assessed" in codes


def test_a_clip_of_a_private_class_is_evidence_under_its_own_class(read_study: Study, admin: User) -> None:
    read_study.clips.update(sop_class="1.2.840.113619.4.2")
    (data,) = _files(export(admin, "sr"))
    report = dcmread(io.BytesIO(data))
    classes = {each.value for each in report.iterall() if each.keyword == "ReferencedSOPClassUID"}
    assert classes == {"1.2.840.113619.4.2"}


def test_a_read_without_drawings_is_a_report_too(study: Study, admin: User) -> None:
    factories.read(study, right=0, left=0)
    (data,) = _files(export(admin, "sr"))
    report: Any = hd.sr.srread(io.BytesIO(data))
    assert len(report.content.get_image_measurement_groups()) == 1


# ---------- the segmentation, by highdicom ----------


@pytest.mark.parametrize(("drawing", "segment"), [(BOX, 1), (ELLIPSE, 2)])
def test_a_mask_read_by_its_source_frame_is_what_was_drawn(
    segmentation: hd.seg.Segmentation, read_study: Study, drawing: Any, segment: int
) -> None:
    pixels = segmentation.get_pixels_by_source_frame(
        source_sop_instance_uid=read_study.clips.get().sop_uid,
        source_frame_numbers=[drawing["frame"]],
        segment_numbers=[segment],
    )
    assert np.array_equal(pixels[0, :, :, 0].astype(bool), mask(drawing, 300, 400))


def test_a_frame_without_a_region_has_an_empty_mask(segmentation: hd.seg.Segmentation, read_study: Study) -> None:
    pixels = segmentation.get_pixels_by_source_frame(
        source_sop_instance_uid=read_study.clips.get().sop_uid,
        source_frame_numbers=[3],
        segment_numbers=[1],
        assert_missing_frames_are_empty=True,
    )
    assert pixels.sum() == 0


# ---------- both, by the rules of the standard ----------


@pytest.mark.parametrize("form", ["sr", "seg"])
@pytest.mark.parametrize("named", [{}, {"identified": True, "reason": "tests"}], ids=["stand-ins", "identified"])
def test_dciodvfy_finds_no_error(
    read_study: Study, admin: User, tmp_path: Path, form: str, named: dict[str, Any]
) -> None:
    (data,) = _files(export(admin, form, **named))
    (tmp_path / "object.dcm").write_bytes(data)
    said = subprocess.run(["dciodvfy", tmp_path / "object.dcm"], capture_output=True, text=True, check=False)
    assert [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")] == []


def test_dsr2html_shows_the_measure(read_study: Study, admin: User, tmp_path: Path) -> None:
    (data,) = _files(export(admin, "sr"))
    (tmp_path / "report.dcm").write_bytes(data)
    subprocess.run(["dsr2html", tmp_path / "report.dcm", tmp_path / "report.html"], check=True)
    page = (tmp_path / "report.html").read_text(errors="replace")
    assert "Ventricular index (Levene)" in page
    assert "Left" in page
