"""What is not taken in is kept for an admin, within bounds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEntry
from studies import storage
from studies.ingest import pipeline
from studies.ingest.pipeline import Intake
from studies.ingest.results import IngestResult, Sender
from studies.models import Clip, QuarantinedFile, Receipt
from studies.quarantine import shelf
from tests.studies.dicoms import clip

Take = Callable[..., IngestResult]
pytestmark = pytest.mark.django_db


def _quarantined(settings: Settings) -> dict[str, bytes]:
    root = Path(settings.STORAGE_URL.removeprefix("file://")) / "quarantine"
    return {path.name: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_conflict_keeps_its_bytes_and_says_who_it_is(take: Take) -> None:
    take(clip(SOPInstanceUID="1.2.3", StudyInstanceUID="1.2"))
    other = clip(SOPInstanceUID="1.2.3", StudyInstanceUID="1.2", seed=1)
    result = take(other, "again.dcm")
    row = QuarantinedFile.objects.get()
    assert (row.code, row.sop_uid, row.study_uid, row.patient_id) == ("conflict", "1.2.3", "1.2", "P1")
    assert shelf.path_of(row).read_bytes() == other
    assert f"kept in quarantine (no. {row.pk})" in result.reason


def test_a_conflict_leaves_nothing_in_the_patients_store(take: Take) -> None:
    take(clip(SOPInstanceUID="1.2.3"))
    take(clip(SOPInstanceUID="1.2.3", seed=1))
    row = QuarantinedFile.objects.get()
    assert not storage.store().local(row.digest).exists()


def test_a_refused_file_keeps_its_bytes(take: Take, settings: Settings) -> None:
    take(b"rubbish", "x.txt")
    row = QuarantinedFile.objects.get()
    assert (row.code, row.reason, row.path) == ("not_dicom", "This is not a DICOM file.", "x.txt")
    assert _quarantined(settings) == {row.digest: b"rubbish"}


def test_a_header_without_an_identifier_is_kept(take: Take) -> None:
    sent = clip(SOPInstanceUID=None)
    take(sent)
    assert shelf.path_of(QuarantinedFile.objects.get(code="missing_uid")).read_bytes() == sent


def test_a_file_that_is_too_large_is_a_record_without_bytes(take: Take, settings: Settings) -> None:
    settings.INSTANCE_MAX_BYTES = 100
    result = take(clip())
    row = QuarantinedFile.objects.get()
    assert (row.code, row.holding, row.size) == ("too_large", "never_whole", None)
    assert f"A record of it is in quarantine (no. {row.pk})." in result.reason
    assert _quarantined(settings) == {}


def test_an_empty_file_is_a_record_without_bytes(take: Take) -> None:
    take(b"")
    assert QuarantinedFile.objects.get().holding == "never_whole"


def test_what_comes_again_is_one_row_and_one_file(take: Take, settings: Settings) -> None:
    for _ in range(3):
        take(b"rubbish")
    row = QuarantinedFile.objects.get()
    assert row.receipts.count() == 3
    assert row.last_received_at > row.received_at
    assert len(_quarantined(settings)) == 1


def test_what_is_larger_than_the_room_is_a_record_that_says_so(take: Take, settings: Settings) -> None:
    settings.QUARANTINE_MAX_BYTES = 20
    take(b"a" * 8)
    result = take(b"b" * 8)
    assert [row.holding for row in QuarantinedFile.objects.order_by("pk")] == ["kept", "no_room"]
    assert "The quarantine is full: only a record of it is kept" in result.reason
    assert list(_quarantined(settings).values()) == [b"a" * 8]


def test_the_room_counts_the_files_of_one_request_together(settings: Settings) -> None:
    settings.QUARANTINE_MAX_BYTES = 20
    intake = Intake(Sender("test"))
    for letter in b"abc":
        intake.add("x", [bytes([letter]) * 4])
    intake.finish()
    assert [row.holding for row in QuarantinedFile.objects.order_by("pk")] == ["kept", "kept", "no_room"]


def test_rubbish_leaves_room_for_conflicts(take: Take, settings: Settings) -> None:
    other = clip(SOPInstanceUID="1.2.3", seed=1)
    settings.QUARANTINE_MAX_BYTES = 2 * len(other)
    take(b"r" * len(other))
    assert take(b"s" * len(other)).refused
    take(clip(SOPInstanceUID="1.2.3"))
    take(other)
    assert {row.code: row.holding for row in QuarantinedFile.objects.order_by("pk")} == {
        "not_dicom": "no_room",
        "conflict": "kept",
    }


def test_a_file_that_comes_again_when_there_is_room_is_kept_after_all(take: Take, settings: Settings) -> None:
    settings.QUARANTINE_MAX_BYTES = 0
    take(b"rubbish")
    settings.QUARANTINE_MAX_BYTES = 1000
    take(b"rubbish")
    assert QuarantinedFile.objects.get().holding == "kept"


def test_refused_files_go_after_the_sites_days_and_their_rows_stay(
    take: Take, settings: Settings, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    take(b"rubbish")
    QuarantinedFile.objects.update(last_received_at=timezone.now() - timedelta(days=31))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]  # a context manager
        assert shelf.expire() == 1
    row = QuarantinedFile.objects.get()
    assert (row.state, row.holding, row.settled_why) == ("discarded", "expired", "Nobody answered within 30 days.")
    assert _quarantined(settings) == {}
    assert AuditEntry.objects.get(action="quarantine.expired").detail["file"] == row.pk


def test_conflicts_and_young_files_do_not_go(take: Take, settings: Settings) -> None:
    take(clip(SOPInstanceUID="1.2.3"))
    take(clip(SOPInstanceUID="1.2.3", seed=1))
    QuarantinedFile.objects.update(last_received_at=timezone.now() - timedelta(days=400))
    take(b"rubbish")
    assert shelf.expire() == 0
    assert len(_quarantined(settings)) == 2


def test_a_request_that_breaks_off_leaves_nothing_in_quarantine(settings: Settings) -> None:
    intake = Intake(Sender("test"))
    intake.add("x", [b"rubbish"])
    intake.abandon()
    assert QuarantinedFile.objects.count() == len(_quarantined(settings)) == 0
    assert list((settings.WORK_FOLDER / "staging").iterdir()) == []


def test_of_two_files_of_one_name_in_one_request_the_second_waits(settings: Settings) -> None:
    intake = Intake(Sender("test"))
    for seed in (0, 1):
        intake.add("x", [clip(SOPInstanceUID="1.2.3", seed=seed)])
    assert [result.outcome for result in intake.finish()] == ["stored", "refused"]
    assert QuarantinedFile.objects.get().digest != Clip.objects.get().digest


def test_a_conflict_that_was_indexed_meanwhile_waits_too(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another request adds the same instance after this one compared its files with what was here."""
    compare = pipeline.find_repeats
    first = clip(SOPInstanceUID="1.2.3")

    def overtaken(arrivals: list[object]) -> None:
        compare(arrivals)  # type: ignore[arg-type]  # what the pipeline passes on
        monkeypatch.setattr(pipeline, "find_repeats", compare)
        take(first)

    monkeypatch.setattr(pipeline, "find_repeats", overtaken)
    other = clip(SOPInstanceUID="1.2.3", seed=1)
    assert take(other).code == "conflict"
    assert shelf.path_of(QuarantinedFile.objects.get()).read_bytes() == other
    assert storage.verified(Clip.objects.get().digest).read_bytes() == first


def test_a_receipt_knows_its_row(take: Take) -> None:
    take(b"rubbish")
    assert Receipt.objects.get().quarantined == QuarantinedFile.objects.get()
