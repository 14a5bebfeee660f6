"""Open questions about who an infant is: what a study's notes say of them, and the list for an admin."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, TypedDict

from django.db.models import Q, QuerySet

from studies.dicom.person_names import readable
from studies.models import DoubtKind, IdentityDoubt, Patient


class IdentitySide(TypedDict):
    """One of the two that clash or may be one: a patient, or what a header says (``id`` and ``url`` are null)."""

    id: int | None
    url: str | None
    patient_id: Annotated[str, "the hospital's identifier"]
    issuer: str
    name: Annotated[str, "as it came, a DICOM person name"]
    birth_date: date | None
    sex: str
    institution: str


class IdentitySuggestion(TypedDict):
    """A question to an admin, whose answer is a merge, a change of facts, or that nothing is to be done."""

    id: int
    kind: DoubtKind
    reason: str
    differs: Annotated[list[str], "facts on which the two do not agree"]
    study_uid: Annotated[str, "the study that raised it"]
    found_at: datetime
    sides: Annotated[list[IdentitySide], "both, the one that was known first"]


class IdentitySuggestions(TypedDict):
    """Every open question, the latest first."""

    results: list[IdentitySuggestion]


def unsettled() -> QuerySet[IdentityDoubt]:
    rows = IdentityDoubt.objects.filter(settled_at=None)
    return rows.select_related("patient__merged_into", "other__merged_into")


def suggestions() -> list[IdentitySuggestion]:
    return [_describe(doubt) for doubt in unsettled().order_by("-pk") if is_open(doubt)]


def is_open(doubt: IdentityDoubt) -> bool:
    """A merge answers it; so do twins who are known as such, and facts that were set to what the header says."""
    if doubt.other is None:
        return any(before != now for _, before, now in _disagreement(doubt))
    one, other = doubt.patient.final(), doubt.other.final()
    if doubt.kind == DoubtKind.PERHAPS_ONE and one.twin_group and one.twin_group == other.twin_group:
        return False
    return one.pk != other.pk


def _disagreement(doubt: IdentityDoubt) -> list[tuple[str, str, str]]:
    """(fact, what is known, what the header says) for each fact on which they did not agree."""
    patient = doubt.patient.final()
    known = {
        "number": ("patient_id", patient.patient_id),
        "name": ("name", readable(patient.name)),
        "birth date": ("birth_date", patient.birth_date.isoformat() if patient.birth_date else ""),
        "sex": ("sex", patient.sex),
    }
    said = doubt.said | {"name": readable(doubt.said["name"])}
    return [(fact, known[fact][1], said[known[fact][0]]) for fact in doubt.differs if fact in known]


def _describe(doubt: IdentityDoubt) -> IdentitySuggestion:
    return {
        "id": doubt.pk,
        "kind": DoubtKind(doubt.kind),
        "reason": _reason(doubt),
        "differs": doubt.differs,
        "study_uid": doubt.study_uid,
        "found_at": doubt.found_at,
        "sides": [_side(doubt.patient), _side(doubt.other) if doubt.other else _said(doubt.said)],
    }


def _side(patient: Patient) -> IdentitySide:
    return {
        "id": patient.pk,
        "url": f"/patients/{patient.pk}/",
        "patient_id": patient.patient_id,
        "issuer": patient.issuer,
        "name": patient.name,
        "birth_date": patient.birth_date,
        "sex": patient.sex,
        "institution": patient.institution,
    }


def _said(said: dict[str, str]) -> IdentitySide:
    return {
        "id": None,
        "url": None,
        "patient_id": said["patient_id"],
        "issuer": said["issuer"],
        "name": said["name"],
        "birth_date": date.fromisoformat(said["birth_date"]) if said["birth_date"] else None,
        "sex": said["sex"],
        "institution": said["institution"],
    }


def _reason(doubt: IdentityDoubt) -> str:
    differs = ", ".join(doubt.differs)
    if doubt.other is None:
        return f"Headers of one infant disagree ({differs}). Nothing was changed."
    if doubt.kind == DoubtKind.CLASH:
        return f"Two infants came under one number ({differs} differ). They are kept apart."
    return f"Perhaps one infant under two identifiers, or twins ({differs} differ). They are kept apart."


def notes_on(patient: Patient) -> list[str]:
    """What a reader of the infant's studies must know of open questions, one sentence each."""
    rows = unsettled().filter(Q(patient=patient) | Q(other=patient)).order_by("pk")[:10]
    return list(dict.fromkeys(_note(doubt, patient) for doubt in rows if is_open(doubt)))


def _note(doubt: IdentityDoubt, patient: Patient) -> str:
    differs = ", ".join(doubt.differs)
    if doubt.other is None:
        said = [f"{fact} {before or 'unknown'} or {now or 'unknown'}" for fact, before, now in _disagreement(doubt)]
        return f"Who is it? Headers of this infant disagree: {', '.join(said)}. An admin is asked."
    other = doubt.other if doubt.patient_id == patient.pk else doubt.patient
    number = f"{other.patient_id} ({other.issuer})" if other.issuer else other.patient_id
    if doubt.kind == DoubtKind.CLASH:
        return f"Another infant came under the number {number} ({differs} differ): kept apart. An admin is asked."
    return f"Perhaps the same infant as patient {number}, or a twin: its studies are not among the priors."
