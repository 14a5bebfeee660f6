"""What is known of infants, and putting right a patient that is two, or two that are one. Everything is audited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import exceptions

from live.models import Audience
from live.publish import publish
from studies.access import every_study
from studies.models import Patient, Study
from studies.payloads import describe_patient, study_url

FACTS = ("name", "birth_date", "sex", "gestational_age_days", "birth_weight_g", "twin_group")


class Impossible(exceptions.ValidationError):
    """The merge or split asked for makes no sense; ``str()`` says why."""


def describe_with_studies(patient: Patient) -> dict[str, Any]:
    """The patient page's JSON."""
    studies = patient.studies.select_related("original_patient").order_by("acquired_at", "first_image_at")
    return {
        **describe_patient(patient),
        "studies": [_describe_study(study, patient) for study in studies],
        "merged_from": [{"id": other.pk, "patient_id": other.patient_id} for other in patient.merged.order_by("pk")],
        "merged_into": patient.merged_into_id,
    }


def _describe_study(study: Study, patient: Patient) -> dict[str, Any]:
    on = timezone.localtime(study.acquired_at) if study.acquired_at else None
    return {
        "study_uid": study.uid,
        "url": study_url(study),
        "acquired_at": study.acquired_at,
        "status": study.status,
        "description": study.description,
        "day_of_life": patient.day_of_life(on),
        "postmenstrual_age_days": patient.postmenstrual_age_days(on),
        "original_patient_id": study.original_patient.patient_id,
    }


def change_facts(patient: Patient, facts: dict[str, Any]) -> dict[str, list[Any]]:
    """Set facts; returns what changed as ``{name: [before, after]}``, JSON."""
    changes = {
        name: [getattr(patient, name), value] for name, value in facts.items() if getattr(patient, name) != value
    }
    for name, (_, value) in changes.items():
        setattr(patient, name, value)
    if changes:
        patient.save(update_fields=list(changes))
        tell(patient.studies.values_list("uid", flat=True))
    return {name: [_plain(value) for value in pair] for name, pair in changes.items()}


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def tell(uids: Any) -> None:
    """Open lists and pages of these studies look again."""
    for uid in sorted(uids):
        publish("study", audience=Audience.READERS, study_uid=uid)


def find_target(into: Any) -> Patient:
    """The patient to merge into: a number is our own, a word the identifier that hospitals use."""
    found = Patient.objects.filter(merged_into__isnull=True)
    matches = list(found.filter(pk=into) if isinstance(into, int) else found.filter(patient_id=str(into).strip())[:2])
    if len(matches) != 1:
        many = "Several patients have" if matches else "No patient has"
        raise Impossible({"into": [f"{many} the identifier {str(into)[:64]}."]})
    return matches[0]


@transaction.atomic
def merge(patient: Patient, into: Patient) -> list[str]:
    """Two are one infant: all studies go over, and what is unknown there is filled from here. Returns the studies."""
    patient, into = _locked(patient, into)
    if patient.pk == into.pk:
        raise Impossible({"into": ["This is the same patient."]})
    if patient.merged_into_id is not None:
        raise Impossible({"into": ["This patient has been merged already."]})
    uids = list(patient.studies.values_list("uid", flat=True))
    every_study().filter(patient=patient).update(patient=into)
    patient.merged.update(merged_into=into)
    patient.merged_into = into
    patient.save(update_fields=["merged_into"])
    missing = [name for name in FACTS if _unknown(into, name) and not _unknown(patient, name)]
    change_facts(into, {name: getattr(patient, name) for name in missing})
    tell(uids)
    return uids


def _unknown(patient: Patient, name: str) -> bool:
    return getattr(patient, name) in (None, "")


def _locked(*patients: Patient) -> list[Patient]:
    """The same rows, locked in one order."""
    numbers = [patient.pk for patient in patients]
    rows = Patient.objects.select_for_update().filter(pk__in=numbers).order_by("pk")
    found = {row.pk: row for row in rows}
    return [found[number] for number in numbers]


@transaction.atomic
def split(patient: Patient, uids: Sequence[str]) -> list[Patient]:
    """These studies are of another infant: back to the patient each was sent for, or to a new one. Returns those."""
    (patient,) = _locked(patient)
    studies = list(patient.studies.select_related("original_patient").filter(uid__in=uids).order_by("uid"))
    if not studies or len(studies) != len(set(uids)):
        raise Impossible({"studies": ["Not all of these are studies of this patient."]})
    owners: dict[int, Patient] = {}
    for study in studies:
        owner = _owner(study, patient, owners)
        study.patient = owner
        study.save(update_fields=["patient"])
    tell(study.uid for study in studies)
    return list({owner.pk: owner for owner in owners.values()}.values())


def _owner(study: Study, patient: Patient, owners: dict[int, Patient]) -> Patient:
    original = study.original_patient
    if original.pk not in owners:
        owners[original.pk] = _freed(original) if original.pk != patient.pk else _new_beside(patient)
    return owners[original.pk]


def _freed(patient: Patient) -> Patient:
    """No longer merged: it has studies of its own again."""
    if patient.merged_into_id is not None:
        patient.merged_into = None
        patient.save(update_fields=["merged_into"])
    return patient


def _new_beside(patient: Patient) -> Patient:
    """A patient for studies that came under a wrong identifier; nothing but that is known of the infant."""
    number = 2
    while Patient.objects.filter(patient_id=_numbered(patient, number), issuer=patient.issuer).exists():
        number += 1
    return Patient.objects.create(patient_id=_numbered(patient, number), issuer=patient.issuer)


def _numbered(patient: Patient, number: int) -> str:
    ending = f" ({number})"
    return patient.patient_id[: 64 - len(ending)] + ending
