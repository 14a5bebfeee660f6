"""Open questions about who an infant is: what a study's notes say of them, and the list for an admin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Annotated, TypedDict

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from studies.access import every_study
from studies.dicom.person_names import readable
from studies.models import DoubtKind, IdentityDoubt, Patient, Study
from studies.search import folded

_MOST_SAID = 10
NOT_NAMED = "Who is it? An admin is asked which infant this is."


class SideStudy(TypedDict):
    """A study of one side."""

    study_uid: str
    url: str
    acquired_at: datetime | None
    description: str


class IdentitySide(TypedDict):
    """One of the two that clash or may be one: a patient, or what a header says (``id`` and ``url`` are null)."""

    id: int | None
    url: str | None
    patient_id: Annotated[str, "the hospital's identifier"]
    issuer: str
    name: Annotated[str, "as it came, a DICOM person name"]
    birth_date: date | None
    birth_date_from_age: Annotated[bool, "the date is only reckoned from an age"]
    sex: str
    institution: str
    twin_group: str
    studies: Annotated[list[SideStudy], "in the order of acquisition; of a header the one study that it came with"]


class IdentitySuggestion(TypedDict):
    """A question to an admin, whose answer is a merge, a change of facts, or that nothing is to be done."""

    id: int
    kind: DoubtKind
    reason: str
    differs: Annotated[list[str], "facts on which the two did not agree when it was asked"]
    study_uid: Annotated[str, "the study that raised it"]
    found_at: datetime
    sides: Annotated[list[IdentitySide], "both, the one that was known first"]


class IdentitySuggestions(TypedDict):
    """A page of the open questions, the latest first."""

    count: Annotated[int, "open questions of all pages"]
    results: list[IdentitySuggestion]
    next: Annotated[str | None, "path of the next page"]
    previous: Annotated[str | None, "path of the page before"]


def unsettled() -> QuerySet[IdentityDoubt]:
    """Those that nobody settled; without those that a merge answered, which are asked again when it is undone, and
    those of which one side has no study (any more)."""
    merged = Q(other__merged_into=F("patient")) | Q(patient__merged_into=F("other"))
    merged |= Q(patient__merged_into=F("other__merged_into"))
    rows = IdentityDoubt.objects.filter(settled_at=None).exclude(other__isnull=False, pk__in=_keys(merged))
    rows = rows.filter(Q(other=None) | (_has_studies("patient") & _has_studies("other")))
    return rows.select_related("patient__merged_into", "other__merged_into")


def _has_studies(side: str) -> Q:
    owners = Q(patient=OuterRef(side)) | Q(patient=OuterRef(f"{side}__merged_into"))
    return Q(Exists(every_study().filter(owners)))


def _keys(condition: Q) -> QuerySet[IdentityDoubt, int]:
    return IdentityDoubt.objects.filter(condition).values_list("pk", flat=True)


def open_questions(words: str = "") -> list[IdentityDoubt]:
    """The latest first; those in whose numbers and names every word occurs."""
    sought = folded(words).split()
    return [each for each in unsettled().order_by("-pk") if is_open(each) and _mentions(each, sought)]


def count_open(at_most: int) -> int:
    return sum(1 for _ in islice(filter(is_open, unsettled().order_by("-pk")), at_most))


def _mentions(doubt: IdentityDoubt, sought: list[str]) -> bool:
    patients = filter(None, (doubt.patient, doubt.patient.final(), doubt.other, doubt.other and doubt.other.final()))
    texts = [text for patient in patients for text in (patient.patient_id, patient.name)]
    texts += [doubt.said.get("patient_id", ""), doubt.said.get("name", "")]
    whole = folded("\n".join(texts))
    return all(word in whole for word in sought)


def open_about(patients: Collection[int]) -> dict[int, list[IdentityDoubt]]:
    """By patient the open questions about it and about those that were merged into it."""
    about = Q(patient__in=patients) | Q(other__in=patients)
    about |= Q(patient__merged_into__in=patients) | Q(other__merged_into__in=patients)
    found: dict[int, list[IdentityDoubt]] = defaultdict(list)
    for doubt in filter(is_open, unsettled().filter(about).order_by("pk")):
        for side in dict.fromkeys(each.final().pk for each in (doubt.patient, doubt.other) if each):
            found[side].append(doubt)
    return found


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
        "issuer": ("issuer", patient.issuer),
        "name": ("name", readable(patient.name)),
        "birth date": ("birth_date", patient.birth_date.isoformat() if patient.birth_date else ""),
        "sex": ("sex", patient.sex),
    }
    said = doubt.said | {"name": readable(doubt.said["name"])}
    return [(fact, known[fact][1], said[known[fact][0]]) for fact in doubt.differs if fact in known]


def describe(doubts: Sequence[IdentityDoubt]) -> list[IdentitySuggestion]:
    """With both sides and the studies of each; two queries more however many they are."""
    infants = [each.final().pk for doubt in doubts for each in (doubt.patient, doubt.other) if each]
    of_infants = every_study().filter(patient__in=infants).order_by("acquired_at", "first_image_at")
    by_infant: dict[int, list[SideStudy]] = defaultdict(list)
    for study in of_infants:
        by_infant[study.patient_id].append(_side_study(study))
    raised = {study.uid: study for study in every_study().filter(uid__in=[doubt.study_uid for doubt in doubts])}
    return [_describe(doubt, by_infant, raised.get(doubt.study_uid)) for doubt in doubts]


def _describe(doubt: IdentityDoubt, studies: dict[int, list[SideStudy]], raised: Study | None) -> IdentitySuggestion:
    one = _side(doubt.patient.final(), studies)
    return {
        "id": doubt.pk,
        "kind": DoubtKind(doubt.kind),
        "reason": _reason(doubt),
        "differs": doubt.differs,
        "study_uid": doubt.study_uid,
        "found_at": doubt.found_at,
        "sides": [one, _side(doubt.other.final(), studies) if doubt.other else _said(doubt.said, raised)],
    }


def _side_study(study: Study) -> SideStudy:
    return {
        "study_uid": study.uid,
        "url": f"/studies/{study.uid}/",
        "acquired_at": study.acquired_at,
        "description": study.description,
    }


def _side(patient: Patient, studies: dict[int, list[SideStudy]]) -> IdentitySide:
    return {
        "id": patient.pk,
        "url": f"/patients/{patient.pk}/",
        "patient_id": patient.patient_id,
        "issuer": patient.issuer,
        "name": patient.name,
        "birth_date": patient.birth_date,
        "birth_date_from_age": patient.birth_date_from_age,
        "sex": patient.sex,
        "institution": patient.institution,
        "twin_group": patient.twin_group,
        "studies": studies[patient.pk],
    }


def _said(said: dict[str, str], raised: Study | None) -> IdentitySide:
    return {
        "id": None,
        "url": None,
        "patient_id": said["patient_id"],
        "issuer": said["issuer"],
        "name": said["name"],
        "birth_date": date.fromisoformat(said["birth_date"]) if said["birth_date"] else None,
        "birth_date_from_age": False,
        "sex": said["sex"],
        "institution": said["institution"],
        "twin_group": "",
        "studies": [_side_study(raised)] if raised else [],
    }


def _reason(doubt: IdentityDoubt) -> str:
    differs = ", ".join(doubt.differs)
    if doubt.other is None:
        return f"Headers of one infant disagree ({differs}). Nothing was changed."
    if doubt.kind == DoubtKind.CLASH:
        return f"Two infants came under one number ({differs} differ). They are kept apart."
    return f"Perhaps one infant under two identifiers, or twins ({differs} differ). They are kept apart."


def notes_on(patient: Patient, *, to_readers: bool) -> list[str]:
    """What people at the infant's studies must know of open questions, one sentence each.

    Without ``to_readers`` nobody is named: who labels one study is told nothing of other infants.
    """
    found = open_about([patient.pk])[patient.pk]
    return in_words(found, patient) if to_readers else [NOT_NAMED] * bool(found)


def in_words(found: Sequence[IdentityDoubt], patient: Patient) -> list[str]:
    """What clashes first; one sentence about all who are perhaps the same infant, ten of them by number."""
    perhaps = [doubt for doubt in found if doubt.kind == DoubtKind.PERHAPS_ONE]
    said = [note(doubt, patient) for doubt in found if doubt not in perhaps][:_MOST_SAID]
    numbers = dict.fromkeys(_number(_beside(doubt, patient)) for doubt in perhaps)
    return [*dict.fromkeys(said), *([_perhaps(list(numbers))] if numbers else [])]


def _perhaps(numbers: Sequence[str]) -> str:
    named, more = ", ".join(numbers[:_MOST_SAID]), len(numbers) - _MOST_SAID
    if len(numbers) == 1:
        return f"Perhaps the same infant as patient {named}, or a twin: its studies are not among the priors."
    rest = f" and {more} more" if more > 0 else ""
    return f"Perhaps the same infant as patients {named}{rest}, or a twin: their studies are not among the priors."


def _beside(doubt: IdentityDoubt, patient: Patient) -> Patient:
    """The other side of a question about two infants."""
    assert doubt.other is not None
    return next(each for each in (doubt.other.final(), doubt.patient.final()) if each.pk != patient.pk)


def _number(patient: Patient) -> str:
    return f"{patient.patient_id} ({patient.issuer})" if patient.issuer else patient.patient_id


def note(doubt: IdentityDoubt, patient: Patient) -> str:
    """The question as it is seen from one of its sides."""
    differs = ", ".join(doubt.differs)
    if doubt.other is None:
        said = [f"{fact} {before or 'unknown'} or {now or 'unknown'}" for fact, before, now in _disagreement(doubt)]
        return f"Who is it? Headers of this infant disagree: {', '.join(said)}. An admin is asked."
    number = _number(_beside(doubt, patient))
    if doubt.kind == DoubtKind.CLASH:
        return f"Another infant came under the number {number} ({differs} differ): kept apart. An admin is asked."
    return _perhaps([number])
