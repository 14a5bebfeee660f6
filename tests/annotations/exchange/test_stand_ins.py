"""What leaves without identifiers belongs together: one map of UIDs for every object of an export."""

from __future__ import annotations

import io
import json
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import highdicom as hd
import pytest

from accounts.models import AuditEntry, User
from accounts.roles import Role
from annotations.exchange.importer import Importer
from studies.models import Study
from studies.stand_ins import StandIns
from tests.accounts.people import person
from tests.annotations.exchange.test_dicom_objects import read_study as read_study
from tests.annotations.exchange.test_exchange import export, given, rows, text

pytestmark = pytest.mark.django_db
FORMS = ("csv", "json", "coco", "sr", "seg")


@pytest.fixture
def admin() -> User:
    return person(Role.ADMIN)


def _content(admin: User, form: str, **query: Any) -> bytes:
    """The bytes of an export, of a zip those of its members."""
    data: bytes = export(admin, form, **query).content
    if form not in ("sr", "seg"):
        return data
    archive = zipfile.ZipFile(io.BytesIO(data))
    return b"".join(name.encode() + archive.read(name) for name in archive.namelist())


def _object(admin: User, form: str, **query: Any) -> bytes:
    archive = zipfile.ZipFile(io.BytesIO(export(admin, form, **query).content))
    (name,) = [name for name in archive.namelist() if name.endswith(".dcm")]
    return archive.read(name)


@pytest.mark.parametrize("key", ["", "trial 7"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_names_study_and_clip_by_one_map(read_study: Study, admin: User, form: str, key: str) -> None:
    made, stand_ins, clip = _content(admin, form, key=key), StandIns(key), read_study.clips.get()
    assert stand_ins.uid(read_study.uid).encode() in made
    assert stand_ins.uid(clip.sop_uid).encode() in made
    assert not any(uid.encode() in made for uid in (read_study.uid, clip.sop_uid, clip.series_uid))


@pytest.mark.parametrize("form", ["sr", "seg"])
def test_an_object_refers_to_series_and_clip_by_their_stand_ins(read_study: Study, admin: User, form: str) -> None:
    made, clip = hd.sr if form == "sr" else hd.seg, read_study.clips.get()
    read = (made.srread if form == "sr" else made.segread)(io.BytesIO(_object(admin, form)))
    evidence = read.CurrentRequestedProcedureEvidenceSequence[0] if form == "sr" else read
    (series,) = evidence.ReferencedSeriesSequence
    inner = series.ReferencedSOPSequence if form == "sr" else series.ReferencedInstanceSequence
    assert series.SeriesInstanceUID == StandIns().uid(clip.series_uid)
    assert [item.ReferencedSOPInstanceUID for item in inner] == [StandIns().uid(clip.sop_uid)]


def test_a_region_is_followed_by_one_uid_in_report_and_mask(read_study: Study, admin: User) -> None:
    report: Any = hd.sr.srread(io.BytesIO(_object(admin, "sr", identified=True, reason="tests")))
    mask = hd.seg.segread(io.BytesIO(_object(admin, "seg", identified=True, reason="tests")))
    of_report = {group.tracking_uid for group in report.content.get_planar_roi_measurement_groups()}
    assert {segment.TrackingUID for segment in mask.SegmentSequence} < of_report


@pytest.mark.parametrize("form", ["sr", "seg"])
def test_the_rules_of_the_standard_hold_under_stand_ins(
    read_study: Study, admin: User, tmp_path: Path, form: str
) -> None:
    path = tmp_path / "made.dcm"
    path.write_bytes(_object(admin, form, key="trial 7"))
    judged = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False).stderr
    assert "Error" not in judged, judged


@pytest.mark.parametrize("form", FORMS)
def test_exports_under_two_keys_share_no_stand_in(read_study: Study, admin: User, form: str) -> None:
    found = [
        set(re.findall(rb"2\.25\.\d+|(?:infant|reader|drawing)-[0-9a-f]{12}", _content(admin, form, key=key)))
        for key in ("", "trial 7", "trial 8")
    ]
    assert all(found)
    assert not found[0] & found[1]
    assert not found[1] & found[2]


def test_the_same_key_gives_the_same_stand_ins(read_study: Study, admin: User) -> None:
    assert rows(export(admin, "csv", key="trial 7")) == rows(export(admin, "csv", key="trial 7"))


def test_numbers_of_reads_do_not_link_exports_under_a_key(read_study: Study, admin: User) -> None:
    ids = [json.loads(text(export(admin, "json", key=key)))["reads"][0]["id"] for key in ("", "trial 7", "trial 8")]
    assert len(set(ids)) == 3


def test_an_export_under_a_key_is_read_back_under_it_alone(read_study: Study, admin: User) -> None:
    sheet = _content(admin, "csv", key="trial 7")
    assert [row.study for row in Importer(admin, key="trial 7").judge(sheet).rows] == [read_study.pk]
    assert [row.study for row in Importer(admin).judge(sheet).rows] == [0]
    assert given(admin, sheet, key="trial 7").json()["counts"].get("refused") is None


def test_the_trail_says_that_there_was_a_key_and_not_which(read_study: Study, admin: User) -> None:
    export(admin, "csv", key="trial 7")
    assert AuditEntry.objects.get(action="labels.exported").detail["key"] == "own"
