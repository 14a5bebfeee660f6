"""DELETE, by an admin: gone for every reader, kept for the audit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from annotations.queues import assignment
from studies import revisions, storage
from studies.dicomweb import removal
from studies.models import Clip, Study
from tests.annotations import factories
from tests.studies.conftest import Take
from tests.studies.dicoms import clip

pytestmark = pytest.mark.django_db
ROOT = "/dicom-web/studies/1.1"
SERIES = f"{ROOT}/series/1.1.1"
INSTANCE = f"{SERIES}/instances/1.1.1.1"


def _bytes(number: int = 1, series: int = 1) -> bytes:
    uids = {"StudyInstanceUID": "1.1", "SeriesInstanceUID": f"1.1.{series}"}
    return clip(**uids, SOPInstanceUID=f"1.1.{series}.{number}")


@pytest.fixture
def study(read_here: None, take: Take) -> None:
    """Two instances in one series, one in another."""
    for number, series in ((1, 1), (2, 1), (1, 2)):
        take(_bytes(number, series))


@pytest.fixture
def boss(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def _seen(client: Client) -> list[str]:
    answer: Any = client.get("/dicom-web/instances")
    return sorted(item["00080018"]["Value"][0] for item in answer.json()) if answer.content else []


@pytest.mark.parametrize(("path", "left"), [(ROOT, []), (SERIES, ["1.1.2.1"]), (INSTANCE, ["1.1.1.2", "1.1.2.1"])])
def test_what_an_admin_deletes_is_gone_for_everybody(
    boss: Client, reader: Client, study: None, path: str, left: list[str]
) -> None:
    assert boss.delete(path).status_code == 204
    for client in (boss, reader):
        assert [client.get(f"{path}{end}").status_code for end in ("", "/metadata", "/rendered")] == [404] * 3
        assert _seen(client) == left
    assert boss.delete(path).status_code == 404


def test_a_deleted_study_is_in_no_list(boss: Client, reader: Client, study: None) -> None:
    boss.delete(ROOT)
    assert reader.get("/api/v1/worklist/").json()["results"] == []
    assert reader.get("/api/v1/studies/1.1/").status_code == 404
    assert reader.get("/dicom-web/studies").status_code == 204
    assert not Study.objects.get().closes_at


def test_a_deleted_study_is_not_on_its_infants_page(boss: Client, reader: Client, study: None) -> None:
    url = f"/api/v1/patients/{Study.objects.get().patient_id}/"
    shown = [[each["study_uid"] for each in client.get(url).json()["studies"]] for client in (boss, reader)]
    boss.delete(ROOT)
    assert shown == [["1.1"], ["1.1"]]
    assert [client.get(url).json()["studies"] for client in (boss, reader)] == [[], []]


def test_a_study_goes_with_its_last_instance(boss: Client, reader: Client, study: None) -> None:
    for path in (SERIES, f"{ROOT}/series/1.1.2/instances/1.1.2.1"):
        assert boss.delete(path).status_code == 204
    assert reader.get("/dicom-web/studies").status_code == 204


def test_what_is_left_of_a_study_makes_a_new_revision(boss: Client, reader: Client, study: None) -> None:
    revisions.close_due(timezone.now() + timedelta(hours=1))
    boss.delete(SERIES)
    revisions.close_due(timezone.now() + timedelta(hours=1))
    counts = [revision.clips.count() for revision in Study.objects.get().revisions.all()]
    assert counts == [1, 1]
    (item,) = reader.get("/dicom-web/studies").json()
    assert (item["00201206"]["Value"], item["00201208"]["Value"]) == ([1], [1])
    assert len(reader.get("/api/v1/studies/1.1/").json()["clips"]) == 1


def test_bytes_and_audit_stay(boss: Client, study: None) -> None:
    boss.delete(INSTANCE)
    kept = Clip.every.get(sop_uid="1.1.1.1")
    assert storage.verified(kept.digest).exists()
    assert (kept.deleted_by and kept.deleted_by.username, kept.deleted_at is None) == ("admin", False)
    entry = AuditEntry.objects.get(action="dicom_instances.deleted")
    assert (entry.patient_id, entry.study_uid, entry.detail["sop_uid"]) == ("P1", "1.1", "1.1.1.1")


def test_nobody_else_deletes(reader: Client, annotator: User, study: None) -> None:
    other = Client()
    other.force_login(annotator)
    for client in (reader, other, Client()):
        assert client.delete(ROOT).status_code in (401, 403)
    assert Clip.objects.count() == 3


def test_it_does_not_come_back_by_being_sent_again(boss: Client, study: None, take: Take) -> None:
    boss.delete(INSTANCE)
    result = take(_bytes())
    assert (result.code, "deleted by admin" in result.reason) == ("deleted", True)
    assert Clip.objects.count() == 2


def test_a_new_instance_brings_its_study_back_without_what_was_deleted(
    boss: Client, reader: Client, study: None, take: Take
) -> None:
    boss.delete(ROOT)
    assert take(_bytes(9)).outcome == "stored"
    assert _seen(reader) == ["1.1.1.9"]


def test_an_instance_can_be_brought_back(boss: Client, reader: Client, study: None) -> None:
    boss.delete(ROOT)
    removal.restore(Clip.every.get(sop_uid="1.1.1.1"))
    assert _seen(reader) == ["1.1.1.1"]
    assert reader.get(INSTANCE).status_code == 200


def test_a_label_queue_goes_on_without_it(boss: Client, annotator: User, study: None) -> None:
    factories.queue(Study.objects.get())
    assert assignment.items_of(annotator).count() == 1
    boss.delete(ROOT)
    assert assignment.items_of(annotator).count() == 0


def _accept(client: Client, row: Any) -> int:
    return client.post(f"{row['url']}accept/", {"reason": "a slip"}, content_type="application/json").status_code


def test_what_was_deleted_is_listed_in_the_quarantine_and_comes_back(boss: Client, reader: Client, study: None) -> None:
    boss.delete(INSTANCE)
    listed: Any = boss.get("/api/v1/quarantine/?state=deleted").json()["results"]
    assert [(row["sop_uid"], row["code"], row["can_accept"], row["can_discard"]) for row in listed] == [
        ("1.1.1.1", "deleted", True, False)
    ]
    assert boss.get(listed[0]["download_url"]).headers["Content-Type"] == "application/dicom"
    assert _accept(boss, listed[0]) == 200
    assert _seen(reader) == ["1.1.1.1", "1.1.1.2", "1.1.2.1"]
    assert _accept(boss, listed[0]) == 409


def test_nobody_but_an_admin_brings_a_deleted_picture_back(boss: Client, reader: Client, study: None) -> None:
    boss.delete(INSTANCE)
    row: Any = boss.get("/api/v1/quarantine/?state=deleted").json()["results"][0]
    assert _accept(reader, row) == 403
    assert "1.1.1.1" not in _seen(reader)
