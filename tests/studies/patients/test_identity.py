from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AuditEntry, User
from studies.models import Clip, Patient, Study

Stored = Callable[..., Clip]
IMPORT = "/api/v1/patients/import/"


def _url(patient: Patient, end: str = "") -> str:
    return f"/api/v1/patients/{patient.pk}/{end}"


def _post(client: Client, url: str, body: dict[str, Any]) -> Any:
    return client.post(url, body, content_type="application/json")


@pytest.fixture
def two(stored: Stored) -> tuple[Patient, Patient]:
    """Patients A (two studies) and B (one)."""
    a = stored(PatientID="A").study.patient
    stored(PatientID="A")
    return a, stored(PatientID="B", PatientSex="F").study.patient


def test_a_patient_has_its_facts_and_studies(reader: Client, two: tuple[Patient, Patient]) -> None:
    patient = reader.get(_url(two[0])).json()
    assert (patient["patient_id"], patient["name"], patient["gestational_age_days"]) == ("A", "Test^Infant", None)
    assert [study["original_patient_id"] for study in patient["studies"]] == ["A", "A"]
    assert AuditEntry.objects.get(action="patient.viewed").patient_id == "A"


def test_facts_are_changed_and_audited(reader: Client, two: tuple[Patient, Patient]) -> None:
    facts = {"gestational_age_days": 191, "birth_weight_g": 900, "twin_group": "T"}
    patient = reader.patch(_url(two[0]), facts, content_type="application/json").json()
    assert patient["studies"][0]["postmenstrual_age_days"] == 195
    assert AuditEntry.objects.get(action="patient.changed").detail["changes"]["birth_weight_g"] == [None, 900]


@pytest.mark.parametrize(
    "facts", [{"gestational_age_days": 20}, {"birth_weight_g": 90000}, {"sex": "X"}, {"birth_date": "soon"}]
)
def test_facts_out_of_range_are_refused(reader: Client, two: tuple[Patient, Patient], facts: dict[str, Any]) -> None:
    answer = reader.patch(_url(two[0]), facts, content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.json()) == set(facts)


def test_an_unknown_fact_can_become_unknown_again(reader: Client, two: tuple[Patient, Patient]) -> None:
    for value in (900, None):
        reader.patch(_url(two[0]), {"birth_weight_g": value}, content_type="application/json")
    assert Patient.objects.get(pk=two[0].pk).birth_weight_g is None


def test_merging_moves_the_studies_and_fills_what_is_unknown(reader: Client, two: tuple[Patient, Patient]) -> None:
    a, b = two
    answer = _post(reader, _url(b, "merge/"), {"into": "A"}).json()
    assert (answer["id"], len(answer["studies"]), answer["sex"]) == (a.pk, 3, "F")
    assert [other["patient_id"] for other in answer["merged_from"]] == ["B"]
    assert AuditEntry.objects.get(action="patient.merged").detail["into"] == "A"


def test_splitting_takes_a_merge_back(reader: Client, two: tuple[Patient, Patient]) -> None:
    a, b = two
    uids = list(b.studies.values_list("uid", flat=True))
    _post(reader, _url(b, "merge/"), {"into": a.pk})
    answer = _post(reader, _url(a, "split/"), {"studies": uids}).json()
    assert answer["split_to"] == [{"id": b.pk, "patient_id": "B"}]
    b.refresh_from_db()
    assert b.merged_into is None
    assert [b.studies.count(), a.studies.count()] == [1, 2]


def test_splitting_what_came_under_this_identifier_makes_a_new_patient(
    reader: Client, two: tuple[Patient, Patient]
) -> None:
    uid = two[0].studies.values_list("uid", flat=True)[0]
    answer = _post(reader, _url(two[0], "split/"), {"studies": [uid]}).json()
    assert [other["patient_id"] for other in answer["split_to"]] == ["A (2)"]
    assert Study._default_manager.get(uid=uid).original_patient == two[0]


@pytest.mark.parametrize("into", ["B", "nobody", "", 999999, None, {"a": 1}])
def test_a_merge_that_makes_no_sense_is_refused(reader: Client, two: tuple[Patient, Patient], into: object) -> None:
    assert _post(reader, _url(two[1], "merge/"), {"into": into}).status_code == 400
    assert Patient.objects.filter(merged_into__isnull=False).count() == 0


def test_true_is_no_number_of_a_patient(reader: Client, two: tuple[Patient, Patient]) -> None:
    Patient.objects.get_or_create(pk=1, defaults={"patient_id": "first"})
    assert _post(reader, _url(two[1], "merge/"), {"into": True}).status_code == 400


def test_studies_of_another_patient_cannot_be_split_off(reader: Client, two: tuple[Patient, Patient]) -> None:
    uid = two[1].studies.values_list("uid", flat=True)[0]
    assert _post(reader, _url(two[0], "split/"), {"studies": [uid]}).status_code == 400


def test_a_chain_of_merges_ends_at_one_patient(reader: Client, stored: Stored) -> None:
    patients = [stored(PatientID=name).study.patient for name in "ABC"]
    _post(reader, _url(patients[0], "merge/"), {"into": "B"})
    _post(reader, _url(patients[1], "merge/"), {"into": "C"})
    assert {patient.merged_into_id for patient in Patient.objects.filter(patient_id__in="AB")} == {patients[2].pk}
    assert patients[2].studies.count() == 3


@pytest.mark.parametrize("end", ["", "merge/", "split/"])
def test_patients_are_not_for_annotators(two: tuple[Patient, Patient], annotator: User, end: str) -> None:
    client = Client()
    client.force_login(annotator)
    assert client.get(_url(two[0], end)).status_code == 403
    assert _post(client, _url(two[0], end), {}).status_code == 403


def _import(client: Client, data: bytes, *, dry_run: bool = False) -> Any:
    body = {"file": SimpleUploadedFile("facts.csv", data), "dry_run": str(dry_run).lower()}
    return client.post(IMPORT, body)


def test_a_csv_fills_in_facts(reader: Client, two: tuple[Patient, Patient]) -> None:
    rows = _import(
        reader, b"patient_id,gestational_age,birth_weight_g,sex,twin_group\nA,27+2,900,f,T1\nB,,800,,\n"
    ).json()
    assert [row["outcome"] for row in rows["rows"]] == ["changed", "changed"]
    a = Patient.objects.get(pk=two[0].pk)
    assert (a.gestational_age_days, a.birth_weight_g, a.sex, a.twin_group) == (191, 900, "F", "T1")


def test_a_trial_run_changes_nothing(reader: Client, two: tuple[Patient, Patient]) -> None:
    answer = _import(reader, b"patient_id;birth_weight_g\r\nA;900\r\n", dry_run=True).json()
    assert answer["dry_run"] is True
    assert answer["rows"][0] == {
        "line": 2, "patient_id": "A", "outcome": "changed", "reason": "", "changes": {"birth_weight_g": 900},
    }  # fmt: skip
    assert Patient.objects.get(pk=two[0].pk).birth_weight_g is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nobody,27+2,900,F", "No patient has"),
        (b"A,27+9,900,F", "not a gestational age"),
        (b"A,10+0,900,F", "greater than or equal to 140"),
        (b"A,27+2,90000,F", "less than or equal to 7000"),
        (b"A,27+2,9 00,F", "not a whole number"),
        (b"A,27+2,900,Q", "not F, M or O"),
        (b",27+2,900,F", "empty"),
        (b"A\xff,27+2,900,F", "not UTF-8"),
    ],
)
def test_a_bad_row_says_why_and_the_others_count(
    reader: Client, two: tuple[Patient, Patient], line: bytes, reason: str
) -> None:
    bad, good = _import(reader, b"patient_id,gestational_age,birth_weight_g,sex\n" + line + b"\nB,,800,\n").json()[
        "rows"
    ]
    assert (bad["outcome"], good["outcome"]) == ("refused", "changed")
    assert reason in bad["reason"]
    assert Patient.objects.get(pk=two[0].pk).birth_weight_g is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"A,900", "fewer cells than there are columns (2, not 3)"),
        (b"A,900,F,", "more cells than there are columns (4, not 3)"),
    ],
)
def test_a_row_of_another_length_is_refused_by_number(
    reader: Client, two: tuple[Patient, Patient], line: bytes, reason: str
) -> None:
    rows = _import(reader, b"patient_id,birth_weight_g,sex\n" + line + b"\nB,800,\n").json()["rows"]
    assert [(row["line"], row["outcome"]) for row in rows] == [(2, "refused"), (3, "changed")]
    assert reason in rows[0]["reason"]
    assert Patient.objects.get(pk=two[0].pk).birth_weight_g is None


def test_the_line_that_names_the_separator_is_taken(reader: Client, two: tuple[Patient, Patient]) -> None:
    data = "\ufeffsep=;\r\npatient_id;birth_weight_g;twin_group\r\nA;900;a,b\r\n".encode()
    (row,) = _import(reader, data).json()["rows"]
    assert (row["line"], row["changes"]) == (3, {"birth_weight_g": 900, "twin_group": "a,b"})


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
def test_what_only_looks_like_the_end_of_a_line_is_part_of_its_cell(
    reader: Client, two: tuple[Patient, Patient], mark: str
) -> None:
    rows = _import(reader, f"patient_id,twin_group,birth_weight_g\nA,one{mark}two,900\nB,,800\n".encode()).json()[
        "rows"
    ]
    assert [(row["line"], row["changes"].get("birth_weight_g")) for row in rows] == [(2, 900), (3, 800)]
    assert rows[0]["changes"]["twin_group"] == f"one{mark}two"


def test_two_rows_about_one_patient_are_not_both_believed(reader: Client, two: tuple[Patient, Patient]) -> None:
    rows = _import(reader, b"patient_id,birth_weight_g\nA,800\nA,900\n").json()["rows"]
    assert [row["outcome"] for row in rows] == ["changed", "refused"]


@pytest.mark.parametrize(
    "data", [b"name,weight\nA,1\n", b"patient_id\nA\n", b"\x00\x01\x02", b"patient_id,sex\nA,\x00\n"]
)
def test_a_file_that_is_no_such_table_is_refused(reader: Client, two: tuple[Patient, Patient], data: bytes) -> None:
    answer = _import(reader, data)
    assert answer.status_code == 400 or answer.json()["rows"][0]["outcome"] == "refused"


def test_a_table_from_a_spreadsheet_program_is_read(reader: Client, two: tuple[Patient, Patient]) -> None:
    rows = _import(reader, "patient_id\tbirth_weight_g\nA\t900\n".encode("utf-16")).json()["rows"]
    assert rows[0]["outcome"] == "changed"


def test_the_pages_open_for_readers_alone(reader: Client, two: tuple[Patient, Patient], annotator: User) -> None:
    other = Client()
    other.force_login(annotator)
    for url in ("/upload/", f"/patients/{two[0].pk}/"):
        assert reader.get(url).status_code == 200
        assert other.get(url).status_code == 403
        assert Client().get(url).status_code == 302


def test_a_patient_that_is_none_is_not_found(reader: Client) -> None:
    assert reader.get("/api/v1/patients/999/").status_code == 404
    assert reader.get("/patients/999/").status_code == 404
