"""Which infant a study belongs to does not depend on which study came first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from studies.models import Patient, Study
from studies.patients import matching
from studies.patients.likeness import compare

BLANK = {"study_date": "", "study_time": "", "utc_offset": "", "study_id": ""}


@dataclass(frozen=True)
class _Infant:
    name: str
    newborn: str
    born: str
    sex: str
    place: str


INFANTS = {
    "anna": _Infant("North^Anna", "Baby of^North", "20260101", "F", "North Hospital"),
    "ben": _Infant("South^Ben", "South^Babyboy", "20251212", "M", "South Hospital"),
    "cleo": _Infant("West^Cleo=西^クレオ", "BB^West", "20251224", "F", "West Hospital"),
}
BOTH = st.booleans()
WHOLE = st.tuples(st.sampled_from(["name", "newborn"]), st.just(True), BOTH, BOTH)
SPARSE = st.tuples(st.sampled_from(["name", "newborn", ""]), BOTH, BOTH, BOTH)
"""What a header states: the name it gives, and whether birth date, sex and institution."""


def _study(key: int, whose: str, stated: tuple[str, bool, bool, bool]) -> dict[str, str]:
    infant, (called, birth, sex, place) = INFANTS[whose], stated
    return {
        "uid": f"{whose}.{key}",
        "name": getattr(infant, called) if called else "",
        "birth_date": infant.born if birth else "",
        "sex": infant.sex if sex else "",
        "institution": infant.place if place else "",
    }


def _studies(stated: st.SearchStrategy[tuple[str, bool, bool, bool]]) -> st.SearchStrategy[list[dict[str, str]]]:
    made = st.lists(st.tuples(st.sampled_from(sorted(INFANTS)), stated), min_size=2, max_size=5)
    return made.map(lambda each: [_study(key, who, facts) for key, (who, facts) in enumerate(each)])


def _arrive(facts: dict[str, str]) -> Study:
    born = facts["birth_date"]
    said = {
        "id": "4711", "issuer": "", "name": facts["name"], "sex": facts["sex"], "institution": facts["institution"],
        "birth_date": f"{born[:4]}-{born[4:6]}-{born[6:]}" if born else None, "birth_date_from_age": False,
    }  # fmt: skip
    header: Any = {"study_uid": facts["uid"], "patient": said}
    patient = matching.patient_of(header)
    sent: Any = {**BLANK, **facts, "patient_id": "4711", "issuer": ""}
    now = timezone.now()
    owner = {"patient": patient, "original_patient": patient}
    return Study.objects.create(uid=facts["uid"], as_sent=sent, first_image_at=now, last_image_at=now, **owner)


def _partition(arrivals: Sequence[dict[str, str]]) -> frozenset[frozenset[str]]:
    """The studies of each infant, after they came in this order, one after another."""
    Study.objects.all().delete()
    Patient.objects.all().delete()
    infants: dict[int, set[str]] = {}
    for each in arrivals:
        infants.setdefault(_arrive(each).patient_id, set()).add(each["uid"])
    return frozenset(map(frozenset, infants.values()))


SOME = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class OrderOfArrival(TestCase):
    @SOME
    @given(_studies(WHOLE).flatmap(lambda made: st.tuples(st.just(made), st.permutations(made))))
    def test_the_infants_of_one_number_are_the_same_in_every_order(self, made: Any) -> None:
        first, other = made
        truth = frozenset(
            frozenset(each["uid"] for each in first if each["uid"].startswith(who))
            for who in {each["uid"].split(".")[0] for each in first}
        )
        assert _partition(first) == _partition(other) == truth

    @SOME
    @given(_studies(SPARSE).flatmap(st.permutations))
    def test_in_no_order_one_infant_holds_two_headers_that_speak_against_each_other(self, arrivals: Any) -> None:
        by_uid = {each["uid"]: _named(each) for each in arrivals}
        for infant in _partition(arrivals):
            said = [by_uid[uid] for uid in infant]
            assert not any(compare(one, other).apart for one in said for other in said)


def _named(facts: dict[str, str]) -> matching.Named:
    born = facts["birth_date"]
    sent: Any = {**BLANK, **facts, "patient_id": "4711", "issuer": "", "birth_date": born}
    return matching.described(sent, None)


@pytest.mark.django_db
@pytest.mark.parametrize("order", ["efi", "fei", "eif", "fie", "ief", "ife"])
def test_an_issuer_that_comes_within_a_study_counts_as_if_it_had_come_first(stored: Any, order: str) -> None:
    eve = {"PatientID": "4713", "PatientName": "East^Eve", "PatientSex": "F"}
    files = {
        "e": eve | {"StudyInstanceUID": "1.7"},
        "f": eve | {"StudyInstanceUID": "1.7", "IssuerOfPatientID": "EAST"},
        "i": eve | {"StudyInstanceUID": "1.8", "IssuerOfPatientID": "EAST"},
    }
    for letter in order:
        stored(**files[letter])
    owners = {(study.patient.issuer, study.patient_id) for study in Study.objects.select_related("patient")}
    assert [issuer for issuer, _ in owners] == ["EAST"]
