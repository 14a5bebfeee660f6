"""What an admin makes of a quarantined file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import AuditEntry, User
from studies import revisions, storage
from studies.ingest.pipeline import Intake
from studies.ingest.results import IngestResult, Sender
from studies.ingest.upload_api import add_file
from studies.models import Clip, QuarantinedFile, Study
from studies.sandbox.pool import SandboxError
from tests.accounts.people import client_of
from tests.studies.dicoms import clip

Take = Callable[..., IngestResult]
OnCommit = Callable[..., Any]
UIDS = {"SOPInstanceUID": "1.2.3", "StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.1"}
FIRST, SECOND = clip(**UIDS), clip(**UIDS, seed=1, frames=3)
pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(admin: User) -> Client:
    return client_of(admin)


@pytest.fixture
def conflict(take: Take) -> QuarantinedFile:
    take(FIRST)
    take(SECOND)
    return QuarantinedFile.objects.get()


def _post(client: Client, row: QuarantinedFile, action: str, reason: str = "it is right") -> Any:
    url = f"/api/v1/quarantine/{row.pk}/{action}/"
    return client.post(url, {"reason": reason}, content_type="application/json")


def _shown() -> bytes:
    return storage.verified(Clip.objects.get().digest).read_bytes()


def _close() -> None:
    Study._default_manager.update(closes_at="2020-01-01T00:00Z")
    revisions.close_due()


def test_an_accepted_conflict_takes_the_place_of_the_picture(boss: Client, conflict: QuarantinedFile) -> None:
    answer = _post(boss, conflict, "accept").json()
    assert (answer["state"], answer["outcome"]) == (
        "accepted", "It took the place of the picture that was here, which is kept.",
    )  # fmt: skip
    assert _shown() == SECOND
    assert (Clip.objects.get().frames, Clip.objects.get().size) == (3, len(SECOND))


def test_the_picture_that_was_here_is_kept_and_reachable(boss: Client, conflict: QuarantinedFile) -> None:
    _post(boss, conflict, "accept")
    earlier = QuarantinedFile.objects.get(state="replaced")
    download = boss.get(f"/api/v1/quarantine/{earlier.pk}/download/")
    assert download.getvalue() == FIRST
    assert earlier.source == "test"


def test_accepting_the_earlier_picture_takes_it_back(boss: Client, conflict: QuarantinedFile) -> None:
    _post(boss, conflict, "accept")
    _post(boss, QuarantinedFile.objects.get(state="replaced"), "accept")
    assert _shown() == FIRST
    second = QuarantinedFile.objects.get(state="replaced")
    assert boss.get(f"/api/v1/quarantine/{second.pk}/download/").getvalue() == SECOND


def test_either_picture_sent_again_is_already_here(take: Take, boss: Client, conflict: QuarantinedFile) -> None:
    _post(boss, conflict, "accept")
    assert [take(SECOND).outcome, take(FIRST).outcome] == ["duplicate", "duplicate"]
    assert QuarantinedFile.objects.filter(state="open").count() == 0


def test_the_study_gets_a_new_revision(boss: Client, conflict: QuarantinedFile) -> None:
    _close()
    _post(boss, conflict, "accept")
    assert Study._default_manager.get().closes_at is not None
    _close()
    first, second = Study._default_manager.get().revisions.all()
    assert first.digest != second.digest


def test_the_study_says_that_a_picture_was_replaced(boss: Client, conflict: QuarantinedFile) -> None:
    _post(boss, conflict, "accept")
    notes = " ".join(boss.get("/api/v1/studies/1.2/").json()["notes"])
    assert "Clip 1 shows another picture since" in notes
    assert "reads committed before were made on the earlier one" in notes


def test_what_a_person_said_of_the_view_stays(boss: Client, conflict: QuarantinedFile) -> None:
    Clip.objects.update(view="mastoid", plane="", view_source="person")
    _post(boss, conflict, "accept")
    assert (Clip.objects.get().view, Clip.objects.get().view_source) == ("mastoid", "person")


def test_an_accepted_correction_corrects_the_study(take: Take, boss: Client) -> None:
    take(clip(**UIDS, StudyDescription="Craniel", AccessionNumber="A-17", StudyDate="20260315"))
    take(clip(**UIDS, StudyDescription="Cranial", AccessionNumber="", StudyDate="20260316"))
    _post(boss, QuarantinedFile.objects.get(), "accept")
    study = Study.objects.get()
    assert (study.description, study.accession) == ("Cranial", "")
    assert f"{study.acquired_at:%d}" == "16"


def test_a_picture_among_others_corrects_no_time_of_its_study(take: Take, boss: Client) -> None:
    take(clip(**UIDS, StudyDescription="Craniel", StudyDate="20260315"))
    take(clip(**UIDS | {"SOPInstanceUID": "1.2.4"}, StudyDescription="Craniel", StudyDate="20260315"))
    take(clip(**UIDS, StudyDescription="Cranial", StudyDate="20260316"))
    _post(boss, QuarantinedFile.objects.get(), "accept")
    study = Study.objects.get()
    assert (study.description, f"{study.acquired_at:%d}") == ("Cranial", "15")


def test_a_picture_of_another_study_does_not_move_the_one_that_is_here(take: Take, boss: Client) -> None:
    take(FIRST)
    take(clip(**UIDS | {"StudyInstanceUID": "1.9"}, seed=1))
    answer = _post(boss, QuarantinedFile.objects.get(), "accept")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_settled")
    assert "another study" in answer.json()["detail"]
    assert (_shown(), QuarantinedFile.objects.get().state) == (FIRST, "open")


def test_a_refused_file_tries_again_by_todays_rules(take: Take, boss: Client) -> None:
    with pytest.MonkeyPatch.context() as yesterday:
        yesterday.setattr("studies.sandbox.pool.read_header", _too_much)
        take(FIRST)
    answer = _post(boss, QuarantinedFile.objects.get(), "accept").json()
    assert (answer["state"], answer["outcome"], answer["sop_uid"]) == ("accepted", "Stored.", "1.2.3")
    assert _shown() == FIRST


def _too_much(*_: object) -> None:
    raise SandboxError("It needs too much memory.")


def test_a_file_for_another_study_comes_in_as_its_own(boss: Client) -> None:
    intake = Intake(Sender("stow"), expected_study="1.9")
    intake.add("part 1", [FIRST])
    assert intake.finish()[0].code == "other_study"
    assert _post(boss, QuarantinedFile.objects.get(), "accept").json()["outcome"] == "Stored."


def test_what_is_refused_again_stays_and_says_why(take: Take, boss: Client) -> None:
    take(b"rubbish")
    answer = _post(boss, QuarantinedFile.objects.get(), "accept")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "Refused. This is not a DICOM file. It stays in quarantine."
    row = QuarantinedFile.objects.get()
    assert (row.state, row.holding, row.outcome) == ("open", "kept", "Refused. This is not a DICOM file.")


def test_an_archive_tries_again_file_by_file(boss: Client, settings: Settings) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("1.dcm", FIRST)
        packed.writestr("2.dcm", clip())
    settings.UPLOAD_MAX_BYTES = 100
    intake = Intake(Sender("upload"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "stage", _unlimited(storage.stage))
        add_file(intake, "a.zip", iter([out.getvalue()]))
    assert intake.finish()[0].code == "too_large"
    settings.UPLOAD_MAX_BYTES = 10**9
    answer = _post(boss, QuarantinedFile.objects.get(), "accept").json()
    assert (answer["state"], answer["outcome"]) == ("accepted", "2 stored.")


def _unlimited(stage: Callable[..., Any]) -> Callable[..., Any]:
    return lambda chunks, limit=None: stage(chunks)


def test_a_discarded_file_loses_its_bytes_and_keeps_its_row(
    boss: Client, take: Take, settings: Settings, django_capture_on_commit_callbacks: OnCommit
) -> None:
    take(b"rubbish")
    row = QuarantinedFile.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        answer = _post(boss, row, "discard", "a text file").json()
    assert (answer["state"], answer["settled_why"], answer["settled_by"]) == ("discarded", "a text file", "admin")
    assert not storage.quarantine().local(row.digest).exists()
    assert boss.get(f"/api/v1/quarantine/{row.pk}/download/").status_code == 409
    assert AuditEntry.objects.get(action="quarantine.discarded").detail["why"] == "a text file"


def test_discarding_touches_no_patients_bytes(
    boss: Client, conflict: QuarantinedFile, django_capture_on_commit_callbacks: OnCommit
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        _post(boss, conflict, "discard")
    assert _shown() == FIRST


def test_a_discard_without_a_reason_is_refused(boss: Client, conflict: QuarantinedFile) -> None:
    assert _post(boss, conflict, "discard", "").status_code == 400
    assert QuarantinedFile.objects.get().state == "open"


@pytest.mark.parametrize("action", ["accept", "discard"])
def test_what_is_settled_is_not_settled_again(boss: Client, conflict: QuarantinedFile, action: str) -> None:
    _post(boss, conflict, "discard")
    answer = _post(boss, conflict, action)
    assert (answer.status_code, answer.json()["detail"]) == (409, "It is settled already: discarded.")


def test_an_earlier_picture_is_never_discarded(boss: Client, conflict: QuarantinedFile) -> None:
    _post(boss, conflict, "accept")
    earlier = QuarantinedFile.objects.get(state="replaced")
    assert _post(boss, earlier, "discard").status_code == 409
    assert QuarantinedFile.objects.get(pk=earlier.pk).state == "replaced"


def test_a_file_without_bytes_cannot_be_accepted(take: Take, boss: Client) -> None:
    take(b"")
    detail = _post(boss, QuarantinedFile.objects.get(), "accept").json()["detail"]
    assert "never came as a whole file" in detail


def test_bytes_that_are_gone_are_a_sentence(boss: Client, conflict: QuarantinedFile) -> None:
    storage.quarantine().remove(conflict.digest)
    answer = _post(boss, conflict, "accept")
    assert (answer.status_code, "missing or damaged" in answer.json()["detail"]) == (409, True)


def test_accepting_leaves_an_audit_entry_with_patient_and_reason(boss: Client, conflict: QuarantinedFile) -> None:
    _post(boss, conflict, "accept", "the ward corrected it")
    entry = AuditEntry.objects.get(action="quarantine.accepted")
    assert (entry.patient_id, entry.study_uid, entry.detail["why"]) == ("P1", "1.2", "the ward corrected it")


def test_a_full_disk_changes_nothing(boss: Client, conflict: QuarantinedFile, settings: Settings) -> None:
    settings.DISK_RESERVE_BYTES = 1 << 60
    assert _post(boss, conflict, "accept").status_code == 507
    assert (_shown(), QuarantinedFile.objects.get().state) == (FIRST, "open")
