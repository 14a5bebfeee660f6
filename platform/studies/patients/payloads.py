"""An infant and its studies as the API answers them, and what became of an import or a split."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypedDict

from django.utils import timezone

from accounts.models import User
from studies.access import every_study
from studies.models import Patient, Study, StudyStatus
from studies.patients.namesakes import IdentityNote, identity_note
from studies.payloads import PatientSummary, describe_patient, study_url


class PatientReference(TypedDict):
    """Which patient, and what the hospital calls it."""

    id: int
    patient_id: str


class PatientStudy(TypedDict):
    """One study on the page of its infant."""

    study_uid: str
    url: str
    acquired_at: datetime | None
    status: StudyStatus
    description: str
    day_of_life: Annotated[int | None, "whole days since birth"]
    postmenstrual_age_days: Annotated[int | None, "days"]
    original_patient_id: Annotated[str, "the identifier under which it was sent"]


class PatientDetail(PatientSummary):
    """An infant, its studies in the order of acquisition, and what it was merged from or into."""

    identity: Annotated[IdentityNote | None, "where the number stands for several infants, or it is asked who it is"]
    studies: list[PatientStudy]
    merged_from: list[PatientReference]
    merged_into: Annotated[int | None, "the number of the patient that holds its studies now"]


class MergeResult(PatientDetail):
    """The patient that holds the studies of both, and what a split has to take back to undo the merge."""

    moved: Annotated[list[str], "UIDs of the studies that came over"]
    filled: Annotated[list[str], "facts that were unknown of it and came over"]


class SplitResult(PatientDetail):
    """The patient that is left, and those to which the studies went."""

    split_to: list[PatientReference]


class ImportedRow(TypedDict):
    """A line of an imported file and what became of it."""

    line: Annotated[int, "from 1, the line of column names included"]
    patient_id: str
    outcome: Literal["changed", "unchanged", "refused"]
    reason: Annotated[str, "why it was refused; empty otherwise"]
    changes: Annotated[dict[str, str | int], "new values by fact; days for ages, g for weights, ISO dates"]


class ImportResult(TypedDict):
    """What an import did, or with ``dry_run`` would do."""

    dry_run: bool
    rows: list[ImportedRow]


def reference(patient: Patient) -> PatientReference:
    return {"id": patient.pk, "patient_id": patient.patient_id}


def describe_with_studies(patient: Patient, user: User) -> PatientDetail:
    """What ``GET /api/v1/patients/<number>/`` answers."""
    studies = every_study().filter(patient=patient).select_related("original_patient")
    return {
        **describe_patient(patient),
        "identity": identity_note(patient, user),
        "studies": [_describe_study(study, patient) for study in studies.order_by("acquired_at", "first_image_at")],
        "merged_from": [reference(other) for other in patient.merged.order_by("pk")],
        "merged_into": patient.merged_into_id,
    }


def _describe_study(study: Study, patient: Patient) -> PatientStudy:
    on = timezone.localtime(study.acquired_at) if study.acquired_at else None
    return {
        "study_uid": study.uid,
        "url": study_url(study),
        "acquired_at": study.acquired_at,
        "status": StudyStatus(study.status),
        "description": study.description,
        "day_of_life": patient.day_of_life(on),
        "postmenstrual_age_days": patient.postmenstrual_age_days(on),
        "original_patient_id": study.original_patient.patient_id,
    }
