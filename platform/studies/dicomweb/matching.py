"""Whether a value is what a query asks for (PS3.4, C.2.2.2): one, a list, a range, wildcards, a name.

Where a column holds the attribute, the database compares (``q``); elsewhere the elements are looked at (``holds``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Q

from studies.dicom.uids import is_uid
from studies.dicomweb import catalogue
from studies.dicomweb.keys import BadQuery, Key
from studies.dicomweb.lookups import without_repeats
from studies.search import folded

NUMBERS = {"DS", "FL", "FD", "IS", "SL", "SS", "SV", "UL", "US", "UV"}
TEXTS = {"AE", "AS", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"}
_LAST_DAY, _LAST_MOMENT = "99999999", "999999.999999"
MOST_VALUES = 1000


@dataclass(frozen=True)
class Condition:
    """The values that a query gives for one attribute; it holds where any of them matches. None: always."""

    key: Key
    values: tuple[str, ...]
    fuzzy: bool = False

    @cached_property
    def terms(self) -> list[Term]:
        return [self._term(value) for value in self.values]

    def _term(self, value: str) -> Term:
        """Raises BadQuery for what no value of this kind looks like."""
        vr = self.key.vr
        if vr == "UI":
            return _uid(value)
        if vr in ("DA", "TM", "DT"):
            return _range(self.key, value)
        if vr in NUMBERS:
            return _number(self.key, value)
        if vr == "PN":
            return Name(folded(value), fuzzy=self.fuzzy)
        if vr in TEXTS:
            return Text(value)
        raise BadQuery(f"Values of {self.key.name[:60]} cannot be searched for.")

    def holds(self, elements: Mapping[str, Any]) -> bool:
        found = list(_values(elements, self.key.path))
        return any(term.matches(value) for term in self.terms for value in found)

    def q(self, column: str) -> Q:
        """The same for a column that holds the value, as studies.dicomweb.catalogue writes it."""
        wanted = Q()
        for term in self.terms:
            wanted |= term.q(column)
        return wanted


def condition(key: Key, given: Sequence[str], *, fuzzy: bool = False) -> Condition | None:
    """None where the query only asks to see the attribute. Raises BadQuery."""
    separators = r"[\\,]" if key.vr in ("UI", "CS") else r"\\"
    values = [part.strip() for value in given for part in re.split(separators, value)]
    wanted = tuple(value for value in values if value)
    if len(wanted) > MOST_VALUES:
        raise BadQuery(f"{key.name[:60]} may have {MOST_VALUES} values at once.")
    if not wanted or any(without_repeats(value) == "*" for value in wanted):
        return None
    made = Condition(key, wanted, fuzzy=fuzzy)
    _ = made.terms
    return made


def _values(elements: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Any]:
    values = elements.get(path[0], {}).get("Value") or []
    for value in values:
        if len(path) == 1:
            yield value
        elif isinstance(value, Mapping):
            yield from _values(value, path[1:])


class Term:
    """One value of a query."""

    def matches(self, value: Any) -> bool:
        raise NotImplementedError

    def q(self, column: str) -> Q:
        raise NotImplementedError


@dataclass(frozen=True)
class Exactly(Term):
    wanted: str

    def matches(self, value: Any) -> bool:
        return str(value).strip() == self.wanted

    def q(self, column: str) -> Q:
        return Q(**{column: self.wanted})


def _uid(value: str) -> Exactly:
    if not is_uid(value):
        raise BadQuery(f"{value[:70]!r} is no unique identifier.")
    return Exactly(value)


@dataclass(frozen=True)
class Number(Term):
    wanted: float

    def matches(self, value: Any) -> bool:
        try:
            return float(value) == self.wanted
        except (TypeError, ValueError):
            return False

    def q(self, column: str) -> Q:
        whole = self.wanted.is_integer() and abs(self.wanted) < 2**31
        return Q(**{column: int(self.wanted)}) if whole else Q(pk__in=[])


def _number(key: Key, value: str) -> Number:
    try:
        number = float(value)
    except ValueError:
        raise BadQuery(f"{key.name[:60]} is a number, {value[:40]!r} is none.") from None
    if number != number or number in (float("inf"), float("-inf")):
        raise BadQuery(f"{key.name[:60]} is a number, {value[:40]!r} is none.")
    return Number(number)


@dataclass(frozen=True)
class Text(Term):
    wanted: str

    @property
    def is_pattern(self) -> bool:
        return "*" in self.wanted or "?" in self.wanted

    def matches(self, value: Any) -> bool:
        text = str(value if value is not None else "").strip()
        return text == self.wanted if not self.is_pattern else wild(self.wanted, text)

    def q(self, column: str) -> Q:
        return Q(**{f"{column}__dicom_wild" if self.is_pattern else column: self.wanted})


def wild(pattern: str, text: str) -> bool:
    """``*`` any text, ``?`` any letter. Goes back to the latest ``*`` alone, so that no pattern takes long."""
    at = star = 0
    place, mark = 0, -1
    pattern = without_repeats(pattern)
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            mark, star, at = place, at, at + 1
        elif at < len(pattern) and pattern[at] in ("?", text[place]):
            at, place = at + 1, place + 1
        elif mark >= 0:
            mark += 1
            at, place = star + 1, mark
        else:
            return False
    return pattern[at:] in ("", "*")


@dataclass(frozen=True)
class Name(Term):
    """A person, by any group of the name, whatever the case; ``fuzzy``: by the beginnings of its words."""

    wanted: str
    fuzzy: bool

    @property
    def words(self) -> list[str]:
        return re.sub(r"[\^=*,]", " ", self.wanted).split()

    def matches(self, value: Any) -> bool:
        groups = [folded(group) for group in catalogue.name_groups({"Value": [value]})]
        if self.fuzzy:
            said = catalogue.words_of(groups)
            return all(f" {word}" in said for word in self.words)
        return any(self._pattern.matches(group) for group in groups if group)

    @property
    def _pattern(self) -> Text:
        return Text(self.wanted.rstrip("^ "))

    def q(self, column: str) -> Q:
        """``column`` as StudyHeader names its own."""
        if self.fuzzy:
            wanted = Q()
            for word in self.words:
                wanted &= Q(**{f"{column}_words__contains": f" {word}"})
            return wanted
        pattern = self._pattern
        return pattern.q(column) | pattern.q(f"{column}_ideographic") | pattern.q(f"{column}_phonetic")


@dataclass(frozen=True)
class Between(Term):
    """From ``first`` to ``last``, both in, as texts of one form; ``as_written`` gives a value that form."""

    first: str
    last: str
    vr: str

    def matches(self, value: Any) -> bool:
        text = _as_kept(self.vr, str(value or ""))
        return bool(text) and self.first <= text <= self.last

    def q(self, column: str) -> Q:
        if self.first == self.last:
            return Q(**{column: self.first})
        return Q(**{f"{column}__gte": self.first or "0", f"{column}__lte": self.last})


def _as_kept(vr: str, text: str) -> str:
    if vr == "DA":
        return catalogue.date_of(text)
    if vr == "TM":
        return catalogue.time_of(text)
    day = catalogue.date_of(text[:8])
    return day + (catalogue.time_of(re.split(r"[+-]", text[8:])[0]) or "000000.000000") if day else ""


def _range(key: Key, value: str) -> Between:
    """``a``, ``a-b``, ``a-`` or ``-b``; what is written shortly counts from its beginning, or to its end."""
    old_form = re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) if key.vr == "DA" else None
    first, dash, last = (value, "", "") if old_form else value.partition("-")
    if not dash:
        last = first
    low, high = _edge(key, first, last=False), _edge(key, last, last=True)
    if not (low or high):
        raise BadQuery(f"{value[:40]!r} is no range: give one end of it, or both.")
    return Between(low, high or (_LAST_DAY if key.vr == "DA" else _LAST_DAY + _LAST_MOMENT), key.vr)


def _edge(key: Key, text: str, *, last: bool) -> str:
    text = text.strip()
    if not text:
        return ""
    kept = _as_kept(key.vr, text)
    if not kept:
        kinds = {"DA": "a date (YYYYMMDD)", "TM": "a time (HHMMSS)", "DT": "a date and time (YYYYMMDDHHMMSS)"}
        raise BadQuery(f"{key.name[:60]} is {kinds[key.vr]} or a range of two, {text[:40]!r} is none.")
    if last and key.vr != "DA":
        return kept[: -len(_LAST_MOMENT)] + _to_the_end(kept[-len(_LAST_MOMENT) :], text, key.vr)
    return kept


def _to_the_end(kept: str, text: str, vr: str) -> str:
    """1015 as the end of a range is 10:15:59.999999."""
    digits = text.replace(":", "") if vr == "TM" else text[8:]
    written = len(digits.split("+")[0])
    return kept[:written] + "235959.999999"[written:] if written < len(_LAST_MOMENT) else kept
