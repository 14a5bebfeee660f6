"""Whether two descriptions are of one infant: what agrees is weighed against what does not. Reads no database."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import SequenceMatcher
from typing import Literal, Protocol

from studies.dicom import person_names

Fact = Literal["name", "birth date", "sex", "institution"]
Names = Literal["unknown", "same", "near", "newborn", "unnamed", "close", "other"]

APART = 1
RECKONED_DAYS = timedelta(days=3)
_NEAR = 0.85
_WEIGHTS: dict[Names, int] = {
    "same": -2, "newborn": -2, "near": -1, "unknown": 0, "unnamed": 0, "close": 1, "other": 2,
}  # fmt: skip
# What a ward writes before an infant has a name of its own.
_PLACEHOLDERS = frozenset(
    (
        *("baby", "babyboy", "babygirl", "boy", "girl", "of", "bo", "bb", "newborn", "neonate", "infant", "twin"),
        *("triplet", "male", "female", "unknown", "unnamed", "nn", "noname", "son", "daughter", "child", "mother"),
        *("knabe", "junge", "madchen", "sohn", "tochter", "von", "neugeborenes", "kind", "bebe", "garcon", "fille"),
        *("fils", "nino", "nina", "hijo", "hija", "bimbo", "bimba", "rn"),
    )
)


class Described(Protocol):
    """What is said of an infant: a row of Patient, or a header. ``birth_date_from_age``: the date is only reckoned."""

    @property
    def name(self) -> str: ...
    @property
    def birth_date(self) -> date | None: ...
    @property
    def birth_date_from_age(self) -> bool: ...
    @property
    def sex(self) -> str: ...
    @property
    def institution(self) -> str: ...


@dataclass(frozen=True)
class Likeness:
    """``score`` is what speaks against one infant less what speaks for it; ``differs`` names what does not agree."""

    score: int
    differs: tuple[Fact, ...]
    names: Names
    same_birth: bool

    @property
    def apart(self) -> bool:
        return self.score >= APART


def compare(one: Described, other: Described) -> Likeness:
    """Two descriptions that came under one number. Another institution counts only beside another difference."""
    names = compare_names(one.name, other.name)
    birth = _compare_births(one, other)
    other_sex = {one.sex, other.sex} == {"F", "M"}
    siblings = names == "close" and _are_siblings(one.name, other.name)
    score = _WEIGHTS[names] + birth + (2 if other_sex else 0)
    other_place = bool(one.institution and other.institution) and _words(one.institution) != _words(other.institution)
    differs: dict[Fact, bool] = {
        "name": names not in ("same", "unknown"),
        "birth date": birth > 0,
        "sex": other_sex,
    }
    if other_place and any(differs.values()):
        score += 1
        differs["institution"] = True
    if siblings:
        score += 2
    return Likeness(score, tuple(fact for fact, is_other in differs.items() if is_other), names, birth < 0)


def _compare_births(one: Described, other: Described) -> int:
    if one.birth_date is None or other.birth_date is None:
        return 0
    reckoned = one.birth_date_from_age or other.birth_date_from_age
    apart = abs(one.birth_date - other.birth_date)
    return -2 if apart <= (RECKONED_DAYS if reckoned else timedelta()) else 2


def compare_names(one: str, other: str) -> Names:
    """``newborn``: one has no given name yet and they share a word; ``unnamed``: the same, and they share none.

    Two DICOM names are compared by a group that both have: the ideographic one, which says most, else the alphabetic,
    else the phonetic.
    """
    mine, theirs = _shared_groups(one, other)
    return _compare_groups(_words(person_names.proper(mine)), _words(person_names.proper(theirs)))


def _shared_groups(one: str, other: str) -> tuple[str, str]:
    alphabetic, ideographic, phonetic = zip(person_names.groups(one), person_names.groups(other), strict=True)
    return next((pair for pair in (ideographic, alphabetic, phonetic) if all(pair)), ("", ""))


def _are_siblings(one: str, other: str) -> bool:
    """One family name, and given names that have no word in common: twins, if they were born on one day."""
    (family, given), (other_family, other_given) = map(person_names.family_and_given, _shared_groups(one, other))
    called, other_called = _words(given) - _PLACEHOLDERS, _words(other_given) - _PLACEHOLDERS
    return _words(family) == _words(other_family) and bool(called and other_called) and not called & other_called


def _compare_groups(*both: frozenset[str]) -> Names:
    real = [words - _PLACEHOLDERS for words in both]
    if not all(real):
        return "unknown"
    if real[0] == real[1]:
        return "same"
    placeholders = sum(words != own for words, own in zip(both, real, strict=True))
    if placeholders == 1:
        return "newborn" if real[0] & real[1] else "unnamed"
    return _compare_real(*real)


def _compare_real(one: frozenset[str], other: frozenset[str]) -> Names:
    like = SequenceMatcher(None, " ".join(sorted(one)), " ".join(sorted(other))).ratio()
    if like >= _NEAR or (min(len(one), len(other)) > 1 and (one <= other or other <= one)):
        return "near"
    return "close" if one & other else "other"


def _words(text: str) -> frozenset[str]:
    """Without accents, case, punctuation and order."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return frozenset(re.findall(r"\w+", plain.casefold()))
