from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import AuditEntry
from live.models import Event
from studies import storage
from studies.ingest.pipeline import Intake
from studies.ingest.results import IngestResult, Sender, label
from studies.models import Clip, Patient, Receipt, Study
from tests.studies.dicoms import clip, dataset, encoded

Take = Callable[..., IngestResult]
pytestmark = pytest.mark.django_db


def _files(settings: Settings) -> list[Path]:
    return [path for path in Path(settings.STORAGE_URL.removeprefix("file://")).rglob("*") if path.is_file()]


def _staged(settings: Settings) -> list[Path]:
    return list((settings.WORK_FOLDER / "staging").iterdir())


def test_a_clip_is_stored_with_its_facts(take: Take) -> None:
    result = take(clip())
    indexed = Clip.objects.get(sop_uid=result.sop_uid)
    assert (result.outcome, result.reason) == ("stored", "")
    assert (indexed.rows, indexed.columns, indexed.frames, indexed.view) == (24, 32, 2, "coronal")
    assert indexed.study.patient.patient_id == "P1"
    assert indexed.scorable


def test_what_is_stored_is_what_was_sent(take: Take) -> None:
    data = clip()
    take(data)
    assert storage.verified(Clip.objects.get().digest).read_bytes() == data


def test_ingest_leaves_a_receipt_an_audit_entry_and_an_event(take: Take) -> None:
    result = take(clip(), "folder/a.dcm")
    receipt = Receipt.objects.get()
    assert (receipt.path, receipt.outcome, receipt.study_uid) == ("folder/a.dcm", "stored", result.study_uid)
    assert AuditEntry.objects.get(action="study.received").patient_id == "P1"
    assert Event.objects.get().study_uid == result.study_uid


def test_the_same_bytes_twice_are_one_instance(take: Take) -> None:
    data = clip()
    assert [take(data).outcome, take(data).outcome] == ["stored", "duplicate"]
    assert Clip.objects.count() == 1


def test_a_duplicate_does_not_start_the_quiet_period_again(take: Take) -> None:
    data = clip()
    take(data)
    every = Study._default_manager
    every.update(closes_at=None)
    take(data)
    assert every.get().closes_at is None


def test_other_bytes_under_the_same_identifier_are_refused_and_reported(take: Take, settings: Settings) -> None:
    first = take(clip(SOPInstanceUID="1.2.3"))
    second = take(clip(SOPInstanceUID="1.2.3", seed=1))
    assert (second.outcome, second.code) == ("refused", "conflict")
    assert AuditEntry.objects.get(action="instance.conflict_detected").detail["conflicts"] == ["1.2.3"]
    assert Clip.objects.get().study.uid == first.study_uid


def test_twins_in_one_batch_are_one_instance(db: None) -> None:
    data = clip()
    intake = Intake(Sender("test"))
    for name in "abc":
        intake.add(name, [data])
    assert [result.outcome for result in intake.finish()] == ["stored", "duplicate", "duplicate"]


def test_results_come_in_the_order_of_the_files(db: None) -> None:
    intake = Intake(Sender("test"))
    for number in range(30):
        intake.add(str(number), [clip(SOPInstanceUID=f"1.{number + 1}") if number % 3 else b"rubbish"])
    assert [result.path for result in intake.finish()] == [str(number) for number in range(30)]


@pytest.mark.parametrize(
    ("facts", "code", "reason"),
    [
        ({"Modality": "CT"}, "not_ultrasound", "Not ultrasound (CT)"),
        ({"Modality": None, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "not_ultrasound", "no modality given"),
        ({"PixelData": None}, "no_pixels", "holds no image"),
        ({"NumberOfFrames": 3}, "truncated", "Incomplete"),
    ],
)
def test_what_cannot_be_scored_is_parked_with_its_reason(take: Take, facts: Any, code: str, reason: str) -> None:
    result = take(clip(**facts))
    assert (result.outcome, result.code) == ("parked", code)
    assert reason in result.reason
    assert not Clip.objects.get().scorable


def test_a_refused_file_leaves_a_receipt_and_its_bytes_in_quarantine(take: Take, settings: Settings) -> None:
    assert take(b"rubbish", "x.txt").outcome == "refused"
    assert Receipt.objects.get().reason == "This is not a DICOM file."
    assert Study._default_manager.count() == 0
    (file,) = _files(settings)
    assert file.relative_to(file.parents[3]).parts[0] == "quarantine"
    assert _staged(settings) == []


def test_a_program_in_the_preamble_is_zeroed(take: Take) -> None:
    take(encoded(dataset(), preamble=b"MZ" + bytes(126)))
    indexed = Clip.objects.get()
    assert storage.verified(indexed.digest).read_bytes()[:132] == bytes(128) + b"DICM"
    assert any("zeroed" in warning for warning in indexed.warnings)


def test_without_an_identifier_each_study_has_a_patient_of_its_own(take: Take) -> None:
    for _ in range(2):
        take(clip(PatientID="", PatientName=""))
    assert sorted(patient.patient_id[:5] for patient in Patient.objects.all()) == ["no ID", "no ID"]


def test_studies_of_one_infant_share_the_patient(take: Take) -> None:
    for _ in range(2):
        take(clip())
    assert Patient.objects.count() == 1
    assert Study._default_manager.count() == 2


def test_a_header_that_names_another_patient_is_a_warning(take: Take) -> None:
    take(clip(StudyInstanceUID="1.9"))
    take(clip(StudyInstanceUID="1.9", PatientID="P2"))
    assert any("names patient P2" in warning for warning in Clip.objects.latest("pk").warnings)
    assert Study._default_manager.get().patient.patient_id == "P1"


def test_what_a_person_entered_is_not_overwritten_by_a_device(take: Take) -> None:
    take(clip(PatientSex="F"))
    Patient.objects.update(sex="M", birth_date=None)
    take(clip(PatientSex="F"))
    patient = Patient.objects.get()
    assert (patient.sex, str(patient.birth_date)) == ("M", "2026-01-01")


def test_a_later_study_of_a_merged_infant_goes_to_the_one_it_was_merged_into(take: Take) -> None:
    take(clip(PatientID="old"))
    take(clip(PatientID="new"))
    old, new = Patient.objects.get(patient_id="old"), Patient.objects.get(patient_id="new")
    Patient.objects.filter(pk=old.pk).update(merged_into=new)
    result = take(clip(PatientID="old"))
    assert Study._default_manager.get(uid=result.study_uid).patient == new


@pytest.mark.parametrize(("maker", "phantom"), [("Fontanelle Phantom Works", True), ("GE", False), (None, False)])
def test_phantoms_are_known_by_their_maker(take: Take, maker: str | None, phantom: bool) -> None:
    take(clip(Manufacturer=maker))
    assert Study._default_manager.get().is_phantom is phantom


def test_the_devices_offset_from_utc_counts(take: Take) -> None:
    take(clip(TimezoneOffsetFromUTC="+0200"))
    acquired_at = Clip.objects.get().acquired_at
    assert acquired_at is not None
    assert acquired_at.utctimetuple()[3:5] == (8, 15)


def test_a_full_disk_stores_nothing_of_the_request(settings: Settings) -> None:
    intake = Intake(Sender("test"))
    intake.add("a", [clip()])
    settings.DISK_RESERVE_BYTES = 1 << 60
    with pytest.raises(storage.DiskFull):
        intake.add("b", [clip()])
    intake.abandon()
    assert _files(settings) == _staged(settings) == []
    assert Receipt.objects.count() == 0


def test_a_file_above_the_limit_is_refused(take: Take, settings: Settings) -> None:
    settings.INSTANCE_MAX_BYTES = 1000
    assert take(clip()).code == "too_large"
    assert _staged(settings) == []


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a\x00b", "x" * 3000, "<script>", "..\\..\\x", "\udcff"]
)
def test_a_name_is_only_a_label(take: Take, settings: Settings, name: str) -> None:
    result = take(clip(), name)
    assert result.path == label(name)
    (file,) = _files(settings)
    assert file.name == Clip.objects.get().digest


def test_nothing_is_indexed_when_the_bytes_cannot_be_kept(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise storage.DiskFull

    monkeypatch.setattr(storage.FolderStore, "keep", refuse)
    with pytest.raises(storage.DiskFull):
        take(clip())
    assert Clip.objects.count() == Receipt.objects.count() == 0
