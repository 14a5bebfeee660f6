"""Infants whose numbers say too little: kept apart or asked about, never merged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AuditEntry, User
from studies.models import Clip, Patient

Stored = Callable[..., Clip]
URL = "/api/v1/patients/suggestions/"
ANNA: dict[str, Any] = {
    "PatientID": "4711", "PatientName": "North^Anna", "PatientBirthDate": "20260101", "PatientSex": "F",
    "InstitutionName": "North Hospital",
}  # fmt: skip
BEN: dict[str, Any] = {
    "PatientID": "4711", "PatientName": "South^Ben", "PatientBirthDate": "20251212", "PatientSex": "M",
    "InstitutionName": "South Hospital",
}  # fmt: skip


@pytest.fixture
def boss(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def _rows(client: Client) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(URL).json()["results"]
    return rows


def _sides(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(side["patient_id"], side["name"]) for side in row["sides"]]


def _notes(client: Client, clip: Clip) -> str:
    return " ".join(client.get(f"/api/v1/studies/{clip.study.uid}/").json()["notes"])


def test_one_number_from_two_hospitals_is_two_infants(stored: Stored) -> None:
    anna, ben = stored(**ANNA).study.patient, stored(**BEN).study.patient
    assert (anna.patient_id, ben.patient_id) == ("4711", "4711")
    assert (anna.name, ben.name, ben.sex) == ("North^Anna", "South^Ben", "M")
    assert anna.group != ben.group


def test_an_admin_sees_both_sides_of_a_clash(stored: Stored, boss: Client) -> None:
    stored(**ANNA)
    stored(**BEN)
    (row,) = _rows(boss)
    assert (row["kind"], _sides(row)) == ("clash", [("4711", "North^Anna"), ("4711", "South^Ben")])
    assert row["differs"] == ["name", "birth date", "sex", "institution"]
    assert AuditEntry.objects.get(action="suggestions.viewed").detail["suggestions"] == [row["id"]]


def test_the_studies_of_both_say_that_their_number_is_not_theirs_alone(stored: Stored, reader: Client) -> None:
    clips = [stored(**ANNA), stored(**BEN)]
    assert all("Another infant came under the number 4711" in _notes(reader, clip) for clip in clips)


def test_both_infants_of_one_number_are_scored(stored: Stored) -> None:
    assert all(clip.can_be_scored and clip.study.closes_at for clip in (stored(**ANNA), stored(**BEN)))


def test_later_studies_go_to_the_infant_that_they_fit(stored: Stored, boss: Client) -> None:
    anna, ben = stored(**ANNA).study.patient, stored(**BEN).study.patient
    assert [stored(**ANNA).study.patient, stored(**BEN).study.patient] == [anna, ben]
    assert len(_rows(boss)) == 1


def test_a_third_infant_of_the_number_is_kept_apart_too(stored: Stored) -> None:
    for facts in (ANNA, BEN, ANNA | {"PatientName": "West^Carl", "PatientBirthDate": "20251224", "PatientSex": "M"}):
        stored(**facts)
    assert list(Patient.objects.values_list("ordinal", flat=True).order_by("ordinal")) == [1, 2, 3]


def test_a_merge_answers_a_clash(stored: Stored, boss: Client) -> None:
    anna, ben = stored(**ANNA).study.patient, stored(**BEN).study.patient
    boss.post(f"/api/v1/patients/{ben.pk}/merge/", {"into": anna.pk}, content_type="application/json")
    assert _rows(boss) == []
    assert stored(**BEN).study.patient == anna


def test_what_an_admin_settled_is_not_asked_again(stored: Stored, boss: Client) -> None:
    stored(**ANNA)
    clip = stored(**BEN)
    assert boss.post(f"{URL}{_rows(boss)[0]['id']}/settle/").status_code == 204
    stored(**BEN)
    assert (_rows(boss), "Another infant" in _notes(boss, clip)) == ([], False)


def test_two_issuers_make_two_infants_without_a_question(stored: Stored, boss: Client) -> None:
    east, west = stored(**ANNA, IssuerOfPatientID="EAST"), stored(**BEN, IssuerOfPatientID="WEST")
    assert east.study.patient != west.study.patient
    assert _rows(boss) == []


def test_an_issuer_that_comes_later_suggests_a_merge(stored: Stored, boss: Client) -> None:
    stored(**ANNA)
    later = stored(**ANNA, IssuerOfPatientID="EAST")
    (row,) = _rows(boss)
    assert (row["kind"], [side["issuer"] for side in row["sides"]]) == ("perhaps_one", ["", "EAST"])
    assert Patient.objects.filter(merged_into=None).count() == 2
    assert "Perhaps the same infant as patient 4711" in _notes(boss, later)


def test_an_issuer_within_a_study_leaves_it_one_study_of_one_infant(stored: Stored) -> None:
    first = stored(**ANNA, StudyInstanceUID="1.7")
    second = stored(**ANNA, StudyInstanceUID="1.7", IssuerOfPatientID="EAST")
    assert first.study == second.study
    assert Patient.objects.count() == 1


def test_one_infant_under_two_numbers_suggests_a_merge(stored: Stored, boss: Client) -> None:
    stored(**ANNA)
    stored(**ANNA | {"PatientID": "T-9"})
    (row,) = _rows(boss)
    assert (row["kind"], _sides(row)) == ("perhaps_one", [("4711", "North^Anna"), ("T-9", "North^Anna")])


def test_twins_are_suggested_until_they_are_known_as_twins(stored: Stored, boss: Client) -> None:
    stored(**ANNA)
    stored(**ANNA | {"PatientID": "4712", "PatientName": "North^Berta"})
    assert [row["kind"] for row in _rows(boss)] == ["perhaps_one"]
    Patient.objects.update(twin_group="T1")
    assert _rows(boss) == []


def test_infants_of_one_birth_date_and_nothing_else_in_common_are_not_suggested(stored: Stored, boss: Client) -> None:
    stored(**ANNA)
    stored(**BEN | {"PatientID": "4712", "PatientBirthDate": "20260101"})
    assert _rows(boss) == []


def test_a_newborn_that_gets_its_name_stays_one_infant_and_is_asked_about(stored: Stored, boss: Client) -> None:
    baby = stored(**ANNA | {"PatientName": "Baby of North", "PatientSex": "O"}).study.patient
    assert stored(**ANNA).study.patient == baby
    (row,) = _rows(boss)
    assert (row["kind"], _sides(row)) == ("changed", [("4711", "Baby of North"), ("4711", "North^Anna")])


def test_facts_set_to_what_the_header_says_answer_the_question(stored: Stored, boss: Client) -> None:
    baby = stored(**ANNA | {"PatientName": "Baby of North"}).study.patient
    stored(**ANNA)
    boss.patch(f"/api/v1/patients/{baby.pk}/", {"name": "North^Anna"}, content_type="application/json")
    assert _rows(boss) == []


def test_a_newborn_that_gets_name_and_number_suggests_a_merge(stored: Stored, boss: Client) -> None:
    stored(**ANNA | {"PatientID": "T-9", "PatientName": "Baby of North", "PatientSex": "O"})
    stored(**ANNA)
    assert [row["kind"] for row in _rows(boss)] == ["perhaps_one"]


def test_a_later_image_of_a_study_that_names_another_infant_is_asked_about(stored: Stored, boss: Client) -> None:
    first = stored(**ANNA, StudyInstanceUID="1.7")
    later = stored(**BEN, StudyInstanceUID="1.7")
    assert later.study == first.study
    assert later.warnings == [
        "Its header names the infant of this study with another name, birth date, sex and institution."
    ]
    assert [(row["kind"], _sides(row)[1]) for row in _rows(boss)] == [("clash", ("4711", "South^Ben"))]


def test_padded_numbers_are_one(stored: Stored) -> None:
    assert stored(PatientID=" 4714 ").study.patient == stored(PatientID="4714").study.patient


def test_phantoms_resemble_nobody(stored: Stored, boss: Client) -> None:
    for number in ("4711", "4712"):
        stored(**ANNA | {"PatientID": number}, Manufacturer="Fontanelle Phantom Works")
    assert _rows(boss) == []


def test_a_csv_row_for_a_number_of_two_infants_is_refused(stored: Stored, reader: Client) -> None:
    stored(**ANNA)
    stored(**BEN)
    file = SimpleUploadedFile("a.csv", b"patient_id,birth_weight_g\n4711,900\n")
    (row,) = reader.post("/api/v1/patients/import/", {"file": file, "dry_run": "false"}).json()["rows"]
    assert (row["outcome"], "Several patients" in row["reason"]) == ("refused", True)


def test_suggestions_are_for_admins(reader: Client) -> None:
    assert reader.get(URL).status_code == 403
    assert reader.post(f"{URL}1/settle/").status_code == 403


def test_two_studies_of_one_infant_raise_no_question(stored: Stored, boss: Client) -> None:
    clips = [stored(**ANNA), stored(**ANNA | {"InstitutionName": "North Hospital, NICU"})]
    assert _rows(boss) == []
    assert "infant" not in _notes(boss, clips[1])


AGED = ANNA | {"PatientBirthDate": "", "PatientAge": "005D"}


def test_a_stated_birth_date_beats_one_that_was_reckoned(stored: Stored, boss: Client) -> None:
    stored(**AGED)
    clip = stored(**ANNA | {"PatientBirthDate": "20251230"})
    assert str(clip.study.patient.birth_date) == "2025-12-30"
    assert (clip.study.patient.birth_date_from_age, _rows(boss)) == (False, [])


def test_a_reckoned_birth_date_never_beats_a_stated_one(stored: Stored) -> None:
    stored(**ANNA)
    patient = stored(**AGED).study.patient
    assert (str(patient.birth_date), patient.birth_date_from_age) == ("2026-01-01", False)


def test_a_reckoned_birth_date_is_said_to_be_one(stored: Stored, reader: Client) -> None:
    assert "2025-12-31 is reckoned from the age" in _notes(reader, stored(**AGED))


def test_a_birth_date_set_by_a_person_is_no_longer_reckoned(stored: Stored, reader: Client) -> None:
    patient = stored(**AGED).study.patient
    reader.patch(f"/api/v1/patients/{patient.pk}/", {"birth_date": "2025-12-29"}, content_type="application/json")
    stored(**ANNA)
    patient.refresh_from_db()
    assert str(patient.birth_date) == "2025-12-29"


def test_two_stated_birth_dates_are_shown_as_clashing(stored: Stored, boss: Client) -> None:
    stored(**ANNA)
    clip = stored(**ANNA | {"PatientBirthDate": "20251223"})
    assert str(clip.study.patient.birth_date) == "2026-01-01"
    assert "birth date 2026-01-01 or 2025-12-23" in _notes(boss, clip)
    assert [side["birth_date"] for side in _rows(boss)[0]["sides"]] == ["2026-01-01", "2025-12-23"]


@pytest.mark.parametrize(("born", "reason"), [("2026-02-01", "lies after the study"), ("1900-01-01", "126 years old")])
def test_no_impossible_day_of_life_is_shown(stored: Stored, reader: Client, born: str, reason: str) -> None:
    clip = stored(**ANNA)
    Patient.objects.update(birth_date=born)
    assert reader.get(f"/api/v1/studies/{clip.study.uid}/").json()["day_of_life"] is None
    assert reason in _notes(reader, clip)


def test_a_birth_date_that_comes_later_suggests_the_merge_that_it_makes_likely(stored: Stored, boss: Client) -> None:
    stored(**ANNA | {"PatientID": "T-9"})
    stored(**ANNA | {"PatientBirthDate": ""})
    assert _rows(boss) == []
    stored(**ANNA)
    assert [row["kind"] for row in _rows(boss)] == ["perhaps_one"]
