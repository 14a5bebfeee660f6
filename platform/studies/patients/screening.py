"""When an infant's next cranial ultrasound is due, by schedule and after a bleed. Pure; ages in whole days.

Source: American Academy of Pediatrics 2020, doi 10.1542/peds.2020-029082: infants born at 30 weeks or less are screened
by 7 to 10 days, at 4 to 6 weeks, and at term-equivalent age. The statement gives no days for term-equivalent age: 37+0
to 42+0 weeks postmenstrual, the definition of term, is ours.

After a bleed of grade II or more the next examination is due 7 to 10 days after the one that showed it: Canadian
guideline, PMC7286736. A site whose own protocol says otherwise states its days and their source, or nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

SOURCE = "AAP 2020, doi 10.1542/peds.2020-029082"
FOLLOWED_FROM = 2
"""The lowest grade after which an infant is examined again out of turn."""
_LAST_WEEK = 30
_TERM, _TERM_END = 37 * 7, 42 * 7


@dataclass(frozen=True)
class Window:
    """Days of life, both ends in, within which one examination is due."""

    name: str
    first: int
    last: int

    def done(self, days: Iterable[int]) -> bool:
        return any(self.first <= day <= self.last for day in days)


@dataclass(frozen=True)
class FollowUp:
    """A site's protocol after a bleed: days after the examination that showed it, both ends in, and who says so."""

    first: int
    last: int
    source: str


@dataclass(frozen=True)
class Examined:
    """An examination on a day of life, and what its committed read says."""

    day: int
    is_read: bool = False
    grade: int = 0
    """Of the worse side; 4 with a parenchymal infarction."""
    has_other_finding: bool = False
    """One that neither the schedule nor the protocol speaks of, such as a cerebellar bleed or cysts."""


@dataclass(frozen=True)
class Schedule:
    """``windows`` in their order; ``why`` says why there are none. ``next`` is due or coming, ``missed`` is past."""

    windows: tuple[Window, ...]
    why: str = ""
    next: Window | None = None
    missed: tuple[Window, ...] = ()
    source: str = SOURCE
    """Who says so."""


def after_finding(examined: Iterable[Examined], *, today: int, protocol: FollowUp | None) -> Schedule | None:
    """What follows from the last read where it shows something; None where the screening goes on as it was."""
    by_day = sorted(examined, key=lambda each: each.day)
    read = next((each for each in reversed(by_day) if each.is_read), None)
    if read is None or (read.grade < FOLLOWED_FROM and not read.has_other_finding):
        return None
    if by_day[-1].day > read.day:
        return Schedule((), "A later study is not read yet: when to examine next follows from that.")
    if protocol is None or read.grade < FOLLOWED_FROM:
        return Schedule((), "After what was read last the screening schedule does not say when to examine next.")
    name = f"after the bleed, {protocol.first} to {protocol.last} days"
    due = Window(name, read.day + protocol.first, read.day + protocol.last)
    coming, missed = (due, ()) if today <= due.last else (None, (due,))
    return Schedule((due,), "", coming, missed, protocol.source)


def schedule(gestational_age: int | None, *, examined: Iterable[int], today: int | None) -> Schedule:
    """For an infant born at that age, examined on those days of life, who is ``today`` days old."""
    if gestational_age is None:
        return Schedule((), "The gestational age is unknown: no screening date can be told.")
    if today is None:
        return Schedule((), "The date of birth is unknown: no screening date can be told.")
    if gestational_age >= (_LAST_WEEK + 1) * 7:
        return Schedule((), f"Born after {_LAST_WEEK} weeks: the schedule does not apply.")
    windows = (
        Window("by day 7 to 10", 0, 10),
        Window("at 4 to 6 weeks", 28, 42),
        Window("term-equivalent", _TERM - gestational_age, _TERM_END - gestational_age),
    )
    days = list(examined)
    open_ones = [window for window in windows if not window.done(days)]
    coming = next((window for window in open_ones if window.last >= today), None)
    return Schedule(windows, "", coming, tuple(window for window in open_ones if window.last < today))


def on_day(birth: date, day: int) -> date:
    """The calendar date of a day of life."""
    return birth + timedelta(days=day)
