"""Infants whose numbers say too little: kept apart or asked about, never merged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AuditEntry, User
from accounts.roles import Role
from studies.models import Clip, Patient
from studies.payloads import describe_study
from tests.accounts.people import person

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


def test_twins_under_one_number_are_kept_apart(stored: Stored, boss: Client) -> None:
    patients = {stored(**facts).study.patient_id for facts in (ANNA, ANNA | {"PatientName": "North^Berta"}, ANNA)}
    assert (len(patients), [row["kind"] for row in _rows(boss)]) == (2, ["clash"])


def test_an_issuer_that_comes_later_in_a_study_of_several_is_asked_about(stored: Stored, boss: Client) -> None:
    stored(**ANNA)
    stored(**ANNA, StudyInstanceUID="1.7")
    later = stored(**ANNA, StudyInstanceUID="1.7", IssuerOfPatientID="EAST")
    assert "another issuer" in later.warnings[0]
    assert "issuer unknown or EAST" in _notes(boss, later)
    assert Patient.objects.count() == 1
    url = f"/api/v1/patients/{later.study.patient_id}/"
    assert boss.patch(url, {"issuer": "EAST"}, content_type="application/json").json()["issuer"] == "EAST"
    assert _rows(boss) == []


def test_an_issuer_that_others_of_the_number_have_can_be_given_too(stored: Stored, boss: Client) -> None:
    stored(**ANNA, IssuerOfPatientID="EAST")
    ben = stored(**BEN).study.patient
    url = f"/api/v1/patients/{ben.pk}/"
    assert boss.patch(url, {"issuer": "EAST"}, content_type="application/json").status_code == 200
    assert sorted(Patient.objects.values_list("issuer", "ordinal")) == [("EAST", 1), ("EAST", 2)]


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


def _post(client: Client, url: str, **body: Any) -> Any:
    return client.post(url, body, content_type="application/json")


def test_a_question_shows_the_studies_of_both_sides(stored: Stored, boss: Client) -> None:
    clips = [stored(**ANNA), stored(**BEN)]
    (row,) = _rows(boss)
    uids = [[study["study_uid"] for study in side["studies"]] for side in row["sides"]]
    assert uids == [[clip.study.uid] for clip in clips]
    assert row["sides"][1]["studies"][0]["acquired_at"].startswith("2026-01-05")


def test_questions_come_in_pages(stored: Stored, boss: Client) -> None:
    for number in ("1", "2", "3"):
        stored(**ANNA | {"PatientID": number, "PatientName": f"North^{number}"})
        stored(**BEN | {"PatientID": number, "PatientBirthDate": f"2025120{number}"})
    page = boss.get(URL, {"page_size": "2", "q": "south"}).json()
    last = boss.get(page["next"]).json()
    assert (page["count"], page["previous"], len(page["results"])) == (3, None, 2)
    assert (last["next"], len(last["results"]), bool(last["previous"])) == (None, 1, True)


def test_questions_are_found_by_number_and_name(stored: Stored, boss: Client) -> None:
    stored(**ANNA)
    stored(**BEN)
    found = {words: boss.get(URL, {"q": words}).json()["count"] for words in ("4711", "ben", "ANNA north", "4712")}
    assert found == {"4711": 1, "ben": 1, "ANNA north": 1, "4712": 0}


def test_what_was_kept_apart_has_a_reason_and_can_be_asked_again(stored: Stored, boss: Client) -> None:
    stored(**ANNA)
    stored(**BEN)
    (row,) = _rows(boss)
    assert _post(boss, f"{URL}{row['id']}/settle/", reason="two hospitals").status_code == 204
    assert AuditEntry.objects.get(action="suggestion.settled").detail["reason"] == "two hospitals"
    assert boss.post(f"{URL}{row['id']}/reopen/").status_code == 204
    assert [each["id"] for each in _rows(boss)] == [row["id"]]


BERTA = ANNA | {"PatientID": "4712", "PatientName": "North^Berta"}


def test_twins_are_not_merged_unasked(stored: Stored, boss: Client) -> None:
    anna, berta = stored(**ANNA).study.patient, stored(**BERTA).study.patient
    url = f"/api/v1/patients/{berta.pk}/merge/"
    refused = _post(boss, url, into=anna.pk)
    assert (refused.status_code, refused.json()["code"]) == (409, "perhaps_twins")
    assert "North, Berta and North, Anna may be twins" in refused.json()["detail"]
    assert _post(boss, url, into=anna.pk, confirmed=True, reason="one infant").status_code == 200
    assert AuditEntry.objects.get(action="patient.merged").detail["reason"] == "one infant"


def test_a_boy_and_a_girl_of_one_day_are_asked_about(stored: Stored, boss: Client) -> None:
    girl = stored(**ANNA).study.patient
    boy = stored(**ANNA | {"PatientID": "4712", "PatientName": "Baby^North", "PatientSex": "M"}).study.patient
    assert _post(boss, f"/api/v1/patients/{boy.pk}/merge/", into=girl.pk).status_code == 409


def test_a_merge_that_is_undone_leaves_no_trace_in_the_facts(stored: Stored, boss: Client) -> None:
    one = stored(**ANNA | {"PatientSex": "", "PatientBirthDate": ""}).study.patient
    other = stored(**ANNA | {"PatientID": "T-9"}).study.patient
    merged = _post(boss, f"/api/v1/patients/{other.pk}/merge/", into=one.pk).json()
    assert merged["filled"] == ["birth_date", "sex"]
    body = {"studies": merged["moved"], "forget": merged["filled"]}
    parted = _post(boss, f"/api/v1/patients/{one.pk}/split/", **body).json()
    assert (parted["sex"], parted["birth_date"], parted["split_to"]) == (
        "",
        None,
        [{"id": other.pk, "patient_id": "T-9"}],
    )


def test_a_question_that_a_merge_answered_is_asked_again_after_the_split(stored: Stored, boss: Client) -> None:
    one, other = stored(**ANNA).study.patient, stored(**ANNA | {"PatientID": "T-9"}).study.patient
    moved = _post(boss, f"/api/v1/patients/{other.pk}/merge/", into=one.pk).json()["moved"]
    assert _rows(boss) == []
    _post(boss, f"/api/v1/patients/{one.pk}/split/", studies=moved)
    assert [row["kind"] for row in _rows(boss)] == ["perhaps_one"]


def test_the_menu_counts_open_questions_for_admins_alone(stored: Stored, boss: Client, reader: Client) -> None:
    stored(**ANNA)
    stored(**BEN)
    assert '1<span class="vh"> waiting</span>' in boss.get("/").content.decode()
    assert "/identity/" not in reader.get("/").content.decode()


def test_the_page_of_questions_is_for_admins(boss: Client, reader: Client) -> None:
    assert boss.get("/identity/").status_code == 200
    assert reader.get("/identity/").status_code == 403


# ---------- in words, where the number stands ----------


def test_what_clashes_is_said_before_whom_it_may_be(stored: Stored, reader: Client) -> None:
    for number in range(4711, 4724):
        stored(**ANNA | {"PatientID": str(number)})
    later = stored(**ANNA | {"PatientID": "4723", "PatientBirthDate": "20260102"})
    notes = reader.get(f"/api/v1/studies/{later.study.uid}/").json()["notes"]
    assert "birth date 2026-01-01 or 2026-01-02. An admin is asked. Perhaps the same infant as patients" in notes[0]
    assert "4713 and 2 more, or a twin: their studies are not among the priors." in notes[0]
    assert "Perhaps" not in " ".join(notes[1:])


BOTH = "One number, two infants: North, Anna, f, 1 Jan 2026 (this one) / South, Ben, m, 12 Dec 2025."


def test_a_row_says_that_its_number_stands_for_two_infants(stored: Stored, boss: Client, reader: Client) -> None:
    uid = stored(**ANNA).study.uid
    stored(**BEN)
    rows = {each["study_uid"]: each["identity"] for each in reader.get("/api/v1/worklist/").json()["results"]}
    assert rows[uid] == {"short": "one number, two infants", "text": BOTH, "url": None}
    (of_boss,) = [
        each["identity"] for each in boss.get("/api/v1/worklist/").json()["results"] if each["study_uid"] == uid
    ]
    assert of_boss["url"] == "/identity/?q=4711"


def test_the_study_and_the_infant_say_it_too(stored: Stored, reader: Client) -> None:
    study = stored(**ANNA).study
    stored(**BEN)
    assert reader.get(f"/api/v1/studies/{study.uid}/").json()["identity"]["text"] == BOTH
    assert reader.get(f"/api/v1/patients/{study.patient_id}/").json()["identity"]["text"] == BOTH


def test_it_is_said_as_long_as_both_have_the_number(stored: Stored, boss: Client) -> None:
    study = stored(**ANNA).study
    stored(**BEN)
    _post(boss, f"{URL}{_rows(boss)[0]['id']}/settle/")
    assert boss.get(f"/api/v1/studies/{study.uid}/").json()["identity"]["text"] == BOTH


def test_issuers_tell_the_infants_of_a_number_apart(stored: Stored, reader: Client) -> None:
    study = stored(**ANNA, IssuerOfPatientID="EAST").study
    stored(**BEN, IssuerOfPatientID="WEST")
    text = reader.get(f"/api/v1/studies/{study.uid}/").json()["identity"]["text"]
    assert text.endswith("1 Jan 2026, EAST (this one) / South, Ben, m, 12 Dec 2025, WEST.")


def test_one_infant_of_a_number_has_nothing_said_of_it(stored: Stored, reader: Client) -> None:
    study = stored(**ANNA).study
    stored(**ANNA)
    assert reader.get(f"/api/v1/studies/{study.uid}/").json()["identity"] is None


def test_a_question_about_a_later_name_stands_in_the_row(stored: Stored, reader: Client) -> None:
    stored(**ANNA | {"PatientName": "Baby of North"})
    stored(**ANNA)
    rows = reader.get("/api/v1/worklist/").json()["results"]
    assert all("name Baby of North or North, Anna" in each["identity"]["text"] for each in rows)


def test_who_labels_a_study_is_told_of_no_other_infant(stored: Stored) -> None:
    anna, labeller = stored(**ANNA).study, person(Role.ANNOTATOR)
    stored(**BEN)
    detail = describe_study(anna, labeller)
    assert (detail["identity"], "South" in str(detail), "4711" in str(detail)) == (None, False, False)
    assert "Who is it? An admin is asked which infant this is." in detail["notes"]


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
