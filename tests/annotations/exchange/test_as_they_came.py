"""What leaves with identifiers calls infant and study as the study's own files do."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.multival import MultiValue

from accounts.models import User
from accounts.roles import Role
from annotations.exchange.as_sent import date_out, time_out
from studies.dicom.facts import AsSent
from studies.models import Study
from tests.accounts.people import person
from tests.annotations.exchange.test_dicom_objects import read_study as read_study
from tests.annotations.exchange.test_exchange import export, rows, text

pytestmark = pytest.mark.django_db
SENT: AsSent = {
    "patient_id": "47  11", "issuer": "NORTH", "name": "MÜSTER^ZOÉ^^Dr.=山田^太郎", "birth_date": "20260310",
    "sex": "F", "institution": "", "study_date": "20260315", "study_time": "233000.5", "utc_offset": "-0500",
    "study_id": "S1",
}  # fmt: skip


@pytest.fixture
def admin() -> User:
    return person(Role.ADMIN)


@pytest.fixture
def sent(read_study: Study) -> Study:
    """A study whose files call the infant otherwise than the patient's row does by now."""
    read_study.as_sent = SENT
    read_study.save()
    return read_study


def _object(admin: User, form: str, **query: Any) -> bytes:
    archive = zipfile.ZipFile(io.BytesIO(export(admin, form, **query).content))
    (name,) = [name for name in archive.namelist() if name.endswith(".dcm")]
    return archive.read(name)


@pytest.mark.parametrize("form", ["sr", "seg"])
def test_an_object_names_patient_and_study_as_they_came(sent: Study, admin: User, form: str) -> None:
    made = dcmread(io.BytesIO(_object(admin, form, identified=True, reason="tests")))
    assert (str(made.PatientName), made.PatientID) == (SENT["name"], "47  11")
    assert (made.IssuerOfPatientID, made.PatientBirthDate, made.PatientSex) == ("NORTH", "20260310", "F")
    assert (made.StudyDate, made.StudyTime, made.StudyID) == ("20260315", "233000.5", "S1")
    assert made.TimezoneOffsetFromUTC == "-0500"


@pytest.mark.parametrize("form", ["sr", "seg"])
def test_another_reader_finds_the_same_texts_and_no_error(sent: Study, admin: User, tmp_path: Path, form: str) -> None:
    path = tmp_path / "made.dcm"
    path.write_bytes(_object(admin, form, identified=True, reason="tests"))
    seen = subprocess.run(["dcmdump", "+U8", path], capture_output=True, text=True, check=True).stdout
    assert all(f"[{text}]" in seen for text in ("MÜSTER^ZOÉ^^Dr.=山田^太郎", "NORTH", "233000.5"))
    judged = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False).stderr
    assert "Error" not in judged, judged


def test_a_sheet_names_them_as_they_came(sent: Study, admin: User) -> None:
    (row,) = rows(export(admin, "csv", identified=True, reason="tests"))
    assert (row["patient_name"], row["issuer"]) == (SENT["name"], "NORTH")
    assert (row["study_date"], row["study_time"], row["utc_offset"]) == ("20260315", "233000.5", "-0500")


def test_json_names_them_as_they_came(sent: Study, admin: User) -> None:
    (read,) = json.loads(text(export(admin, "json", identified=True, reason="tests")))["reads"]
    assert (read["patient_name"], read["issuer"], read["study_time"]) == (SENT["name"], "NORTH", "233000.5")


ODD: dict[str, AsSent] = {
    "several names": {**SENT, "name": "A^B\\C^D", "patient_id": "4711\\4712", "issuer": "N\\S"},
    "too many parts": {**SENT, "name": "a^b^c^d^e^f^g=h=i=j", "sex": "W"},
    "long": {**SENT, "name": "x" * 324, "issuer": "y" * 64, "study_id": "z" * 16},
    "nonsense": {**SENT, "study_date": "yesterday", "study_time": "99", "utc_offset": "EST", "birth_date": "2026-3-1"},
    "nothing": {
        **SENT,
        "name": "",
        "patient_id": "",
        "issuer": "",
        "study_date": "",
        "study_time": "",
        "utc_offset": "",
    },
    "no text": {**SENT, "name": "\u202eA^B\ufeff", "issuer": "  "},
}


@pytest.mark.parametrize("form", ["csv", "json", "sr", "seg", "coco"])
@pytest.mark.parametrize("kind", sorted(ODD))
def test_whatever_a_file_said_can_leave(read_study: Study, admin: User, kind: str, form: str) -> None:
    Study.objects.update(as_sent=ODD[kind])
    made = export(admin, form, identified=True, reason="tests")
    assert made.status_code == 200
    if form in ("sr", "seg"):
        written = dcmread(io.BytesIO(_object(admin, form, identified=True, reason="tests")))
        assert written.StudyInstanceUID == read_study.uid
        names = written.PatientName if isinstance(written.PatientName, MultiValue) else [written.PatientName]
        assert "\\".join(map(str, names)) == ODD[kind]["name"].rstrip("=")


@pytest.mark.parametrize("form", ["csv", "json", "sr", "seg", "coco"])
def test_nothing_of_it_leaves_without_identifiers(sent: Study, admin: User, form: str) -> None:
    made = export(admin, form).content if form in ("csv", "json", "coco") else _object(admin, form)
    assert not any(each.encode() in made for each in ("MÜSTER", "NORTH", "20260315", "20260310", "47  11"))


def test_times_of_the_old_forms_leave_in_todays() -> None:
    assert [date_out("2026.03.15"), date_out("20260315"), date_out("never")] == ["20260315", "20260315", ""]
    assert [time_out("23:30:00"), time_out("2330"), time_out("noon")] == ["233000", "2330", ""]
