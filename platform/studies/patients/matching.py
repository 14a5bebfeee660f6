"""Which infant a header names. One number is not one infant: what else is known decides, and doubt is written down.

Infants are kept apart where more speaks against one than for it. Nothing is merged here: that is for a person.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts import audit
from studies.access import every_study
from studies.dicom import clocks, person_names
from studies.dicom.birth_dates import birth_doubt
from studies.dicom.facts import AsSent, Header, PatientFacts
from studies.models import DoubtKind, IdentityDoubt, Patient, Sex, Study
from studies.patients.likeness import RECKONED_DAYS, Likeness, compare, compare_names

NO_ID_ISSUER = "FONTANELLE-NO-ID"
MOST_DOUBTS = 20
_TRIES = 5
_FILLED_IN = ("name", "sex", "institution")


@dataclass(frozen=True)
class Named:
    """Whom a header names."""

    patient_id: str
    issuer: str
    name: str
    birth_date: date | None
    birth_date_from_age: bool
    sex: str
    institution: str

    def as_json(self) -> dict[str, str]:
        return {
            "patient_id": self.patient_id,
            "issuer": self.issuer,
            "name": self.name,
            "birth_date": self.birth_date.isoformat() if self.birth_date else "",
            "sex": self.sex,
            "institution": self.institution,
        }


def named(facts: PatientFacts, study_uid: str) -> Named:
    """Without an identifier, one for this study."""
    identifier, issuer = facts["id"], facts["issuer"]
    if not identifier:
        identifier = f"no ID {hashlib.sha256(study_uid.encode()).hexdigest()[:10]}"
        issuer = NO_ID_ISSUER
    return Named(
        patient_id=identifier,
        issuer=issuer,
        name=facts["name"],
        birth_date=date.fromisoformat(facts["birth_date"]) if facts["birth_date"] else None,
        birth_date_from_age=facts["birth_date_from_age"],
        sex=facts["sex"],
        institution=facts["institution"],
    )


@transaction.atomic
def patient_of(header: Header, *, generated: bool = False) -> Patient:
    """The infant that the header names, or the one it was merged into; a new one where none under its number fits.

    ``generated``: a phantom, whom no other patient resembles in earnest.
    """
    said = named(header["patient"], header["study_uid"])
    for _ in range(_TRIES):
        under_number = list(Patient.objects.filter(patient_id=said.patient_id).order_by("pk"))
        here = [patient for patient in under_number if patient.issuer == said.issuer]
        fitting = _fitting(said, here, _headers_of(here))
        if fitting is not None:
            patient, likeness = fitting
            learned = _fill_in(patient, said)
            _ask_about(patient, said, likeness, header["study_uid"])
            if learned and not generated:
                ask_about_look_alikes(patient, header["study_uid"])
            return patient
        created = _create(said, here)
        if created is not None:
            _ask_about_clashes(created, here, header["study_uid"])
            if not generated:
                ask_about_look_alikes(created, header["study_uid"])
            return created
    raise AssertionError("other requests make patients of this number without end")


def compare_with(said: Named, patient: Patient) -> Likeness:
    """With what came under the number or, after a merge, what is known now: the better of the two."""
    return min((compare(said, each) for each in (patient, patient.final())), key=lambda likeness: likeness.score)


def _fitting(
    said: Named, patients: Iterable[Patient], headers: Mapping[int, Sequence[Named]]
) -> tuple[Patient, Likeness] | None:
    """The infant that fits best: no header of its studies may speak against it, whichever of them came first."""
    compared = [
        (patient.final(), compare_with(said, patient))
        for patient in patients
        if not any(compare(said, header).apart for header in headers[patient.pk])
    ]
    together = [pair for pair in compared if not pair[1].apart]
    return min(together, key=lambda pair: pair[1].score, default=None)


def _headers_of(patients: Iterable[Patient]) -> dict[int, list[Named]]:
    """By patient what the headers of its studies say. Of studies that a person moved nothing: that was decided."""
    sent = every_study().filter(original_patient__in=patients, patient=F("original_patient"))
    found: dict[int, list[Named]] = defaultdict(list)
    for pk, as_sent, at in sent.values_list("original_patient", "as_sent", "acquired_at"):
        if as_sent is not None:
            found[pk].append(described(as_sent, at))
    return found


def described(sent: AsSent, examined: datetime | None) -> Named:
    born = clocks.day(sent["birth_date"])
    believed = born is not None and not (examined and birth_doubt(born, timezone.localtime(examined).date()))
    return Named(
        patient_id=sent["patient_id"],
        issuer=sent["issuer"],
        name=sent["name"],
        birth_date=born if believed else None,
        birth_date_from_age=False,
        sex=sent["sex"] if sent["sex"] in Sex.values else "",
        institution=sent.get("institution", ""),
    )


def _create(said: Named, here: Sequence[Patient]) -> Patient | None:
    """None: another request was quicker, and whom it made has to be looked at first."""
    defaults = {
        "name": said.name,
        "birth_date": said.birth_date,
        "birth_date_from_age": said.birth_date_from_age,
        "sex": said.sex,
        "institution": said.institution,
    }
    ordinal = 1 + max((patient.ordinal for patient in here), default=0)
    patient, created = Patient.objects.get_or_create(
        patient_id=said.patient_id, issuer=said.issuer, ordinal=ordinal, defaults=defaults
    )
    return patient if created else None


def _fill_in(patient: Patient, said: Named) -> bool:
    """Only what is still unknown, and a stated birth date for a reckoned one: what a person entered is never
    overwritten by a device. True when something by which infants are told apart was learned."""
    missing = [fact for fact in _FILLED_IN if getattr(said, fact) and not getattr(patient, fact)]
    if said.birth_date and (
        patient.birth_date is None or (patient.birth_date_from_age and not said.birth_date_from_age)
    ):
        missing += ["birth_date", "birth_date_from_age"]
    if person_names.without_groups(patient.name, said.name):
        missing.append("name")
    for fact in missing:
        setattr(patient, fact, getattr(said, fact))
    if missing:
        patient.save(update_fields=missing)
    return "birth_date" in missing or "name" in missing


def ask_about_header(study: Study, header: Header) -> str:
    """What a later image of a study says otherwise of its infant, as a sentence and as a question to an admin."""
    facts = header["patient"]
    said = named(facts, header["study_uid"])
    owners = [study.original_patient, study.patient]
    other_number = bool(facts["id"]) and facts["id"] not in [owner.patient_id for owner in owners]
    likeness = min((compare(said, owner) for owner in owners), key=lambda each: each.score)
    later_issuer = _issuer_that_comes_later(study, said) if not other_number and not likeness.apart else False
    if not other_number and not later_issuer and not likeness.differs:
        return ""
    differs = [*(["number"] if other_number else []), *(["issuer"] if later_issuer else []), *likeness.differs]
    kind = DoubtKind.CLASH if likeness.apart else DoubtKind.CHANGED
    _write_down(IdentityDoubt(kind=kind, patient=study.patient, said=said.as_json(), differs=differs), study.uid)
    if other_number:
        return f"Its header names patient {facts['id']}; the study belongs to {study.patient.patient_id}."
    return f"Its header names the infant of this study with another {_listed(differs)}."


def _issuer_that_comes_later(study: Study, said: Named) -> bool:
    """Whether an image states an issuer that the study's infant has not: that is asked, with one exception.

    An infant of this study alone, without issuer, becomes the one that this image names, as if it had been the first.
    """
    patient = study.patient
    if not said.issuer or said.issuer in (patient.issuer, study.original_patient.issuer):
        return False
    if patient.issuer or patient.pk != study.original_patient_id or _has_a_life_of_its_own(patient, study):
        return True
    under_issuer = list(Patient.objects.filter(patient_id=patient.patient_id, issuer=said.issuer).order_by("pk"))
    if not under_issuer:
        patient.issuer, patient.ordinal = said.issuer, 1
        patient.save(update_fields=["issuer", "ordinal"])
        return False
    fitting = _fitting(said, under_issuer, _headers_of(under_issuer))
    if fitting is None or fitting[1].score >= 0:
        return True
    study.patient = study.original_patient = fitting[0]
    study.save(update_fields=["patient", "original_patient"])
    audit.record(None, "study.infant_corrected", patient_id=said.patient_id, study_uid=study.uid, issuer=said.issuer)
    return False


def _has_a_life_of_its_own(patient: Patient, study: Study) -> bool:
    """Whether there is more of it than this study: others, or facts that no header states."""
    typed = (patient.gestational_age_days, patient.birth_weight_g, patient.twin_group)
    return any(typed) or patient.merged.exists() or patient.studies.exclude(pk=study.pk).exists()


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _ask_about(patient: Patient, said: Named, likeness: Likeness, study_uid: str) -> None:
    if likeness.differs:
        doubt = IdentityDoubt(kind=DoubtKind.CHANGED, patient=patient, said=said.as_json(), differs=likeness.differs)
        _write_down(doubt, study_uid)


def _ask_about_clashes(patient: Patient, here: Iterable[Patient], study_uid: str) -> None:
    for known in here:
        differs = compare(patient, known).differs
        doubt = IdentityDoubt(kind=DoubtKind.CLASH, patient=known.final(), other=patient, differs=differs)
        _write_down(doubt, study_uid)


def ask_about_look_alikes(patient: Patient, study_uid: str) -> None:
    """Under the same number where one side has no issuer; of one birth date with the same or a like name."""
    for known in _same_number_without_issuer(patient):
        likeness = compare(patient, known)
        kind = DoubtKind.CLASH if likeness.apart else DoubtKind.PERHAPS_ONE
        doubt = IdentityDoubt(kind=kind, patient=known, other=patient, differs=["issuer", *likeness.differs])
        _write_down(doubt, study_uid)
    for known in _born_then(patient):
        likeness = compare(patient, known)
        if likeness.same_birth and likeness.names in ("same", "near", "newborn", "close"):
            differs = ["number", *likeness.differs]
            doubt = IdentityDoubt(kind=DoubtKind.PERHAPS_ONE, patient=known, other=patient, differs=differs)
            _write_down(doubt, study_uid)


def _same_number_without_issuer(patient: Patient) -> list[Patient]:
    others = Patient.objects.filter(patient_id=patient.patient_id, merged_into=None).exclude(issuer=patient.issuer)
    if patient.issuer:
        others = others.filter(issuer="")
    return list(others.order_by("pk")[:MOST_DOUBTS])


def _born_then(patient: Patient) -> list[Patient]:
    if patient.birth_date is None:
        return []
    days = (patient.birth_date - RECKONED_DAYS, patient.birth_date + RECKONED_DAYS)
    under_number = Q(patient_id=patient.patient_id)
    if patient.issuer:
        # With another issuer it is another number; without one it was looked at already.
        under_number &= Q(issuer__in=("", patient.issuer))
    others = Patient.objects.filter(birth_date__range=days, merged_into=None).exclude(under_number)
    return list(others.exclude(studies__is_phantom=True).order_by("-pk")[:200])


def _write_down(doubt: IdentityDoubt, study_uid: str) -> None:
    """Once: what was asked before, and perhaps settled, is not asked again."""
    before = IdentityDoubt.objects.filter(kind=doubt.kind, patient=doubt.patient, other=doubt.other)
    if any(_same_words(asked.said, doubt.said) for asked in before):
        return
    doubt.study_uid, doubt.differs = study_uid, list(doubt.differs)
    doubt.save()


def _same_words(one: dict[str, str], other: dict[str, str]) -> bool:
    """Names that were asked about before they were kept as they came are the same without their carets."""
    others = [{fact: text for fact, text in said.items() if fact != "name"} for said in (one, other)]
    names = [said.get("name", "") for said in (one, other)]
    return others[0] == others[1] and (names[0] == names[1] or compare_names(*names) == "same")
