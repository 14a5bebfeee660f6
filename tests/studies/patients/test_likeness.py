from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import pytest

from studies.patients.likeness import compare, compare_names


@dataclass(frozen=True)
class _Infant:
    name: str = ""
    birth_date: date | None = None
    birth_date_from_age: bool = False
    sex: str = ""
    institution: str = ""


ANNA = _Infant("North, Anna", date(2026, 3, 1), sex="F", institution="North Hospital")
BEN = _Infant("South, Ben", date(2026, 1, 12), sex="M", institution="South Hospital")


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ("North, Anna", "NORTH ANNA", "same"),
        ("Müller, Zoë", "Muller, Zoe", "same"),
        ("North, Anna", "North, Anna Maria", "near"),
        ("Baby of North", "North, Anna", "newborn"),
        ("Baby of North", "South, Ben", "unnamed"),
        ("North, Anna", "North, Ben", "close"),
        ("North, Anna", "South, Ben", "other"),
        ("Baby, Girl", "South, Ben", "unknown"),
        ("", "South, Ben", "unknown"),
        ("North^Anna", "North, Anna", "same"),
        ("North^Anna^^Dr.^B.A.", "North^Anna^^^", "same"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada^Tarou", "same"),
        ("Yamada^Tarou=山田^太郎", "=山田^太郎", "same"),
        ("Yamada^Taro=山田^太郎", "Jamada^Tarou=山田^太郎", "same"),
        ("Yamada^Tarou=山田^太郎", "Yamada^Tarou=山田^太朗", "close"),
        ("=山田^太郎", "Yamada^Tarou", "unknown"),
    ],
)
def test_names_are_compared(one: str, other: str, likeness: str) -> None:
    assert compare_names(one, other) == likeness


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        (BEN, ("name", "birth date", "sex", "institution")),
        (replace(BEN, institution=""), ("name", "birth date", "sex")),
        (replace(ANNA, name="South, Ben", birth_date=None), ("name",)),
        (replace(ANNA, name="North, Ben", sex="M"), ("name", "sex")),
        (replace(ANNA, name="North, Berta"), ("name",)),
        (replace(ANNA, name="North^Berta^Maria"), ("name",)),
        (replace(ANNA, birth_date=date(2026, 1, 12), sex="M"), ("birth date", "sex")),
        (replace(BEN, name=""), ("birth date", "sex", "institution")),
    ],
)
def test_they_are_two_infants(other: _Infant, differs: tuple[str, ...]) -> None:
    found = compare(ANNA, other)
    assert (found.apart, found.differs) == (True, differs)


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        (ANNA, ()),
        (replace(ANNA, institution="NICU North"), ()),
        (replace(ANNA, birth_date=None, sex=""), ()),
        (replace(ANNA, name="Baby of North", sex=""), ("name",)),
        (replace(ANNA, name="Baby of North", sex="M"), ("name", "sex")),
        (replace(ANNA, name="Smith, Anna"), ("name",)),
        (replace(ANNA, birth_date=date(2026, 3, 10)), ("birth date",)),
        (replace(ANNA, sex="M"), ("sex",)),
    ],
)
def test_they_are_one_infant_whatever_is_asked(other: _Infant, differs: tuple[str, ...]) -> None:
    found = compare(ANNA, other)
    assert (found.apart, found.differs) == (False, differs)


def test_a_date_reckoned_from_an_age_may_be_a_few_days_off() -> None:
    reckoned = replace(ANNA, birth_date=date(2026, 3, 3), birth_date_from_age=True)
    assert compare(ANNA, reckoned).differs == ()
    assert compare(ANNA, replace(reckoned, birth_date=date(2026, 3, 12))).differs == ("birth date",)
