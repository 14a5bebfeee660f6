"""Who saw this infant: lists, exports and adjudication are found by patient, refusals and the admin leave entries."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import AuditEntry, AuditSubject, User
from accounts.roles import Role
from annotations.models import Context, LabelQueue, Read
from annotations.reads.lifecycle import Answer, Place, save_draft
from studies.models import IdentityDoubt, QuarantinedFile, Study
from tests.accounts.people import client_of, person
from tests.annotations import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return person(Role.ADMIN, username="ada")


@pytest.fixture
def study() -> Study:
    return factories.study(of=factories.patient(patient_id="MRN-1"))


def who_saw(admin: User, query: str = "patient_id=MRN-1") -> list[tuple[str, str]]:
    entries = client_of(admin).get(f"/audit/?{query}").context["entries"]
    return [(entry["username"], entry["action"]) for entry in entries]


def test_who_saw_an_infant_in_the_list_is_found(admin: User, study: Study) -> None:
    reader = person(Role.RADIOLOGIST, username="rita")
    client_of(reader).get("/api/v1/worklist/")
    assert who_saw(admin) == [("rita", "worklist.viewed")] == who_saw(admin, f"study_uid={study.uid}")
    assert who_saw(admin, "patient_id=MRN-2") == []


def test_the_same_list_again_names_nobody_again(study: Study) -> None:
    client = client_of(person(Role.RADIOLOGIST))
    for _ in range(3):
        client.get("/api/v1/worklist/")
    assert (AuditSubject.objects.count(), AuditEntry.objects.filter(action="worklist.viewed").count()) == (1, 3)


def test_who_took_an_infant_out_is_found(admin: User, study: Study) -> None:
    factories.read(study)
    client_of(admin).get("/api/v1/labels/export/")
    assert who_saw(admin) == [("ada", "labels.exported")]


def test_who_saw_an_infant_among_the_labels_is_found(admin: User, study: Study) -> None:
    factories.read(study)
    client_of(admin).get("/api/v1/labels/")
    assert ("ada", "labels.viewed") in who_saw(admin)


def test_who_saw_an_infant_among_the_disputes_is_found(admin: User, study: Study) -> None:
    factories.queue(study)
    for grade in (0, 3):
        factories.read(study, context=Context.QUEUE, left=grade, right=0)
    client_of(admin).get("/adjudicate/")
    assert who_saw(admin) == [("ada", "adjudication.list_viewed")]


def test_a_study_that_was_refused_leaves_an_entry(admin: User, study: Study) -> None:
    annotator = person(Role.ANNOTATOR, username="anna")
    assert client_of(annotator).get(f"/api/v1/studies/{study.uid}/").status_code == 404
    entry = AuditEntry.objects.get(action="access.refused")
    assert (entry.username, entry.outcome, entry.address) == ("anna", "refused", "127.0.0.1")
    assert (entry.detail["subject"], entry.detail["tried"]) == (study.uid, "study.viewed")


def test_a_page_that_a_role_does_not_open_leaves_an_entry() -> None:
    client_of(person(Role.ANNOTATOR, username="anna")).get("/audit/")
    entry = AuditEntry.objects.get(action="access.refused")
    assert (entry.username, entry.detail) == ("anna", {"method": "GET", "path": "/audit/", "tried": "role"})


def test_what_is_not_refused_leaves_no_such_entry(admin: User) -> None:
    client_of(admin).get("/audit/")
    assert not AuditEntry.objects.filter(action="access.refused").exists()


def _form(user: User, **change: str) -> dict[str, str]:
    return {"username": user.username, "role": user.role, "is_active": "on", "date_joined_0": "2026-01-01",
            "date_joined_1": "00:00:00"} | change  # fmt: skip


def test_a_role_that_the_admin_site_changes_leaves_an_entry(admin: User) -> None:
    user = person(Role.ANNOTATOR, username="anna")
    url = f"/admin/accounts/user/{user.pk}/change/"
    assert client_of(admin).post(url, _form(user, role="admin")).status_code == 302
    entry = AuditEntry.objects.get(action="person.changed")
    assert (entry.username, entry.detail["name"]) == ("ada", "anna")
    assert entry.detail["changed"]["role"] == ["annotator", "admin"]


def test_a_password_that_the_admin_site_sets_leaves_an_entry_without_it(admin: User) -> None:
    user, word = person(Role.ANNOTATOR), "a rather new password 77"
    body = {"password1": word, "password2": word, "usable_password": "true"}
    assert client_of(admin).post(f"/admin/accounts/user/{user.pk}/password/", body).status_code == 302
    entry = AuditEntry.objects.get(action="person.password_changed")
    assert (entry.detail["object"], word in str(entry.detail)) == (user.pk, False)


def test_a_person_whom_the_admin_site_makes_leaves_an_entry(admin: User) -> None:
    word = "a rather new password 77"
    body = {"username": "new", "password1": word, "password2": word, "usable_password": "true", "role": "annotator"}
    assert client_of(admin).post("/admin/accounts/user/add/", body).status_code == 302
    assert AuditEntry.objects.get(action="person.made").detail["name"] == "new"


def test_a_queue_that_the_admin_site_changes_leaves_an_entry(admin: User, study: Study) -> None:
    queue = factories.queue(study)
    body = {"name": "Other", "readers_per_study": "3", "active": "on"}
    assert client_of(admin).post(f"/admin/annotations/labelqueue/{queue.pk}/change/", body).status_code == 302
    changed = AuditEntry.objects.get(action="label_queue.changed").detail["changed"]
    assert (changed["readers_per_study"], LabelQueue.objects.get().name) == (["2", "3"], "Other")


def test_the_admin_site_shows_nobodys_draft(admin: User, study: Study) -> None:
    reader = person(Role.RADIOLOGIST)
    save_draft(Place(study, reader), Answer({"left": 3}, "a secret thought", 0))
    page = client_of(admin).get(f"/admin/annotations/read/{Read.objects.get().pk}/change/").content.decode()
    assert ("secret thought" in page, reader.username in page) == (False, True)


def test_the_address_is_shown(admin: User) -> None:
    client = client_of(admin)
    client.get("/audit/", REMOTE_ADDR="10.1.2.3")
    assert "10.1.2.3" in client.get("/audit/").content.decode()


def test_the_trail_leaves_as_csv_and_that_is_written_down(admin: User, study: Study) -> None:
    client_of(person(Role.RADIOLOGIST, username="=rita")).get("/api/v1/worklist/")
    answer = client_of(admin).get("/audit/export/?patient_id=MRN-1")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
    assert [(row["username"], row["action"], row["address"]) for row in rows] == [
        ("'=rita", "worklist.viewed", "127.0.0.1")
    ]
    assert AuditEntry.objects.get(action="audit.exported").detail == {"filters": {"patient_id": "MRN-1"}}


def quarantined(number: str, uid: str = "", **facts: Any) -> QuarantinedFile:
    now = timezone.now()
    return QuarantinedFile.objects.create(
        patient_id=number,
        study_uid=uid,
        received_at=now,
        last_received_at=now,
        code="conflict",
        holding="no_room",
        **facts,
    )


def test_who_saw_an_infant_in_the_quarantine_is_found_also_where_one_study_came_under_two(admin: User) -> None:
    for number, uid in (("MRN-1", "1.2"), ("MRN-2", "1.2"), ("MRN-3", ""), ("MRN-4", "")):
        quarantined(number, uid)
    for _ in range(2):
        client_of(admin).get("/api/v1/quarantine/")
    found = [who_saw(admin, f"patient_id=MRN-{number}") for number in (1, 2, 3, 4)]
    assert found == [[("ada", "quarantine.viewed")]] * 4


def test_who_asked_about_an_infant_is_found_on_both_sides(admin: User, study: Study) -> None:
    other = factories.patient(patient_id="MRN-2")
    factories.study(of=other)
    doubt = IdentityDoubt.objects.create(
        kind="perhaps_one", patient=study.patient, other=other, study_uid=study.uid, differs=["number"], said={}
    )
    client = client_of(admin)
    client.get("/api/v1/patients/suggestions/")
    assert client.post(f"/api/v1/patients/suggestions/{doubt.pk}/settle/").status_code == 204
    seen = [("ada", "suggestion.settled"), ("ada", "suggestions.viewed")]
    assert [who_saw(admin), who_saw(admin, "patient_id=MRN-2")] == [seen, seen]


def test_who_merged_and_split_infants_is_found_by_each_number(admin: User, study: Study) -> None:
    other, client = factories.patient(patient_id="MRN-2"), client_of(admin)
    url = f"/api/v1/patients/{study.patient_id}/merge/"
    assert client.post(url, {"into": "MRN-2"}, "application/json").status_code == 200
    assert ("ada", "patient.merged") in who_saw(admin)
    assert ("ada", "patient.merged") in who_saw(admin, "patient_id=MRN-2")
    url = f"/api/v1/patients/{other.pk}/split/"
    assert client.post(url, {"studies": [study.uid]}, "application/json").status_code == 200
    assert ("ada", "patient.split") in who_saw(admin)


def test_an_infant_under_a_new_number_is_found_by_it_on_the_same_day(admin: User, study: Study) -> None:
    client = client_of(person(Role.RADIOLOGIST, username="rita"))
    client.get("/api/v1/worklist/")
    Study._default_manager.filter(pk=study.pk).update(patient=factories.patient(patient_id="MRN-2"))
    client.get("/api/v1/worklist/")
    seen = [("rita", "worklist.viewed")]
    assert [who_saw(admin), who_saw(admin, "patient_id=MRN-2")] == [seen, seen]


def test_who_imported_facts_of_an_infant_is_found(admin: User, study: Study) -> None:
    table = SimpleUploadedFile("a.csv", b"patient_id,sex\nMRN-1,F\n")
    assert client_of(admin).post("/api/v1/patients/import/", {"file": table}).json()["rows"][0]["outcome"] == "changed"
    assert who_saw(admin) == [("ada", "patients.imported")]


def test_who_saw_an_infant_come_next_in_a_queue_is_found(admin: User, study: Study) -> None:
    annotator = person(Role.ANNOTATOR, username="anna")
    factories.queue(study, readers=[annotator])
    client_of(annotator).get("/api/v1/label-queue/")
    assert who_saw(admin) == [("anna", "label_queue.viewed")]


def test_who_is_shown_the_study_before_is_found_and_a_deleted_one_is_not_shown(admin: User, study: Study) -> None:
    reader, now = person(Role.RADIOLOGIST, username="rita"), factories.study()
    factories.commit_at(Place(study, reader), {"left": 0, "right": 0})
    url = f"/api/v1/studies/{now.uid}/reads/earlier/"
    assert client_of(reader).get(url).json()["earlier"]["patient_id"] == "MRN-1"
    assert who_saw(admin) == [("rita", "read.earlier_viewed")]
    Study._default_manager.filter(pk=study.pk).update(deleted_at=timezone.now())
    assert client_of(reader).get(url).json()["earlier"] is None
