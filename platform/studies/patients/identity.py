"""Facts of infants, and the merge and split of patients whose identifiers were wrong. The callers audit them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from rest_framework import exceptions

from live.models import Audience
from live.publish import publish
from studies.access import with_deleted
from studies.dicom.person_names import readable
from studies.models import Patient, Study
from studies.patients.likeness import compare

Value = str | int | date | None
UNKNOWN: dict[str, Value] = {
    "name": "",
    "birth_date": None,
    "sex": "",
    "gestational_age_days": None,
    "birth_weight_g": None,
    "twin_group": "",
}
"""What each fact is as long as nobody knows it."""
FACTS = tuple(UNKNOWN)


class Impossible(exceptions.ValidationError):
    """The merge or split asked for makes no sense; ``str()`` says why."""


def change_facts(patient: Patient, facts: Mapping[str, Value]) -> dict[str, list[str | int | None]]:
    """Set facts; returns what changed as ``{name: [before, after]}``, as JSON."""
    changes = {
        name: [getattr(patient, name), value] for name, value in facts.items() if getattr(patient, name) != value
    }
    for name, (_, value) in changes.items():
        setattr(patient, name, value)
    if "issuer" in changes:
        patient.ordinal = _free_ordinal(patient)
        patient.save(update_fields=["issuer", "ordinal"])
    if changes:
        patient.birth_date_from_age &= "birth_date" not in changes
        patient.save(update_fields=[*changes, "birth_date_from_age"])
        publish_changes(patient.studies.values_list("uid", flat=True))
    return {name: [_as_json(value) for value in pair] for name, pair in changes.items()}


def _free_ordinal(patient: Patient) -> int:
    """Under a number and issuer that others have too."""
    others = Patient.objects.filter(patient_id=patient.patient_id, issuer=patient.issuer).exclude(pk=patient.pk)
    return 1 + max(others.values_list("ordinal", flat=True), default=0)


def _as_json(value: Value) -> str | int | None:
    """Dates in ISO; everything else as it is."""
    return value.isoformat() if isinstance(value, date) else value


def publish_changes(uids: Iterable[str]) -> None:
    """Open lists and pages of these studies load again."""
    for uid in sorted(uids):
        publish("study", audience=Audience.READERS, study_uid=uid)


def find_target(into: object) -> Patient:
    """The patient to merge into: a number is the platform's own, a text the identifier that hospitals use."""
    unmerged = Patient.objects.filter(merged_into__isnull=True)
    if isinstance(into, int) and not isinstance(into, bool):
        named = unmerged.filter(pk=into)
    else:
        named = unmerged.filter(patient_id=str(into).strip())
    matches = list(named[:2])
    if len(matches) != 1:
        many = "Several patients have" if matches else "No patient has"
        raise Impossible({"into": [f"{many} the identifier {str(into)[:64]}."]})
    return matches[0]


@dataclass(frozen=True)
class Merged:
    """UIDs of the studies that went over, and the facts that were filled in."""

    studies: list[str]
    filled: list[str]


def twins_question(one: Patient, other: Patient) -> str:
    """What to ask before two who were born on one day and differ in name or sex become one infant; else empty."""
    likeness = compare(one, other)
    differs = [fact for fact in likeness.differs if fact in ("name", "sex")]
    if not likeness.same_birth or (likeness.names not in ("close", "other", "unnamed") and "sex" not in differs):
        return ""
    return (
        f"Born on one day, and of other {' and '.join(differs)}: {readable(one.name) or one.patient_id} and "
        f"{readable(other.name) or other.patient_id} may be twins. Merge them only if they are one infant."
    )


@transaction.atomic
def merge(patient: Patient, into: Patient) -> Merged:
    """Two are one infant: all studies go over, and what is unknown of ``into`` is filled from ``patient``.

    Raises Impossible.
    """
    patient, into = _locked(patient, into)
    if patient.pk == into.pk:
        raise Impossible({"into": ["This is the same patient."]})
    if patient.merged_into_id is not None:
        raise Impossible({"into": ["This patient has been merged already."]})
    uids = list(patient.studies.values_list("uid", flat=True))
    with_deleted().filter(patient=patient).update(patient=into)
    patient.merged.update(merged_into=into)
    patient.merged_into = into
    patient.save(update_fields=["merged_into"])
    missing = [name for name in FACTS if _unknown(into, name) and not _unknown(patient, name)]
    change_facts(into, {name: getattr(patient, name) for name in missing})
    if "birth_date" in missing:
        into.birth_date_from_age = patient.birth_date_from_age
        into.save(update_fields=["birth_date_from_age"])
    publish_changes(uids)
    return Merged(uids, missing)


def _unknown(patient: Patient, name: str) -> bool:
    return getattr(patient, name) in (None, "")


def _locked(*patients: Patient) -> list[Patient]:
    """The same rows, locked in one order."""
    numbers = [patient.pk for patient in patients]
    rows = Patient.objects.select_for_update().filter(pk__in=numbers).order_by("pk")
    by_number = {row.pk: row for row in rows}
    return [by_number[number] for number in numbers]


@transaction.atomic
def split(patient: Patient, uids: Sequence[str]) -> list[Patient]:
    """These studies are of another infant: back to the patient each was sent for, or to a new one.

    Returns those patients. Raises Impossible.
    """
    (patient,) = _locked(patient)
    studies = list(patient.studies.select_related("original_patient").filter(uid__in=uids).order_by("uid"))
    if not studies or len(studies) != len(set(uids)):
        raise Impossible({"studies": ["Not all of these are studies of this patient."]})
    owners: dict[int, Patient] = {}
    for study in studies:
        owner = _owner(study, patient, owners)
        study.patient = owner
        study.save(update_fields=["patient"])
    publish_changes(study.uid for study in studies)
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
