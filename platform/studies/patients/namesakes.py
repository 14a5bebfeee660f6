"""Infants under one number, and open questions about who an infant is, in words: beside a row, a study, an infant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Annotated, TypedDict
from urllib.parse import quote

from django.db.models import Exists, OuterRef

from accounts.models import User
from accounts.roles import Role, has_role
from studies import access
from studies.dicom.person_names import readable
from studies.models import DoubtKind, IdentityDoubt, Patient
from studies.patients import doubts

MOST_NAMED = 4
_COUNTS = {2: "two", 3: "three", 4: "four"}


class IdentityNote(TypedDict):
    """What to know before taking this infant for another, or another for this one."""

    short: Annotated[str, "a few words for a narrow place"]
    text: Annotated[str, "one sentence or more, with the names of all infants of the number"]
    url: Annotated[str | None, "the page of the open questions, for an admin who can answer them"]


def identity_note(patient: Patient, user: User) -> IdentityNote | None:
    return identity_notes([patient], user).get(patient.pk)


def identity_notes(patients: Iterable[Patient], user: User) -> dict[int, IdentityNote]:
    """By patient, for those about whom there is something to know; two queries however many they are.

    Nothing for people who do not see every infant: the other infant is none of theirs.
    """
    asked = {patient.pk: patient for patient in patients}
    if not asked or not access.sees_everything(user):
        return {}
    others, questions = _under_the_numbers(asked.values()), doubts.open_about(asked)
    notes = {key: _note(asked[key], others[asked[key].patient_id], questions[key], user) for key in asked}
    return {key: note for key, note in notes.items() if note is not None}


def words_beside_numbers(patients: Iterable[Patient], user: User) -> dict[int, str]:
    """What stands beside a number in a list: the whole note, or for those who do not see every infant that the number
    is not one infant's alone, without a name."""
    listed = list(patients)
    if access.sees_everything(user):
        return {key: note["text"] for key, note in identity_notes(listed, user).items()}
    infants = {number: len(found) for number, found in _under_the_numbers(listed).items()}
    return {each.pk: _short(infants[each.patient_id]) for each in listed if infants.get(each.patient_id, 0) > 1}


def _short(infants: int) -> str:
    return f"one number, {_counted(infants)} infants"


def _under_the_numbers(patients: Iterable[Patient]) -> dict[str, list[Patient]]:
    """By number the infants that have studies."""
    numbers = {patient.patient_id for patient in patients}
    with_studies = Exists(access.every_study().filter(patient=OuterRef("pk")))
    found: dict[str, list[Patient]] = defaultdict(list)
    for each in Patient.objects.filter(with_studies, patient_id__in=numbers, merged_into=None).order_by("pk"):
        found[each.patient_id].append(each)
    return found


def _note(
    patient: Patient, under_number: Sequence[Patient], questions: Sequence[IdentityDoubt], user: User
) -> IdentityNote | None:
    perhaps_one = {pk for each in questions if each.kind == DoubtKind.PERHAPS_ONE for pk in _sides(each)}
    others = [each for each in under_number if each.pk not in {patient.pk, *perhaps_one}]
    told = {other.pk for other in others}
    sentences = [one_number(patient, others)] if others else []
    sentences += doubts.in_words([each for each in questions if not _sides(each) & told], patient)
    if not sentences:
        return None
    url = f"/identity/?q={quote(patient.patient_id)}" if has_role(user, Role.ADMIN) and questions else None
    short = _short(len(others) + 1) if others else "who is it?"
    return {"short": short, "text": " ".join(dict.fromkeys(sentences)), "url": url}


def _sides(doubt: IdentityDoubt) -> set[int]:
    return {doubt.patient.final().pk, *([doubt.other.final().pk] if doubt.other else [])}


def one_number(patient: Patient, others: Sequence[Patient]) -> str:
    count = len(others) + 1
    shown = [f"{described(patient)} (this one)", *map(described, others[: MOST_NAMED - 1])]
    rest = [f"{count - MOST_NAMED} more"] if count > MOST_NAMED else []
    return f"One number, {_counted(count)} infants: {' / '.join([*shown, *rest])}."


def _counted(infants: int) -> str:
    return _COUNTS.get(infants, str(infants))


def described(patient: Patient) -> str:
    """``South, Ben, m, 12 Jan 2026, WEST``: what is known of name, sex, birth and issuer."""
    born = f"{patient.birth_date:%-d %b %Y}" if patient.birth_date else ""
    facts = [readable(patient.name) or "name unknown", patient.sex.lower(), born, patient.issuer]
    return ", ".join(filter(None, facts))
